//! How process 1 comes to be the server: the programs it was, what each was given, and what they did
//! to the file system before the last of them began.
//!
//! A call that executes a program waits for our answer, so that what is read meanwhile, of the
//! process and of the files, is how the program will find it. Whether the program will be the last
//! one is not known then: each time everything is read anew, and the last time counts.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use plimsoll_model::startup::{Command, Prepared, Stage, What};
use plimsoll_model::text::printable;
use plimsoll_model::{Access, ImagePath, Startup};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, openat2};
use rustix::process::{Pid, Signal, kill_process};

use super::fake::Fake;
use super::listener::{Listener, Question};
use super::{Log, Sights, memory};
use crate::{Recording, Spec};
use upper::Baseline;

mod process;
mod upper;

/// Commands of helpers that are recorded.
const MOST_HELPERS: usize = 10_000;
/// Bytes of all arguments, or of all variables, of one program: the kernel's own limit is 2 MiB
/// (`execve(2)`), of one text 128 KiB.
const MOST_TEXT: usize = 2 << 20;
/// Writers whose names are remembered.
const MOST_WRITERS: usize = 100_000;
/// How long a helper that is about to end is waited for.
const ENDS: Duration = Duration::from_millis(100);
/// Bytes of an interpreter's name and its argument in a `#!` line (`BINPRM_BUF_SIZE`).
const LONGEST_LINE: usize = 256;
/// Shells, by the name they are started under.
const SHELLS: [&[u8]; 6] = [b"sh", b"ash", b"bash", b"dash", b"ksh", b"zsh"];

/// Watches process 1 on its way.
pub(super) struct Recorder {
    first: i32,
    upper: Option<OwnedFd>,
    root: Option<OwnedFd>,
    until: Option<(Vec<u8>, usize)>,
    baseline: Option<Baseline>,
    startup: Startup,
    known: BTreeSet<Command>,
    /// What was touched before the last stage, and since.
    before: Log,
    since: Log,
    /// The script each process works for.
    actors: HashMap<i32, Arc<str>>,
    writers: HashMap<Vec<u8>, Arc<str>>,
}

impl Recorder {
    pub(super) fn new(first: i32, upper: Option<OwnedFd>, spec: &Spec<'_>) -> Self {
        let until = match &spec.startup {
            Recording::Until { program, times } => Some((program.clone(), *times)),
            Recording::On | Recording::Off => None,
        };
        Self {
            first,
            upper,
            root: None,
            until,
            baseline: None,
            startup: Startup::default(),
            known: BTreeSet::new(),
            before: Log::default(),
            since: Log::default(),
            actors: HashMap::new(),
            writers: HashMap::new(),
        }
    }

    /// A program is about to be executed; its caller waits for us.
    pub(super) fn executing(
        &mut self,
        listener: &Listener,
        question: &Question,
        sights: &Sights,
        fake: Option<&Fake<'_>>,
    ) {
        let Ok([Some(sight), _]) = sights else {
            return;
        };
        // A search through PATH asks for programs that are not there.
        let Some(line) = self.head(&sight.path) else {
            return;
        };
        let thread = question.thread;
        let at = match question.number {
            libc::SYS_execveat => 2,
            _ => 1,
        };
        let arguments = texts(thread, question.arguments[at]);
        let arguments = match arguments {
            Ok(arguments) if listener.is_valid(question) => arguments,
            Ok(_) => return,
            Err(error) => return self.blind(format!("the arguments of a program: {error}")),
        };
        let process = match fs::exists(format!("/proc/{}/task/{thread}", self.first)) {
            Ok(true) => self.first,
            _ => thread,
        };
        let command = Command {
            program: sight.path.clone(),
            arguments,
        };
        let parent = self.actor(process);
        let actor = match script(&command, &line) {
            Some(name) => name.into(),
            None if process == self.first => "".into(),
            None => parent,
        };
        if process != self.first {
            self.actors.insert(process, actor);
            if self.known.len() < MOST_HELPERS && self.known.insert(command.clone()) {
                self.startup.helpers.push(command);
            } else if self.known.len() >= MOST_HELPERS {
                self.blind(format!("more than {MOST_HELPERS} programs were started"));
            }
            return;
        }
        let environment = texts(thread, question.arguments[at + 1]);
        let environment = environment.unwrap_or_else(|error| {
            self.blind(format!("the variables of process 1: {error}"));
            Vec::new()
        });
        match process::stage(self.first, command, environment, fake) {
            Ok(stage) if listener.is_valid(question) => self.stage(stage, fake),
            Ok(_) => return,
            Err(error) => self.blind(format!("the state of process 1: {error}")),
        }
        self.actors.insert(process, actor);
        if self.is_reached() {
            // It waits for us, so that the number is still its own; all others end with it.
            if let Some(pid) = Pid::from_raw(self.first) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    /// Process 1 becomes this.
    fn stage(&mut self, stage: Stage, fake: Option<&Fake<'_>>) {
        self.before.merge(std::mem::take(&mut self.since));
        self.startup.stages.push(stage);
        let Some(directory) = &self.upper else {
            return self.blind(String::from(
                "what was written: the sandbox runs on a copy of the tree",
            ));
        };
        let found = match &self.baseline {
            None => {
                let baseline = Baseline::of(directory);
                self.baseline = Some(baseline);
                return;
            }
            Some(baseline) => upper::changes(directory, baseline),
        };
        self.startup.beside = beside(self.first);
        let mut prepared = found;
        for (path, prepared) in &mut prepared {
            if let Some(fake) = fake {
                prepared.owner = fake.owner(path.as_bytes());
            }
        }
        // What was only given away by a plain user was never written.
        for (path, owner) in fake.into_iter().flat_map(Fake::given) {
            prepared
                .entry(ImagePath::new(path))
                .or_insert_with(|| Prepared {
                    what: What::Owner,
                    mode: 0,
                    owner,
                    by: String::new(),
                });
        }
        for (path, prepared) in &mut prepared {
            prepared.by = self.writer(path);
        }
        self.startup.prepared = prepared;
    }

    /// Whose work a path is: by its name as spelt, else the entry's own.
    fn writer(&self, path: &ImagePath) -> String {
        let exact = self.writers.get(path.as_bytes());
        let by_name = || {
            let same = |other: &&Vec<u8>| ImagePath::new(other).file_name() == path.file_name();
            self.writers.keys().filter(same).min()
        };
        let found = exact.or_else(|| self.writers.get(by_name()?));
        let found = found.or_else(|| self.actors.get(&self.first));
        found.map(|name| name.to_string()).unwrap_or_default()
    }

    /// A call that names files is made.
    pub(super) fn touched(&mut self, thread: i32, sights: &Sights, program: &str, scene: &str) {
        self.since.add(sights, program, scene);
        let Ok(sights) = sights else { return };
        let writes = [Access::WRITTEN, Access::CHANGED, Access::REMOVED];
        for sight in sights.iter().flatten() {
            let is_written = writes.iter().any(|&access| sight.access.has(access));
            if is_written && self.writers.len() < MOST_WRITERS {
                let path = ImagePath::new(&sight.path).as_bytes().to_vec();
                if !self.writers.contains_key(&path) {
                    let actor = self.actor(thread);
                    self.writers.insert(path, actor);
                }
            }
        }
    }

    pub(super) fn finish(mut self) -> Startup {
        let traced = self.before.finish();
        self.startup.touched = traced.observations;
        let blind = self.startup.touched.blind.iter().cloned();
        self.startup.blind.extend(blind);
        self.startup
    }

    fn blind(&mut self, what: String) {
        if !self.startup.blind.contains(&what) {
            self.startup.blind.push(what);
        }
    }

    fn is_reached(&self) -> bool {
        let Some((program, times)) = &self.until else {
            return false;
        };
        let stages = self.startup.stages.iter();
        let count = stages.filter(|stage| stage.command.program == *program);
        count.count() >= *times
    }

    /// The script that a process works for: its own, or that of its parent.
    fn actor(&mut self, thread: i32) -> Arc<str> {
        let mut chain = Vec::new();
        let mut at = thread;
        let found = loop {
            if let Some(known) = self.actors.get(&at) {
                break Arc::clone(known);
            }
            chain.push(at);
            match process::parent(at) {
                Some(parent) if chain.len() < 64 && at != self.first => at = parent,
                _ => break "".into(),
            }
        };
        for process in chain {
            self.actors.insert(process, Arc::clone(&found));
        }
        found
    }

    /// The first bytes of an executable file; `None` if there is no such file.
    fn head(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        if self.root.is_none() {
            let root = format!("/proc/{}/root", self.first);
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            self.root = Some(rustix::fs::open(root, flags, Mode::empty()).ok()?);
        }
        let root = self.root.as_ref()?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let opened = |flags| openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT);
        let name = opened(OFlags::PATH | OFlags::CLOEXEC).ok()?;
        let status = rustix::fs::fstat(&name).ok()?;
        let is_file = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
        if !is_file || status.st_mode & 0o111 == 0 {
            return None;
        }
        let mut bytes = vec![0; LONGEST_LINE];
        // A program that may be executed and not read is none of a script.
        let got = opened(flags).and_then(|file| rustix::io::read(file, &mut bytes));
        bytes.truncate(got.unwrap_or(0));
        Some(bytes)
    }
}

/// What a script is called, if the command is one: its path, or the shell with a text of its own.
fn script(command: &Command, head: &[u8]) -> Option<String> {
    if head.starts_with(b"#!") {
        return Some(printable(ImagePath::new(&command.program).as_bytes()));
    }
    let name = |path: &[u8]| path.rsplit(|&byte| byte == b'/').next().map(<[u8]>::to_vec);
    let shell = name(&command.program).filter(|name| SHELLS.contains(&name.as_slice()));
    let shell = shell.or_else(|| {
        let called = name(command.arguments.first()?)?;
        SHELLS.contains(&called.as_slice()).then_some(called)
    })?;
    let file = command.arguments.get(1)?;
    match file.starts_with(b"-") {
        true => Some(format!("{} {}", printable(&shell), printable(file))),
        false => Some(printable(file)),
    }
}

/// A list of texts that ends with a null pointer.
fn texts(thread: i32, address: u64) -> std::io::Result<Vec<Vec<u8>>> {
    let mut texts = Vec::new();
    let (mut at, mut bytes) = (address, 0);
    if address == 0 {
        return Ok(texts);
    }
    loop {
        let text = match memory::word(thread, at)? {
            0 => return Ok(texts),
            address => memory::long_text(thread, address)?,
        };
        bytes += text.len() + 8;
        if bytes > MOST_TEXT {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        texts.push(text);
        at = at.wrapping_add(8);
    }
}

/// The programs of all other processes of a sandbox that are not about to end.
fn beside(first: i32) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let others = process::others(first);
        if others.is_empty() || begun.elapsed() > ENDS {
            return others;
        }
        sleep(ENDS / 20);
    }
}
