//! What a container runtime supplies, as steps: mounts, files, limits, identity.

use std::ffi::CString;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use libc::{
    MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT, c_ulong,
};
use plimsoll_model::config::DEFAULT_PATH;

use super::step::{Owner, Planned, Step};
use crate::seccomp::{self, Notify};
use crate::{Error, Recording, Spec, Way};

/// Docker's default capabilities (moby, `oci/caps/defaults.go`), by the numbers of
/// `linux/capability.h`: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP,
/// NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP.
const CAPABILITIES: u64 = bits(&[0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31]);

const fn bits(numbers: &[u32]) -> u64 {
    let (mut mask, mut index) = (0, 0);
    while index < numbers.len() {
        mask |= 1 << numbers[index];
        index += 1;
    }
    mask
}

/// Paths below /proc and /sys that Docker hides, and those it makes read-only (moby,
/// `oci/defaults.go`).
const HIDDEN_FILES: [&str; 6] = [
    "proc/interrupts",
    "proc/kcore",
    "proc/keys",
    "proc/latency_stats",
    "proc/sched_debug",
    "proc/timer_list",
];
const HIDDEN_DIRECTORIES: [&str; 4] = [
    "proc/acpi",
    "proc/scsi",
    "sys/devices/virtual/powercap",
    "sys/firmware",
];
const READ_ONLY: [&str; 5] = [
    "proc/bus",
    "proc/fs",
    "proc/irq",
    "proc/sys",
    "proc/sysrq-trigger",
];

/// The devices of the runtime specification (`config-linux.md`, default devices).
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Descriptors that are known before the clone.
pub(super) struct Channels {
    /// The child's end of the socket to us: the go-ahead, and the listener on its way back.
    pub(super) socket: RawFd,
    /// Standard input of the program.
    pub(super) input: RawFd,
    /// Standard output and error.
    pub(super) output: RawFd,
}

/// How the pristine tree is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pristine {
    /// An overlay upon the tree, with the attributes a user namespace may write.
    UserXattr,
    /// An overlay, as older kernels know it.
    Overlay,
    /// The tree itself, or a copy of it that was made beforehand: it is written to.
    Itself,
}

/// Where things lie on this machine.
pub(super) struct Places {
    /// The tree, or the copy of it.
    pub(super) root: PathBuf,
    /// An empty directory of ours, to be mounted upon.
    pub(super) base: PathBuf,
    /// The permission bits of the tree's root.
    pub(super) mode: u32,
    /// The owners that its files are to be given.
    pub(super) owners: Vec<Owner>,
}

/// The list in the making.
struct Plan {
    steps: Vec<Planned>,
}

impl Plan {
    fn add(&mut self, what: impl Into<String>, step: Step) {
        self.steps.push(Planned {
            what: what.into(),
            optional: false,
            step,
        });
    }

    fn try_to(&mut self, what: impl Into<String>, step: Step) {
        self.steps.push(Planned {
            what: what.into(),
            optional: true,
            step,
        });
    }
}

/// All steps from the clone to the program.
pub(super) fn plan(
    spec: &Spec<'_>,
    way: Way,
    pristine: Pristine,
    places: &Places,
    channels: &Channels,
    notify: Notify,
) -> Result<Vec<Planned>, Error> {
    let mut plan = Plan { steps: Vec::new() };
    plan.add("wait for the id maps", Step::Await(channels.socket));
    plan.add("start a session", Step::Session);
    plan.add("tie the sandbox to this process", Step::DieWithParent);
    // Nothing below depends on what the caller's process was started with.
    plan.add("clear the file mode mask", Step::Umask(0));
    if !places.owners.is_empty() {
        let own = Step::Own {
            root: os(&places.root)?,
            owners: places.owners.clone(),
        };
        plan.try_to("give the image's files to their owners", own);
    }
    root(&mut plan, spec, pristine, places, channels)?;
    kernel_views(&mut plan, spec, way)?;
    plan.add("change the root", Step::PivotRoot);
    files(&mut plan, spec)?;
    plan.add(
        "open standard input and output",
        Step::Streams {
            input: channels.input,
            output: channels.output,
        },
    );
    execute(&mut plan, spec, &spec.command, way, channels, notify)?;
    Ok(plan.steps)
}

/// The steps of one more program in a sandbox that runs; the caller has joined its namespaces, and
/// tells of a failure to do so as the first step's.
pub(super) fn enter(
    spec: &Spec<'_>,
    command: &[String],
    way: Way,
    channels: &Channels,
    notify: Notify,
) -> Result<Vec<Planned>, Error> {
    let mut plan = Plan { steps: Vec::new() };
    plan.add("enter the sandbox", Step::Umask(0));
    plan.add("start a session", Step::Session);
    start(&mut plan, spec, command, way, channels, notify)?;
    Ok(plan.steps)
}

/// The steps of a second start, in the mounts of the first; see [`super::again`].
pub(super) fn again(
    spec: &Spec<'_>,
    way: Way,
    channels: &Channels,
    notify: Notify,
) -> Result<Vec<Planned>, Error> {
    let mut plan = Plan { steps: Vec::new() };
    plan.add("enter the sandbox again", Step::Umask(0));
    plan.add("start a session", Step::Session);
    plan.add("tie the sandbox to this process", Step::DieWithParent);
    // The /proc that is there shows a process namespace without processes. The joined mounts begin
    // at the root.
    let quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    plan.add("mount /proc", mount("proc", "proc", "proc", quiet, "")?);
    protect(&mut plan, |path| path.starts_with("proc/"))?;
    start(&mut plan, spec, &spec.command, way, channels, notify)?;
    Ok(plan.steps)
}

/// The steps of any program in mounts that are there: its directory, its streams, and the last ones.
fn start(
    plan: &mut Plan,
    spec: &Spec<'_>,
    command: &[String],
    way: Way,
    channels: &Channels,
    notify: Notify,
) -> Result<(), Error> {
    let directory = absolute(working_dir(spec));
    let what = format!("enter the working directory {directory}");
    plan.add(what, Step::Chdir(text(&directory)?));
    let streams = Step::Streams {
        input: channels.input,
        output: channels.output,
    };
    plan.add("open standard input and output", streams);
    execute(plan, spec, command, way, channels, notify)
}

/// The last steps of all: a program is found, everything is given up, the program is executed.
fn execute(
    plan: &mut Plan,
    spec: &Spec<'_>,
    command: &[String],
    way: Way,
    channels: &Channels,
    notify: Notify,
) -> Result<(), Error> {
    let program = program(spec, command)?;
    let what = command.first().cloned().unwrap_or_default();
    if let Step::Execute { programs, .. } = &program {
        let programs = programs.clone();
        plan.add(what.clone(), Step::Inspect { programs });
    }
    confine(plan, spec, way, channels, notify);
    plan.add(what, program);
    Ok(())
}

fn working_dir<'a>(spec: &'a Spec<'_>) -> &'a str {
    match &*spec.working_dir {
        "" => "/",
        path => path,
    }
}

/// A fresh view of the tree in the current directory; nothing that happens there reaches the disk.
fn root(
    plan: &mut Plan,
    spec: &Spec<'_>,
    pristine: Pristine,
    places: &Places,
    channels: &Channels,
) -> Result<(), Error> {
    let private = mount("none", "/", "", MS_REC | MS_PRIVATE, "")?;
    plan.add("make the mounts private", private);
    let base = os(&places.base)?;
    let lower = os(&places.root)?;
    if pristine == Pristine::Itself {
        let bind = Step::Mount {
            source: lower,
            target: base.clone(),
            kind: text("")?,
            flags: MS_BIND,
            data: text("")?,
        };
        plan.add("mount the image's tree", bind);
        plan.add("enter the image's tree", Step::Chdir(base));
        return Ok(());
    }
    let memory = Step::Mount {
        source: text("tmpfs")?,
        target: base.clone(),
        kind: text("tmpfs")?,
        flags: MS_NODEV | MS_NOSUID,
        data: text(&format!(
            "mode=755,nr_inodes={},size={}",
            spec.limits.files, spec.limits.disk
        ))?,
    };
    plan.add("mount a file system in memory", memory);
    plan.add("enter the file system in memory", Step::Chdir(base));
    // The root of an overlay has the mode of its upper directory.
    for (name, mode) in [
        ("lower", 0o755),
        ("upper", places.mode),
        ("work", 0o755),
        ("root", 0o755),
    ] {
        plan.add(format!("make the directory {name}"), directory(name, mode)?);
    }
    if spec.startup != Recording::Off {
        let show = Step::Show {
            path: text("upper")?,
            socket: channels.socket,
        };
        plan.add("show the directory upper", show);
    }
    let bind = Step::Mount {
        source: lower,
        target: text("lower")?,
        kind: text("")?,
        flags: MS_BIND,
        data: text("")?,
    };
    plan.add("mount the image's tree", bind);
    let data = match pristine {
        Pristine::UserXattr => "lowerdir=lower,upperdir=upper,workdir=work,userxattr",
        _ => "lowerdir=lower,upperdir=upper,workdir=work",
    };
    plan.add(OVERLAY, mount("overlay", "root", "overlay", 0, data)?);
    plan.add("enter the root", Step::Chdir(text("root")?));
    Ok(())
}

/// What is said of the step that may be tried another way.
pub(super) const OVERLAY: &str = "mount an overlay upon the image's tree";

/// /proc, /sys and /dev, in the root we are in but which is not yet ours.
fn kernel_views(plan: &mut Plan, spec: &Spec<'_>, way: Way) -> Result<(), Error> {
    for name in ["proc", "sys", "dev", "etc"] {
        plan.add(format!("make /{name}"), directory(name, 0o755)?);
    }
    let quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    plan.add("mount /proc", mount("proc", "proc", "proc", quiet, "")?);
    let sys = mount("sysfs", "sys", "sysfs", quiet | MS_RDONLY, "")?;
    plan.try_to("mount /sys", sys);

    let dev = mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=64k")?;
    plan.add("mount /dev", dev);
    for name in DEVICES {
        let (from, to) = (format!("/dev/{name}"), format!("dev/{name}"));
        plan.add(format!("make {from}"), Step::Touch { path: text(&to)? });
        plan.add(format!("mount {from}"), mount(&from, &to, "", MS_BIND, "")?);
        // Written to as a device all the same; but the file is this machine's, and nobody inside may
        // change its mode or owner.
        let flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC;
        let protect = mount("none", &to, "", flags, "")?;
        plan.add(format!("protect {from}"), protect);
    }
    for (path, target) in [
        ("dev/fd", "/proc/self/fd"),
        ("dev/stdin", "/proc/self/fd/0"),
        ("dev/stdout", "/proc/self/fd/1"),
        ("dev/stderr", "/proc/self/fd/2"),
        ("dev/ptmx", "pts/ptmx"),
    ] {
        plan.add(format!("make /{path}"), link(target, path)?);
    }
    for name in ["pts", "shm", "mqueue"] {
        let path = format!("dev/{name}");
        plan.add(format!("make /{path}"), directory(&path, 0o755)?);
    }
    // The group of terminals is 5 by convention; a plain user has no such group.
    let pts = match way {
        Way::Root | Way::Subordinate => "newinstance,ptmxmode=0666,mode=0620,gid=5",
        Way::Plain => "newinstance,ptmxmode=0666,mode=0620",
    };
    let pts = mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, pts)?;
    plan.try_to("mount /dev/pts", pts);
    let shm = mount(
        "shm",
        "dev/shm",
        "tmpfs",
        quiet,
        "mode=1777,nr_inodes=64k,size=64m",
    )?;
    plan.add("mount /dev/shm", shm);
    let queues = mount("mqueue", "dev/mqueue", "mqueue", quiet, "")?;
    plan.try_to("mount /dev/mqueue", queues);

    let ports = Step::Write {
        path: text("proc/sys/net/ipv4/ip_unprivileged_port_start")?,
        bytes: b"0".to_vec(),
    };
    plan.try_to("let every user bind ports below 1024", ports);
    // At most as much System V shared memory as the image may use at all, in pages.
    let pages = Step::Write {
        path: text("proc/sys/kernel/shmall")?,
        bytes: (spec.limits.memory / 4096).to_string().into_bytes(),
    };
    plan.try_to("limit shared memory", pages);
    protect(plan, |_| true)
}

/// Hides what Docker hides of /proc and /sys, and makes read-only what it makes so.
fn protect(plan: &mut Plan, wanted: impl Fn(&str) -> bool) -> Result<(), Error> {
    let quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    let chosen = |paths: &[&'static str]| -> Vec<&'static str> {
        paths.iter().copied().filter(|path| wanted(path)).collect()
    };
    for path in chosen(&HIDDEN_FILES) {
        plan.try_to(
            format!("hide /{path}"),
            mount("dev/null", path, "", MS_BIND, "")?,
        );
    }
    for path in chosen(&HIDDEN_DIRECTORIES) {
        let empty = mount("tmpfs", path, "tmpfs", quiet | MS_RDONLY, "size=4k")?;
        plan.try_to(format!("hide /{path}"), empty);
    }
    for path in chosen(&READ_ONLY) {
        plan.try_to(
            format!("split /{path} off"),
            mount(path, path, "", MS_BIND | MS_REC, "")?,
        );
        let flags = MS_REMOUNT | MS_BIND | MS_RDONLY | quiet;
        plan.try_to(
            format!("make /{path} read-only"),
            mount("none", path, "", flags, "")?,
        );
    }
    Ok(())
}

/// The files a runtime writes, the volumes, the working directory; the root is ours by now.
fn files(plan: &mut Plan, spec: &Spec<'_>) -> Result<(), Error> {
    let hostname = spec.hostname;
    plan.add("name the sandbox", Step::Hostname(hostname.into()));
    plan.add("bring the loopback interface up", Step::Loopback);
    let hosts = format!(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\t{hostname}\n"
    );
    for (path, bytes) in [
        ("/etc/hosts", hosts),
        ("/etc/hostname", format!("{hostname}\n")),
        // There is nobody to ask but ourselves, and nobody listens: names fail at once.
        (
            "/etc/resolv.conf",
            String::from("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
        ),
    ] {
        let step = Step::File {
            path: text(path)?,
            bytes: bytes.into_bytes(),
        };
        plan.add(format!("write {path}"), step);
    }
    plan.try_to("make /etc/mtab", link("/proc/mounts", "/etc/mtab")?);
    for volume in &spec.volumes {
        make_all(plan, volume, "the volume")?;
    }
    let working_dir = working_dir(spec);
    make_all(plan, working_dir, "the working directory")?;
    let what = format!("enter the working directory {working_dir}");
    plan.add(what, Step::Chdir(text(&absolute(working_dir))?));
    Ok(())
}

/// A directory and all above it.
fn make_all(plan: &mut Plan, path: &str, what: &str) -> Result<(), Error> {
    let path = absolute(path);
    for (at, _) in path.match_indices('/').skip(1).chain([(path.len(), "")]) {
        let above = &path[..at];
        if above.len() > 1 {
            plan.add(format!("make {what} {path}"), directory(above, 0o755)?);
        }
    }
    Ok(())
}

fn absolute(path: &str) -> String {
    format!("/{}", path.trim_matches('/'))
}

/// Limits, identity, capabilities, the filter: from here on nothing more can be gained.
fn confine(plan: &mut Plan, spec: &Spec<'_>, way: Way, channels: &Channels, notify: Notify) {
    plan.add("set the file mode mask", Step::Umask(0o022));
    let limits = [
        // 0 would still start this machine's handler of core dumps, where it is a program; 1 does not
        // (`fs/coredump.c`).
        ("core files", libc::RLIMIT_CORE, 1, 1),
        ("open files", libc::RLIMIT_NOFILE, 1024, 512 << 10),
        (
            "processes",
            libc::RLIMIT_NPROC,
            u64::from(spec.limits.processes),
            u64::from(spec.limits.processes),
        ),
    ];
    for (name, resource, soft, hard) in limits {
        let step = Step::Limit {
            resource: resource as _,
            soft,
            hard,
        };
        plan.add(format!("limit {name}"), step);
    }
    plan.add("bound the capabilities", Step::Bounding(CAPABILITIES));
    plan.add("drop the capabilities", Step::Capabilities(CAPABILITIES));
    if way != Way::Plain {
        let identity = &spec.identity;
        plan.add("set the groups", Step::Groups(identity.groups.clone()));
        plan.add(
            format!("become group {}", identity.gid),
            Step::Group(identity.gid),
        );
        plan.add(
            format!("become user {}", identity.uid),
            Step::User(identity.uid),
        );
    }
    if way == Way::Subordinate {
        // Everything of the image stands still until its program runs; see `exec`.
        plan.add("show the process to the tracer", Step::Visible);
    }
    // A change of user undoes this; so again.
    plan.add("tie the sandbox to this process", Step::DieWithParent);
    plan.add("give up new privileges", Step::NoNewPrivileges);
    plan.add("reset the signals", Step::Signals);
    plan.add("close all descriptors", Step::CloseOthers);
    let filter = Step::Filter {
        program: seccomp::filter(notify),
        listener: (notify != Notify::Nothing).then_some(channels.socket),
    };
    plan.add("install the system call filter", filter);
}

fn program(spec: &Spec<'_>, command: &[String]) -> Result<Step, Error> {
    let Some(program) = command.first().filter(|program| !program.is_empty()) else {
        let text = "nothing: the image names no entrypoint and no command";
        return Err(Error::Command(text.to_owned()));
    };
    let environment = environment(spec);
    let texts = |texts: &[String]| -> Result<Vec<CString>, Error> {
        texts.iter().map(|one| text(one)).collect()
    };
    let programs = candidates(program, &environment);
    Ok(Step::Execute {
        programs: texts(&programs)?,
        arguments: texts(command)?,
        environment: texts(&environment)?,
    })
}

/// What the image sets, and what every runtime adds.
fn environment(spec: &Spec<'_>) -> Vec<String> {
    let mut environment: Vec<String> = Vec::new();
    let name = |pair: &str| pair.split('=').next().unwrap_or("").to_owned();
    let home = format!("HOME={}", spec.identity.home);
    let host = format!("HOSTNAME={}", spec.hostname);
    let path = format!("PATH={DEFAULT_PATH}");
    for pair in [path, host, home].iter().chain(&spec.env) {
        match environment.iter_mut().find(|old| name(old) == name(pair)) {
            Some(old) => old.clone_from(pair),
            None => environment.push(pair.clone()),
        }
    }
    environment
}

/// The paths at which a program may lie, in the order of the search.
pub(super) fn candidates(program: &str, environment: &[String]) -> Vec<String> {
    if program.contains('/') {
        return vec![program.to_owned()];
    }
    let path = environment
        .iter()
        .find_map(|pair| pair.strip_prefix("PATH="));
    path.unwrap_or("")
        .split(':')
        .filter(|directory| !directory.is_empty())
        .map(|directory| format!("{directory}/{program}"))
        .collect()
}

fn text(text: &str) -> Result<CString, Error> {
    let error = |_| Error::Spec(format!("`{}` has a zero byte", text.escape_debug()));
    CString::new(text).map_err(error)
}

fn os(path: &Path) -> Result<CString, Error> {
    let error = |_| Error::Spec(format!("`{}` has a zero byte", path.display()));
    CString::new(path.as_os_str().as_bytes()).map_err(error)
}

fn mount(
    source: &str,
    target: &str,
    kind: &str,
    flags: c_ulong,
    data: &str,
) -> Result<Step, Error> {
    Ok(Step::Mount {
        source: text(source)?,
        target: text(target)?,
        kind: text(kind)?,
        flags,
        data: text(data)?,
    })
}

fn directory(path: &str, mode: u32) -> Result<Step, Error> {
    Ok(Step::Directory {
        path: text(path)?,
        mode,
    })
}

fn link(target: &str, path: &str) -> Result<Step, Error> {
    Ok(Step::Link {
        target: text(target)?,
        path: text(path)?,
    })
}
