//! The ids that a plain user may use beside the own one: ranges that the administrator wrote down.
//!
//! `/etc/subuid` and `/etc/subgid` say which (subuid(5)), and two programs with the privilege to do so
//! give them to a user namespace of ours (newuidmap(1)). User 0 inside is we ourselves, all others are
//! of the range: owners are real then, identities can be changed, and nobody needs to be told that
//! they are.
#![expect(unsafe_code, reason = "work inside the map is done by a forked child")]

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, PoisonError};

use rustix::pipe::{PipeFlags, pipe_with};

use crate::sandbox::{Blocked, CLONING};

/// Where the helpers lie. They are never searched for anywhere an image could have a say.
const PLACES: [&str; 6] = [
    "/usr/bin",
    "/bin",
    "/usr/sbin",
    "/sbin",
    "/usr/local/bin",
    "/run/wrappers/bin",
];
/// Ids there must be: all of the images' own, with `nobody` (65534).
const NEEDED: u32 = 65_534;
/// Most bytes of what work inside the map answers.
const LONGEST: u64 = 256 << 20;

/// What is given to a user namespace of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ids {
    users: Map,
    groups: Map,
}

/// The ids of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Map {
    helper: PathBuf,
    /// Our own id, which is 0 inside.
    own: u32,
    /// The first of the range, which is 1 inside, and how many there are.
    first: u32,
    count: u32,
}

/// The ids of this process's user, looked up once; or why there are none, as a sentence.
pub(crate) fn ids() -> Result<&'static Ids, &'static str> {
    static FOUND: OnceLock<Result<Ids, String>> = OnceLock::new();
    FOUND
        .get_or_init(Ids::find)
        .as_ref()
        .map_err(String::as_str)
}

impl Ids {
    fn find() -> Result<Self, String> {
        let user = rustix::process::geteuid().as_raw();
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = name_of(&passwd, user);
        // The ranges of both kinds are the user's, whatever the group.
        let map = |file: &str, helper: &str, own| {
            let helper = find(helper).ok_or_else(|| format!("there is no {helper}"))?;
            let text = fs::read_to_string(file).map_err(|why| format!("{file}: {why}"))?;
            let (first, count) = range(&text, name, user)
                .ok_or_else(|| format!("{file} has no range for user {user}"))?;
            if count < NEEDED {
                return Err(format!(
                    "{file} has {count} ids for user {user}, and {NEEDED} are needed"
                ));
            }
            Ok(Map {
                helper,
                own,
                first,
                count,
            })
        };
        Ok(Self {
            users: map("/etc/subuid", "newuidmap", user)?,
            groups: map(
                "/etc/subgid",
                "newgidmap",
                rustix::process::getegid().as_raw(),
            )?,
        })
    }

    /// Whether there are such a user and such groups.
    pub(crate) fn have(&self, user: u32, groups: impl IntoIterator<Item = u32>) -> bool {
        user <= self.users.count && groups.into_iter().all(|group| group <= self.groups.count)
    }

    /// The user and group inside that these of this machine are.
    pub(crate) fn inside(&self, user: u32, group: u32) -> Option<(u32, u32)> {
        Some((self.users.inside(user)?, self.groups.inside(group)?))
    }

    /// Gives the ids to the user namespace of a child of ours.
    pub(crate) fn write(&self, pid: i32) -> io::Result<()> {
        self.users.write(pid)?;
        self.groups.write(pid)
    }
}

impl Map {
    fn inside(&self, id: u32) -> Option<u32> {
        if id == self.own {
            return Some(0);
        }
        let offset = id.checked_sub(self.first)?;
        (offset < self.count).then_some(offset + 1)
    }

    fn write(&self, pid: i32) -> io::Result<()> {
        let lines = [0, self.own, 1, 1, self.first, self.count];
        let output = Command::new(&self.helper)
            .arg(pid.to_string())
            .args(lines.map(|number| number.to_string()))
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        Err(io::Error::other(format!(
            "{} failed: {said}",
            self.helper.display()
        )))
    }
}

fn find(helper: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 1 == 1)
    };
    PLACES
        .iter()
        .map(|place| Path::new(place).join(helper))
        .find(is_program)
}

/// The name of a user (passwd(5)).
fn name_of(passwd: &str, user: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then_some(name)
    })
}

/// The largest range of a user, who is named by name or by number (subuid(5)).
fn range(text: &str, name: Option<&str>, user: u32) -> Option<(u32, u32)> {
    let of = |line: &str| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        if Some(owner) != name && owner.parse() != Ok(user) {
            return None;
        }
        let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        u32::checked_add(first, count)?;
        Some((first, count))
    };
    text.lines().filter_map(of).max_by_key(|(_, count)| *count)
}

/// Does something as user 0 of a user namespace with these ids, where all files of theirs are open to
/// it, and answers what it answers. It is done by a child process, so that nothing else of ours
/// changes by it.
///
/// # Errors
/// When there can be no such child, or it has not come to its end.
pub(crate) fn within(ids: &Ids, work: impl FnOnce() -> Vec<u8>) -> io::Result<Vec<u8>> {
    let cloning = CLONING.lock().unwrap_or_else(PoisonError::into_inner);
    let (ready, theirs_ready) = pipe_with(PipeFlags::CLOEXEC)?;
    let (theirs_go, go) = pipe_with(PipeFlags::CLOEXEC)?;
    let (answer, theirs_answer) = pipe_with(PipeFlags::CLOEXEC)?;
    let blocked = Blocked::all();
    // SAFETY: the C library's fork leaves its allocator usable in the child; the child works with
    // nothing else that a thread of ours may have held locked, and ends by _exit.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        drop((ready, go, answer));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            child(work, theirs_ready, theirs_go, theirs_answer)
        }));
        // SAFETY: ends this process; no code of ours runs after it.
        unsafe { libc::_exit(i32::from(!matches!(outcome, Ok(Ok(()))))) }
    }
    drop((blocked, theirs_ready, theirs_go, theirs_answer, cloning));
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    let talk = || {
        File::from(ready).read_exact(&mut [0])?;
        ids.write(pid)?;
        File::from(go).write_all(b"g")?;
        let mut bytes = Vec::new();
        File::from(answer).take(LONGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let told = talk();
    if told.is_err() {
        crate::sys::signal_pid(pid, libc::SIGKILL);
    }
    let mut status = 0;
    // SAFETY: the status is ours, and lives through the call.
    while unsafe { libc::waitpid(pid, &mut status, 0) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    match told {
        Ok(_) if status != 0 => Err(io::Error::other("a process with subordinate ids failed")),
        told => told,
    }
}

fn child(
    work: impl FnOnce() -> Vec<u8>,
    ready: OwnedFd,
    go: OwnedFd,
    answer: OwnedFd,
) -> io::Result<()> {
    // Not longer than we.
    // SAFETY: system calls without pointers.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::unshare(libc::CLONE_NEWUSER) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    keep_only([ready.as_raw_fd(), go.as_raw_fd(), answer.as_raw_fd()]);
    File::from(ready).write_all(b"r")?;
    File::from(go).read_exact(&mut [0])?;
    File::from(answer).write_all(&work())
}

/// Closes all descriptors above the three streams but these: others wait for their end.
fn keep_only(mut kept: [i32; 3]) {
    kept.sort_unstable();
    let mut from = 3;
    for fd in kept.into_iter().chain([i32::MAX]) {
        if fd > from {
            // SAFETY: nothing of this process uses them any more.
            unsafe { libc::syscall(libc::SYS_close_range, from, fd - 1, 0) };
        }
        from = fd.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_range_of_a_user_is_found() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nme:x:1000:100::/home/me:/bin/sh\n";
        assert_eq!(name_of(passwd, 1000), Some("me"));
        assert_eq!(name_of(passwd, 7), None);
        let text = "root:1:2\nme:100000:1000\n1000:200000:65536\n# me:1:70000\nme:x:y\nme:4294967295:9\nme\n";
        assert_eq!(range(text, Some("me"), 1000), Some((200_000, 65_536)));
        assert_eq!(range(text, None, 0), None);
        assert_eq!(range(text, Some("root"), 0), Some((1, 2)));
    }

    #[test]
    fn ids_beyond_the_range_are_none_of_ours() {
        let map = |count| Map {
            helper: PathBuf::new(),
            own: 1000,
            first: 100_000,
            count,
        };
        let ids = Ids {
            users: map(70_000),
            groups: map(65_536),
        };
        assert!(ids.have(0, []) && ids.have(70_000, [0, 65_536]));
        assert_eq!(ids.inside(1000, 1000), Some((0, 0)));
        assert_eq!(ids.inside(100_032, 165_535), Some((33, 65_536)));
        assert_eq!(ids.inside(100_032, 165_536), None);
        assert_eq!(ids.inside(99_999, 1000), None);
        assert!(!ids.have(70_001, []) && !ids.have(0, [5, 65_537]));
    }
}
