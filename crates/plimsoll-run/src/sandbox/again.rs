//! A second start in the same sandbox, on what the first has written: what `docker restart` does.
//!
//! The first program is gone, and its process namespace with it; its mounts, network and users are
//! kept by their descriptors. A helper of ours joins them, and makes the second program's process a
//! child of ours in a new process namespace, where it is process 1 again. Nothing of the image runs
//! until it executes.
#![expect(unsafe_code, reason = "joining namespaces needs a forked helper")]

use std::fs::{self, File};
use std::io;
use std::mem;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::ptr;
use std::sync::PoisonError;

use rustix::pipe::{PipeFlags, pipe_with};

use super::plan::{self, Channels};
use super::spawn::{Blocked, CLONING, Process, Started};
use super::step::{self, Failure, Planned, Vectors};
use crate::network::Network;
use crate::seccomp::Notify;
use crate::sys::{self, Side};
use crate::{Error, Spec, Way};

/// What is kept of a sandbox, the namespace that allows joining the others first.
const KEPT: [&str; 6] = ["user", "ipc", "uts", "cgroup", "net", "mnt"];

/// The message with the descriptor of the new process; the other one has the listener.
const PROCESS: u8 = b'P';

/// A sandbox without its processes.
pub(super) struct Kept(Vec<File>);

impl Kept {
    /// That of process `pid`, which still runs.
    pub(super) fn of(pid: i32) -> io::Result<Self> {
        let open = |name| File::open(format!("/proc/{pid}/ns/{name}"));
        KEPT.into_iter()
            .map(open)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Starts the image's program once more; with a listener, it waits for somebody to answer there.
    pub(super) fn start(
        &self,
        spec: &Spec<'_>,
        way: Way,
        notify: Notify,
        writer: &File,
    ) -> Result<Started, Error> {
        let null = File::open("/dev/null").map_err(Error::sandbox("open /dev/null"))?;
        let joined: Vec<RawFd> = self.0.iter().map(|file| file.as_raw_fd()).collect();
        let cloning = CLONING.lock().unwrap_or_else(PoisonError::into_inner);
        let (ours, theirs) = sys::socket_pair().map_err(Error::sandbox("make a socket"))?;
        let (report, theirs_report) =
            pipe_with(PipeFlags::CLOEXEC).map_err(|e| Error::sandbox("make a pipe")(e.into()))?;
        let channels = Channels {
            socket: theirs.as_raw_fd(),
            input: null.as_raw_fd(),
            output: writer.as_raw_fd(),
        };
        let plan = plan::again(spec, way, &channels, notify)?;
        let vectors = Vectors::of(&plan);
        let blocked = Blocked::all();
        // SAFETY: the child only makes system calls, and never returns.
        let side = match unsafe { sys::clone(0) } {
            // SAFETY: this is the child of the clone.
            Ok(Side::Child) => unsafe {
                let report = theirs_report.as_raw_fd();
                help(&joined, &plan, &vectors, report, channels.socket)
            },
            side => side,
        };
        drop((blocked, theirs, theirs_report, cloning));
        let helper = match side.map_err(Error::sandbox("make a helper"))? {
            Side::Parent { pidfd, .. } => pidfd,
            Side::Child => return Err(Error::Spec(String::from("a child came back"))),
        };
        let (mut process, mut listener) = (None, None);
        let wanted = if notify == Notify::Nothing { 1 } else { 2 };
        for _ in 0..wanted {
            let received = sys::receive_fds(ours.as_fd());
            match received.map_err(Error::sandbox("receive a descriptor"))? {
                Some((PROCESS, mut fds)) => process = fds.pop(),
                Some((_, mut fds)) => listener = fds.pop(),
                // It has failed, and says where below.
                None => break,
            }
        }
        let _ = sys::wait(helper.as_fd());
        let process = process.map(process_of).transpose();
        let process = process.map_err(Error::sandbox("find the new process"))?;
        let report = File::from(report);
        let Some(process) = process else {
            let failures = step::failures(report).map_err(Error::sandbox("hear from it"))?;
            let errno = failures
                .first()
                .map_or(libc::EPIPE, |failure| failure.errno);
            return Err(Error::sandbox("enter the sandbox again")(
                io::Error::from_raw_os_error(errno),
            ));
        };
        // If memory runs out on this machine, the image goes first. Not vital.
        let _ = fs::write(format!("/proc/{}/oom_score_adj", process.pid), "1000");
        let network = Network::of(process.pid, way).map_err(Error::sandbox("open the network"))?;
        Ok(Started::again(process, network, listener, report, plan))
    }
}

/// A process by its descriptor: `pidfd_open(2)` says where its number is.
fn process_of(pidfd: OwnedFd) -> io::Result<Process> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()))?;
    let number = text.lines().find_map(|line| line.strip_prefix("Pid:"));
    match number.and_then(|number| number.trim().parse().ok()) {
        Some(pid) if pid > 0 => Process::new(pid, pidfd),
        // It has been waited for by nobody but us: this cannot be.
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

/// Joins what is kept, forks the second program's process as our parent's child, and ends.
///
/// # Safety
/// Only for the child of [`sys::clone`].
unsafe fn help(
    joined: &[RawFd],
    plan: &[Planned],
    vectors: &Vectors,
    report: RawFd,
    socket: RawFd,
) -> ! {
    // SAFETY: system calls with pointers to data of our own; nothing here allocates or locks.
    unsafe {
        let fail = |errno: i32| -> ! {
            let failure = Failure { step: 0, errno };
            let (from, size) = (ptr::from_ref(&failure), mem::size_of::<Failure>());
            libc::syscall(libc::SYS_write, report, from, size);
            libc::_exit(127)
        };
        for &fd in joined {
            if libc::syscall(libc::SYS_setns, fd, 0) < 0 {
                fail(sys::errno());
            }
        }
        // Who is forked from here on is in a new process namespace, its first process.
        if libc::syscall(libc::SYS_unshare, libc::CLONE_NEWPID) < 0 {
            fail(sys::errno());
        }
        match sys::clone(libc::CLONE_PARENT) {
            Ok(Side::Child) => step::take_all(plan, vectors, report),
            Ok(Side::Parent { pidfd, .. }) => {
                let sent = sys::send_fds(socket, PROCESS, &[pidfd.as_raw_fd()]);
                libc::_exit(i32::from(sent.is_err()))
            }
            Err(_) => fail(sys::errno()),
        }
    }
}
