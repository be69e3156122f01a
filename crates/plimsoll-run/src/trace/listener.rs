//! The descriptor at which the kernel asks about system calls (`seccomp_unotify(2)`).
#![expect(unsafe_code, reason = "the ioctls of seccomp user notification")]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::ptr;

use libc::{seccomp_notif, seccomp_notif_resp};
use rustix::event::{PollFd, PollFlags, poll};

use crate::seccomp::Number;

/// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP` of `linux/seccomp.h`: who asks and who answers take turns on
/// one processor, which is cheaper than waking another. (Looking for the next call without sleep, on
/// another processor, costs far more where both have other work.)
const SYNC_WAKE_UP: u64 = 1;

/// The Linux from which on asking for the next call comes back when there will be none any more.
/// Before, only poll tells that, which costs another system call each time.
const WAKES_AT_THE_END: (u32, u32) = (6, 11);

/// Where calls arrive.
pub(super) struct Listener {
    fd: OwnedFd,
    /// Whether to ask without a look whether there is anything to ask for.
    blocks: bool,
}

/// A call that waits for an answer.
pub(super) struct Question {
    id: u64,
    /// The thread that calls, in the numbers of this machine.
    pub(super) thread: i32,
    pub(super) number: Number,
    pub(super) arguments: [u64; 6],
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// The kernel makes the call.
    Continue,
    /// The call is not made, and this is its value.
    Value(i64),
    /// The call is not made, and fails with this `errno`.
    Fail(i32),
}

impl Listener {
    pub(super) fn new(fd: OwnedFd) -> Self {
        // Linux 6.6 has it; without it all works, only slower.
        // SAFETY: an ioctl whose argument is a number.
        unsafe {
            libc::ioctl(
                fd.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS as _,
                SYNC_WAKE_UP,
            )
        };
        let blocks = running_linux().is_some_and(|version| version >= WAKES_AT_THE_END);
        Self { fd, blocks }
    }

    /// Waits for a call; whether there will be any.
    fn wait(&self) -> io::Result<bool> {
        loop {
            let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) => return Ok(fds[0].revents().contains(PollFlags::IN)),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next call; `None` when the last traced process is gone.
    ///
    /// # Errors
    /// When the kernel answers what it never should.
    pub(super) fn next(&self) -> io::Result<Option<Question>> {
        let mut look = !self.blocks;
        loop {
            if look && !self.wait()? {
                return Ok(None);
            }
            // The kernel refuses a structure that is not all zeroes.
            // SAFETY: plain numbers; zeroes are valid.
            let mut question: seccomp_notif = unsafe { mem::zeroed() };
            // SAFETY: the kernel fills the structure it knows by the size in the request.
            let answer = unsafe {
                let request = libc::SECCOMP_IOCTL_NOTIF_RECV as _;
                libc::ioctl(self.fd.as_raw_fd(), request, ptr::from_mut(&mut question))
            };
            if answer == 0 {
                return Ok(Some(Question {
                    id: question.id,
                    thread: question.pid as i32,
                    number: question.data.nr.into(),
                    arguments: question.data.args,
                }));
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                // The caller was killed before we came to it.
                Some(libc::EINTR | libc::EAGAIN) => {}
                // Or there is nobody left.
                Some(libc::ENOENT) => look = true,
                _ => return Err(error),
            }
        }
    }

    /// Answers; `false` when the caller has gone meanwhile, and its number may be another's.
    pub(super) fn reply(&self, question: &Question, reply: Reply) -> bool {
        // SAFETY: plain numbers; zeroes are valid.
        let mut answer: seccomp_notif_resp = unsafe { mem::zeroed() };
        answer.id = question.id;
        match reply {
            Reply::Continue => answer.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
            Reply::Value(value) => answer.val = value,
            Reply::Fail(errno) => answer.error = -errno,
        }
        // SAFETY: the kernel only reads the structure.
        let sent = unsafe {
            let request = libc::SECCOMP_IOCTL_NOTIF_SEND as _;
            libc::ioctl(self.fd.as_raw_fd(), request, ptr::from_mut(&mut answer))
        };
        sent == 0
    }

    /// Whether the caller still waits: what was opened of it before is its own.
    pub(super) fn is_valid(&self, question: &Question) -> bool {
        let id = question.id;
        // SAFETY: the kernel only reads the number.
        let valid = unsafe {
            let request = libc::SECCOMP_IOCTL_NOTIF_ID_VALID as _;
            libc::ioctl(self.fd.as_raw_fd(), request, ptr::from_ref(&id))
        };
        valid == 0
    }
}

/// The major and minor number of the running kernel.
fn running_linux() -> Option<(u32, u32)> {
    version(&std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?)
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_kernel_is_read() {
        assert!(running_linux().unwrap() >= (5, 11));
        for (release, found) in [
            ("6.11.0-29-generic\n", Some((6, 11))),
            ("6.9-rc1", Some((6, 9))),
            ("10.0", Some((10, 0))),
            ("nonsense", None),
        ] {
            assert_eq!(version(release), found, "{release}");
        }
    }
}
