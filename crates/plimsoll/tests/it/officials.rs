//! Official images that are no longer rebuilt: told by `lineage`, `inspect` and `lint`, from the table and
//! from lists that `db update` reads.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::db::{Answer, Server, built, slice};
use crate::images::{Tar, layout, plimsoll, text};

const PYTHON: &str = "Maintainers: Some Body <somebody@example.test> (@somebody)
GitRepo: https://example.test/python.git

Tags: 3.14.1-trixie, 3.14-trixie
SharedTags: 3.14.1, 3.14, latest
GitCommit: 0123456789abcdef0123456789abcdef01234567
Directory: 3.14/trixie
";

/// An image that names its base.
fn image(scratch: &Path, base: &str) -> String {
    let config = json!({ "Labels": { "org.opencontainers.image.base.name": base } });
    let layer = Tar::default().file("etc/motd", 0o644, b"hello").finish();
    layout(&scratch.join("image"), &config, &[layer])
}

fn said(scratch: &Path, arguments: &[&str]) -> String {
    text(&plimsoll(scratch, arguments))
}

fn findings(scratch: &Path, arguments: &[&str]) -> Vec<String> {
    let output = plimsoll(scratch, arguments);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    let findings = report["findings"].as_array().unwrap().iter();
    let ours = findings.filter(|finding| finding["check"] == "abandoned-base");
    ours.map(|finding| finding["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_base_that_is_over_is_told_everywhere() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path();
    let old = image(directory, "docker.io/library/python:3.8-slim-bookworm");
    let lineage = said(directory, &["lineage", &old]);
    let wanted = "python:3.8-slim-bookworm: no longer rebuilt: python 3.8 gets no fixes since 2024-10-07; in its \
                  place: python (our table of ";
    assert!(lineage.contains(wanted), "{lineage}");
    let output = plimsoll(directory, &["lineage", "--json", &old]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rebuilt = &report["image"]["lineage"][0]["rebuilt"];
    assert_eq!(rebuilt["state"], "no", "{report}");
    assert_eq!(rebuilt["since"], "2024-10-07");
    assert_eq!(rebuilt["instead"], "python");
    let [message] = &findings(directory, &["inspect", "--json", &old])[..] else {
        panic!("one finding")
    };
    assert!(
        message.contains("gets no fixes since 2024-10-07"),
        "{message}"
    );
    fs::write(
        directory.join("Dockerfile"),
        "FROM centos:7\nFROM python:3.14\nUSER 1\n",
    )
    .unwrap();
    let [message] = &findings(directory, &["lint", "--json", "Dockerfile"])[..] else {
        panic!("one finding")
    };
    assert!(
        message.contains("centos:7 is no longer rebuilt"),
        "{message}"
    );
    let lineage = said(directory, &["lineage", "Dockerfile"]);
    assert!(
        lineage.contains("python:3.14: still rebuilt: python 3.14"),
        "{lineage}"
    );
    // Somebody else's image of the same name, and a line that lives.
    for base in [
        "registry.example/python:3.8",
        "docker.io/library/python:3.13",
    ] {
        let image = image(directory, base);
        assert!(
            findings(directory, &["inspect", "--json", &image]).is_empty(),
            "{base}"
        );
    }
}

#[test]
fn lists_come_from_a_directory_and_win_over_the_table() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path();
    let library = directory.join("library");
    fs::create_dir_all(&library).unwrap();
    fs::write(library.join("python"), PYTHON).unwrap();
    fs::write(library.join("README.md"), "about the library").unwrap();
    let mirror = format!("official-images=file:{}", library.display());
    let update = ["db", "update", "--for", "official-images"];
    let output = plimsoll(directory, &[&update[..], &["--mirror", &mirror]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(
        text(&output).contains("5 tags of 1 images"),
        "{}",
        text(&output)
    );
    // The patch release before the newest one, which no table could know.
    fs::write(directory.join("Dockerfile"), "FROM python:3.14.0\nUSER 1\n").unwrap();
    let found = findings(directory, &["lint", "--json", "Dockerfile"]);
    assert!(
        found[0].contains("not among the 5 tags of python"),
        "{found:?}"
    );
    let lineage = said(directory, &["lineage", "Dockerfile"]);
    assert!(
        lineage.contains("(lists of ") && lineage.contains(", today's)"),
        "{lineage}"
    );
    fs::write(directory.join("Dockerfile"), "FROM python:3.14\nUSER 1\n").unwrap();
    assert!(findings(directory, &["lint", "--json", "Dockerfile"]).is_empty());
    // It is known where they came from; what is damaged leaves what was there.
    fs::write(library.join("python"), "Tags: 3.14, ../x\n").unwrap();
    let output = plimsoll(directory, &update);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(
        text(&output).contains("python:1: names what can be no tag"),
        "{}",
        text(&output)
    );
    fs::write(library.join("python"), "nothing\n").unwrap();
    let output = plimsoll(directory, &update);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("no official image"),
        "{}",
        text(&output)
    );
    let lineage = said(directory, &["lineage", "Dockerfile"]);
    assert!(
        lineage.contains("among the tags that were built on"),
        "{lineage}"
    );
    // So does a file that somebody damaged.
    fs::write(directory.join("cache/advisories/official-images.txt"), "x").unwrap();
    let lineage = said(directory, &["lineage", "Dockerfile"]);
    assert!(lineage.contains("is not of official images"), "{lineage}");
    assert!(
        lineage.contains("python 3.14 gets fixes until"),
        "{lineage}"
    );
}

#[test]
fn lists_come_from_a_server_image_by_image() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path();
    let server = Server::start(|head| match head.contains("/library/python ") {
        true => Answer::ok(PYTHON.as_bytes()),
        false => Answer::status("404 Not Found"),
    });
    let mirror = format!("official-images={}/library", server.address);
    let update = ["db", "update", "--for", "official-images"];
    let output = plimsoll(directory, &update);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("--mirror official-images="),
        "{}",
        text(&output)
    );
    let output = plimsoll(directory, &[&update[..], &["--mirror", &mirror]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let dockerfile = "FROM python:3.14 AS a\nFROM python:3.13 AS b\nFROM node:22\nFROM never-heard-of:1\nUSER 1\n";
    fs::write(directory.join("Dockerfile"), dockerfile).unwrap();
    let found = findings(directory, &["lint", "--json", "Dockerfile"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].contains("python:3.13 is no longer rebuilt: not among the 5 tags"),
        "{found:?}"
    );
    assert!(
        found[1].contains("there was no official image `node`"),
        "{found:?}"
    );
    // A server that breaks down leaves what was there.
    let broken = Server::start(|_| Answer::status("403 Forbidden"));
    let mirror = format!("official-images={}", broken.address);
    let output = plimsoll(directory, &[&update[..], &["--mirror", &mirror]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert_eq!(
        findings(directory, &["lint", "--json", "Dockerfile"]),
        found
    );
}

#[test]
fn a_list_that_fails_holds_no_advisories_up() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path();
    built(directory);
    let advisories = slice(directory, "debian@12.slice");
    let from = directory.join("served");
    fs::create_dir(&from).unwrap();
    let built = plimsoll(
        directory,
        &["db", "build", "--from", "feeds", "-o", "served"],
    );
    assert_eq!(built.status.code(), Some(0), "{}", text(&built));
    fs::remove_file(directory.join("cache/advisories/debian@12.slice")).unwrap();
    let broken = Server::start(|_| Answer::status("403 Forbidden"));
    let slices = format!("file:{}", from.display());
    let lists = format!("official-images={}", broken.address);
    let words = ["db", "update", "--for", "debian:12", "--mirror", &slices];
    let output = plimsoll(directory, &[&words[..], &["--mirror", &lists]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("official-images: "), "{said}");
    assert!(said.contains("not everything could be updated"), "{said}");
    assert!(!advisories.is_empty() && !slice(directory, "debian@12.slice").is_empty());
}

#[test]
fn lists_are_shown_carried_over_and_grow_old() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path();
    let library = directory.join("library");
    fs::create_dir_all(&library).unwrap();
    fs::write(library.join("python"), PYTHON).unwrap();
    let mirror = format!("official-images=file:{}", library.display());
    let update = [
        "db",
        "update",
        "--for",
        "official-images",
        "--mirror",
        &mirror,
    ];
    let output = plimsoll(directory, &update);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let status = said(directory, &["db", "status"]);
    assert!(
        status.contains("official-images    5 tags of 1 images"),
        "{status}"
    );
    assert!(status.contains(", today's"), "{status}");

    // By themselves, and with everything.
    let only = ["db", "export", "lists.zip", "--only", "official-images"];
    for words in [&only[..], &["db", "export", "lists.zip"]] {
        let output = plimsoll(directory, words);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let other = tempfile::tempdir().unwrap();
        let zip = directory.join("lists.zip");
        let import = ["db", "import", zip.to_str().unwrap()];
        let output = plimsoll(other.path(), &import);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let list = |of: &Path| fs::read(of.join("cache/advisories/official-images.txt")).unwrap();
        assert_eq!(list(other.path()), list(directory));
    }
    // Damaged on the way: refused, and what is there stays.
    let zip = fs::read(directory.join("lists.zip")).unwrap();
    let at = zip
        .windows(17)
        .position(|found| found == b"plimsoll-official")
        .unwrap();
    let mut damaged = zip.clone();
    damaged[at] = b'x';
    fs::write(directory.join("bad.zip"), damaged).unwrap();
    let output = plimsoll(directory, &["db", "import", "bad.zip"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("is not of official images"),
        "{}",
        text(&output)
    );

    // A copy of long ago says so, and is not used.
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(100 * 86_400);
    let file = fs::File::options()
        .write(true)
        .open(library.join("python"))
        .unwrap();
    file.set_modified(long_ago).unwrap();
    let output = plimsoll(directory, &update);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let status = plimsoll(directory, &["db", "status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let lists = &status["official_images"];
    assert_eq!(lists["fresh"], false, "{lists}");
    assert!(
        lists["age_days"].as_i64().is_some_and(|days| days >= 99),
        "{lists}"
    );
    assert_eq!(lists["tags"], 5);
    fs::write(directory.join("Dockerfile"), "FROM python:3.14.0\nUSER 1\n").unwrap();
    assert!(findings(directory, &["lint", "--json", "Dockerfile"]).is_empty());
    let lineage = said(directory, &["lineage", "Dockerfile"]);
    assert!(lineage.contains("are too old to count"), "{lineage}");
    assert!(
        lineage.contains("but 3.14.0 is one release of it"),
        "{lineage}"
    );
}

#[test]
fn the_age_is_that_of_the_table_that_answered() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path();
    fs::write(directory.join("Dockerfile"), "FROM debian:9\nUSER 1\n").unwrap();
    let lineage = said(directory, &["lineage", "Dockerfile"]);
    assert!(
        lineage.contains("in its place: debian (our table of Debian releases of "),
        "{lineage}"
    );
}
