//! Where an image is unpacked to be run: in memory where there is plenty, else on a disk.
//!
//! An image is some ten thousand small files that live for seconds. Creating one costs a disk's file
//! system 0.4 ms and a file system in memory 0.01 ms: seconds of what a slim takes.

mod orphans;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

use rustix::fs::{StatVfsMountFlags, XattrFlags};

use crate::failure::{Failure, Result};
use crate::interrupt::Leftovers;
use orphans::Lock;
pub(crate) use orphans::remove;

/// The file system in memory that every Linux has (`shm_overview(7)`).
const MEMORY: &str = "/dev/shm";
/// Images above this many bytes go to the disk: memory use stays flat.
const MOST: u64 = 2 << 30;
/// What is left to everybody else, in bytes.
const LEFT: u64 = 1 << 30;

/// A directory of ours, gone when dropped with all an image has done to it.
pub(crate) struct Directory {
    path: PathBuf,
    /// Says to others that this process lives.
    _lock: Lock,
    leftovers: Leftovers,
}

impl Directory {
    fn new((made, lock): (tempfile::TempDir, Lock), leftovers: &Leftovers) -> Self {
        let path = made.keep();
        leftovers.add(&path);
        Self {
            path,
            _lock: lock,
            leftovers: leftovers.clone(),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it now, for whoever tells of what stays.
    pub(crate) fn remove(&self) -> std::result::Result<(), plimsoll_run::Left> {
        remove(&self.path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(left) = self.remove() {
            self.leftovers.stays(&left);
        }
    }
}

/// A new directory for a tree of `bytes`, gone when dropped. `TMPDIR` is obeyed.
pub(crate) fn directory(bytes: u64, leftovers: &Leftovers) -> Result<Directory> {
    let named = std::env::var_os("TMPDIR").is_some_and(|path| !path.is_empty());
    let memory = if named { None } else { in_memory(bytes) };
    match memory {
        Some(directory) => Ok(Directory::new(directory, leftovers)),
        None => on_disk(leftovers),
    }
}

/// A new directory where temporary files lie, gone when dropped. The first one takes with it what
/// killed processes of ours have left, here and in memory.
pub(crate) fn on_disk(leftovers: &Leftovers) -> Result<Directory> {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(|| {
        for left in orphans::sweep(&[std::env::temp_dir(), PathBuf::from(MEMORY)]) {
            leftovers.stays(&left);
        }
    });
    let made = new_in(&std::env::temp_dir());
    let made = made.map_err(|error| Failure::because("cannot make a work directory", &error))?;
    Ok(Directory::new(made, leftovers))
}

/// A new directory in this one, locked.
fn new_in(place: &Path) -> io::Result<(tempfile::TempDir, Lock)> {
    /// Each try but the last met another process at its sweep.
    const TRIES: usize = 100;
    for _ in 0..TRIES {
        let mut builder = tempfile::Builder::new();
        let made = builder
            .prefix(orphans::PREFIX)
            .rand_bytes(orphans::RANDOM)
            .permissions(fs::Permissions::from_mode(orphans::MODE))
            .tempdir_in(place)?;
        if let Some(lock) = Lock::of(made.path())? {
            return Ok((made, lock));
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A directory in memory, if the machine, and what confines us on it, has so much to spare.
fn in_memory(bytes: u64) -> Option<(tempfile::TempDir, Lock)> {
    let needed = bytes.saturating_mul(2).saturating_add(LEFT);
    if bytes > MOST || available()? < needed {
        return None;
    }
    let facts = rustix::fs::statvfs(MEMORY).ok()?;
    let room = facts.f_bavail.saturating_mul(facts.f_frsize);
    if room < needed || facts.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        return None;
    }
    let (directory, lock) = new_in(Path::new(MEMORY)).ok()?;
    // What lies on top of the tree while it runs is marked by attributes a user may set, which
    // file systems in memory know since Linux 6.6.
    let attribute = "user.plimsoll";
    rustix::fs::setxattr(directory.path(), attribute, b"1", XattrFlags::empty()).ok()?;
    rustix::fs::removexattr(directory.path(), attribute).ok()?;
    Some((directory, lock))
}

/// Bytes of memory that may still be used: the machine's, or less where a control group says so.
fn available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let machine = meminfo(&text, "MemAvailable:")?;
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group.lines().find_map(|line| line.strip_prefix("0::"));
    let top = Path::new("/sys/fs/cgroup");
    let group = group.map(|path| top.join(path.trim_start_matches('/')));
    let groups: Vec<PathBuf> = group
        .iter()
        .flat_map(|path| path.ancestors())
        .filter(|path| path.starts_with(top))
        .map(Path::to_owned)
        .collect();
    let number = |path: PathBuf| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let left = groups.iter().filter_map(|group| {
        let most = number(group.join("memory.max"))?;
        Some(most.saturating_sub(number(group.join("memory.current")).unwrap_or(most)))
    });
    Some(left.fold(machine, u64::min))
}

/// A field of `/proc/meminfo` in bytes (`proc_meminfo(5)`).
fn meminfo(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_in_bytes() {
        let text = "MemTotal:       24684092 kB\nMemAvailable:   16000000 kB\n";
        assert_eq!(meminfo(text, "MemAvailable:"), Some(16_384_000_000));
        assert_eq!(meminfo(text, "SwapFree:"), None);
        assert!(available().is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn a_large_tree_is_not_kept_in_memory() {
        assert!(in_memory(MOST + 1).is_none());
        assert!(in_memory(u64::MAX).is_none());
    }
}
