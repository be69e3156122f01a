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
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use plimsoll_model::ImagePath;

use crate::subordinate::{self, Ids};
use crate::{Limits, Way};

/// Time stamps are made by a clock that ticks every few milliseconds, and the marks may not be.
const TICK: i64 = 20_000_000;
/// Where so much more than a limit is gone, nobody asks any more by whom.
const BEYOND: u64 = 4;
/// Where the file system does not count its files, they are counted at every so manieth look.
const RARELY: u32 = 10;

/// The time before a run and the room on the disk, to compare with.
pub(super) struct Before {
    /// Nanoseconds since the epoch, as the file system counts them.
    begun: i64,
    free: Room,
    looks: AtomicU32,
}

/// What is free of the file system the tree is on.
#[derive(Debug, Clone, Copy)]
struct Room {
    bytes: u64,
    /// Files; `None` where the file system makes them as they are needed (btrfs).
    files: Option<u64>,
}

impl Room {
    fn of(root: &Path) -> io::Result<Self> {
        let facts = rustix::fs::statvfs(root)?;
        Ok(Self {
            bytes: facts.f_bavail.saturating_mul(facts.f_frsize),
            files: (facts.f_files > 0).then_some(facts.f_ffree),
        })
    }
}

impl Before {
    /// Now: `mark` is a file or directory that was made a moment ago.
    pub(super) fn now(root: &Path, mark: &Path) -> io::Result<Self> {
        let mark = fs::symlink_metadata(mark)?;
        Ok(Self {
            begun: modified(&mark).saturating_sub(TICK),
            free: Room::of(root)?,
            looks: AtomicU32::new(0),
        })
    }

    /// The files and links below `root` that were read since, and before `mark` was made.
    pub(super) fn read_since(
        &self,
        way: Way,
        root: &Path,
        mark: &Path,
    ) -> io::Result<BTreeSet<ImagePath>> {
        if way != Way::Subordinate {
            return self.read_here(root, mark);
        }
        // Where directories belong to others, we may not look.
        let answer = subordinate::within(ids()?, || match self.read_here(root, mark) {
            Ok(read) => read.iter().fold(b"+".to_vec(), |mut all, path| {
                all.extend_from_slice(path.as_bytes());
                all.push(0);
                all
            }),
            Err(error) => format!("-{error}").into_bytes(),
        })?;
        match answer.split_first() {
            Some((b'+', paths)) => {
                let paths = paths.split(|&byte| byte == 0);
                let paths = paths.filter(|path| !path.is_empty());
                Ok(paths.map(ImagePath::new).collect())
            }
            _ => Err(io::Error::other(String::from_utf8_lossy(&answer))),
        }
    }

    fn read_here(&self, root: &Path, mark: &Path) -> io::Result<BTreeSet<ImagePath>> {
        let ended = modified(&fs::symlink_metadata(mark)?).saturating_add(TICK);
        let mut read = BTreeSet::new();
        // A directory of ours is closed to us because the run has closed it: of what is in it nothing
        // can be told.
        walk(root, Closed::LeftOut, &mut |path, found| {
            // A file that was made or written meanwhile is the run's: of the image's it says nothing.
            let is_old = modified(found) < self.begun;
            let is_read = (self.begun..=ended).contains(&accessed(found));
            if is_old && is_read && !found.is_dir() {
                read.insert(path.clone());
            }
            ControlFlow::Continue(())
        })?;
        Ok(read)
    }

    /// The limit that what was written below `root` since is above, as a sentence. Others may write to
    /// the same disk, so what was written is counted where it looks so; files without a name are not
    /// seen then, but they end where four times as much is gone.
    pub(super) fn hit(&self, way: Way, root: &Path, limits: &Limits) -> Option<String> {
        let bytes = || Some(format!("ended: it wrote more than {} bytes", limits.disk));
        let files = || Some(format!("ended: it made more than {} files", limits.files));
        let now = Room::of(root).unwrap_or(self.free);
        let gone = self.free.bytes.saturating_sub(now.bytes);
        let gone_files = match (self.free.files, now.files) {
            (Some(then), Some(now)) => then.saturating_sub(now),
            _ => match self.looks.fetch_add(1, Ordering::Relaxed) % RARELY {
                // As if it were so: it is counted below.
                0 => limits.files.saturating_add(1),
                _ => 0,
            },
        };
        if gone <= limits.disk && gone_files <= limits.files {
            return None;
        }
        if gone > limits.disk.saturating_mul(BEYOND) {
            return bytes();
        }
        if gone_files > limits.files.saturating_mul(BEYOND) {
            return files();
        }
        // What cannot be counted is believed to be too much.
        match self.counted(way, root, limits).ok() {
            Some((_, made)) if made > limits.files => files(),
            Some((written, _)) if written <= limits.disk => None,
            None if gone <= limits.disk => self.free.files.and_then(|_| files()),
            _ => bytes(),
        }
    }

    /// Bytes and files that are new below `root`, counted until one is above its limit.
    fn counted(&self, way: Way, root: &Path, limits: &Limits) -> io::Result<(u64, u64)> {
        if way != Way::Subordinate {
            return self.counted_here(root, limits);
        }
        let answer = subordinate::within(ids()?, || match self.counted_here(root, limits) {
            Ok((written, made)) => [written.to_le_bytes(), made.to_le_bytes()].concat(),
            Err(_) => Vec::new(),
        })?;
        match answer.as_chunks::<8>() {
            ([written, made], []) => Ok((u64::from_le_bytes(*written), u64::from_le_bytes(*made))),
            _ => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    fn counted_here(&self, root: &Path, limits: &Limits) -> io::Result<(u64, u64)> {
        let (mut written, mut made) = (0, 0);
        let counted = walk(root, Closed::Fails, &mut |_, found| {
            if changed(found) >= self.begun {
                written += found.blocks() * 512;
                made += 1;
            }
            match written > limits.disk || made > limits.files {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        counted.map(|()| (written, made))
    }
}

fn ids() -> io::Result<&'static Ids> {
    subordinate::ids().map_err(io::Error::other)
}

/// What becomes of a directory that we may not look into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closed {
    LeftOut,
    Fails,
}

/// Every entry below a directory, as far as `found` wants them; what goes away meanwhile is left out.
fn walk(
    directory: &Path,
    closed: Closed,
    found: &mut impl FnMut(&ImagePath, &Metadata) -> ControlFlow<()>,
) -> io::Result<()> {
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let is_closed = |error: &io::Error| {
        error.kind() == io::ErrorKind::PermissionDenied && closed == Closed::LeftOut
    };
    // A list of our own: a tree may be deeper than a stack.
    let mut directories = vec![(directory.to_owned(), ImagePath::root())];
    while let Some((directory, name)) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            Err(error) if gone(&error) || is_closed(&error) => continue,
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Err(error) if gone(&error) || is_closed(&error) => continue,
                other => other?,
            };
            let path = name.join(entry.file_name().as_bytes());
            if found(&path, &metadata).is_break() {
                return Ok(());
            }
            if metadata.is_dir() {
                directories.push((entry.path(), path));
            }
        }
    }
    Ok(())
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
        let read = before.read_since(Way::Plain, &root, &end).unwrap();
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
        let root = directory.path();
        let before = Before::now(root, root).unwrap();
        let limits = |disk, files| Limits {
            disk,
            files,
            ..Limits::default()
        };
        let much = 1 << 40;
        assert_eq!(before.hit(Way::Plain, root, &limits(much, much)), None);
        // As if another had written: the disk has less room, and the tree has nothing new.
        let other = |bytes, files| Before {
            begun: i64::MAX,
            free: Room {
                bytes: before.free.bytes + bytes,
                files: before.free.files.map(|free| free + files),
            },
            looks: AtomicU32::new(0),
        };
        let (bytes, files) = (1 << 19, 1000);
        assert_eq!(
            other(1 << 20, 0).hit(Way::Plain, root, &limits(bytes, much)),
            None
        );
        assert_eq!(
            other(0, 2000).hit(Way::Plain, root, &limits(much, files)),
            None
        );
        let hit = other(1 << 30, 0).hit(Way::Plain, root, &limits(bytes, much));
        assert_eq!(hit.unwrap(), "ended: it wrote more than 524288 bytes");
        if before.free.files.is_some() {
            let hit = other(0, 1 << 20).hit(Way::Plain, root, &limits(much, files));
            assert_eq!(hit.unwrap(), "ended: it made more than 1000 files");
        }
    }

    #[test]
    fn files_are_counted_where_the_disk_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let mut before = Before::now(root, root).unwrap();
        before.free.files = None;
        for number in 0..5 {
            fs::create_dir(root.join(number.to_string())).unwrap();
        }
        let limits = |files| Limits {
            files,
            ..Limits::default()
        };
        let looks = |files| (0..RARELY).find_map(|_| before.hit(Way::Plain, root, &limits(files)));
        assert_eq!(looks(5), None);
        assert_eq!(looks(4).unwrap(), "ended: it made more than 4 files");
    }
}
