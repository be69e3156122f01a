//! A copy of a tree, for machines on which no overlay can be mounted.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, mknodat, utimensat};

/// Copies a tree: files, directories, links (hard ones too), pipes, owners where we may give them,
/// modes, times. Devices are left out, as they are in every user namespace.
///
/// # Errors
/// When something cannot be read or written, or the files have more than `limit` bytes.
pub(super) fn copy(from: &Path, to: &Path, limit: u64) -> io::Result<()> {
    let mut copied = Copied {
        links: BTreeMap::new(),
        left: limit,
    };
    let metadata = fs::symlink_metadata(from)?;
    fs::create_dir(to)?;
    copied.directory(from, to)?;
    finish(to, &metadata)
}

struct Copied {
    links: BTreeMap<(u64, u64), PathBuf>,
    left: u64,
}

impl Copied {
    fn directory(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            self.entry(&entry.path(), &to.join(entry.file_name()))?;
        }
        Ok(())
    }

    fn entry(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let metadata = fs::symlink_metadata(from)?;
        let kind = metadata.file_type();
        if metadata.nlink() > 1 && !kind.is_dir() {
            let id = (metadata.dev(), metadata.ino());
            if let Some(first) = self.links.get(&id) {
                return fs::hard_link(first, to);
            }
            self.links.insert(id, to.to_owned());
        }
        if kind.is_dir() {
            fs::create_dir(to)?;
            self.directory(from, to)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(from)?, to)?;
        } else if kind.is_file() {
            self.left = self.left.checked_sub(metadata.len()).ok_or_else(|| {
                let text = "the copy of the image's tree is above the limit of disk space";
                io::Error::new(io::ErrorKind::StorageFull, text)
            })?;
            io::copy(&mut File::open(from)?, &mut File::create_new(to)?)?;
        } else if kind.is_fifo() {
            mknodat(CWD, to, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
        } else {
            return Ok(());
        }
        finish(to, &metadata)
    }
}

/// Owner, mode and time, in the order in which one does not undo the other.
fn finish(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        lchown(path, Some(metadata.uid()), Some(metadata.gid()))?;
    }
    if !metadata.is_symlink() {
        let mode = metadata.permissions().mode() & 0o7777;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    let time = |seconds, nanoseconds: i64| Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds as _,
    };
    let times = Timestamps {
        last_access: time(metadata.atime(), metadata.atime_nsec()),
        last_modification: time(metadata.mtime(), metadata.mtime_nsec()),
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}
