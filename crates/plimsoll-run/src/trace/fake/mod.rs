//! What a plain user's sandbox cannot have and is told it has: users.
//!
//! In a namespace with one id every file belongs to user 0 and nobody can become anybody else. So
//! the calls that change an identity or an owner are answered here and remembered, and the calls that
//! ask for one get what was remembered: programs start that drop their privileges, and scripts find
//! out that they have. What is *not* imitated is permission: a program that believes to be user 33
//! may still read what only root should, and the kernel's own reports (`/proc/self/status`,
//! `SO_PEERCRED`) say 0.
#![expect(
    unsafe_code,
    reason = "stat structures are asked for and written as the kernel lays them out"
)]

use std::collections::BTreeMap;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::rc::Rc;
use std::slice;

use libc::c_int;
use plimsoll_model::ImagePath;
use plimsoll_model::startup::Who;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, open, openat2, readlinkat};
use rustix::io::Errno;

use super::listener::{Listener, Question, Reply};
use super::memory::{self, Memory};
use super::{Access, Sight, Sights, caller};
use crate::Identity;
use crate::seccomp::Number;
use credentials::{Change, Credentials, KEEP};

mod credentials;
mod identities;

pub(crate) use identities::Identities;

/// Owners that are remembered in one run.
const MOST_OWNERS: usize = 400_000;
/// Most groups of a process (`NGROUPS_MAX`).
const MOST_GROUPS: usize = 65_536;

/// Calls that ask for or change an identity or an owner and name no path.
const OTHERS: [Number; 19] = [
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_fstat,
    libc::SYS_fchown,
    libc::SYS_exit_group,
];

/// Whether a call asks for or changes an owner or an identity.
pub(crate) fn sees_owner(number: Number) -> bool {
    OTHERS.contains(&number)
}

/// The image's word on who owns a path.
type Owners<'a> = &'a (dyn Fn(&ImagePath) -> Option<(u32, u32)> + Sync);

/// Owners given or made during a run, by path without links.
pub(crate) type Given = BTreeMap<Vec<u8>, (u32, u32)>;

/// Answers for one sandbox.
pub(super) struct Fake<'a> {
    identities: Identities,
    owners: Owners<'a>,
    given: Given,
    first: i32,
    root: Option<OwnedFd>,
    /// We, as the files of the sandbox have it.
    us: u32,
    full: bool,
}

impl<'a> Fake<'a> {
    pub(super) fn new(first: i32, identity: &Identity, owners: Owners<'a>, given: Given) -> Self {
        let initial = Credentials::new(identity.uid, identity.gid, &identity.groups);
        Self {
            identities: Identities::new(first, initial),
            owners,
            given,
            first,
            root: None,
            us: rustix::process::geteuid().as_raw(),
            full: false,
        }
    }

    pub(super) fn identities(&self) -> Identities {
        self.identities.clone()
    }

    /// What a plain user's run did not have, and the owners it gave.
    pub(super) fn finish(self) -> (Vec<String>, Given) {
        let mut problems = vec![String::from(
            "run as a plain user: users and owners are answered for, but permissions are not checked against them",
        )];
        if self.full {
            problems.push(format!(
                "more than {MOST_OWNERS} files got other owners: the rest belongs to user 0"
            ));
        }
        (problems, self.given)
    }

    /// The answer to a call; everything not imitated goes on to the kernel.
    pub(super) fn answer(
        &mut self,
        listener: &Listener,
        question: &Question,
        sights: &Sights,
    ) -> Reply {
        let thread = question.thread;
        let id = |index: usize| question.arguments[index] as u32;
        let change = match question.number {
            libc::SYS_getuid => return Reply::Value(self.identities.of(thread).user.real.into()),
            libc::SYS_geteuid => {
                return Reply::Value(self.identities.of(thread).user.effective.into());
            }
            libc::SYS_getgid => return Reply::Value(self.identities.of(thread).group.real.into()),
            libc::SYS_getegid => {
                return Reply::Value(self.identities.of(thread).group.effective.into());
            }
            libc::SYS_getresuid | libc::SYS_getresgid => return self.three(listener, question),
            libc::SYS_getgroups => return self.groups(listener, question),
            libc::SYS_exit_group => {
                self.identities.ends(thread);
                return Reply::Continue;
            }
            libc::SYS_setuid => Change::User(id(0)),
            libc::SYS_setgid => Change::Group(id(0)),
            libc::SYS_setreuid => Change::Users(id(0), id(1)),
            libc::SYS_setregid => Change::AllGroups(id(0), id(1)),
            libc::SYS_setresuid => Change::ThreeUsers(id(0), id(1), id(2)),
            libc::SYS_setresgid => Change::ThreeGroups(id(0), id(1), id(2)),
            libc::SYS_setfsuid => Change::FileUser(id(0)),
            libc::SYS_setfsgid => Change::FileGroup(id(0)),
            libc::SYS_setgroups => match read_groups(question) {
                Ok(groups) => Change::Groups(groups),
                Err(errno) => return Reply::Fail(errno),
            },
            _ => return self.file(listener, question, sights),
        };
        match self.identities.change(thread, &change) {
            Some(value) => Reply::Value(value),
            None => Reply::Fail(libc::EPERM),
        }
    }

    fn three(&self, listener: &Listener, question: &Question) -> Reply {
        let credentials = self.identities.of(question.thread);
        let ids = match question.number {
            libc::SYS_getresuid => credentials.user,
            _ => credentials.group,
        };
        let Some(memory) = held(listener, question) else {
            return Reply::Continue;
        };
        let all = [ids.real, ids.effective, ids.saved];
        let mut pairs = all.into_iter().zip(question.arguments);
        match pairs.try_for_each(|(id, to)| memory.write(to, &id.to_ne_bytes())) {
            Ok(()) => Reply::Value(0),
            Err(_) => Reply::Fail(libc::EFAULT),
        }
    }

    fn groups(&self, listener: &Listener, question: &Question) -> Reply {
        let groups = self.identities.of(question.thread).groups;
        let count = Reply::Value(groups.len() as i64);
        match question.arguments[0] as i32 {
            0 => return count,
            room if room < 0 || (room as usize) < groups.len() => return Reply::Fail(libc::EINVAL),
            _ => {}
        }
        let bytes: Vec<u8> = groups.iter().flat_map(|id| id.to_ne_bytes()).collect();
        let written =
            held(listener, question).map(|memory| memory.write(question.arguments[1], &bytes));
        match written {
            Some(Ok(())) => count,
            _ => Reply::Fail(libc::EFAULT),
        }
    }

    /// Calls about files.
    fn file(&mut self, listener: &Listener, question: &Question, sights: &Sights) -> Reply {
        if let Some(stat) = Stat::of(question) {
            return self.stat(listener, question, sights, &stat);
        }
        if let Some((user, group)) = chown(question) {
            return self.chown(question, sights, user, group);
        }
        self.made(question, sights);
        Reply::Continue
    }

    /// `stat(2)` and its family.
    fn stat(
        &mut self,
        listener: &Listener,
        question: &Question,
        sights: &Sights,
        stat: &Stat,
    ) -> Reply {
        let Some(file) = self.file_of(question, sights, stat.descriptor) else {
            return Reply::Continue;
        };
        let Some(found) = status(&file.fd) else {
            return Reply::Continue;
        };
        // As the kernel would show it inside: our own files are user 0's, all others nobody's.
        let shown = if found.st_uid == self.us { 0 } else { OVERFLOW };
        let (user, group) = self.owner(&file.path);
        if shown == 0 && (user, group) == (0, 0) {
            return Reply::Continue;
        }
        let Some(bytes) = stat.bytes(&file.fd, found, user, group) else {
            return Reply::Continue;
        };
        match held(listener, question).map(|memory| memory.write(stat.to, &bytes)) {
            Some(Ok(())) => Reply::Value(0),
            // The kernel finds out what is wrong with the address.
            _ => Reply::Continue,
        }
    }

    /// `chown(2)` and its family: remembered, not done.
    fn chown(&mut self, question: &Question, sights: &Sights, user: u32, group: u32) -> Reply {
        let descriptor =
            (question.number == libc::SYS_fchown).then(|| question.arguments[0] as i32);
        let Some(file) = self.file_of(question, sights, descriptor) else {
            // What /proc and /dev name is there for the caller, not for us.
            let special = match sights {
                Ok([Some(sight), _]) => is_special(&sight.path),
                _ => descriptor.is_some_and(|fd| caller::descriptor(question.thread, fd).is_ok()),
            };
            return if special {
                Reply::Value(0)
            } else {
                Reply::Continue
            };
        };
        let owner = self.owner(&file.path);
        if !self
            .identities
            .of(question.thread)
            .may_chown(owner, user, group)
        {
            return Reply::Fail(libc::EPERM);
        }
        let new = (
            if user == KEEP { owner.0 } else { user },
            if group == KEEP { owner.1 } else { group },
        );
        self.give(file.path, new);
        Reply::Value(0)
    }

    /// What is made by somebody belongs to him; what is renamed takes its owner along.
    fn made(&mut self, question: &Question, sights: &Sights) {
        let Ok([Some(first), second]) = sights else {
            return;
        };
        match second {
            Some(second) => {
                let Some(from) = self.resolve(first) else {
                    return;
                };
                let Some(to) = self.resolve_new(second) else {
                    return;
                };
                if first.access.has(Access::REMOVED) {
                    self.moved(&from.path, &to);
                } else {
                    let owner = self.owner(&from.path);
                    self.give(to, owner);
                }
            }
            None if first.access.has(Access::WRITTEN) => {
                if self.resolve(first).is_some() {
                    return;
                }
                if let Some(path) = self.resolve_new(first) {
                    let who = self.identities.of(question.thread);
                    self.give(path, (who.user.file, who.group.file));
                }
            }
            None => {}
        }
    }

    /// Everything below `from` is below `to` now.
    fn moved(&mut self, from: &[u8], to: &[u8]) {
        let owner = self.owner(from);
        let below = [from, b"/"].concat();
        let inside: Vec<Vec<u8>> = self
            .given
            .range(below.clone()..)
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(&below))
            .cloned()
            .collect();
        for path in inside {
            if let Some(owner) = self.given.remove(&path) {
                let path = [to, &path[from.len()..]].concat();
                self.give(path, owner);
            }
        }
        self.given.remove(from);
        self.give(to.to_vec(), owner);
    }

    /// Who a process believes to be.
    pub(super) fn who(&self, process: i32) -> Who {
        let Credentials {
            user,
            group,
            groups,
        } = self.identities.of(process);
        let four = |ids: credentials::Ids| [ids.real, ids.effective, ids.saved, ids.file];
        let mut others = groups.to_vec();
        others.sort_unstable();
        Who {
            users: four(user),
            groups: four(group),
            others,
        }
    }

    /// The paths that have other owners than the image says, and which.
    pub(super) fn given(&self) -> impl Iterator<Item = (&[u8], (u32, u32))> {
        let given = self.given.iter();
        given.map(|(path, &owner)| (path.as_slice(), owner))
    }

    /// Who owns a path without links.
    pub(super) fn owner(&self, path: &[u8]) -> (u32, u32) {
        match self.given.get(path) {
            Some(&owner) => owner,
            None if is_special(path) => (0, 0),
            None => (self.owners)(&ImagePath::new(path)).unwrap_or((0, 0)),
        }
    }

    fn give(&mut self, path: Vec<u8>, owner: (u32, u32)) {
        if self.owner(&path) == owner {
            return;
        }
        if self.given.len() >= MOST_OWNERS {
            self.full = true;
            return;
        }
        self.given.insert(path, owner);
    }

    /// The file a call is about: by descriptor, or by its first path.
    fn file_of(
        &mut self,
        question: &Question,
        sights: &Sights,
        descriptor: Option<c_int>,
    ) -> Option<Found> {
        match (sights, descriptor) {
            (Ok([Some(sight), _]), _) => self.resolve(sight),
            (_, Some(fd)) => {
                let link = format!("/proc/{}/fd/{fd}", question.thread);
                let path = caller::descriptor(question.thread, fd).ok()??;
                let fd = open(link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
                Some(Found { fd, path })
            }
            _ => None,
        }
    }

    /// Walks a path inside the sandbox; nothing is opened but the name.
    fn resolve(&mut self, sight: &Sight) -> Option<Found> {
        let mut flags = OFlags::PATH | OFlags::CLOEXEC;
        if sight.access.has(Access::NOFOLLOW) {
            flags |= OFlags::NOFOLLOW;
        }
        let fd = self.walk(&sight.path, flags).ok()?;
        let path = name_of(&fd)?;
        Some(Found { fd, path })
    }

    /// The path, without links, of something that may not be there yet.
    fn resolve_new(&mut self, sight: &Sight) -> Option<Vec<u8>> {
        let path = sight.path.strip_suffix(b"/").unwrap_or(&sight.path);
        let slash = path.iter().rposition(|&byte| byte == b'/')?;
        let (directory, name) = (&path[..=slash], &path[slash + 1..]);
        if [&b""[..], b".", b".."].contains(&name) {
            return None;
        }
        let fd = self.walk(directory, OFlags::PATH | OFlags::CLOEXEC).ok()?;
        Some(caller::join(&name_of(&fd)?, name))
    }

    fn walk(&mut self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        if self.root.is_none() {
            let root = format!("/proc/{}/root", self.first);
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            self.root = Some(open(root, flags, Mode::empty())?);
        }
        let root = self.root.as_ref().ok_or(Errno::NOENT)?;
        openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
    }
}

/// The user the kernel shows for one that has no number in a namespace.
const OVERFLOW: u32 = 65_534;

/// A file of the sandbox.
struct Found {
    fd: OwnedFd,
    /// Without links.
    path: Vec<u8>,
}

fn is_special(path: &[u8]) -> bool {
    [&b"/proc/"[..], b"/dev/", b"/sys/"]
        .iter()
        .any(|root| path.starts_with(root))
}

/// The path of a descriptor of ours, seen from the root of the namespace it lies in.
fn name_of(fd: &OwnedFd) -> Option<Vec<u8>> {
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let path = readlinkat(CWD, link, Vec::with_capacity(128))
        .ok()?
        .into_bytes();
    (path.first() == Some(&b'/')).then_some(path)
}

/// The caller's memory, held so that it is certainly the caller's.
fn held(listener: &Listener, question: &Question) -> Option<Memory> {
    let memory = Memory::open(question.thread).ok()?;
    listener.is_valid(question).then_some(memory)
}

fn read_groups(question: &Question) -> Result<Rc<[u32]>, i32> {
    let count = question.arguments[0] as i32;
    let count = usize::try_from(count).map_err(|_| libc::EINVAL)?;
    if count > MOST_GROUPS {
        return Err(libc::EINVAL);
    }
    let mut bytes = vec![0; count * 4];
    let got = match count {
        0 => 0,
        _ => memory::read(question.thread, question.arguments[1], &mut bytes)
            .map_err(|_| libc::EFAULT)?,
    };
    if got != bytes.len() {
        return Err(libc::EFAULT);
    }
    let (words, _) = bytes.as_chunks::<4>();
    Ok(words.iter().map(|word| u32::from_ne_bytes(*word)).collect())
}

/// The new owner in a call of the chown family.
fn chown(question: &Question) -> Option<(u32, u32)> {
    let at = match question.number {
        libc::SYS_fchown => 1,
        libc::SYS_fchownat => 2,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chown | libc::SYS_lchown => 1,
        _ => return None,
    };
    Some((
        question.arguments[at] as u32,
        question.arguments[at + 1] as u32,
    ))
}

/// A call of the stat family.
struct Stat {
    /// The address the structure is to be written to.
    to: u64,
    /// The descriptor it is about, where it names no path.
    descriptor: Option<c_int>,
    /// Flags and mask of statx(2).
    extended: Option<(c_int, u32)>,
}

impl Stat {
    fn of(question: &Question) -> Option<Self> {
        let arguments = &question.arguments;
        // With an empty path and this flag, the descriptor itself is asked about.
        let itself = |flags: usize| {
            let empty = arguments[flags] & libc::AT_EMPTY_PATH as u64 != 0;
            empty.then_some(arguments[0] as c_int)
        };
        let plain = |to: usize, descriptor| Self {
            to: arguments[to],
            descriptor,
            extended: None,
        };
        Some(match question.number {
            libc::SYS_fstat => plain(1, Some(arguments[0] as c_int)),
            libc::SYS_newfstatat => plain(2, itself(3)),
            libc::SYS_statx => Self {
                to: arguments[4],
                descriptor: itself(2),
                extended: Some((arguments[2] as c_int, arguments[3] as u32)),
            },
            #[cfg(target_arch = "x86_64")]
            libc::SYS_stat | libc::SYS_lstat => plain(1, None),
            _ => return None,
        })
    }

    /// The structure the kernel would have written, with another owner.
    fn bytes(&self, fd: &OwnedFd, found: libc::stat, user: u32, group: u32) -> Option<Vec<u8>> {
        match self.extended {
            None => {
                let mut found = found;
                (found.st_uid, found.st_gid) = (user, group);
                Some(as_bytes(&found))
            }
            Some((flags, mask)) => {
                let mut found = MaybeUninit::<libc::statx>::zeroed();
                let flags = libc::AT_EMPTY_PATH | flags & libc::AT_STATX_SYNC_TYPE;
                // SAFETY: the kernel fills the structure, which is of its own layout.
                let mut found = unsafe {
                    let (fd, empty) = (fd.as_raw_fd(), c"".as_ptr());
                    let to = found.as_mut_ptr();
                    if libc::syscall(libc::SYS_statx, fd, empty, flags, mask, to) != 0 {
                        return None;
                    }
                    found.assume_init()
                };
                (found.stx_uid, found.stx_gid) = (user, group);
                Some(as_bytes(&found))
            }
        }
    }
}

/// `fstatat(2)` of a name, in the kernel's layout, which on these machines is the C library's.
fn status(fd: &OwnedFd) -> Option<libc::stat> {
    let mut found = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the kernel fills the structure, which is at least as large as its own.
    unsafe {
        let (fd, empty) = (fd.as_raw_fd(), c"".as_ptr());
        let (to, flags) = (found.as_mut_ptr(), libc::AT_EMPTY_PATH);
        (libc::syscall(libc::SYS_newfstatat, fd, empty, to, flags) == 0)
            .then(|| found.assume_init())
    }
}

/// The bytes of a structure of plain numbers, all of which were zeroed or written by the kernel.
fn as_bytes<T: Copy>(structure: &T) -> Vec<u8> {
    let from: *const T = structure;
    // SAFETY: the structures given here were zeroed as a whole before they were filled.
    unsafe { slice::from_raw_parts(from.cast::<u8>(), mem::size_of::<T>()) }.to_vec()
}
