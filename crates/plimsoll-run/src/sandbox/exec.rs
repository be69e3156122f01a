//! One more program in a sandbox that runs: what `docker exec` does.
//!
//! A helper of ours joins the namespaces and forks, because a process never changes its own process
//! namespace; the fork takes the same steps as the image's first program did: the same identity, the
//! same filter. While it does, everything else in the sandbox is held still: a program of the image
//! could otherwise put a link to `/proc/self/exe` in the place of what is about to be executed, or
//! look at the fork before it executes, and lay hands on our own file (CVE-2019-5736). The helper
//! itself has no number in the sandbox.
#![expect(unsafe_code, reason = "joining namespaces needs a forked helper")]

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::mem;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::ptr;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use super::plan::{self, Channels};
use super::spawn::{Blocked, CLONING};
use super::step::{self, Failure, Planned, Vectors};
use super::{output, proc, still};
use crate::seccomp::Notify;
use crate::sys::{self, Side};
use crate::{Ended, Error, Spec, Way};

/// The namespaces of a sandbox, the one that allows joining the others first.
const JOINED: [&str; 7] = ["user", "ipc", "uts", "cgroup", "net", "pid", "mnt"];

/// From one look at a running program to the next, at the latest.
const LOOK: Duration = Duration::from_millis(100);

/// Starts programs in one sandbox.
pub(crate) struct Door<'a> {
    pub(super) spec: &'a Spec<'a>,
    pub(super) way: Way,
    pub(super) notify: Notify,
    /// The first process of the sandbox.
    pub(super) pid: i32,
    /// Where the calls of the programs are answered.
    pub(super) listeners: Sender<OwnedFd>,
    /// The helper of the program that runs just now; 0 where none does.
    pub(super) helper: &'a AtomicI32,
}

/// How a program ended, and what it printed.
pub(crate) type Ran = (Ended, Vec<u8>);

impl Door<'_> {
    /// Runs a program of the image as the image's user, in its working directory and environment;
    /// `None` where it did not end in time, and was killed. At most `keep` bytes of what it prints
    /// are kept, the rest is thrown away.
    pub(crate) fn run(
        &self,
        command: &[String],
        keep: u64,
        deadline: Instant,
    ) -> Result<Option<Ran>, Error> {
        let (pipe, writer) = output::pipe().map_err(Error::sandbox("make a pipe"))?;
        rustix::io::ioctl_fionbio(&pipe, true)
            .map_err(|e| Error::sandbox("use a pipe")(e.into()))?;
        let helper = {
            // Let go on again when this is dropped, whatever happens.
            let _still = still::hold(self.pid).map_err(Error::sandbox("hold the image still"))?;
            self.start(command, &writer)?
        };
        drop(writer);
        let wait = || helper.wait(&pipe, keep, deadline);
        wait().map_err(Error::sandbox("wait for the program"))
    }

    /// Comes back when the program runs, or cannot be run.
    fn start(&self, command: &[String], writer: &File) -> Result<Helper<'_>, Error> {
        let null = File::open("/dev/null").map_err(Error::sandbox("open /dev/null"))?;
        let open = |name| File::open(format!("/proc/{}/ns/{name}", self.pid));
        let namespaces: Vec<File> = JOINED
            .into_iter()
            .map(open)
            .collect::<io::Result<_>>()
            .map_err(Error::sandbox("open its namespaces"))?;
        let joined: Vec<RawFd> = namespaces.iter().map(|file| file.as_raw_fd()).collect();

        let cloning = CLONING.lock().unwrap_or_else(PoisonError::into_inner);
        let (ours, theirs) = sys::socket_pair().map_err(Error::sandbox("make a socket"))?;
        let (report, theirs_report) =
            pipe_with(PipeFlags::CLOEXEC).map_err(|e| Error::sandbox("make a pipe")(e.into()))?;
        let channels = Channels {
            socket: theirs.as_raw_fd(),
            input: null.as_raw_fd(),
            output: writer.as_raw_fd(),
        };
        let plan = plan::enter(self.spec, command, self.way, &channels, self.notify)?;
        let vectors = Vectors::of(&plan);
        let all = [theirs.as_raw_fd(), writer.as_raw_fd()];
        let blocked = Blocked::all();
        // SAFETY: the child only makes system calls, and never returns.
        let side = match unsafe { sys::clone(0) } {
            // SAFETY: this is the child of the clone.
            Ok(Side::Child) => unsafe {
                help(&joined, &plan, &vectors, theirs_report.as_raw_fd(), &all)
            },
            side => side,
        };
        drop((blocked, theirs, theirs_report, cloning));
        let (pid, pidfd) = match side.map_err(Error::sandbox("make a helper"))? {
            Side::Parent { pid, pidfd } => (pid, pidfd),
            Side::Child => return Err(Error::Spec(String::from("a child came back"))),
        };
        self.helper.store(pid, Ordering::Relaxed);
        let helper = Helper {
            pidfd,
            current: self.helper,
        };
        if self.notify != Notify::Nothing {
            let received = sys::receive_fds(ours.as_fd());
            let received = received.map_err(Error::sandbox("receive the tracer's descriptor"))?;
            // Without one it has failed, and says below where.
            if let Some(listener) = received.and_then(|(_, mut fds)| fds.pop()) {
                // The tracers live as long as the run does.
                let _ = self.listeners.send(listener);
            }
        }
        // Ends when the program is executed, which closes the report.
        let failures = step::failures(File::from(report));
        let failures = failures.map_err(Error::sandbox("hear from the program"))?;
        let failed = failures.into_iter().find_map(|Failure { step, errno }| {
            let planned = plan.get(step as usize)?;
            (!planned.optional).then(|| (planned.what.clone(), errno))
        });
        // If memory runs out on this machine, what is below the helper goes first. Not vital.
        for below in proc::family(pid).into_iter().skip(1) {
            let _ = fs::write(format!("/proc/{below}/oom_score_adj"), "1000");
        }
        match failed {
            Some((what, errno)) => {
                let why = io::Error::from_raw_os_error(errno);
                Err(Error::Command(format!("{what}: {why}")))
            }
            None => Ok(helper),
        }
    }
}

/// A process of ours that waits for the program; its end is the program's.
struct Helper<'a> {
    pidfd: OwnedFd,
    current: &'a AtomicI32,
}

impl Helper<'_> {
    fn wait(&self, pipe: &File, keep: u64, deadline: Instant) -> io::Result<Option<Ran>> {
        let mut printed = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut fds = [
                PollFd::new(&self.pidfd, PollFlags::IN),
                PollFd::new(pipe, PollFlags::IN),
            ];
            let within = Timespec::try_from(left.min(LOOK)).ok();
            match poll(&mut fds, within.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let over = !fds[0].revents().is_empty();
            // What it printed before its end is in the pipe by then.
            let closed = drain(pipe, keep, &mut printed)?;
            if over {
                let ended = sys::wait(self.pidfd.as_fd())?;
                // The helper tells as a shell does; see `help`.
                return Ok(Some((ended, printed)));
            }
            if left.is_zero() {
                return Ok(None);
            }
            if closed {
                // Nobody is left to print: only the end is waited for.
                let mut end = [PollFd::new(&self.pidfd, PollFlags::IN)];
                let _ = poll(&mut end, within.as_ref());
            }
        }
    }
}

impl Drop for Helper<'_> {
    fn drop(&mut self) {
        // The program goes with it, by its parent-death signal; what clears that is a child of the
        // sandbox's first process then, and ends with it.
        sys::signal(self.pidfd.as_fd(), libc::SIGKILL);
        let _ = sys::wait(self.pidfd.as_fd());
        self.current.store(0, Ordering::Relaxed);
    }
}

/// Reads what is there; whether nobody can print any more.
fn drain(mut pipe: &File, keep: u64, printed: &mut Vec<u8>) -> io::Result<bool> {
    // A program that never stops printing must not keep us from its deadline.
    const ROUNDS: usize = 64;
    let mut buffer = [0; 16 << 10];
    for _ in 0..ROUNDS {
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(got) => {
                let room = keep.saturating_sub(printed.len() as u64);
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                printed.extend_from_slice(&buffer[..got.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Joins, forks, waits; ends with the code of the program, 128 and the number of a signal.
///
/// # Safety
/// Only for the child of [`sys::clone`].
unsafe fn help(
    joined: &[RawFd],
    plan: &[Planned],
    vectors: &Vectors,
    report: RawFd,
    others: &[RawFd],
) -> ! {
    // SAFETY: system calls with pointers to data of our own; nothing here allocates or locks.
    unsafe {
        let fail = |errno: i32| -> ! {
            let failure = Failure { step: 0, errno };
            let (from, size) = (ptr::from_ref(&failure), mem::size_of::<Failure>());
            libc::syscall(libc::SYS_write, report, from, size);
            libc::_exit(127)
        };
        // Out of the way of the terminal, and gone with us.
        libc::syscall(libc::SYS_setsid);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        for &fd in joined {
            if libc::syscall(libc::SYS_setns, fd, 0) < 0 {
                fail(sys::errno());
            }
        }
        match sys::clone(0) {
            Ok(Side::Child) => step::take_all(plan, vectors, report),
            Ok(Side::Parent { pidfd, .. }) => {
                for &fd in others.iter().chain([&report]) {
                    libc::syscall(libc::SYS_close, fd);
                }
                let code = match sys::wait(pidfd.as_fd()) {
                    Ok(ended) => ended.code(),
                    Err(_) => 125,
                };
                libc::_exit(code)
            }
            Err(_) => fail(sys::errno()),
        }
    }
}
