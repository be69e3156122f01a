//! One entry of a layer, and what its name alone may say.

use super::{Kind, Metadata};
use crate::ImagePath;

/// One entry of a layer, before merging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path it is about; for a whiteout the path that goes, for an opaque marker the directory.
    pub path: ImagePath,
    /// What it says.
    pub kind: EntryKind,
    /// Owner, mode, time, attributes; of no meaning for whiteouts and hard links.
    pub meta: Metadata,
}

/// What an entry of a layer says about its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// It is this.
    Node(Kind),
    /// It is another name of the file at this path.
    Hardlink(ImagePath),
    /// It goes, with everything below it that lower layers wrote.
    Whiteout,
    /// What lower layers wrote below this directory goes.
    Opaque,
}

/// What the name of an entry says, before anything else about it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// An ordinary path.
    Ordinary,
    /// `.wh.NAME`: this path goes.
    Whiteout(ImagePath),
    /// `.wh..wh..opq`: this directory is opaque.
    Opaque(ImagePath),
    /// Another `.wh..wh.*` name: bookkeeping of AUFS, no part of the image.
    Ignored,
}

impl Naming {
    /// What the name of `path` says.
    pub fn of(path: &ImagePath) -> Self {
        let name = path.file_name();
        let Some(rest) = name.strip_prefix(b".wh.") else {
            return Self::Ordinary;
        };
        let parent = path.parent().unwrap_or_else(ImagePath::root);
        match rest {
            b".wh..opq" => Self::Opaque(parent),
            _ if rest.starts_with(b".wh.") => Self::Ignored,
            b"" | b"." | b".." => Self::Ignored,
            rest => Self::Whiteout(parent.join(rest)),
        }
    }
}
