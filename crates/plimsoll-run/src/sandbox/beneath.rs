//! Looks through a tree while an image may be writing to it.
//!
//! The image can change any name between two looks at it: what was a directory is a link to `/` by
//! then. So a directory is opened by its path below the open top of the tree, and the kernel sees to it
//! that this path follows no link, enters no mount and does not leave the tree (openat2(2)); what is in
//! it is asked for by that descriptor. How long a look takes and what it remembers is bounded: an
//! image can rename directories faster than anybody looks through them.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use plimsoll_model::ImagePath;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Statx, StatxFlags, open, openat2, statx,
};
use rustix::io::Errno;

/// Entries that one look asks about; far more than an image and the files it may make.
const ENTRIES: u64 = 1 << 23;
/// Bytes of the paths of directories that are still to be looked into.
const REMEMBERED: usize = 256 << 20;

/// What becomes of a directory that we may not look into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    LeftOut,
    Fails,
}

/// Every entry below a directory, as far as `found` wants them; what goes away or becomes another thing
/// meanwhile is left out.
///
/// # Errors
/// When something cannot be looked at, or the look is longer than `time` or one of the bounds here.
pub(super) fn walk(
    top: &Path,
    closed: Closed,
    time: Duration,
    found: &mut impl FnMut(&ImagePath, &Statx) -> ControlFlow<()>,
) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let top = open(top, OFlags::PATH | flags, Mode::empty())?;
    let is_left_out = |errno: Errno| match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV => true,
        // No path of an image is longer than a path may be: what lies so deep was made meanwhile.
        Errno::ACCESS | Errno::NAMETOOLONG => closed == Closed::LeftOut,
        _ => false,
    };
    let until = Instant::now() + time;
    let mut left = ENTRIES;
    // A list of our own: a tree may be deeper than a stack.
    let mut directories = vec![ImagePath::root()];
    let mut remembered = 0_usize;
    while let Some(path) = directories.pop() {
        remembered = remembered.saturating_sub(path.as_bytes().len());
        let name = match path.relative() {
            b"" => b".",
            name => name,
        };
        let opened = openat2(&top, name, OFlags::RDONLY | flags, Mode::empty(), within);
        let directory = match opened {
            Err(errno) if is_left_out(errno) => continue,
            other => other?,
        };
        for entry in Dir::read_from(&directory)? {
            let entry = match entry {
                // It was removed.
                Err(Errno::NOENT) => break,
                other => other?,
            };
            let name = entry.file_name();
            if [c".", c".."].contains(&name) {
                continue;
            }
            if left == 0 || Instant::now() > until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            left -= 1;
            let (itself, all) = (AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS);
            let facts = match statx(&directory, name, itself, all) {
                Err(errno) if is_left_out(errno) => continue,
                other => other?,
            };
            let path = path.join(name.to_bytes());
            if found(&path, &facts).is_break() {
                return Ok(());
            }
            if is_directory(&facts) {
                remembered += path.as_bytes().len();
                if remembered > REMEMBERED {
                    return Err(io::ErrorKind::OutOfMemory.into());
                }
                directories.push(path);
            }
        }
    }
    Ok(())
}

pub(super) fn is_directory(facts: &Statx) -> bool {
    FileType::from_raw_mode(facts.stx_mode.into()).is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::os::unix::fs::symlink;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_link_that_is_swapped_in_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("a/inner")).unwrap();
        fs::write(root.join("a/inner/file"), "").unwrap();
        fs::create_dir_all(directory.path().join("outside/inner")).unwrap();
        fs::write(directory.path().join("outside/inner/secret"), "").unwrap();
        let mut seen = BTreeSet::new();
        walk(&root, Closed::Fails, LONG, &mut |path, _| {
            seen.insert(path.clone());
            // After it was asked about, and before it is opened.
            if *path == ImagePath::new("/a") {
                fs::rename(root.join("a"), root.join("b")).unwrap();
                symlink("../outside", root.join("a")).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(seen.contains(&ImagePath::new("/a")), "{seen:?}");
        assert!(!seen.contains(&ImagePath::new("/a/inner")), "{seen:?}");
        // Nor where it comes in the middle of a path.
        fs::remove_file(root.join("a")).unwrap();
        fs::rename(root.join("b"), root.join("a")).unwrap();
        seen.clear();
        walk(&root, Closed::Fails, LONG, &mut |path, _| {
            seen.insert(path.clone());
            if *path == ImagePath::new("/a/inner") {
                fs::rename(root.join("a"), root.join("b")).unwrap();
                symlink("../outside", root.join("a")).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(seen.contains(&ImagePath::new("/a/inner")), "{seen:?}");
        let secret = ImagePath::new("/a/inner/secret");
        assert!(!seen.contains(&secret), "{seen:?}");
    }

    #[test]
    fn a_look_ends_in_time() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "").unwrap();
        let look = |time| {
            walk(directory.path(), Closed::Fails, time, &mut |_, _| {
                ControlFlow::Continue(())
            })
        };
        look(LONG).unwrap();
        let error = look(Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
