//! `inspect`: one image as a page, two side by side.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::images::{Tar, layout, plimsoll, text};

fn base() -> Vec<u8> {
    let status = "Package: tool\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n";
    Tar::default()
        .file("etc/os-release", 0o644, b"ID=debian\nVERSION_ID=12\n")
        .file("usr/bin/tool", 0o755, b"0123456789")
        .file("var/lib/dpkg/status", 0o644, status.as_bytes())
        .file("var/lib/dpkg/info/tool.list", 0o644, b"/usr/bin/tool\n")
        .finish()
}

fn user() -> Value {
    json!({ "Entrypoint": ["/usr/bin/tool"], "User": "10:10" })
}

/// An image, and one with the same base layer and a set-uid file above it.
fn two(scratch: &Path) -> (String, String) {
    let above =
        Tar::default()
            .file("usr/bin/raise", 0o4755, b"x")
            .file("usr/bin/tool", 0o755, b"another");
    let one = layout(&scratch.join("one"), &user(), &[base()]);
    let two = layout(&scratch.join("two"), &user(), &[base(), above.finish()]);
    (one, two)
}

#[test]
fn two_images_are_set_side_by_side() {
    let scratch = tempfile::tempdir().unwrap();
    let (one, two) = two(scratch.path());
    let output = plimsoll(scratch.path(), &["inspect", &one, &two, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let pair = &report["pair"];
    assert_eq!(pair["shared_layers"], 1);
    assert_eq!(pair["shared_bytes"], base().len());
    let checks = |list: &Value| -> Vec<String> {
        let findings = list.as_array().unwrap().iter();
        findings
            .map(|it| it["check"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(
        checks(&pair["new"]).contains(&"setuid".to_owned()),
        "{pair:#}"
    );
    assert_eq!(pair["gone"], json!([]));
    assert_eq!(report["findings"], pair["new"]);
    assert_eq!(report["diff"]["total"]["added"], 1);
    assert_eq!(report["diff"]["total"]["changed"], 1);
    assert_eq!(
        report["comparison"]["after"]["footprint"]["setuid"],
        json!(["/usr/bin/raise"])
    );

    // The other way round what was new is gone, and nothing is over the line.
    let back = plimsoll(
        scratch.path(),
        &["inspect", &two, &one, "--fail-on", "info"],
    );
    assert_eq!(back.status.code(), Some(0), "{}", text(&back));
    assert!(
        text(&back).contains("Findings that only the second has: 0"),
        "{}",
        text(&back)
    );
    assert!(
        text(&back).contains("1 of the second's 1"),
        "{}",
        text(&back)
    );
    let forth = plimsoll(
        scratch.path(),
        &["inspect", &one, &two, "--fail-on", "info"],
    );
    assert_eq!(forth.status.code(), Some(1), "{}", text(&forth));
}

#[test]
fn a_page_is_written_beside_what_is_printed() {
    let scratch = tempfile::tempdir().unwrap();
    let (one, two) = two(scratch.path());
    let output = plimsoll(scratch.path(), &["inspect", &one, "--html", "one.html"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let page = fs::read_to_string(scratch.path().join("one.html")).unwrap();
    for part in [
        "Every byte",
        "Whose bytes they are",
        "Layers",
        "Findings",
        "\"tool\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let output = plimsoll(
        scratch.path(),
        &["inspect", &one, &two, "--html", "two.html"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let page = fs::read_to_string(scratch.path().join("two.html")).unwrap();
    for part in [
        "Before and after",
        "Only after",
        "raise",
        "Layers before",
        "Layers after",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let nowhere = plimsoll(
        scratch.path(),
        &["inspect", &one, "--html", "no/such/x.html"],
    );
    assert_eq!(nowhere.status.code(), Some(2), "{}", text(&nowhere));
}

#[test]
fn a_slim_has_a_page_that_says_what_keeps_each_byte() {
    let scratch = tempfile::tempdir().unwrap();
    let (one, _) = two(scratch.path());
    let arguments = [
        "slim",
        &one,
        "--no-run",
        "-o",
        "oci:slim",
        "--html",
        "slim.html",
    ];
    let output = plimsoll(scratch.path(), &arguments);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let page = fs::read_to_string(scratch.path().join("slim.html")).unwrap();
    for part in [
        "What slim did",
        "left ashore",
        "entrypoint",
        "Not verified",
        "Before and after",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
