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
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use plimsoll_model::ImagePath;
use rustix::fs::StatxTimestamp;

use super::beneath::{Closed, is_directory, walk};
use super::unnamed;
use crate::subordinate::{self, Ids};
use crate::{Limits, Way};

/// Time stamps are made by a clock that ticks every few milliseconds, and the marks may not be.
const TICK: i64 = 20_000_000;
/// Where so much more than a limit is gone, nobody asks any more by whom.
const BEYOND: u64 = 4;
/// The same, where there are processes that may not be asked for the files they hold.
const UNSEEN: u64 = 2;
/// How long the tree is looked through while the image may change it: what takes longer is believed to
/// be too much.
const LOOK: Duration = Duration::from_secs(5);
/// The same after its end.
const AFTER: Duration = Duration::from_secs(60);
/// Where the file system does not count its files, they are counted at every so manieth look.
const RARELY: u32 = 10;

/// The time before a run and the room on the disk, to compare with.
pub(super) struct Before {
    /// Nanoseconds since the epoch, as the file system counts them.
    begun: i64,
    free: Room,
    /// The file system that the tree is on.
    device: u64,
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
            device: fs::symlink_metadata(root)?.dev(),
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
        walk(root, Closed::LeftOut, AFTER, &mut |path, found| {
            // A file that was made or written meanwhile is the run's: of the image's it says nothing.
            let is_old = stamp(found.stx_mtime) < self.begun;
            let is_read = (self.begun..=ended).contains(&stamp(found.stx_atime));
            if is_old && is_read && !is_directory(found) {
                read.insert(path.clone());
            }
            ControlFlow::Continue(())
        })?;
        Ok(read)
    }

    /// The limit that is hit whoever has written it, as a sentence: that is told at once.
    pub(super) fn hit_by_far(&self, root: &Path, limits: &Limits) -> Option<String> {
        let (gone, gone_files) = self.gone(root);
        let is_far = |gone: u64, limit: u64| gone > limit.saturating_mul(BEYOND);
        if is_far(gone, limits.disk) {
            return Some(too_much(limits));
        }
        let gone_files = gone_files.unwrap_or_default();
        is_far(gone_files, limits.files).then(|| too_many(limits))
    }

    /// The limit that what was written below `root` since is above, as a sentence. Others may write to
    /// the same disk, so what was written is counted where it looks so: in the tree, and files without a
    /// name where the processes of `family` hold them. That may take some time.
    pub(super) fn hit(
        &self,
        way: Way,
        root: &Path,
        limits: &Limits,
        family: impl FnOnce() -> Vec<i32>,
    ) -> Option<String> {
        let (gone, gone_files) = self.gone(root);
        let looks_many = match gone_files {
            Some(gone) => gone > limits.files,
            None => self
                .looks
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(RARELY),
        };
        if gone <= limits.disk && !looks_many {
            return None;
        }
        let until = Instant::now() + LOOK;
        let Ok((written, made)) = self.counted(way, root, limits) else {
            // What cannot be counted is believed to be too much.
            return match gone > limits.disk {
                true => Some(too_much(limits)),
                false => gone_files.map(|_| too_many(limits)),
            };
        };
        let held = match written > limits.disk || made > limits.files {
            true => Ok((0, 0)),
            false => unnamed::held(&family(), self.device, self.begun, until),
        };
        let is_unknown = held.is_err();
        let (held, held_files) = held.unwrap_or_default();
        if made.saturating_add(held_files) > limits.files {
            return Some(too_many(limits));
        }
        let is_above = written.saturating_add(held) > limits.disk
            || is_unknown && gone > limits.disk.saturating_mul(UNSEEN);
        is_above.then(|| too_much(limits))
    }

    /// Bytes and files that the disk has less room for by now.
    fn gone(&self, root: &Path) -> (u64, Option<u64>) {
        let now = Room::of(root).unwrap_or(self.free);
        let files = self.free.files.zip(now.files);
        (
            self.free.bytes.saturating_sub(now.bytes),
            files.map(|(then, now)| then.saturating_sub(now)),
        )
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
        let counted = walk(root, Closed::Fails, LOOK, &mut |_, found| {
            if stamp(found.stx_ctime) >= self.begun {
                written = found.stx_blocks.saturating_mul(512).saturating_add(written);
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

fn too_much(limits: &Limits) -> String {
    format!("ended: it wrote more than {} bytes", limits.disk)
}

fn too_many(limits: &Limits) -> String {
    format!("ended: it made more than {} files", limits.files)
}

fn ids() -> io::Result<&'static Ids> {
    subordinate::ids().map_err(io::Error::other)
}

pub(super) fn nanoseconds(seconds: i64, nanoseconds: i64) -> i64 {
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

fn stamp(time: StatxTimestamp) -> i64 {
    nanoseconds(time.tv_sec, time.tv_nsec.into())
}

fn modified(found: &Metadata) -> i64 {
    nanoseconds(found.mtime(), found.mtime_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes};
    use std::time::SystemTime;

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
        assert_eq!(
            before.hit(Way::Plain, root, &limits(much, much), Vec::new),
            None
        );
        // As if another had written: the disk has less room, and the tree has nothing new.
        let other = |bytes, files| Before {
            begun: i64::MAX,
            free: Room {
                bytes: before.free.bytes + bytes,
                files: before.free.files.map(|free| free + files),
            },
            device: before.device,
            looks: AtomicU32::new(0),
        };
        let (bytes, files) = (1 << 19, 1000);
        assert_eq!(
            other(1 << 20, 0).hit(Way::Plain, root, &limits(bytes, much), Vec::new),
            None
        );
        assert_eq!(
            other(0, 2000).hit(Way::Plain, root, &limits(much, files), Vec::new),
            None
        );
        let hit = other(1 << 30, 0).hit_by_far(root, &limits(bytes, much));
        assert_eq!(hit.unwrap(), "ended: it wrote more than 524288 bytes");
        if before.free.files.is_some() {
            let hit = other(0, 1 << 20).hit_by_far(root, &limits(much, files));
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
        let looks = |files| {
            (0..RARELY).find_map(|_| before.hit(Way::Plain, root, &limits(files), Vec::new))
        };
        assert_eq!(looks(5), None);
        assert_eq!(looks(4).unwrap(), "ended: it made more than 4 files");
    }
}
