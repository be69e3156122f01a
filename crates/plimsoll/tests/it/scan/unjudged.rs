//! What cannot be judged is said, and is never a 0.

use std::fs;

use serde_json::json;

use super::{alpine, debian, known, not_judged, web};
use crate::images::{Tar, layout, plimsoll, text};

#[test]
fn what_cannot_be_judged_is_said_and_is_no_zero() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = web(&scratch.join("web"));
    let scan = |image: &str, more: &[&str]| plimsoll(scratch, &[&["scan", image], more].concat());

    // Nothing was ever fetched.
    let output = scan(&image, &[]);
    not_judged(
        &output,
        &[
            "cannot be judged",
            "there are no data about debian:12; 3 packages not judged: curl 8.0-1",
            "there are no data about bitnami; 1 package not judged: nginx 1.28.0",
            "plimsoll db update",
        ],
    );
    // Old data: what is found is said, and that it may not be all; the limit is the user's.
    known(scratch, 30);
    let output = scan(&image, &["--fail-on", "critical", "--ignore", "/dev/null"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let output = scan(&image, &[]);
    not_judged(
        &output,
        &["debian:12 are 30 days old", "more than the limit of 7"],
    );
    let output = scan(&image, &["--max-age", "60"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    // Data of a day that is still to come are not new, but of a clock that is wrong.
    known(scratch, -900);
    not_judged(
        &scan(&image, &[]),
        &["debian:12 are of a day that is still to come: the clock"],
    );
    let status = text(&plimsoll(scratch, &["db", "status"]));
    assert!(status.contains("nobody knows how old"), "{status}");
    assert!(!status.contains("the newest there was"), "{status}");

    known(scratch, 0);
    // A distribution nobody has data about, a release nobody knows yet, none at all.
    let with = |name: &str, release: &str| {
        layout(&scratch.join(name), &json!({}), &[debian(release).finish()])
    };
    for (name, release, words) in [
        (
            "other",
            "ID=void\nVERSION_ID=1\n",
            "there are no data about void:1; 3 packages",
        ),
        (
            "later",
            "ID=debian\nVERSION_ID=99\n",
            "there are no data about debian:99",
        ),
        ("nameless", "PRETTY_NAME=x\n", "os-release has no ID"),
        ("unreleased", "ID=ubuntu\n", "names no release of ubuntu"),
    ] {
        not_judged(&scan(&with(name, release), &[]), &[words]);
    }
    let release = "ID=alpine\nVERSION_ID=3.99.0\n";
    let newer = layout(&scratch.join("newer"), &json!({}), &[alpine(release)]);
    not_judged(&scan(&newer, &[]), &["there are no data about alpine:3.99"]);
    let homeless = with("homeless", "");
    not_judged(&scan(&homeless, &[]), &["it has no os-release"]);
    // Whoever knows may say it.
    let output = scan(&homeless, &["--distro", "debian:12"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("CVE-2026-1001"), "{}", text(&output));
    // Nothing is installed that anybody could know something about.
    let layer = Tar::default().file("hello", 0o755, b"\x7fELF").finish();
    let empty = layout(&scratch.join("empty"), &json!({}), &[layer]);
    not_judged(&scan(&empty, &[]), &["no package is known in it"]);

    // Damaged data are no data.
    let slice = scratch.join("cache/advisories/debian@12.slice");
    let mut bytes = fs::read(&slice).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&slice, &bytes).unwrap();
    not_judged(
        &scan(&image, &[]),
        &["the data about debian:12 cannot be read: "],
    );
    fs::write(&slice, &bytes[..last / 2]).unwrap();
    not_judged(
        &scan(&image, &[]),
        &["the data about debian:12 cannot be read: "],
    );
    let kev = scratch.join("cache/advisories/kev.slice");
    fs::write(&kev, b"nonsense").unwrap();
    not_judged(&scan(&image, &[]), &["the marks of kev cannot be read"]);
}
