//! Work directories whose process was killed: nobody else takes them away. A plain user could not even
//! do so by hand where an image has written to them as its own users, whose numbers are subordinate ones.
//!
//! A process holds a lock in each of its work directories as long as it lives, however it ends. So a
//! directory is an orphan's, and goes, if its name and its mode are those we give, it is ours, and the
//! lock that lies in it can be had. One without a lock stays: nothing shows that it is nobody's. So the
//! lock is the last to go from a directory that is being removed, and what cuts that short is made up for.
//!
//! Locks and sweeps are for file systems of this machine ([`LOCAL`]): elsewhere a lock may be had on one
//! machine while it is held on another, so that no lock is left there and nothing is swept. Nor is
//! anything swept in a place where another user could put one directory in the place of another.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{
    AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Stat, flock, fstat, fstatfs, open,
    openat, stat, statat,
};
use rustix::io::Errno;

/// What the name of a work directory begins with; letters and digits follow.
pub(super) const PREFIX: &str = "plimsoll-";
/// Letters and digits behind [`PREFIX`].
pub(super) const RANDOM: usize = 6;
/// The permissions of a work directory: what an image has in it is no other user's business.
pub(super) const MODE: u32 = 0o700;
/// The name of the file that is locked.
const LOCK: &str = ".lock";
/// Directories of ours, by their name, that are looked at in a place.
const ENTRIES: usize = 20_000;
/// No other entry is looked at, and no other directory begun with, when a sweep takes so long.
const TIME: Duration = Duration::from_secs(5);
/// File systems whose locks everybody meets who can reach the files: `f_type` of `statfs(2)`, from
/// Linux's `linux/magic.h`, that of ZFS from OpenZFS's `sys/fs/zfs.h`.
const LOCAL: [(u64, &str); 7] = [
    (0xef53, "ext2, ext3, ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683e, "btrfs"),
    (0x0102_1994, "tmpfs"),
    (0xf2f5_2010, "f2fs"),
    (0x794c_7630, "overlayfs"),
    (0x2fc1_2fc1, "zfs"),
];

/// The lock in a work directory, held as long as this lives.
pub(super) struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Locks a new work directory; `None` where a sweep was faster, and the directory is gone or going.
    ///
    /// # Errors
    /// When the file to lock cannot be made.
    pub(super) fn of(directory: &Path) -> io::Result<Option<Self>> {
        let place = match File::open(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        if !is_local(&place) {
            // Not even for a moment: the machine that serves these files would not meet our lock.
            return Ok(Some(Self { _file: None }));
        }
        let path = directory.join(LOCK);
        let file = match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(_) => {
                // Not every file system knows locks. Then nobody may take it for an orphan's.
                std::fs::remove_file(&path)?;
                return Ok(Some(Self { _file: None }));
            }
        }
        let is_there = match (stat(&path), fstat(&file)) {
            (Ok(there), Ok(ours)) => same(&there, &ours),
            _ => false,
        };
        Ok(is_there.then_some(Self { _file: Some(file) }))
    }
}

/// Removes a work directory, or anything else; its lock is the last to go.
pub(crate) fn remove(path: &Path) -> Result<(), plimsoll_run::Left> {
    plimsoll_run::remove_ending_with(path, OsStr::new(LOCK))
}

/// Removes the orphans in these places; answers what of them stays.
pub(super) fn sweep(places: &[PathBuf]) -> Vec<plimsoll_run::Left> {
    let began = Instant::now();
    let mut left = Vec::new();
    for place in places {
        for path in candidates(place, ENTRIES, began) {
            if began.elapsed() > TIME {
                return left;
            }
            if let Some(_lock) = orphan(&path) {
                left.extend(remove(&path).err());
            }
        }
    }
    left
}

/// Directories of ours with the name of a work directory, so many at most, as far as they are found
/// in time. What others have put there neither counts nor keeps ours from being found.
fn candidates(place: &Path, most: usize, began: Instant) -> Vec<PathBuf> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(directory) = open(place, flags, Mode::empty()) else {
        return Vec::new();
    };
    if !is_safe(&directory) {
        return Vec::new();
    }
    let Ok(entries) = Dir::read_from(&directory) else {
        return Vec::new();
    };
    let named = entries
        .take_while(|_| began.elapsed() <= TIME)
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_str().ok()?;
            let random = name.strip_prefix(PREFIX)?;
            let is_named =
                random.len() == RANDOM && random.bytes().all(|b| b.is_ascii_alphanumeric());
            if !is_named {
                return None;
            }
            let facts = statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            let is_directory = FileType::from_raw_mode(facts.st_mode).is_dir();
            (is_directory && is_mine(&facts)).then(|| place.join(name))
        });
    named.take(most).collect()
}

/// Whether what has a name in a directory keeps it unless we, or who may do anything, want otherwise:
/// nobody else may write there, or only remove and rename what is theirs (`inode(7)`, the sticky bit).
fn is_safe(place: &OwnedFd) -> bool {
    let (Ok(facts), Ok(root)) = (fstat(place), stat("/")) else {
        return false;
    };
    // Who owns a directory is not held by its sticky bit. Where root is not in our user namespace,
    // it has the number that `/` has.
    let is_trusted = is_mine(&facts) || [0, root.st_uid].contains(&facts.st_uid);
    let mode = Mode::from_raw_mode(facts.st_mode);
    is_trusted && (mode.contains(Mode::SVTX) || !mode.intersects(Mode::WGRP | Mode::WOTH))
}

/// Whether all who can reach a file meet the same locks on it.
fn is_local(file: impl AsFd) -> bool {
    let kind = fstatfs(file).ok().map(|facts| facts.f_type);
    let kind = kind.and_then(|kind| u64::try_from(kind).ok());
    LOCAL.iter().any(|&(local, _)| kind == Some(local))
}

/// The lock of an orphan's directory, now ours; `None` where it is not provably one.
fn orphan(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = open(path, flags | OFlags::DIRECTORY, Mode::empty()).ok()?;
    let facts = fstat(&directory).ok()?;
    let is_closed = facts.st_mode & 0o777 == MODE;
    if !is_closed || !is_mine(&facts) {
        return None;
    }
    // Nothing that could be opened in its place holds us up.
    let flags = flags | OFlags::RDWR | OFlags::NONBLOCK;
    let lock = openat(&directory, LOCK, flags, Mode::empty()).ok()?;
    if !is_local(&directory) || !is_local(&lock) {
        return None;
    }
    flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
    // Asked now: whoever held it may have removed it.
    let facts = fstat(&lock).ok()?;
    let is_file = FileType::from_raw_mode(facts.st_mode).is_file();
    (is_file && is_mine(&facts) && facts.st_nlink == 1).then_some(lock)
}

fn is_mine(facts: &Stat) -> bool {
    facts.st_uid == rustix::process::geteuid().as_raw()
}

fn same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};

    use super::*;

    /// A work directory with something in it, and its lock.
    fn made(place: &Path, name: &str) -> (PathBuf, Lock) {
        let path = place.join(name);
        fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        fs::create_dir_all(path.join("tree/deep")).unwrap();
        fs::write(path.join("tree/deep/file"), "").unwrap();
        let lock = Lock::of(&path).unwrap().unwrap();
        (path, lock)
    }

    #[test]
    fn what_nobody_holds_goes_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let outside = place.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "").unwrap();
        let names = |more: &[&str]| {
            let mut names = vec!["outside".to_owned()];
            names.extend(more.iter().map(|&name| name.to_owned()));
            names.sort();
            names
        };
        let there = || {
            let entries = fs::read_dir(place.path()).unwrap().flatten();
            let mut names: Vec<String> = entries
                .map(|entry| entry.file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        // Gone.
        drop(made(place.path(), "plimsoll-abcDE1"));
        // Held; without a lock; with a link for a lock; open to others; other names.
        let (_, held) = made(place.path(), "plimsoll-held00");
        let (path, _) = made(place.path(), "plimsoll-nolock");
        fs::remove_file(path.join(LOCK)).unwrap();
        let (path, _) = made(place.path(), "plimsoll-link00");
        fs::remove_file(path.join(LOCK)).unwrap();
        symlink(outside.join("file"), path.join(LOCK)).unwrap();
        let (path, _) = made(place.path(), "plimsoll-open00");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o770)).unwrap();
        let (path, _) = made(place.path(), "plimsoll-hard00");
        fs::hard_link(path.join(LOCK), path.join("other")).unwrap();
        drop(made(place.path(), "plimsoll-toolong"));
        drop(made(place.path(), "plimsoll-a.b-cd"));
        // A link to a directory that would be one.
        let (elsewhere, _) = made(&outside, "plimsoll-target");
        symlink(&elsewhere, place.path().join("plimsoll-linked")).unwrap();
        assert!(sweep(&[place.path().to_owned()]).is_empty());
        let stay = [
            "plimsoll-held00",
            "plimsoll-nolock",
            "plimsoll-link00",
            "plimsoll-open00",
            "plimsoll-hard00",
            "plimsoll-toolong",
            "plimsoll-a.b-cd",
            "plimsoll-linked",
        ];
        assert_eq!(there(), names(&stay));
        assert!(elsewhere.join("tree/deep/file").exists() && outside.join("file").exists());
        drop(held);
        assert!(sweep(&[place.path().to_owned()]).is_empty());
        assert_eq!(there(), names(&stay[1..]));
    }

    #[test]
    fn a_sweep_that_is_faster_than_the_lock_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("plimsoll-abcdef");
        assert!(Lock::of(&path).unwrap().is_none());
    }

    #[test]
    fn names_of_others_are_not_counted() {
        let place = tempfile::tempdir().unwrap();
        for number in 0..50 {
            fs::write(place.path().join(format!("other-{number}")), "").unwrap();
            fs::write(place.path().join(format!("plimsoll-x000{number:02}")), "").unwrap();
        }
        let (path, _lock) = made(place.path(), "plimsoll-abcdef");
        assert_eq!(candidates(place.path(), 1, Instant::now()), [path]);
        made(place.path(), "plimsoll-ghijkl");
        assert_eq!(candidates(place.path(), 1, Instant::now()).len(), 1);
        assert_eq!(candidates(place.path(), 2, Instant::now()).len(), 2);
        let long_ago = Instant::now().checked_sub(2 * TIME).unwrap();
        assert!(candidates(place.path(), 2, long_ago).is_empty());
    }

    #[test]
    fn nothing_is_swept_where_others_may_rename() {
        let place = tempfile::tempdir().unwrap();
        let (path, _) = made(place.path(), "plimsoll-abcdef");
        for (mode, is_swept) in [
            (0o777, false),
            (0o770, false),
            (0o702, false),
            (0o1777, true),
            (0o755, true),
        ] {
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(MODE)).unwrap();
            fs::write(path.join(LOCK), "").unwrap();
            fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert!(sweep(&[place.path().to_owned()]).is_empty());
            assert_eq!(path.exists(), !is_swept, "{mode:o}");
        }
    }

    #[test]
    fn a_file_system_that_is_not_known_as_local_is_not() {
        let is_local = |path| super::is_local(fs::File::open(path).unwrap());
        assert!(is_local("/dev/shm"));
        assert!(!is_local("/proc") && !is_local("/sys"));
        // No lock is left there either; one could not even be made here.
        let lock = Lock::of(Path::new("/proc/self")).unwrap().unwrap();
        assert!(lock._file.is_none());
    }
}
