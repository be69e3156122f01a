//! A run on the tree itself, which is used up by it: what was read then shows by access times.
//!
//! Reading, mapping and executing a file moves its access time, and following a link the link's,
//! whoever does it and by whichever call; asking about a file does not. (Under an overlay nothing
//! moves: its lower side is read without a trace.) That costs nothing and sees what a tracer could
//! miss, so it is a check upon the tracer. `relatime`, which is what file systems are mounted with,
//! is enough where the access time was as old as the modification time before.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use plimsoll_model::ImagePath;

/// Time stamps are made by a clock that ticks every few milliseconds, and the marks may not be.
const TICK: i64 = 20_000_000;
/// Where so much more than the limit is gone, nobody asks any more by whom.
const BEYOND: u64 = 4;

/// The time before a run and the room on the disk, to compare with.
pub(super) struct Before {
    /// Nanoseconds since the epoch, as the file system counts them.
    begun: i64,
    /// Free bytes of the file system the tree is on.
    free: u64,
}

impl Before {
    /// Now: `mark` is a file or directory that was made a moment ago.
    pub(super) fn now(root: &Path, mark: &Path) -> io::Result<Self> {
        let mark = fs::symlink_metadata(mark)?;
        Ok(Self {
            begun: modified(&mark).saturating_sub(TICK),
            free: free(root)?,
        })
    }

    /// The files and links below `root` that were read since, and before `mark` was made.
    pub(super) fn read_since(&self, root: &Path, mark: &Path) -> io::Result<BTreeSet<ImagePath>> {
        let ended = modified(&fs::symlink_metadata(mark)?).saturating_add(TICK);
        let mut read = BTreeSet::new();
        walk(root, &ImagePath::root(), &mut |path, found| {
            // A file that was made or written meanwhile is the run's: of the image's it says nothing.
            let is_old = modified(found) < self.begun;
            if is_old && (self.begun..=ended).contains(&accessed(found)) {
                read.insert(path.clone());
            }
        })?;
        Ok(read)
    }

    /// Whether more than `limit` bytes were written below `root` since. Others may write to the same
    /// disk, so what was written is counted where it looks so; files without a name are not seen
    /// then, but they end where four times as much is gone.
    pub(super) fn is_over(&self, root: &Path, limit: u64) -> bool {
        let gone = free(root).map_or(0, |now| self.free.saturating_sub(now));
        if gone <= limit {
            return false;
        }
        if gone > limit.saturating_mul(BEYOND) {
            return true;
        }
        let mut written = 0;
        let counted = walk(root, &ImagePath::root(), &mut |_, found| {
            if changed(found) >= self.begun {
                written += found.blocks() * 512;
            }
        });
        // What cannot be counted is believed to be too much.
        counted.is_err() || written > limit
    }
}

/// Every file and link below a directory; what goes away meanwhile is left out.
fn walk(
    directory: &Path,
    name: &ImagePath,
    found: &mut impl FnMut(&ImagePath, &Metadata),
) -> io::Result<()> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let entries = match fs::read_dir(directory) {
        Err(error) if gone(&error) => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Err(error) if gone(&error) => continue,
            other => other?,
        };
        let path = name.join(entry.file_name().as_bytes());
        if metadata.is_dir() {
            walk(&entry.path(), &path, found)?;
        } else {
            found(&path, &metadata);
        }
    }
    Ok(())
}

fn free(root: &Path) -> io::Result<u64> {
    let facts = rustix::fs::statvfs(root)?;
    Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
}

fn nanoseconds(seconds: i64, nanoseconds: i64) -> i64 {
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

fn accessed(found: &Metadata) -> i64 {
    nanoseconds(found.atime(), found.atime_nsec())
}

fn modified(found: &Metadata) -> i64 {
    nanoseconds(found.mtime(), found.mtime_nsec())
}

fn changed(found: &Metadata) -> i64 {
    nanoseconds(found.ctime(), found.ctime_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes};
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_is_read_between_two_marks_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for name in ["read", "asked", "sub/read"] {
            fs::write(root.join(name), "x").unwrap();
            let times = FileTimes::new().set_accessed(old).set_modified(old);
            File::options()
                .write(true)
                .open(root.join(name))
                .unwrap()
                .set_times(times)
                .unwrap();
        }
        let mark = directory.path().join("mark");
        fs::write(&mark, "").unwrap();
        let before = Before::now(&root, &mark).unwrap();
        fs::read(root.join("read")).unwrap();
        fs::read(root.join("sub/read")).unwrap();
        fs::metadata(root.join("asked")).unwrap();
        let end = directory.path().join("end");
        fs::write(&end, "").unwrap();
        let read = before.read_since(&root, &end).unwrap();
        if read.is_empty() {
            // A disk that is mounted without access times tells nothing.
            return;
        }
        let wanted: BTreeSet<ImagePath> = ["/read", "/sub/read"].map(ImagePath::new).into();
        assert_eq!(read, wanted);
    }

    #[test]
    fn only_what_was_written_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let before = Before::now(directory.path(), directory.path()).unwrap();
        assert!(!before.is_over(directory.path(), 1 << 40));
        // As if another had written: the disk has less room, and the tree has nothing new.
        let other = Before {
            free: before.free + (1 << 20),
            begun: i64::MAX,
        };
        assert!(!other.is_over(directory.path(), 1 << 19));
        let much = Before {
            free: other.free + (1 << 30),
            begun: i64::MAX,
        };
        assert!(much.is_over(directory.path(), 1 << 19));
    }
}
