//! The pages of the followers are true, and the table is whole.

use std::collections::BTreeSet;
use std::path::Path;

use plimsoll_slim::FOLLOWERS;

use crate::world::check;

#[test]
fn pages_are_true() {
    for follower in FOLLOWERS {
        let examples = examples(follower.page);
        assert!(
            !examples.is_empty(),
            "{}: the page has no example",
            follower.id
        );
        let mut claims_itself = false;
        for example in examples {
            let outcome = std::panic::catch_unwind(|| check(&example));
            assert!(outcome.is_ok(), "{}:\n{example}", follower.id);
            claims_itself |= example.contains(&format!("[{}]", follower.id));
        }
        assert!(
            claims_itself,
            "{}: no example shows what it keeps",
            follower.id
        );
    }
}

/// The fenced blocks that open with `image`.
pub(crate) fn examples(page: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match &mut block {
            None if line == "```image" => block = Some(String::new()),
            Some(_) if line == "```" => examples.extend(block.take()),
            Some(text) => {
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    examples
}

#[test]
fn every_file_is_a_row_and_every_row_a_file() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/followers");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".rs").unwrap();
        if stem != "mod" {
            files.insert(stem.replace('_', "-"));
        }
    }
    let rows: Vec<String> = FOLLOWERS.iter().map(|row| row.id.to_owned()).collect();
    assert!(rows.is_sorted(), "{rows:?}");
    assert_eq!(files, rows.into_iter().collect());
}
