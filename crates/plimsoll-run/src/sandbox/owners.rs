//! The true owners and modes of a tree that a plain user has unpacked: with subordinate ids they can be
//! given.

use std::ffi::CString;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use plimsoll_model::ImagePath;

use super::step::Owner;
use crate::subordinate::Ids;

/// The owners and modes that the files below `root` do not have yet, as the image says.
///
/// A directory that we may not look into was given away by an earlier run, with all that is in it.
pub(super) fn wanted(
    root: &Path,
    ids: &Ids,
    owners: &dyn Fn(&ImagePath) -> Option<(u32, u32)>,
    modes: &dyn Fn(&ImagePath) -> Option<u32>,
) -> Wanted {
    let mut wanted = Wanted::default();
    let mut directories = vec![(root.to_owned(), ImagePath::root())];
    while let Some((directory, name)) = directories.pop() {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        for entry in entries {
            let Ok(found) = entry.metadata() else {
                continue;
            };
            let path = name.join(entry.file_name().as_bytes());
            // A link has no mode of its own.
            let mode = modes(&path).filter(|_| !found.is_symlink());
            wanted.look(&path, &found, ids, owners(&path), mode);
            if found.is_dir() {
                directories.push((entry.path(), path));
            }
        }
    }
    wanted
}

/// What is to be given to whom.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) owners: Vec<Owner>,
    /// Files whose owner is beyond the range of ids.
    pub(super) beyond: u64,
}

impl Wanted {
    fn look(
        &mut self,
        path: &ImagePath,
        found: &Metadata,
        ids: &Ids,
        owner: Option<(u32, u32)>,
        mode: Option<u32>,
    ) {
        let Some((user, group)) = owner else {
            return;
        };
        let mode = mode.map(|mode| mode & 0o7777);
        let has_mode = mode.is_none_or(|mode| found.mode() & 0o7777 == mode);
        if has_mode && ids.inside(found.uid(), found.gid()) == Some((user, group)) {
            return;
        }
        if !ids.have(user, [group]) {
            self.beyond += 1;
            return;
        }
        let name = path.as_bytes().strip_prefix(b"/").unwrap_or_default();
        if let Ok(path) = CString::new(name) {
            self.owners.push(Owner {
                path,
                user,
                group,
                mode,
            });
        }
    }
}
