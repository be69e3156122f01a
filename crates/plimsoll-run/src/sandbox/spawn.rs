//! From a plan to a running program: the clone, the id maps, the handshake.
#![expect(unsafe_code, reason = "a clone into new namespaces")]

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use libc::c_int;
use plimsoll_model::ImagePath;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::pipe::{PipeFlags, pipe_with};

use super::plan::{self, Channels, OVERLAY, Places, Pristine};
use super::step::{self, Failure, Planned, Step, Vectors};
use crate::network::Network;
use crate::seccomp::Notify;
use crate::sys::{self, Side};
use crate::way::write_maps;
use crate::{Ended, Error, Spec, Way};

/// Every namespace there is for a process, in one go: the child is process 1 of its own.
const NAMESPACES: c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// Between making the descriptors of one child and having them closed on our side no other sandbox
/// is cloned, or it would hold them open.
pub(crate) static CLONING: Mutex<()> = Mutex::new(());

/// The first process of a sandbox; killed and waited for when dropped, and with it all others.
pub(super) struct Process {
    pub(super) pid: i32,
    pidfd: OwnedFd,
    ended: Mutex<Option<Ended>>,
    /// After the others: it ends when the process is gone.
    keeper: Option<Keeper>,
}

/// A process of ours that kills a sandbox when we are gone, however we went. The parent-death signal
/// alone is not enough: a program that changes its user clears it (`prctl(2)`).
struct Keeper {
    pidfd: OwnedFd,
    /// Its end is what the keeper waits for; only we hold it.
    line: Option<OwnedFd>,
}

impl Keeper {
    fn new(kept: &OwnedFd) -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let (reader_fd, kept_fd) = (reader.as_raw_fd(), kept.as_raw_fd());
        // SAFETY: the child only makes system calls, and never returns.
        match unsafe { sys::clone(0) }? {
            // SAFETY: this is the child of the clone.
            Side::Child => unsafe { keep(reader_fd, kept_fd) },
            Side::Parent { pidfd, .. } => Ok(Self {
                pidfd,
                line: Some(writer),
            }),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.line.take();
        // It has nothing left to do but to end.
        let _ = sys::wait(self.pidfd.as_fd());
    }
}

/// Waits until the pipe is closed, then kills. Holds no descriptor but these two, and is out of reach
/// of the terminal.
///
/// # Safety
/// Only for the child of [`sys::clone`].
unsafe fn keep(reader: c_int, kept: c_int) -> ! {
    // SAFETY: system calls without pointers but to a byte of our own.
    unsafe {
        libc::syscall(libc::SYS_setsid);
        // Out of the way of 0 and 1 first: either may be in use by the other.
        let reader = libc::syscall(libc::SYS_fcntl, reader, libc::F_DUPFD, 3);
        let kept = libc::syscall(libc::SYS_fcntl, kept, libc::F_DUPFD, 3);
        libc::syscall(libc::SYS_dup3, reader, 0, 0);
        libc::syscall(libc::SYS_dup3, kept, 1, 0);
        if libc::syscall(libc::SYS_close_range, 2u32, u32::MAX, 0) < 0 {
            for fd in 2..4096 {
                libc::syscall(libc::SYS_close, fd);
            }
        }
        let mut byte = 0u8;
        while libc::syscall(libc::SYS_read, 0, ptr::from_mut(&mut byte), 1) < 0
            && sys::errno() == libc::EINTR
        {}
        let none = ptr::null::<libc::siginfo_t>();
        libc::syscall(libc::SYS_pidfd_send_signal, 1, libc::SIGKILL, none, 0);
        libc::_exit(0)
    }
}

impl Process {
    /// A child of ours, with a keeper of its own.
    pub(super) fn new(pid: i32, pidfd: OwnedFd) -> io::Result<Self> {
        // Killed by its drop where it gets no keeper.
        let mut process = Self {
            pid,
            pidfd,
            ended: Mutex::new(None),
            keeper: None,
        };
        process.keeper = Some(Keeper::new(&process.pidfd)?);
        Ok(process)
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: c_int) {
        sys::signal(self.pidfd.as_fd(), signal);
    }

    /// How it ended, if it has ended within this time.
    pub(super) fn ended(&self, within: Duration) -> Option<Ended> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.is_none() {
            let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
            let within = Timespec::try_from(within).ok()?;
            if matches!(poll(&mut fds, Some(&within)), Ok(1..)) {
                *ended = sys::wait(self.pidfd.as_fd()).ok();
            }
        }
        *ended
    }

    /// Kills it, and waits until the last process of the sandbox is gone.
    pub(super) fn kill(&self) -> Option<Ended> {
        self.signal(libc::SIGKILL);
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.is_none() {
            *ended = sys::wait(self.pidfd.as_fd()).ok();
        }
        *ended
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process that has come as far as its filter.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) network: Network,
    /// Where the calls to look at arrive.
    pub(super) listener: Option<OwnedFd>,
    /// The directory that holds what the image has written, where it was to be shown.
    pub(super) upper: Option<OwnedFd>,
    report: File,
    plan: Vec<Planned>,
}

/// Why a process did not come that far.
pub(super) enum Stopped {
    /// The overlay cannot be mounted this way.
    Overlay,
    /// Anything else.
    Error(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Starts the image; with a listener, the program waits for somebody to answer there.
pub(super) fn start(
    spec: &Spec<'_>,
    way: Way,
    pristine: Pristine,
    places: &Places,
    notify: Notify,
    writer: &File,
) -> Result<Started, Stopped> {
    let null = File::open("/dev/null").map_err(Error::sandbox("open /dev/null"))?;
    let make = |socket| {
        let channels = Channels {
            socket,
            input: null.as_raw_fd(),
            output: writer.as_raw_fd(),
        };
        plan::plan(spec, way, pristine, places, &channels, notify)
    };
    let mut started = clone(way, make)?;
    if notify != Notify::Nothing {
        while started.started.listener.is_none() {
            let received = sys::receive_fds(started.socket.as_fd());
            match received.map_err(Error::sandbox("receive the tracer's descriptor"))? {
                Some((step::UPPER, mut fds)) => started.started.upper = fds.pop(),
                Some((_, mut fds)) => match fds.pop() {
                    Some(listener) => started.started.listener = Some(listener),
                    None => break,
                },
                None => break,
            }
        }
    }
    let started = started.started;
    if started.listener.is_none() {
        // It either runs by now or has failed.
        let fatal = started.failures()?.into_iter().find(|one| !one.optional);
        match fatal {
            Some(failed) if failed.what == OVERLAY => return Err(Stopped::Overlay),
            Some(failed) => return Err(started.error(failed, spec).into()),
            None if notify != Notify::Nothing => {
                let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                return Err(Error::sandbox("start the tracer")(error).into());
            }
            None => {}
        }
    }
    Ok(started)
}

/// A step that failed.
pub(super) struct Failed {
    pub(super) what: String,
    pub(super) optional: bool,
    pub(super) source: io::Error,
    executing: bool,
}

impl Started {
    /// A second start.
    pub(super) fn again(
        process: Process,
        network: Network,
        listener: Option<OwnedFd>,
        report: File,
        plan: Vec<Planned>,
    ) -> Self {
        Self {
            process,
            network,
            listener,
            upper: None,
            report,
            plan,
        }
    }

    /// Waits until the program runs; answers with the sentences of what it must do without.
    pub(super) fn executed(&self, spec: &Spec<'_>) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        for failed in self.failures()? {
            if !failed.optional {
                return Err(self.error(failed, spec));
            }
            // What this kernel does not have needs no hiding.
            if failed.source.kind() != io::ErrorKind::NotFound {
                problems.push(format!("cannot {}: {}", failed.what, failed.source));
            }
        }
        Ok(problems)
    }

    fn failures(&self) -> Result<Vec<Failed>, Error> {
        let failures =
            step::failures(&self.report).map_err(Error::sandbox("hear from the sandbox"))?;
        let known = |Failure { step, errno }| {
            let planned = self.plan.get(step as usize)?;
            Some(Failed {
                what: planned.what.clone(),
                optional: planned.optional,
                source: io::Error::from_raw_os_error(errno),
                executing: matches!(planned.step, Step::Execute { .. } | Step::Inspect { .. }),
            })
        };
        Ok(failures.into_iter().filter_map(known).collect())
    }

    fn error(&self, failed: Failed, spec: &Spec<'_>) -> Error {
        if !failed.executing {
            return Error::sandbox(failed.what)(failed.source);
        }
        let Some(Step::Execute { programs, .. }) = self.plan.last().map(|last| &last.step) else {
            return Error::Command(failed.what);
        };
        let present = programs
            .iter()
            .any(|program| is_there(spec, program.as_bytes()));
        let why = match failed.source.raw_os_error() {
            Some(libc::ENOENT) if present => {
                String::from("the file is there, but the interpreter or loader it names is not")
            }
            Some(libc::ENOENT) => String::from("no such file"),
            Some(libc::ELOOP) => {
                String::from("it is reached through /proc, or through too many symbolic links")
            }
            Some(libc::EACCES) => String::from("permission denied"),
            Some(libc::ENOEXEC) => String::from("not a program this machine can run"),
            _ => failed.source.to_string(),
        };
        Error::Command(format!("{}: {why}", failed.what))
    }
}

/// Whether the image's tree has such a path, links followed inside it.
fn is_there(spec: &Spec<'_>, program: &[u8]) -> bool {
    let path = ImagePath::new(&spec.working_dir).join(program);
    let Ok(root) = File::open(spec.root) else {
        return false;
    };
    let (flags, mode) = (OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    openat2(&root, path.as_bytes(), flags, mode, ResolveFlags::IN_ROOT).is_ok()
}

/// A clone that has been let go.
struct Cloned {
    started: Started,
    socket: OwnedFd,
}

fn clone(
    way: Way,
    make: impl FnOnce(c_int) -> Result<Vec<Planned>, Error>,
) -> Result<Cloned, Error> {
    let cloning = CLONING.lock().unwrap_or_else(PoisonError::into_inner);
    let (ours, theirs) = sys::socket_pair().map_err(Error::sandbox("make a socket"))?;
    let (report, theirs_report) =
        pipe_with(PipeFlags::CLOEXEC).map_err(|e| Error::sandbox("make a pipe")(e.into()))?;
    let plan = make(theirs.as_raw_fd())?;
    let vectors = Vectors::of(&plan);
    let blocked = Blocked::all();
    // SAFETY: the child only takes the steps, which are system calls, and never returns.
    let side = match unsafe { sys::clone(NAMESPACES) } {
        // SAFETY: this is the child of the clone.
        Ok(Side::Child) => unsafe {
            libc::syscall(libc::SYS_close, ours.as_raw_fd());
            step::take_all(&plan, &vectors, theirs_report.as_raw_fd())
        },
        side => side,
    };
    drop((blocked, theirs, theirs_report, cloning));
    let (pid, pidfd) = match side.map_err(Error::sandbox("make the namespaces"))? {
        Side::Parent { pid, pidfd } => (pid, pidfd),
        Side::Child => return Err(Error::Spec(String::from("a child came back"))),
    };
    let process = Process::new(pid, pidfd).map_err(Error::sandbox("make its keeper"))?;
    write_maps(pid, way).map_err(Error::sandbox("write the id maps"))?;
    // If memory runs out on this machine, the image goes first. Not vital.
    let _ = fs::write(format!("/proc/{pid}/oom_score_adj"), "1000");
    let network = Network::of(pid, way).map_err(Error::sandbox("open the network"))?;
    rustix::io::write(&ours, b"g").map_err(|e| Error::sandbox("start the sandbox")(e.into()))?;
    let started = Started {
        process,
        network,
        listener: None,
        upper: None,
        report: File::from(report),
        plan,
    };
    Ok(Cloned {
        started,
        socket: ours,
    })
}

/// Makes namespaces and a /proc, and ends: whether it can be done at all.
pub(crate) fn attempt(way: Way) -> Result<(), Error> {
    let mount =
        |source: &'static std::ffi::CStr, target: &'static std::ffi::CStr, flags| Step::Mount {
            source: source.to_owned(),
            target: target.to_owned(),
            kind: source.to_owned(),
            flags,
            data: c"".to_owned(),
        };
    let steps = |socket| {
        let private = mount(c"none", c"/", libc::MS_REC | libc::MS_PRIVATE);
        let steps = [
            ("tie the sandbox to this process", Step::DieWithParent),
            ("wait for the id maps", Step::Await(socket)),
            ("make the mounts private", private),
            ("mount /proc", mount(c"proc", c"/proc", 0)),
        ];
        let planned = |(what, step): (&str, Step)| Planned {
            what: what.to_owned(),
            optional: false,
            step,
        };
        Ok(steps.into_iter().map(planned).collect())
    };
    let cloned = clone(way, steps)?;
    match cloned.started.failures()?.into_iter().next() {
        None => Ok(()),
        Some(failed) => Err(Error::sandbox(failed.what)(failed.source)),
    }
}

/// All signals kept from this thread, so that no handler of ours runs in the child.
pub(crate) struct Blocked(libc::sigset_t);

impl Blocked {
    pub(crate) fn all() -> Self {
        // SAFETY: both sets are ours; zeroes are a valid set.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut old: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut old);
            Self(old)
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the set is the one that was in force before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, ptr::null_mut()) };
    }
}
