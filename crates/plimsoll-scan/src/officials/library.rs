//! The files from which Docker's official images are built, one for each image.
//!
//! Source: the page "Instruction format" of the repository that holds them. Stanzas of `Key: value`
//! lines, an empty line between them; a line that begins with a blank goes on with the value before
//! it. `Tags` and `SharedTags` name what is built from `GitCommit`. Until 2016 a line was
//! `tag: address@commit directory`; those are read as well.

use std::collections::BTreeSet;

/// More tags of one image are not believed.
const MAX_TAGS: usize = 20_000;

/// What such a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LibraryFile {
    /// The tags that are built.
    pub tags: BTreeSet<String>,
    /// Lines that could not be read, each with its number from 1.
    pub problems: Vec<(usize, String)>,
}

/// Reads a file of the library.
pub fn read(text: &str) -> LibraryFile {
    let mut file = LibraryFile::default();
    let mut key = String::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            key.clear();
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let value = if line.starts_with([' ', '\t']) {
            line
        } else {
            let Some((name, value)) = line.split_once(':') else {
                problem(&mut file, index, "is no `Key: value`");
                continue;
            };
            // Of the old form.
            let address = value.split_whitespace().next().unwrap_or_default();
            if address.contains("://") && address.contains('@') {
                add(&mut file, index, name);
                continue;
            }
            key = name.trim().to_ascii_lowercase();
            value
        };
        if matches!(&*key, "tags" | "sharedtags") {
            let tags = value.split(',').map(str::trim);
            for tag in tags.filter(|tag| !tag.is_empty()) {
                add(&mut file, index, tag);
            }
        }
    }
    file
}

fn add(file: &mut LibraryFile, index: usize, tag: &str) {
    if !is_tag(tag) {
        problem(file, index, "names what can be no tag");
    } else if file.tags.len() < MAX_TAGS {
        file.tags.insert(tag.to_owned());
    } else {
        problem(file, index, "there are more tags than are believed");
    }
}

fn problem(file: &mut LibraryFile, index: usize, why: &str) {
    if file.problems.len() < 20 {
        file.problems.push((index + 1, why.to_owned()));
    }
}

/// Whether this can be a tag (OCI distribution specification, "Pulling manifests").
pub(super) fn is_tag(text: &str) -> bool {
    let first = text.chars().next();
    let is_first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_other = |c: char| is_first(c) || c == '.' || c == '-';
    text.len() <= 128 && first.is_some_and(is_first) && text.chars().all(is_other)
}
