//! Removes a tree that a stranger's program has written.
//!
//! Such a tree may be thousands of levels deep, longer by name than any path may be, closed to its
//! owner (mode 000), and full of links to elsewhere. So everything is done by the descriptor of the
//! directory it lies in: no path is ever spelt, no link followed, no mount entered, and `..` not used,
//! so that there is no way out of the tree. What lies too deep is moved up to the top and removed from
//! there, so that neither the stack nor the number of open files grows with the depth.

use std::ffi::{CStr, CString, OsStr};
use std::fmt;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, chmod, fstat, open, openat,
    openat2, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use crate::subordinate::within;
use crate::way::subordinate_ids;

/// Directories that are open at the same time; what lies deeper is moved up.
const DEEPEST: usize = 32;
/// How often one directory is looked through. Each time something of it must have gone.
const PASSES: usize = 1 << 20;
/// Names that are tried for what is moved up: others may have taken them.
const NAMES: u64 = 1 << 24;

/// What is left of a tree that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Left {
    /// The path of the tree.
    tree: String,
    /// Entries that could not be removed; directories that are not empty for one of them not counted.
    count: u64,
    /// Why the first of them could not.
    why: String,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tree, count, why } = self;
        match count {
            0 | 1 => write!(f, "{tree} cannot be removed: {why}"),
            _ => write!(
                f,
                "{tree} cannot be removed: {count} entries stay, the first: {why}"
            ),
        }
    }
}

/// Removes a file, a link or a directory with all that is in it, whatever the modes of directories
/// of ours. One that is not there is removed.
///
/// # Errors
/// When something is left. All else is gone then.
pub fn remove(path: &Path) -> Result<(), Left> {
    removed(path, None)
}

/// [`remove`], but the file of this name right in the directory goes only when all else in it is gone:
/// by it a later process knows what to do with what is left when this one is cut short.
///
/// # Errors
/// When something is left. All else is gone then but that file.
pub fn remove_ending_with(path: &Path, last: &OsStr) -> Result<(), Left> {
    removed(path, Some(last))
}

fn removed(path: &Path, last: Option<&OsStr>) -> Result<(), Left> {
    let left = match remove_here(path, last) {
        Err(left) if !rustix::process::geteuid().is_root() => left,
        other => return other,
    };
    // What belongs to subordinate ids of ours is ours to remove, where we are they.
    let Ok(ids) = subordinate_ids() else {
        return Err(left);
    };
    let answer = within(ids, || match remove_here(path, last) {
        Ok(()) => Vec::new(),
        Err(left) => format!("{} {}", left.count, left.why).into_bytes(),
    });
    let Ok(answer) = answer else {
        return Err(left);
    };
    if answer.is_empty() {
        return Ok(());
    }
    let answer = String::from_utf8_lossy(&answer);
    let (count, why) = answer.split_once(' ').unwrap_or(("1", &answer));
    Err(Left {
        count: count.parse().unwrap_or(1),
        why: why.to_owned(),
        ..left
    })
}

fn remove_here(path: &Path, last: Option<&OsStr>) -> Result<(), Left> {
    let left = |errno: Errno| Left {
        tree: path.display().to_string(),
        count: 1,
        why: errno.to_string(),
    };
    let name = path.file_name().ok_or_else(|| left(Errno::INVAL))?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = match open(parent, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        other => other.map_err(left)?,
    };
    let c_string = |name: &OsStr| CString::new(name.as_bytes()).map_err(|_| left(Errno::INVAL));
    let name = c_string(name)?;
    let mut work = Work {
        last: last.map(c_string).transpose()?,
        ..Work::default()
    };
    if work.unlink(parent.as_fd(), &name) {
        return Ok(());
    }
    let top = match descend(parent.as_fd(), &name, ResolveFlags::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        other => other.map_err(left)?,
    };
    work.directory(parent.as_fd(), &name, &top, &top, 0);
    match work.why {
        Some((name, errno)) => Err(Left {
            tree: path.display().to_string(),
            count: work.count,
            why: format!("{name}: {errno}"),
        }),
        None => Ok(()),
    }
}

/// The state of one removal.
#[derive(Default)]
struct Work {
    /// The number of the next name for what is moved up.
    next: u64,
    /// The file in the top directory that goes when nothing else is there, until it does.
    last: Option<CString>,
    /// What could not be removed, and why the first of it.
    count: u64,
    why: Option<(String, Errno)>,
}

impl Work {
    /// Empties an open directory and removes it; whether it is gone.
    fn directory(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &CStr,
        directory: &OwnedFd,
        top: &OwnedFd,
        depth: usize,
    ) -> bool {
        for _ in 0..PASSES {
            let (count, why) = (self.count, self.why.clone());
            let mut removed = self.pass(directory, top, depth);
            let is_bare = depth == 0 && removed == 0 && self.count == count;
            if is_bare && let Some(last) = self.last.take() {
                removed += usize::from(self.file(directory, &last));
            }
            match unlinkat(parent, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => return true,
                // Something was made or moved here meanwhile, or was not listed.
                Err(Errno::NOTEMPTY | Errno::EXIST) if removed > 0 => {
                    // It is tried once more, and told once.
                    (self.count, self.why) = (count, why);
                }
                Err(error) => {
                    // Else it is told already what is in the way.
                    if self.count == count {
                        self.fail(name, error);
                    }
                    return false;
                }
            }
        }
        self.fail(name, Errno::NOTEMPTY);
        false
    }

    /// Goes through the entries of a directory; how many went away.
    fn pass(&mut self, directory: &OwnedFd, top: &OwnedFd, depth: usize) -> usize {
        let entries = match Dir::read_from(directory) {
            Ok(entries) => entries,
            Err(error) => {
                self.fail(c".", error);
                return 0;
            }
        };
        let mut removed = 0;
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.fail(c".", error);
                    break;
                }
            };
            let name = entry.file_name();
            if [c".", c".."].contains(&name) {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => kind(directory, name),
                kind => kind,
            };
            let gone = match kind {
                FileType::Directory => self.below(directory, name, top, depth),
                _ if depth == 0 && self.last.as_deref() == Some(name) => false,
                _ => self.file(directory, name),
            };
            removed += usize::from(gone);
        }
        removed
    }

    fn file(&mut self, directory: &OwnedFd, name: &CStr) -> bool {
        match unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => true,
            Err(error) => {
                self.fail(name, error);
                false
            }
        }
    }

    /// A directory in a directory: emptied and removed, or moved up.
    fn below(&mut self, parent: &OwnedFd, name: &CStr, top: &OwnedFd, depth: usize) -> bool {
        // Most are empty by now, or were from the start.
        if unlinkat(parent, name, AtFlags::REMOVEDIR).is_ok() {
            return true;
        }
        let flags = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
        let directory = match descend(parent.as_fd(), name, flags) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return true,
            Err(error) => {
                self.fail(name, error);
                return false;
            }
        };
        if depth < DEEPEST {
            return self.directory(parent.as_fd(), name, &directory, top, depth + 1);
        }
        match self.move_up(parent, name, top) {
            Ok(()) => true,
            Err(error) => {
                self.fail(name, error);
                false
            }
        }
    }

    /// Gives a directory a free name in the top one, where a later pass finds it.
    fn move_up(&mut self, parent: &OwnedFd, name: &CStr, top: &OwnedFd) -> Result<(), Errno> {
        while self.next < NAMES {
            let free = format!(".moved-{}", self.next);
            self.next += 1;
            match renameat_with(parent, name, top, &*free, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                // Not every file system can be asked to replace nothing.
                Err(Errno::INVAL | Errno::NOSYS) if statat(top, &*free, NOFOLLOW).is_err() => {
                    return renameat_with(parent, name, top, &*free, RenameFlags::empty());
                }
                Err(Errno::INVAL | Errno::NOSYS) => {}
                other => return other,
            }
        }
        Err(Errno::NAMETOOLONG)
    }

    /// Whether the entry was one that can simply be unlinked.
    fn unlink(&mut self, directory: BorrowedFd<'_>, name: &CStr) -> bool {
        matches!(
            unlinkat(directory, name, AtFlags::empty()),
            Ok(()) | Err(Errno::NOENT)
        )
    }

    fn fail(&mut self, name: &CStr, errno: Errno) {
        self.count += 1;
        self.why.get_or_insert_with(|| {
            let name = plimsoll_model::text::printable(name.to_bytes());
            (name, errno)
        });
    }
}

const NOFOLLOW: AtFlags = AtFlags::SYMLINK_NOFOLLOW;

fn kind(directory: &OwnedFd, name: &CStr) -> FileType {
    statat(directory, name, NOFOLLOW).map_or(FileType::Unknown, |found| {
        FileType::from_raw_mode(found.st_mode)
    })
}

/// Opens a directory to be emptied, and opens it to its owner if it is not.
fn descend(parent: BorrowedFd<'_>, name: &CStr, how: ResolveFlags) -> Result<OwnedFd, Errno> {
    let to = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = |flags| openat2(parent, name, to | flags, Mode::empty(), how);
    let is_open = |directory: &OwnedFd| {
        let all = Mode::RWXU.as_raw_mode();
        fstat(directory).is_ok_and(|found| found.st_mode & all == all)
    };
    match opened(OFlags::RDONLY) {
        Ok(directory) if is_open(&directory) => return Ok(directory),
        Ok(_) | Err(Errno::ACCESS) => {}
        Err(error) => return Err(error),
    }
    // By its name in /proc no link is followed, and it is this directory whatever is there by now.
    let directory = opened(OFlags::PATH)?;
    // Not ours: then what comes will say so.
    let _ = chmod(
        format!("/proc/self/fd/{}", directory.as_raw_fd()),
        Mode::RWXU,
    );
    openat(&directory, ".", OFlags::RDONLY | to, Mode::empty())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_to_go_last_goes_and_only_right_at_the_top() {
        let scratch = tempfile::tempdir().unwrap();
        let tree = scratch.path().join("tree");
        let last = OsStr::new("last");
        for (directories, files) in [
            (&["a/b"][..], &["a/b/last", "a/last", "last", "file"][..]),
            (&[], &["last"]),
            (&[], &[]),
            (&["last/last"], &["last/last/file"]),
        ] {
            fs::create_dir(&tree).unwrap();
            for directory in directories {
                fs::create_dir_all(tree.join(directory)).unwrap();
            }
            for file in files {
                fs::write(tree.join(file), "").unwrap();
            }
            remove_ending_with(&tree, last).unwrap();
            assert!(!tree.exists(), "{files:?}");
        }
        remove_ending_with(&tree, last).unwrap();
    }
}
