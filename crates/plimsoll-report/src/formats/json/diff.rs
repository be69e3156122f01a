//! What differs between two images, as JSON.

use plimsoll_model::report::{DiffRow, ImageDiff, PackageDiff};
use serde::Serialize;

use super::clean;

#[derive(Serialize)]
pub(super) struct JsonDiff {
    total: JsonRow,
    directories: Vec<JsonRow>,
    packages: Vec<JsonPackageDiff>,
    same_packages: u64,
    unowned: JsonRow,
}

#[derive(Serialize)]
struct JsonRow {
    name: String,
    before_files: u64,
    before_bytes: u64,
    after_files: u64,
    after_bytes: u64,
    added: u64,
    removed: u64,
    changed: u64,
}

#[derive(Serialize)]
struct JsonPackageDiff {
    fate: &'static str,
    before: Option<String>,
    after: Option<String>,
    #[serde(flatten)]
    files: JsonRow,
}

impl From<&ImageDiff> for JsonDiff {
    fn from(diff: &ImageDiff) -> Self {
        Self {
            total: JsonRow::from(&diff.total),
            directories: diff.directories.iter().map(JsonRow::from).collect(),
            packages: diff.packages.iter().map(JsonPackageDiff::from).collect(),
            same_packages: diff.same_packages,
            unowned: JsonRow::from(&diff.unowned),
        }
    }
}

impl From<&DiffRow> for JsonRow {
    fn from(row: &DiffRow) -> Self {
        Self {
            name: clean(&row.name),
            before_files: row.before_files,
            before_bytes: row.before_bytes,
            after_files: row.after_files,
            after_bytes: row.after_bytes,
            added: row.added,
            removed: row.removed,
            changed: row.changed,
        }
    }
}

impl From<&PackageDiff> for JsonPackageDiff {
    fn from(package: &PackageDiff) -> Self {
        Self {
            fate: package.fate,
            before: package.before.as_deref().map(clean),
            after: package.after.as_deref().map(clean),
            files: JsonRow::from(&package.files),
        }
    }
}
