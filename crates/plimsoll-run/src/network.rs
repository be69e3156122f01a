//! Sockets and commands inside a sandbox's network, made from outside.
#![expect(unsafe_code, reason = "joining namespaces needs a forked helper")]

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::socket_error;

use crate::Way;
use crate::sys::{self, Side};

mod listening;

/// The network of one sandbox; nothing but loopback is in it.
pub(crate) struct Network {
    /// The user namespace, where it must be joined first to be allowed into the network.
    user: Option<OwnedFd>,
    net: OwnedFd,
    /// Where it is asked which ports listen; `None` before the first time, and where that fails.
    asked: Mutex<Option<OwnedFd>>,
}

impl Network {
    /// The network of process `pid`, a child of ours that sits in a sandbox.
    pub(crate) fn of(pid: i32, way: Way) -> io::Result<Self> {
        let open = |name: &str| File::open(format!("/proc/{pid}/ns/{name}")).map(OwnedFd::from);
        Ok(Self {
            user: match way {
                Way::Subordinate | Way::Plain => Some(open("user")?),
                Way::Root => None,
            },
            net: open("net")?,
            asked: Mutex::new(None),
        })
    }

    /// Connects to a port of the sandbox: 127.0.0.1 first, then ::1.
    pub(crate) fn connect(&self, port: u16, timeout: Duration) -> io::Result<TcpStream> {
        let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = |family| self.socket(family, libc::SOCK_STREAM, 0);
        match connect(stream(libc::AF_INET)?, v4, timeout) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
                // The first error is the one to tell: a kernel may have no IPv6.
                stream(libc::AF_INET6)
                    .and_then(|socket| connect(socket, v6, timeout))
                    .map_err(|_| error)
            }
            other => other,
        }
    }

    /// The TCP ports that listen in it.
    pub(crate) fn listening(&self) -> io::Result<BTreeSet<u16>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = match asked.take() {
            Some(socket) => socket,
            None => self.socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_SOCK_DIAG)?,
        };
        let mut ports = BTreeSet::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            listening::listening(&socket, family, &mut ports)?;
        }
        *asked = Some(socket);
        Ok(ports)
    }

    /// A socket that belongs to the sandbox's network: made there by a helper process.
    fn socket(
        &self,
        family: libc::c_int,
        kind: libc::c_int,
        protocol: libc::c_int,
    ) -> io::Result<OwnedFd> {
        let (ours, theirs) = sys::socket_pair()?;
        let fds = self.fds();
        let channel = theirs.as_raw_fd();
        // SAFETY: the child only makes system calls and ends with _exit.
        match unsafe { sys::clone(0) }? {
            Side::Child => {
                let made = join(fds).and_then(|()| {
                    let kind = kind | libc::SOCK_CLOEXEC;
                    // SAFETY: plain system call.
                    match unsafe { libc::syscall(libc::SYS_socket, family, kind, protocol) } {
                        fd @ 0.. => Ok(fd as RawFd),
                        _ => Err(sys::errno()),
                    }
                });
                let sent = match made {
                    Ok(fd) => sys::send_fds(channel, 0, &[fd]),
                    Err(errno) => sys::send_fds(channel, errno as u8, &[]),
                };
                // SAFETY: ends this process; no code of ours runs after it.
                unsafe { libc::_exit(i32::from(sent.is_err())) }
            }
            Side::Parent { pidfd, .. } => {
                drop(theirs);
                let received = sys::receive_fds(ours.as_fd());
                sys::wait(pidfd.as_fd())?;
                match received? {
                    Some((0, mut fds)) => fds.pop().ok_or_else(|| io::ErrorKind::BrokenPipe.into()),
                    Some((errno, _)) => Err(io::Error::from_raw_os_error(i32::from(errno))),
                    None => Err(io::ErrorKind::BrokenPipe.into()),
                }
            }
        }
    }

    /// Makes a command start inside the sandbox's network, with this machine's files.
    pub(crate) fn enter(&self, command: &mut Command) {
        let fds = self.fds();
        let enter = move || join(fds).map_err(io::Error::from_raw_os_error);
        // SAFETY: the closure only makes system calls; the descriptors outlive the spawn, because
        // `self` is borrowed by whoever spawns.
        unsafe { command.pre_exec(enter) };
    }

    fn fds(&self) -> [Option<RawFd>; 2] {
        [
            self.user.as_ref().map(|fd| fd.as_raw_fd()),
            Some(self.net.as_raw_fd()),
        ]
    }
}

/// Joins the namespaces, in order; the error is an `errno`. System calls only.
fn join(fds: [Option<RawFd>; 2]) -> Result<(), i32> {
    for fd in fds.into_iter().flatten() {
        // SAFETY: plain system call.
        if unsafe { libc::syscall(libc::SYS_setns, fd, 0) } < 0 {
            return Err(sys::errno());
        }
    }
    Ok(())
}

/// `connect(2)` with a time limit: a full backlog would hold us for minutes.
fn connect(socket: OwnedFd, address: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    rustix::io::ioctl_fionbio(&socket, true)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) => {}
        Err(rustix::io::Errno::INPROGRESS) => {
            let mut fds = [PollFd::new(&socket, PollFlags::OUT)];
            let timeout = Timespec::try_from(timeout)
                .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            if poll(&mut fds, Some(&timeout))? == 0 {
                return Err(io::ErrorKind::TimedOut.into());
            }
            socket_error(&socket)??;
        }
        Err(error) => return Err(error.into()),
    }
    rustix::io::ioctl_fionbio(&socket, false)?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    Ok(stream)
}
