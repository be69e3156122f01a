//! The system calls the standard library has no words for, each behind a safe or a documented door.
#![expect(
    unsafe_code,
    reason = "system calls the standard library has no words for"
)]

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use libc::{c_int, c_long};

/// The answer of a raw system call, with `errno` as the error.
pub(crate) fn checked(answer: c_long) -> io::Result<c_long> {
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(answer)
    }
}

/// `errno` of this thread.
pub(crate) fn errno() -> i32 {
    // SAFETY: the pointer to this thread's errno is always valid.
    unsafe { *libc::__errno_location() }
}

/// Kills every process of a group; one that is gone is no error.
pub(crate) fn kill_group(leader: u32) {
    if let Ok(leader @ 2..) = i32::try_from(leader) {
        // SAFETY: a plain system call; the group is one that we made.
        unsafe { libc::kill(-leader, libc::SIGKILL) };
    }
}

/// Sends a signal by number; only for processes that are certainly ours and not yet waited for.
pub(crate) fn signal_pid(pid: i32, signal: c_int) {
    // SAFETY: a plain system call.
    unsafe { libc::kill(pid, signal) };
}

/// Which side of a fork this is.
pub(crate) enum Side {
    /// The new process; it shares nothing and may only make system calls (another thread may have
    /// held any lock).
    Child,
    /// The process that forked.
    Parent {
        /// The new process.
        pid: i32,
        /// A descriptor of it.
        pidfd: OwnedFd,
    },
}

/// `clone(2)` with these flags and no new stack: a fork into new namespaces.
///
/// # Safety
/// In the child the caller may not allocate, lock, unwind or return into code that does, and must
/// end with `execve` or `_exit`.
pub(crate) unsafe fn clone(flags: c_int) -> io::Result<Side> {
    let mut pidfd: c_int = -1;
    let flags = flags as u32 as libc::c_ulong
        | libc::CLONE_PIDFD as libc::c_ulong
        | libc::SIGCHLD as libc::c_ulong;
    let zero: libc::c_ulong = 0;
    // SAFETY: no CLONE_VM, so the child has its own copy of this stack; the third argument is where
    // CLONE_PIDFD writes. The order of the last two differs between machines, and both are 0.
    let pid = checked(unsafe {
        libc::syscall(
            libc::SYS_clone,
            flags,
            zero,
            ptr::from_mut(&mut pidfd),
            zero,
            zero,
        )
    })?;
    if pid == 0 {
        return Ok(Side::Child);
    }
    // SAFETY: the kernel has just made this descriptor for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Side::Parent {
        pid: pid as i32,
        pidfd,
    })
}

/// How a child of ours ended: waits for it.
pub(crate) fn wait(pidfd: BorrowedFd<'_>) -> io::Result<crate::Ended> {
    loop {
        // SAFETY: all zeroes is a valid siginfo_t.
        let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
        let id = pidfd.as_raw_fd() as libc::id_t;
        // SAFETY: the structure is ours, and lives through the call.
        let answer = unsafe { libc::waitid(libc::P_PIDFD, id, &mut info, libc::WEXITED) };
        if answer < 0 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(error);
        }
        // SAFETY: waitid has filled the part of a SIGCHLD.
        let status = unsafe { info.si_status() };
        return Ok(if info.si_code == libc::CLD_EXITED {
            crate::Ended::Code(status)
        } else {
            crate::Ended::Signal(status)
        });
    }
}

/// Sends a signal through the descriptor of a process; one that is gone is no error.
pub(crate) fn signal(pidfd: BorrowedFd<'_>, signal: c_int) {
    // SAFETY: a plain system call without pointers but a null one.
    unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
}

/// Room for one control message with two descriptors, aligned as the kernel wants it.
#[repr(C, align(8))]
struct Control([u8; 64]);

/// Most descriptors in one message.
pub(crate) const MOST_FDS: usize = 2;

/// Sends one byte and up to [`MOST_FDS`] descriptors. Makes no allocation: a forked child may call it.
pub(crate) fn send_fds(socket: RawFd, byte: u8, fds: &[RawFd]) -> Result<(), i32> {
    let mut byte = byte;
    let mut control = Control([0; 64]);
    let mut part = libc::iovec {
        iov_base: ptr::from_mut(&mut byte).cast(),
        iov_len: 1,
    };
    let length = mem::size_of::<RawFd>() * fds.len().min(MOST_FDS);
    // SAFETY: all zeroes is a valid msghdr.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &mut part;
    message.msg_iovlen = 1;
    if length > 0 {
        message.msg_control = control.0.as_mut_ptr().cast();
        // SAFETY: the macros only count; the header lies in `control`, which has room for
        // MOST_FDS descriptors, and `fds` has at least `length` bytes.
        unsafe {
            message.msg_controllen = libc::CMSG_SPACE(length as u32) as _;
            let header = libc::CMSG_FIRSTHDR(&message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(length as u32) as _;
            ptr::copy_nonoverlapping(fds.as_ptr().cast(), libc::CMSG_DATA(header), length);
        }
    }
    // SAFETY: the message and all it points to live through the call.
    let sent = unsafe { libc::syscall(libc::SYS_sendmsg, socket, &message, libc::MSG_NOSIGNAL) };
    if sent == 1 { Ok(()) } else { Err(errno()) }
}

/// Receives one byte and its descriptors (close-on-exec); `None` when the other side is closed.
pub(crate) fn receive_fds(socket: BorrowedFd<'_>) -> io::Result<Option<(u8, Vec<OwnedFd>)>> {
    let mut byte = 0u8;
    let mut control = Control([0; 64]);
    let mut part = libc::iovec {
        iov_base: ptr::from_mut(&mut byte).cast(),
        iov_len: 1,
    };
    // SAFETY: all zeroes is a valid msghdr.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len() as _;
    let received = loop {
        // SAFETY: the message and all it points to live through the call.
        let answer =
            unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, libc::MSG_CMSG_CLOEXEC) };
        match checked(answer as c_long) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    let mut fds = Vec::new();
    // SAFETY: the kernel has written whole control messages into `control`; a message of
    // SCM_RIGHTS holds descriptors that are now ours alone.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&message);
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let bytes = (*header).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let data: *const RawFd = libc::CMSG_DATA(header).cast();
                for index in 0..bytes / mem::size_of::<RawFd>() {
                    let fd = data.add(index).read_unaligned();
                    fds.push(OwnedFd::from_raw_fd(fd));
                }
            }
            header = libc::CMSG_NXTHDR(&message, header);
        }
    }
    Ok((received == 1).then_some((byte, fds)))
}

/// A pair of connected sockets (close-on-exec).
pub(crate) fn socket_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut pair = MaybeUninit::<[c_int; 2]>::uninit();
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: the call fills both descriptors or fails; filled, they are ours alone.
    unsafe {
        checked(libc::socketpair(libc::AF_UNIX, kind, 0, pair.as_mut_ptr().cast()).into())?;
        let [one, two] = pair.assume_init();
        Ok((OwnedFd::from_raw_fd(one), OwnedFd::from_raw_fd(two)))
    }
}
