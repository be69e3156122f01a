//! Who makes a call, and what its paths start from.

use std::collections::HashMap;
use std::ffi::CString;
use std::os::fd::AsRawFd as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use plimsoll_model::text::printable;
use rustix::fs::{CWD, readlinkat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// Programs that are remembered; above this all are forgotten and looked up again.
const REMEMBERED: usize = 1 << 15;

/// The programs of the callers, looked up once for each process and program.
pub(super) struct Programs {
    known: HashMap<i32, Rc<str>>,
    /// Our own program: what a child is until it runs the image's. It is no part of the image.
    own: Vec<u8>,
}

impl Programs {
    pub(super) fn new() -> Self {
        Self {
            known: HashMap::new(),
            own: readlinkat(CWD, "/proc/self/exe", Vec::new())
                .map(CString::into_bytes)
                .unwrap_or_default(),
        }
    }

    /// The program a thread runs, as the kernel names it; empty if it cannot be told.
    pub(super) fn of(&mut self, thread: i32) -> Rc<str> {
        if let Some(known) = self.known.get(&thread) {
            return Rc::clone(known);
        }
        let found = link(thread, "exe").unwrap_or_default();
        if found == self.own {
            return "".into();
        }
        let name: Rc<str> = printable(&found).into();
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(thread, Rc::clone(&name));
        name
    }

    /// The thread is about to run another program.
    pub(super) fn forget(&mut self, thread: i32) {
        self.known.remove(&thread);
    }
}

/// How long a directory is remembered: not as long as the kernel needs to give the number of a thread
/// to another one.
const FRESH: Duration = Duration::from_millis(500);

/// The directories that threads work in.
///
/// The kernel tells them by a link of `/proc`, which costs as much as the rest of a question. So they
/// are remembered from one question to the next, until anybody changes his, or renames anything. He
/// has not done it yet when we are asked, and others may share his directory: until he asks for
/// something else, nothing is remembered.
#[derive(Default)]
pub(super) struct Directories {
    known: HashMap<i32, (Instant, Vec<u8>)>,
    moving: HashMap<i32, Instant>,
}

impl Directories {
    /// A thread asks for something: what it asked for before is done.
    pub(super) fn asked(&mut self, thread: i32) {
        if !self.moving.is_empty() {
            self.moving.remove(&thread);
        }
    }

    /// A thread is about to change its directory, or the name of one.
    pub(super) fn moves(&mut self, thread: i32) {
        self.known.clear();
        self.moving.insert(thread, Instant::now());
    }

    /// The directory a thread works in, seen from the root of the sandbox.
    pub(super) fn of(&mut self, thread: i32) -> Result<Vec<u8>, Errno> {
        let now = Instant::now();
        // One that has gone meanwhile asks for nothing any more.
        self.moving
            .retain(|_, since| now.duration_since(*since) < FRESH);
        if !self.moving.is_empty() {
            return working_directory(thread);
        }
        if let Some((since, known)) = self.known.get(&thread)
            && now.duration_since(*since) < FRESH
        {
            return Ok(known.clone());
        }
        let found = working_directory(thread)?;
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(thread, (now, found.clone()));
        Ok(found)
    }
}

/// The directory a thread works in, seen from the root of the sandbox.
pub(super) fn working_directory(thread: i32) -> Result<Vec<u8>, Errno> {
    link(thread, "cwd")
}

/// The root of a thread, seen from the root of the sandbox: `/` unless it has called `chroot(2)`.
pub(super) fn root(thread: i32) -> Result<Vec<u8>, Errno> {
    link(thread, "root")
}

/// What a descriptor is open on; `None` for what has no path (a pipe, a socket).
pub(super) fn descriptor(thread: i32, fd: i32) -> Result<Option<Vec<u8>>, Errno> {
    let found = match link(thread, &format!("fd/{fd}")) {
        // That directory is open to the process's own user alone, and it has become another one; the
        // descriptor itself may be had by whoever may trace it.
        Err(Errno::ACCESS) => taken(thread, fd)?,
        found => found?,
    };
    Ok((found.first() == Some(&b'/')).then_some(found))
}

/// What a descriptor is open on, asked of a copy of ours.
fn taken(thread: i32, fd: i32) -> Result<Vec<u8>, Errno> {
    // `PIDFD_THREAD` (Linux 6.9) for a thread that is not its process's first one.
    const OF_A_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(libc::O_EXCL as u32);
    let pid = Pid::from_raw(thread).ok_or(Errno::SRCH)?;
    let process = pidfd_open(pid, PidfdFlags::empty()).or_else(|_| pidfd_open(pid, OF_A_THREAD))?;
    let copy = match pidfd_getfd(process, fd, PidfdGetfdFlags::empty()) {
        // As the link would say it.
        Err(Errno::BADF) => Err(Errno::NOENT),
        other => other,
    }?;
    link(
        Pid::as_raw(Some(getpid())),
        &format!("fd/{}", copy.as_raw_fd()),
    )
}

/// A link of `/proc/PID`. The kernel writes paths as seen from the root of the mount namespace the
/// file lies in, which is the root of the sandbox, and marks what was removed.
fn link(thread: i32, name: &str) -> Result<Vec<u8>, Errno> {
    let path = format!("/proc/{thread}/{name}");
    let target = readlinkat(CWD, path, Vec::with_capacity(128)).map(CString::into_bytes)?;
    match target.strip_suffix(b" (deleted)") {
        Some(path) => Ok(path.to_vec()),
        None => Ok(target),
    }
}

/// A path behind a directory, as spelt.
pub(super) fn join(directory: &[u8], path: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(directory.len() + 1 + path.len());
    joined.extend_from_slice(directory.strip_suffix(b"/").unwrap_or(directory));
    if path.first() != Some(&b'/') {
        joined.push(b'/');
    }
    joined.extend_from_slice(path);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_as_spelt() {
        for (directory, path, joined) in [
            ("/", "a", "/a"),
            ("/srv", "../a//b", "/srv/../a//b"),
            ("/", "/etc", "/etc"),
            ("/jail", "/etc", "/jail/etc"),
        ] {
            let found = join(directory.as_bytes(), path.as_bytes());
            assert_eq!(String::from_utf8(found).unwrap(), joined);
        }
    }

    #[test]
    fn a_directory_is_remembered_until_somebody_moves() {
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "read _; cd /; echo; read _"])
            .current_dir("/proc")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let thread = child.id() as i32;
        let mut directories = Directories::default();
        let before = directories.of(thread).unwrap();
        // Its question: it has not moved yet.
        directories.moves(thread);
        let meanwhile = directories.of(thread).unwrap();
        use std::io::{Read as _, Write as _};
        to.write_all(b"\n").unwrap();
        from.read_exact(&mut [0]).unwrap();
        let unasked = directories.of(thread).unwrap();
        directories.asked(thread);
        let after = directories.of(thread).unwrap();
        let remembered = directories.known.contains_key(&thread);
        child.kill().unwrap();
        child.wait().unwrap();
        let words =
            [before, meanwhile, unasked, after].map(|path| String::from_utf8(path).unwrap());
        assert_eq!(words, ["/proc", "/proc", "/", "/"]);
        assert!(remembered);
    }

    #[test]
    fn our_own_directory_and_program_are_known() {
        let us = std::process::id() as i32;
        let here = std::env::current_dir().unwrap();
        let found = working_directory(us).unwrap();
        assert_eq!(found, here.as_os_str().as_encoded_bytes());
        assert_eq!(root(us).unwrap(), b"/");
        let mut programs = Programs::new();
        assert_eq!(&*programs.of(us), "");
        // Our own child: another user's program may not be looked at.
        let mut child = std::process::Command::new("/bin/sleep");
        let mut child = child.arg("60").spawn().unwrap();
        let program = programs.of(child.id() as i32);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(program.starts_with('/'), "{program}");
        assert_eq!(&*programs.of(i32::MAX), "");
        let (reader, _writer) = std::io::pipe().unwrap();
        let file = std::fs::File::open("/proc/self/status").unwrap();
        let found = taken(us, file.as_raw_fd()).unwrap();
        assert_eq!(found, format!("/proc/{us}/status").into_bytes());
        assert_eq!(taken(us, 1 << 20), Err(Errno::NOENT));
        assert_eq!(descriptor(us, reader.as_raw_fd()), Ok(None));
        assert!(descriptor(us, 1 << 20).is_err());
    }
}
