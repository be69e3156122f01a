//! `tree`, `ls`, `cat`, `extract`: what is in an image, shown and taken out.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::images::{Tar, layout, plimsoll, text};

/// An image of two layers; the second takes away what the first had, and has what no disk should get.
fn image(scratch: &Path) -> String {
    let below = Tar::default()
        .dir("etc", 0o755)
        .file("etc/motd", 0o644, b"hello\n")
        .file("gone", 0o600, b"secret")
        .symlink("link", "etc/motd")
        .symlink("host", "/etc/passwd")
        .finish();
    let above = Tar::default()
        .file(".wh.gone", 0o644, b"")
        .member("dev-null", b'3', 0o666, b"", "")
        .symlink("out", "../../../tmp")
        .file("out/poc-files", 0o644, b"x")
        .file("bad\x1b[2J\nname", 0o644, b"y")
        .member("other", b'1', 0o644, b"", "bad\x1b[2J\nname")
        .finish();
    layout(
        &scratch.join("image"),
        &serde_json::json!({}),
        &[below, above],
    )
}

/// The code a run must end with, and what it printed.
fn ended(scratch: &Path, arguments: &[&str], code: i32) -> String {
    let output = plimsoll(scratch, arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {}",
        text(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Every path below a directory.
fn below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                todo.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn names_of_strangers_neither_move_the_cursor_nor_forge_a_line() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    for verb in ["tree", "ls"] {
        let shown = ended(scratch.path(), &[verb, &image], 0);
        assert!(
            !shown.contains('\x1b') && shown.contains("bad\\x1b[2J\\x0aname"),
            "{shown}"
        );
        let shown = ended(scratch.path(), &[verb, &image, "--json"], 0);
        let document: Value = serde_json::from_str(&shown).unwrap();
        let mut entries = document["entries"].as_array().unwrap().iter();
        assert!(
            entries.any(|entry| entry["path"] == "/bad\x1b[2J\nname"),
            "{document}"
        );
    }
}

#[test]
fn one_layer_shows_what_it_writes_and_takes_away() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let whole = ended(scratch.path(), &["ls", &image], 0);
    assert!(whole.contains("etc/") && !whole.contains("gone"), "{whole}");
    let first = ended(scratch.path(), &["ls", &image, "--layer", "0"], 0);
    assert!(first.contains("gone") && !first.contains("poc"), "{first}");
    let second = ended(scratch.path(), &["tree", &image, "--layer", "1"], 0);
    assert!(
        second.contains("removed: /gone") && !second.contains("motd\n"),
        "{second}"
    );
    assert_eq!(
        ended(scratch.path(), &["cat", &image, "/gone", "--layer", "0"], 0),
        "secret"
    );
    ended(scratch.path(), &["cat", &image, "/gone"], 2);
    ended(scratch.path(), &["ls", &image, "--layer", "2"], 2);
}

#[test]
fn cat_follows_links_inside_the_image_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    assert_eq!(
        ended(scratch.path(), &["cat", &image, "/link", "etc/motd"], 0),
        "hello\nhello\n"
    );
    assert_eq!(ended(scratch.path(), &["cat", &image, "/host"], 2), "");
    ended(scratch.path(), &["cat", &image, "/etc"], 2);
    // Nothing is printed where not all of it is there.
    assert_eq!(
        ended(scratch.path(), &["cat", &image, "/link", "/nowhere"], 2),
        ""
    );
}

#[test]
fn extract_writes_nothing_outside_its_target() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let target = scratch.path().join("inside");
    let to = target.display().to_string();
    // The device is left out, which is said by the exit code.
    ended(scratch.path(), &["extract", &image, "-o", &to], 3);
    assert!(
        target.join("tmp/poc-files").is_file(),
        "what is behind the link is inside"
    );
    assert!(!std::env::temp_dir().join("poc-files").exists());
    assert!(!target.join("dev-null").exists());
    assert_eq!(
        fs::read_link(target.join("host")).unwrap(),
        Path::new("/etc/passwd")
    );
    assert_eq!(fs::read(target.join("other")).unwrap(), b"y");
    let around: Vec<PathBuf> = fs::read_dir(scratch.path())
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let known = ["image", "inside", "cache"].map(|name| scratch.path().join(name));
    assert!(around.iter().all(|path| known.contains(path)), "{around:?}");
    // Never over what is there.
    let before = below(&target).len();
    ended(scratch.path(), &["extract", &image, "-o", &to], 2);
    assert_eq!(below(&target).len(), before);
}

#[test]
fn extract_takes_what_was_asked_for_or_makes_a_tar_of_all() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let target = scratch.path().join("part");
    ended(
        scratch.path(),
        &[
            "extract",
            &image,
            "/link",
            "-o",
            &target.display().to_string(),
        ],
        0,
    );
    let mut found = below(&target);
    found.sort();
    assert_eq!(found, [target.join("etc"), target.join("etc/motd")]);
    let tar = scratch.path().join("all.tar");
    ended(
        scratch.path(),
        &["extract", &image, "-o", &tar.display().to_string()],
        0,
    );
    let listed = ended(
        scratch.path(),
        &["ls", &format!("tar:{}", tar.display())],
        0,
    );
    assert!(
        listed.contains("dev-null") && listed.contains("host -> /etc/passwd"),
        "{listed}"
    );
}
