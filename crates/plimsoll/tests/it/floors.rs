//! A room may use rooms below it, never beside or above; every room says what it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Crate → what it may use. The same table is drawn in ARCHITECTURE.md.
const EDGES: [(&str, &[&str]); 10] = [
    ("plimsoll-model", &[]),
    ("plimsoll-image", &["plimsoll-model"]),
    ("plimsoll-packages", &["plimsoll-model"]),
    ("plimsoll-run", &["plimsoll-model"]),
    ("plimsoll-report", &["plimsoll-model"]),
    ("plimsoll-checks", &["plimsoll-model"]),
    ("plimsoll-slim", &["plimsoll-model"]),
    ("plimsoll-scan", &["plimsoll-model", "plimsoll-packages"]),
    ("plimsoll-build", &["plimsoll-model", "plimsoll-packages"]),
    (
        "plimsoll",
        &[
            "plimsoll-model",
            "plimsoll-image",
            "plimsoll-packages",
            "plimsoll-run",
            "plimsoll-report",
            "plimsoll-checks",
            "plimsoll-slim",
            "plimsoll-scan",
            "plimsoll-build",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The crates of this workspace named in the tables of a manifest whose headings `wanted` accepts.
fn used(manifest: &str, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut within = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if let Some(heading) = line.strip_prefix('[') {
            within = wanted(heading.trim_end_matches(']'));
        } else if within && line.starts_with("plimsoll") {
            let end = line
                .find(|c: char| c != '-' && !c.is_ascii_alphanumeric())
                .unwrap();
            names.insert(line[..end].to_owned());
        }
    }
    names
}

#[test]
fn floors_hold() {
    let mut crates = BTreeSet::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let directory = entry.unwrap().path();
        let name = directory.file_name().unwrap().to_str().unwrap().to_owned();
        let manifest = fs::read_to_string(directory.join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name}: folder and crate differ"
        );
        let (_, allowed) = EDGES
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| {
                panic!("{name} is on no floor: give it one here and in ARCHITECTURE.md")
            });
        let allowed: BTreeSet<String> = allowed.iter().map(|&name| name.to_owned()).collect();
        let normal = used(&manifest, |heading| {
            heading.ends_with("dependencies") && !heading.contains("dev-dependencies")
        });
        let beyond: Vec<_> = normal.difference(&allowed).collect();
        assert!(beyond.is_empty(), "{name} must not use {beyond:?}");
        // Tests may use what the room may use, and the ground floor's fixtures; nothing else.
        let tests = used(&manifest, |heading| heading.contains("dev-dependencies"));
        let beyond: Vec<_> = tests
            .iter()
            .filter(|used| !allowed.contains(*used) && *used != "plimsoll-model")
            .collect();
        assert!(
            beyond.is_empty(),
            "the tests of {name} must not use {beyond:?}"
        );
        crates.insert(name);
    }
    assert_eq!(crates.len(), EDGES.len());
}

#[test]
fn only_one_room_has_unsafe_code() {
    for (name, _) in EDGES {
        let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml"));
        let inherits = manifest.unwrap().contains("[lints]\nworkspace = true");
        assert_eq!(inherits, name != "plimsoll-run", "{name}");
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
}

#[test]
fn every_file_says_what_it_is() {
    let mut silent = Vec::new();
    let mut long = Vec::new();
    for (name, _) in EDGES {
        visit(
            &root().join("crates").join(name).join("src"),
            &mut |path, text| {
                let tests = path.file_name().is_some_and(|name| name == "tests.rs")
                    || path.components().any(|part| part.as_os_str() == "tests");
                if !tests && !text.starts_with("//!") {
                    silent.push(path.to_owned());
                }
                if !tests && text.lines().count() > 700 {
                    long.push(path.to_owned());
                }
            },
        );
    }
    assert!(silent.is_empty(), "without a `//!` sentence: {silent:?}");
    assert!(long.is_empty(), "is there a second story in {long:?}?");
}

fn visit(directory: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// flate2 has one back end in a binary, whoever asks for it; another one would change our bytes.
#[test]
fn nothing_changes_the_compressor() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in [
        "libz-sys",
        "libz-ng-sys",
        "cloudflare-zlib-sys",
        "openssl-sys",
        "native-tls",
    ] {
        assert!(
            !lock.contains(&format!("name = \"{name}\"\n")),
            "{name} is in Cargo.lock"
        );
    }
}
