//! Work directories whose process was killed: nobody else takes them away. A plain user could not even
//! do so by hand where an image has written to them as its own users, whose numbers are subordinate ones.
//!
//! A process holds a lock in each of its work directories as long as it lives, however it ends. So a
//! directory is an orphan's, and goes, if its name and its mode are those we give, it is ours, and the
//! lock that lies in it can be had. One without a lock stays: nothing shows that it is nobody's.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{
    Dir, FileType, FlockOperation, Mode, OFlags, Stat, flock, fstat, open, openat, stat,
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
/// Entries of a place that are looked at.
const ENTRIES: usize = 20_000;
/// No other directory is begun with when they are being removed for so long.
const TIME: Duration = Duration::from_secs(5);

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

/// Removes the orphans in these places; answers what of them stays.
pub(super) fn sweep(places: &[PathBuf]) -> Vec<plimsoll_run::Left> {
    let began = Instant::now();
    let mut left = Vec::new();
    for place in places {
        for path in candidates(place) {
            if began.elapsed() > TIME {
                return left;
            }
            if let Some(_lock) = orphan(&path) {
                left.extend(plimsoll_run::remove(&path).err());
            }
        }
    }
    left
}

/// What has the name of a work directory.
fn candidates(place: &Path) -> Vec<PathBuf> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(mut entries) = open(place, flags, Mode::empty()).and_then(|it| Dir::read_from(&it))
    else {
        return Vec::new();
    };
    let named = entries
        .by_ref()
        .take(ENTRIES)
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_str().ok()?;
            let random = name.strip_prefix(PREFIX)?;
            let is_ours =
                random.len() == RANDOM && random.bytes().all(|b| b.is_ascii_alphanumeric());
            is_ours.then(|| place.join(name))
        });
    named.collect()
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
}
