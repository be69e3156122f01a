//! What differs between two images: by directory, by package.

use plimsoll_model::report::{DiffRow, ImageDiff, PackageDiff};
use plimsoll_model::text::{bytes, count};

use super::layout::{Column, Page, clean, short};

/// Rows of a table that are shown.
const SHOWN: usize = 25;

pub(super) fn write(diff: &ImageDiff, page: &mut Page) {
    page.heading("What differs");
    let total = &diff.total;
    if total.is_same() {
        page.paragraph(2, "no file but for its time");
    } else {
        let words = format!(
            "{} files added, {} removed, {} changed",
            count(total.added),
            count(total.removed),
            count(total.changed)
        );
        page.paragraph(2, &words);
    }
    directories(diff, page);
    packages(diff, page);
}

use Column::{Left, Right};

fn directories(diff: &ImageDiff, page: &mut Page) {
    if diff.directories.is_empty() {
        return;
    }
    page.heading("By directory");
    let rows = diff.directories.iter().take(SHOWN);
    let rows = rows.map(|row| {
        let mut cells = vec![short(&clean(&row.name), 40)];
        cells.extend(numbers(row));
        cells
    });
    page.table(
        &[Left, Right, Right, Right, Right, Right],
        &[
            "directory",
            "before",
            "after",
            "added",
            "removed",
            "changed",
        ],
        rows.collect(),
    );
    more(diff.directories.len(), page);
}

fn packages(diff: &ImageDiff, page: &mut Page) {
    if diff.packages.is_empty() {
        return;
    }
    let of = |fate| {
        let packages = diff.packages.iter();
        packages.filter(|package| package.fate == fate).count() as u64
    };
    let counts = ["added", "removed", "changed", "partial"].map(|fate| {
        let of = count(of(fate));
        format!("{of} {fate}")
    });
    let counts = counts.join(", ");
    let same = count(diff.same_packages);
    page.heading(&format!("By package: {counts}, {same} the same"));
    let rows = diff.packages.iter().take(SHOWN);
    let mut rows: Vec<Vec<String>> = rows
        .map(|package| {
            let name = short(&clean(&package.files.name), 30);
            let mut cells = vec![name, package.fate.to_owned()];
            cells.extend(numbers(&package.files));
            cells.push(short(&versions(package), 30));
            cells
        })
        .collect();
    if !diff.unowned.is_same() {
        let mut cells = vec!["of no package".to_owned(), String::new()];
        cells.extend(numbers(&diff.unowned));
        cells.push(String::new());
        rows.push(cells);
    }
    page.table(
        &[Left, Left, Right, Right, Right, Right, Right, Left],
        &[
            "package", "", "before", "after", "added", "removed", "changed", "version",
        ],
        rows,
    );
    more(diff.packages.len(), page);
}

fn numbers(row: &DiffRow) -> [String; 5] {
    [
        bytes(row.before_bytes),
        bytes(row.after_bytes),
        count(row.added),
        count(row.removed),
        count(row.changed),
    ]
}

/// The version, or both where they differ; a package that no database lists has none.
fn versions(package: &PackageDiff) -> String {
    let clean = |version: &Option<String>| match version {
        Some(version) => clean(version),
        None => "not listed".to_owned(),
    };
    let (before, after) = (clean(&package.before), clean(&package.after));
    match package.fate {
        "added" => after,
        "removed" => before,
        _ if before == after => before,
        _ => format!("{before} -> {after}"),
    }
}

fn more(all: usize, page: &mut Page) {
    if all > SHOWN {
        page.paragraph(2, &format!("and {} more", all - SHOWN));
    }
}
