//! Small trees to run, and the running of them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_model::ImagePath;
use plimsoll_run::{Error, Identity, Limits, Outcome, Probe, Recording, Spec, run, way, way_for};

/// One test at a time: each counts the descriptors and children of the whole process.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Mode 1777, for a directory that another user works in.
pub(crate) fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o1777)).unwrap();
}

/// A tree with this binary, a shell and a few tools, and what to run in it.
pub(crate) struct Tree {
    directory: tempfile::TempDir,
    _turn: Option<MutexGuard<'static, ()>>,
    pub(crate) command: Vec<String>,
    pub(crate) identity: Identity,
    pub(crate) ports: Vec<u16>,
    pub(crate) probes: Vec<Probe>,
    pub(crate) limits: Limits,
    pub(crate) watch: plimsoll_run::Watch,
    pub(crate) again: bool,
    pub(crate) startup: Recording,
    pub(crate) hostname: String,
    pub(crate) spend: bool,
    pub(crate) linger: Duration,
    pub(crate) reload: Duration,
}

/// The programs of this machine that the tests' scripts use.
const TOOLS: [&str; 11] = [
    "sh", "cat", "id", "sleep", "ls", "ln", "stat", "chown", "chmod", "mkdir", "rm",
];

impl Tree {
    /// `None`, and the reason on standard error, where no sandbox can be made.
    pub(crate) fn new() -> Option<Self> {
        let turn = turn();
        Self::make(Some(turn))
    }

    /// A second tree for the test that has the turn.
    pub(crate) fn without_turn() -> Option<Self> {
        Self::make(None)
    }

    fn make(turn: Option<MutexGuard<'static, ()>>) -> Option<Self> {
        if let Err(why) = way() {
            eprintln!("skipped: {why}");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let tree = Self {
            directory,
            _turn: turn,
            command: Vec::new(),
            identity: Identity {
                home: String::from("/home/me"),
                ..Identity::root()
            },
            ports: Vec::new(),
            probes: Vec::new(),
            limits: Limits {
                start: Duration::from_secs(20),
                probe: Duration::from_secs(5),
                stop: Duration::from_secs(5),
                ..Limits::default()
            },
            watch: plimsoll_run::Watch::Usual,
            again: false,
            startup: Recording::Off,
            hostname: String::from("plimsoll"),
            spend: false,
            linger: Duration::ZERO,
            reload: Duration::ZERO,
        };
        for path in ["root", "scratch", "root/etc", "root/bin"] {
            fs::create_dir(tree.directory.path().join(path)).unwrap();
        }
        // As an image has them, and unlike what is to be written there.
        tree.write("/etc/hosts", "nothing");
        symlink("/nowhere", tree.path("/etc/resolv.conf")).unwrap();
        tree.install(&std::env::current_exe().unwrap(), "/bin/it");
        for tool in TOOLS {
            tree.install(&find(tool), &format!("/bin/{tool}"));
        }
        Some(tree)
    }

    /// A path of the image on this machine.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory
            .path()
            .join("root")
            .join(path.trim_start_matches('/'))
    }

    pub(crate) fn scratch(&self) -> PathBuf {
        self.directory.path().join("scratch")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Gives every file of the tree the times of files that came out of an image.
    pub(crate) fn make_old(&self) {
        let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let times = fs::FileTimes::new().set_accessed(old).set_modified(old);
        let mut directories = vec![self.path("/")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    directories.push(entry.path());
                } else if kind.is_file() {
                    let file = fs::File::open(entry.path()).unwrap();
                    file.set_times(times).unwrap();
                }
            }
        }
    }

    pub(crate) fn executable(&self, path: &str) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A program of this machine with all it is linked to.
    pub(crate) fn install(&self, program: &Path, path: &str) {
        copy(program, &self.path(path));
        let output = Command::new("ldd").arg(program).output().unwrap();
        // `name => /path (0x1)` and `/path (0x1)`; nothing of the kind for a static program.
        for word in String::from_utf8_lossy(&output.stdout).split_ascii_whitespace() {
            if word.starts_with('/') && Path::new(word).is_file() {
                copy(Path::new(word), &self.path(word));
            }
        }
    }

    /// Runs one of the functions of [`crate::inside`].
    pub(crate) fn inside(&mut self, name: &str) -> Outcome {
        self.command = inside(name);
        self.run().unwrap()
    }

    pub(crate) fn script(&self, script: &str) -> Outcome {
        self.run_command(&["sh", "-c", script].map(str::to_owned))
            .unwrap()
    }

    pub(crate) fn run(&self) -> Result<Outcome, Error> {
        self.run_command(&self.command)
    }

    /// Runs, and looks whether anything is left behind.
    fn run_command(&self, command: &[String]) -> Result<Outcome, Error> {
        let before = self._turn.as_ref().map(|_| ours());
        let scratch = self.scratch();
        let spec = Spec {
            root: &self.path("/"),
            way: way_for(&self.identity, self.startup != Recording::Off).unwrap(),
            scratch: &scratch,
            command: command.to_vec(),
            env: vec![String::from("A=b")],
            working_dir: String::from("/srv/here"),
            identity: self.identity.clone(),
            stop_signal: libc::SIGTERM,
            volumes: vec![String::from("/data")],
            ports: self.ports.clone(),
            watch: self.watch,
            startup: self.startup.clone(),
            hostname: &self.hostname,
            probes: &self.probes,
            again: self.again,
            spend: self.spend,
            linger: self.linger,
            reload: self.reload,
            limits: self.limits,
            owners: &|path| match path.as_bytes() {
                b"/etc/owned" => Some((41, 42)),
                b"/etc/shared" => Some((0, 0)),
                _ => None,
            },
            modes: &|path| (*path == ImagePath::new("/etc/shared")).then_some(0o2750),
        };
        let outcome = run(&spec);
        assert_eq!(
            fs::read_dir(&scratch).unwrap().count(),
            0,
            "the scratch is not empty"
        );
        if self._turn.is_some() && command.last().is_none_or(|word| !word.contains("one")) {
            assert_eq!(before, Some(ours()), "descriptors and children");
        }
        outcome
    }
}

/// The command line that makes this binary do one of the functions of [`crate::inside`].
pub(crate) fn inside(name: &str) -> Vec<String> {
    let name = format!("inside::{name}");
    [
        "/bin/it",
        "--quiet",
        "--exact",
        &name,
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// What the functions of [`crate::inside`] print for us: the test harness prints as well.
pub(crate) fn said(outcome: &Outcome) -> Vec<String> {
    let text = String::from_utf8_lossy(&outcome.output);
    text.lines()
        .filter_map(|line| Some(line.split_once("> ")?.1.to_owned()))
        .collect()
}

/// Descriptors of this process, and the processes below it.
fn ours() -> (usize, String) {
    let fds = fs::read_dir("/proc/self/fd").unwrap().count();
    let mut children = String::new();
    for thread in fs::read_dir("/proc/self/task").unwrap().flatten() {
        children += &fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    }
    (fds, children)
}

fn find(tool: &str) -> PathBuf {
    let found = ["/bin", "/usr/bin"].map(|directory| Path::new(directory).join(tool));
    let found = found.iter().find(|path| path.exists());
    fs::canonicalize(found.unwrap_or_else(|| panic!("this machine has no {tool}"))).unwrap()
}

fn copy(from: &Path, to: &Path) {
    if !to.exists() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
    }
}
