//! Which TCP ports listen, asked of the kernel (`sock_diag(7)`).
//!
//! `/proc/net/tcp` tells it too, but walks the table of all connections of the machine for it, which
//! takes milliseconds of a processor each time; this asks for those that listen alone.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{RecvFlags, SendFlags, recv, send};

/// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`.
const BY_FAMILY: u16 = 20;
/// A request for all that match (`linux/netlink.h`: `NLM_F_REQUEST`, `NLM_F_DUMP`).
const DUMP: u16 = 0x301;
/// Kinds of messages (`linux/netlink.h`).
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `TCP_LISTEN` of `net/tcp_states.h`, as a bit.
const LISTENING: u32 = 1 << 10;
/// Bytes of a header, of a request, and of an answer up to the port.
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;
const PORT: usize = HEADER + 4;
/// Most parts of one answer.
const PARTS: usize = 4096;

/// The ports of one family of addresses; the socket is one for `NETLINK_SOCK_DIAG`, made in the network
/// that is asked about.
pub(super) fn listening(
    socket: &OwnedFd,
    family: i32,
    ports: &mut BTreeSet<u16>,
) -> io::Result<()> {
    send(socket, &request(family), SendFlags::empty())?;
    let mut bytes = vec![0; 32 << 10];
    for _ in 0..PARTS {
        let (_, got) = recv(socket, &mut *bytes, RecvFlags::empty())?;
        if read(bytes.get(..got).unwrap_or_default(), ports)? {
            return Ok(());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// A `struct nlmsghdr` and a `struct inet_diag_req_v2`.
fn request(family: i32) -> [u8; REQUEST] {
    let mut bytes = [0; REQUEST];
    let (header, body) = bytes.split_at_mut(HEADER);
    header[..4].copy_from_slice(&(REQUEST as u32).to_ne_bytes());
    header[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    header[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    body[0] = family as u8;
    body[1] = libc::IPPROTO_TCP as u8;
    body[4..8].copy_from_slice(&LISTENING.to_ne_bytes());
    bytes
}

/// The messages of one part; whether it was the last.
fn read(mut bytes: &[u8], ports: &mut BTreeSet<u16>) -> io::Result<bool> {
    let torn = || io::Error::from(io::ErrorKind::InvalidData);
    while !bytes.is_empty() {
        let length = bytes.first_chunk().ok_or_else(torn)?;
        let length = u32::from_ne_bytes(*length) as usize;
        let kind = bytes.get(4..6).and_then(|kind| kind.first_chunk());
        let kind = u16::from_ne_bytes(*kind.ok_or_else(torn)?);
        let message = bytes.get(..length).filter(|_| length >= HEADER);
        let message = message.ok_or_else(torn)?;
        match kind {
            DONE => return Ok(true),
            ERROR => {
                let errno = message.get(HEADER..).and_then(|rest| rest.first_chunk());
                let errno = errno.map_or(0, |errno| i32::from_ne_bytes(*errno));
                return Err(io::Error::from_raw_os_error(-errno));
            }
            BY_FAMILY => {
                let port = message.get(PORT..).and_then(|rest| rest.first_chunk());
                ports.insert(u16::from_be_bytes(*port.ok_or_else(torn)?));
            }
            _ => {}
        }
        // Each begins at a multiple of four.
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rustix::net::{AddressFamily, SocketFlags, SocketType, netlink, socket_with};

    use super::*;

    #[test]
    fn a_port_of_ours_is_told_while_it_listens() {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            Some(netlink::SOCK_DIAG),
        );
        let socket = socket.unwrap();
        let all = || {
            let mut ports = BTreeSet::new();
            for family in [libc::AF_INET, libc::AF_INET6] {
                listening(&socket, family, &mut ports).unwrap();
            }
            ports
        };
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        assert!(all().contains(&port));
        // A connection is none that listens.
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert!(!all().contains(&client.local_addr().unwrap().port()));
        drop(server);
        assert!(!all().contains(&port));
    }

    #[test]
    fn nonsense_is_refused() {
        let mut ports = BTreeSet::new();
        for bytes in [&[1][..], &[0; 16], &[255; 40], &[16, 0, 0, 0]] {
            assert!(read(bytes, &mut ports).is_err(), "{bytes:?}");
        }
        assert!(ports.is_empty());
    }
}
