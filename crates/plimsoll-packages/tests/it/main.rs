//! The crate from outside: its tables are sound, its pages are true, its orders are those of others.

mod truth;
mod versions;

use std::collections::BTreeSet;
use std::path::Path;

use plimsoll_model::fixture::Fixture;
use plimsoll_packages::databases::{DATABASES, Database, inventory, inventory_by};

#[test]
fn every_database_is_a_file_of_its_name_and_every_file_a_database() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/databases");
    let files: BTreeSet<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".rs")?.replace('_', "-")))
        .filter(|name| name != "mod" && name != "wanted")
        .collect();
    let ids: Vec<String> = DATABASES.iter().map(|row| row.id.to_owned()).collect();
    assert_eq!(
        ids,
        files.into_iter().collect::<Vec<_>>(),
        "in the order of the names"
    );
    for id in ids {
        let kebab = id.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        assert!(kebab, "{id}");
    }
}

#[test]
fn every_database_says_what_it_reads() {
    for row in DATABASES {
        assert!(
            !row.wants.is_empty() && !row.ecosystem.is_empty(),
            "{}",
            row.id
        );
        assert!(
            row.wants.iter().all(|glob| !glob.starts_with('/')),
            "{}",
            row.id
        );
    }
}

/// The text of the fenced block of this kind on a page.
fn block<'a>(page: &'a str, kind: &str) -> &'a str {
    let start = format!("```{kind}\n");
    let inside = page
        .split_once(&start)
        .and_then(|(_, rest)| rest.split_once("```"));
    inside.unwrap_or_else(|| panic!("no {kind} in {page}")).0
}

/// What a row finds in a tree, in the notation of the pages: name, version, files.
fn found(row: &Database, tree: &Fixture) -> Vec<String> {
    let inventory = inventory_by(row, &tree.rootfs);
    assert_eq!(inventory.problems, [], "{}", row.id);
    let lines = inventory.packages.iter().map(|package| {
        assert_eq!(package.ecosystem, row.ecosystem);
        let mut words = vec![package.name.clone(), package.version.clone()];
        words.extend(package.files.iter().map(ToString::to_string));
        words.join(" ")
    });
    lines.collect()
}

#[test]
fn what_a_page_shows_is_found_by_its_database_and_by_no_other() {
    for page in DATABASES {
        let tree = Fixture::bare(block(page.page, "image"));
        let claimed: Vec<&str> = block(page.page, "packages")
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert!(!claimed.is_empty(), "{}", page.id);
        for row in DATABASES {
            let expected = if row.id == page.id {
                claimed.clone()
            } else {
                Vec::new()
            };
            assert_eq!(
                found(row, &tree),
                expected,
                "page of {}, read by {}",
                page.id,
                row.id
            );
        }
        assert_eq!(inventory(&tree.rootfs).packages.len(), claimed.len());
    }
}
