//! Where the bytes of an image lie, whose they are, and which are wasted.

use plimsoll_model::report::ImageFacts;
use plimsoll_model::text::{bytes, count};

use super::layout::{Column, Page, short};

/// Directories that get a row of their own.
const DIRECTORIES: usize = 10;

use Column::{Left, Right};

pub(super) fn write(facts: &ImageFacts, page: &mut Page) {
    owners(facts, page);
    directories(facts, page);
    waste(facts, page);
}

fn owners(facts: &ImageFacts, page: &mut Page) {
    let owners = facts.owners.iter().filter(|sum| sum.files > 0);
    let rows: Vec<Vec<String>> = owners
        .map(|sum| {
            vec![
                sum.kind.words().to_owned(),
                bytes(sum.bytes),
                count(sum.files),
            ]
        })
        .collect();
    if !rows.is_empty() {
        page.heading("Whose the bytes are");
        page.table(&[Left, Right, Right], &["owner", "bytes", "files"], rows);
    }
}

fn directories(facts: &ImageFacts, page: &mut Page) {
    let all = &facts.directories;
    if all.is_empty() {
        return;
    }
    let (shown, rest) = all.split_at(all.len().min(DIRECTORIES));
    let mut rows: Vec<Vec<String>> = shown
        .iter()
        .map(|row| {
            let mut name = short(&row.directory.to_string(), 60);
            if row.alone {
                name.push_str(" (files in it)");
            }
            vec![name, bytes(row.bytes), count(row.files)]
        })
        .collect();
    if !rest.is_empty() {
        let sum = rest
            .iter()
            .map(|row| row.bytes)
            .fold(0, u64::saturating_add);
        let files = rest.iter().map(|row| row.files).sum();
        let name = format!("{} more", count(rest.len() as u64));
        rows.push(vec![name, bytes(sum), count(files)]);
    }
    page.heading("Directories, each byte in one");
    page.table(
        &[Left, Right, Right],
        &["directory", "bytes", "files"],
        rows,
    );
}

fn waste(facts: &ImageFacts, page: &mut Page) {
    let waste = &facts.waste;
    let rows = [
        ("dead: removed later", waste.deleted),
        ("dead: written again, changed", waste.overwritten),
        ("dead: written again, unchanged", waste.again),
        ("alive: the same as another file", waste.duplicate),
    ];
    let rows = rows.iter().filter(|(_, wasted)| *wasted > 0);
    let rows: Vec<Vec<String>> = rows
        .map(|(what, wasted)| vec![(*what).to_owned(), bytes(*wasted)])
        .collect();
    if !rows.is_empty() {
        page.heading("Stored and not needed");
        page.table(&[Left, Right], &["", "bytes"], rows);
    }
}
