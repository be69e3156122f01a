//! Where the bytes of an image lie, whose they are, and which are wasted.

use plimsoll_model::census::OwnerSum;
use plimsoll_model::{DirectoryRow, Waste};
use serde::Serialize;

/// Directories that are listed.
pub(super) const ROWS: usize = 100;

#[derive(Serialize)]
pub(super) struct JsonWaste {
    deleted: u64,
    overwritten: u64,
    again: u64,
    duplicate: u64,
}

impl From<&Waste> for JsonWaste {
    fn from(waste: &Waste) -> Self {
        Self {
            deleted: waste.deleted,
            overwritten: waste.overwritten,
            again: waste.again,
            duplicate: waste.duplicate,
        }
    }
}

#[derive(Serialize)]
pub(super) struct JsonDirectory {
    directory: String,
    bytes: u64,
    files: u64,
    alone: bool,
}

impl From<&DirectoryRow> for JsonDirectory {
    fn from(row: &DirectoryRow) -> Self {
        Self {
            directory: row.directory.to_string(),
            bytes: row.bytes,
            files: row.files,
            alone: row.alone,
        }
    }
}

#[derive(Serialize)]
pub(super) struct JsonOwner {
    kind: &'static str,
    bytes: u64,
    files: u64,
}

impl From<&OwnerSum> for JsonOwner {
    fn from(sum: &OwnerSum) -> Self {
        Self {
            kind: sum.kind.name(),
            bytes: sum.bytes,
            files: sum.files,
        }
    }
}
