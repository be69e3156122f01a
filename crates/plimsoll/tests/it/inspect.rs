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

/// Five megabytes of no sense, another for each number.
fn body(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = (0..(5 << 20) / 8).flat_map(|_| {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.collect()
}

/// Ten files of five megabytes, with this mode; the last may hold something else.
fn big(mode: u32, last: u64) -> Vec<u8> {
    let mut tar = Tar::default().dir("opt/", 0o755).dir("opt/big/", 0o755);
    for number in 0..10 {
        let number = if number == 9 { last } else { number };
        let name = format!("opt/big/{}", number.min(9));
        tar = tar.file(&name, mode, &body(number));
    }
    tar.finish()
}

/// What is stored and not needed of an image of these layers over a small one.
fn waste(layers: &[Vec<u8>]) -> [u64; 5] {
    let scratch = tempfile::tempdir().unwrap();
    let base = Tar::default().file("etc/os-release", 0o644, &[b'x'; 100]);
    let mut all = vec![base.finish()];
    all.extend(layers.iter().cloned());
    let image = layout(&scratch.path().join("image"), &user(), &all);
    let output = plimsoll(scratch.path(), &["inspect", &image, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let image = &report["image"];
    let waste = &image["waste"];
    let sum = |of: &Value| of.as_u64().unwrap();
    let dead = ["deleted", "overwritten", "again"].map(|kind| sum(&waste[kind]));
    assert_eq!(dead.iter().sum::<u64>(), sum(&image["dead_bytes"]));
    let [deleted, overwritten, again] = dead;
    [
        sum(&image["dead_bytes"]),
        deleted,
        overwritten,
        again,
        sum(&waste["duplicate"]),
    ]
}

#[test]
fn dead_bytes_are_exact_and_told_apart() {
    const ALL: u64 = 52_428_800;
    const ONE: u64 = ALL / 10;
    // A directory that a later RUN removes: two well-known tools see nothing here.
    let removed = Tar::default()
        .dir("opt/", 0o755)
        .file("opt/.wh.big", 0o644, b"");
    assert_eq!(
        waste(&[big(0o644, 9), removed.finish()]),
        [ALL, ALL, 0, 0, 0]
    );
    // An opaque directory.
    let opaque = Tar::default()
        .file("opt/big/.wh..wh..opq", 0o644, b"")
        .file("opt/big/new", 0o644, b"ab");
    assert_eq!(
        waste(&[big(0o644, 9), opaque.finish()]),
        [ALL, ALL, 0, 0, 0]
    );
    // The same files with another mode (chmod -R), and with one of them changed as well.
    assert_eq!(waste(&[big(0o644, 9), big(0o600, 9)]), [ALL, 0, 0, ALL, 0]);
    assert_eq!(
        waste(&[big(0o644, 9), big(0o644, 99)]),
        [ALL, 0, ONE, ALL - ONE, 0]
    );
    // One file that is removed.
    let one = Tar::default().file("opt/big.bin", 0o644, &body(1)).finish();
    let gone = Tar::default().file("opt/.wh.big.bin", 0o644, b"").finish();
    assert_eq!(waste(&[one, gone]), [ONE, ONE, 0, 0, 0]);
    // The same content at two paths is no dead byte; two names of one file are not even that.
    let here = Tar::default().file("a/x", 0o644, &body(1)).finish();
    let there = Tar::default()
        .file("b/x", 0o644, &body(1))
        .member("b/link", b'1', 0o644, b"", "b/x")
        .finish();
    assert_eq!(waste(&[here, there]), [0, 0, 0, 0, ONE]);
}

#[test]
fn every_byte_has_an_owner_and_a_directory() {
    let scratch = tempfile::tempdir().unwrap();
    let (one, two) = two(scratch.path());
    for image in [one, two] {
        let output = plimsoll(scratch.path(), &["inspect", &image, "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let image = &report["image"];
        let total = |list: &str| -> u64 {
            let rows = image[list].as_array().unwrap().iter();
            rows.map(|row| row["bytes"].as_u64().unwrap()).sum()
        };
        assert_eq!(total("owners"), image["footprint"]["bytes"]);
        assert_eq!(total("directories"), image["footprint"]["bytes"]);
        let kinds: Vec<&str> = image["owners"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["kind"].as_str().unwrap())
            .collect();
        assert_eq!(
            kinds,
            ["package", "language-package", "application", "nobody"]
        );
    }
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

#[test]
fn nothing_is_told_of_an_image_whose_layer_was_changed() {
    let scratch = tempfile::tempdir().unwrap();
    let image = layout(&scratch.path().join("image"), &user(), &[big(0o644, 9)]);
    let blobs = scratch.path().join("image/blobs/sha256");
    let sizes = fs::read_dir(blobs).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (fs::metadata(&path).unwrap().len(), path)
    });
    let (_, layer) = sizes.max().unwrap();
    let mut bytes = fs::read(&layer).unwrap();
    // In the middle of a file's content, where no header shows it.
    bytes[30 << 20] ^= 1;
    fs::write(&layer, bytes).unwrap();
    for format in ["text", "json"] {
        let output = plimsoll(scratch.path(), &["inspect", &image, "--format", format]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(output.stdout.is_empty(), "{}", text(&output));
        let said = text(&output);
        assert!(said.contains(", digest: expected sha256:"), "{said}");
    }
}
