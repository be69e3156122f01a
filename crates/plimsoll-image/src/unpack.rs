//! The merged tree as files on a disk, for the room that runs it.

use std::path::Path;

use plimsoll_model::{Problem, Rootfs};

use crate::Error;

/// Whose the unpacked files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// The image's owners, modes and extended attributes: needs root.
    Real,
    /// Everything is the caller's; no set-uid bits, and directories can always be entered.
    Mine,
}

/// What was unpacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Directories, the root not counted.
    pub directories: u64,
    /// Regular files; a file with several names counts once.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Further names of files.
    pub hardlinks: u64,
    /// What was left out or could not be honoured: device nodes, owners, set-uid bits, attributes.
    pub problems: Vec<Problem>,
}

/// Materialises `rootfs` in `directory`, which must be new or empty.
///
/// # Errors
/// When the directory is not empty or the disk refuses; what was written until then is removed.
pub fn unpack(
    _rootfs: &Rootfs,
    directory: &Path,
    _ownership: Ownership,
) -> Result<Unpacked, Error> {
    Err(Error::unsupported(directory.display(), "not unpacked yet"))
}
