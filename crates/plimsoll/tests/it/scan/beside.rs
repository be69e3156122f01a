//! Two images side by side: by `scan --against`, and by `slim`.

use std::fs;

use serde_json::{Value, json};

use super::{application, debian, flat, known, scan, web, web_on_alpine};
use crate::images::{layout, plimsoll, text};

#[test]
fn two_images_stand_side_by_side_and_the_difference_is_explained() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let image = web(&scratch.join("web"));
    let other = web_on_alpine(&scratch.join("alpine"));
    let output = plimsoll(scratch, &["scan", &image, "--against", &other]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let said = text(&output);
    // The name of a row and its two numbers.
    for (name, numbers) in [
        ("packages judged", ["4 of 4", "2 of 2"]),
        ("distribution, by installed package", ["6", "0"]),
        ("distribution, by source package", ["3", "0"]),
        ("fixable", ["1", "0"]),
        ("unfixed", ["1", "0"]),
        ("unimportant to the vendor", ["1", "0"]),
        ("application and languages", ["1", "1"]),
        ("in layers of the base", ["3", "0"]),
        ("in layers of the application", ["1", "1"]),
        ("all, by source package", ["4", "1"]),
        ("different identifiers", ["4", "1"]),
        ("known to be exploited", ["1", "0"]),
    ] {
        let row = said
            .lines()
            .find(|line| line.trim_start().starts_with(name));
        let row = row.unwrap_or_else(|| panic!("no row `{name}` in\n{said}"));
        let cells: Vec<&str> = row
            .trim()
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        assert_eq!(cells[1..], numbers, "{row}\n{said}");
    }
    let flat = flat(&output);
    for words in [
        "the feed of alpine:3.77 lists only what has been fixed",
        "0 means that every fix is installed, not that nothing is wrong",
        "the feed of debian:12 also lists flaws without a fix (1) and those its vendor calls unimportant (1)",
        "nginx 1.28.0 was built from source",
        "in both images alike",
    ] {
        assert!(flat.contains(words), "`{words}` is not in\n{said}");
    }
    let (_, report) = scan(scratch, &[&image, "--against", &other]);
    assert_eq!(report["scans"].as_array().unwrap().len(), 2);
    // What the other has is no finding of this one.
    let output = plimsoll(
        scratch,
        &["scan", &other, "--against", &image, "--format", "sarif"],
    );
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        sarif["runs"][0]["results"].as_array().unwrap().len(),
        1,
        "{sarif}"
    );
    let output = plimsoll(
        scratch,
        &["scan", &other, "--against", &image, "--fail-on", "critical"],
    );
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    // A side that cannot be judged has no zero.
    fs::remove_file(scratch.join("cache/advisories/alpine@3.77.slice")).unwrap();
    let output = plimsoll(scratch, &["scan", &image, "--against", &other]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("? (0 found)"), "{}", text(&output));
}

#[test]
fn slim_shows_what_is_known_of_both_images_where_there_are_data() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = layout(
        &scratch.join("web"),
        &json!({"Entrypoint": ["/usr/local/sbin/nginx"]}),
        &[debian("ID=debian\nVERSION_ID=12\n").finish(), application()],
    );
    let slim = |more: &[&str]| {
        let arguments = ["slim", &image, "--no-run", "-o", "oci:out:slim"];
        plimsoll(scratch, &[&arguments, more].concat())
    };
    let output = slim(&[]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let said = text(&output);
    assert!(
        said.contains("vulnerabilities: no data (plimsoll db update)"),
        "{said}"
    );
    assert!(!said.contains("side by side"), "{said}");
    known(scratch, 1);
    let said = text(&slim(&[]));
    assert!(
        said.contains("Known vulnerabilities side by side"),
        "{said}"
    );
    assert!(
        !said.contains("Known vulnerabilities of"),
        "the numbers alone: {said}"
    );
    let output = slim(&["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let scans = report["scans"].as_array().unwrap();
    let counts: Vec<_> = scans
        .iter()
        .map(|scan| &scan["counts"]["by_source"])
        .collect();
    // Nothing needs the packages, so that nothing of them is left; the application is.
    assert_eq!(counts, [&json!(4), &json!(1)], "{report}");
    let problems = report["problems"].as_array().unwrap();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn no_bill_of_materials_is_of_two_images() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    for format in ["cyclonedx", "spdx"] {
        // Before any work is done: neither image is there.
        let output = plimsoll(
            scratch,
            &["scan", "a", "--against", "b", "--format", format],
        );
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(output.stdout.is_empty());
        let said = flat(&output);
        assert!(
            said.contains("scan of two images makes no bill of materials")
                && said.contains(&format!("plimsoll scan IMAGE --format {format} makes one")),
            "{said}"
        );
    }
    known(scratch, 1);
    let (image, other) = (web(&scratch.join("web")), web_on_alpine(&scratch.join("b")));
    let more = ["scan", &image, "--against", &other, "--format", "openvex"];
    let output = plimsoll(scratch, &more);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    // Which speaks of each product by its name.
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let statements = document["statements"].as_array().unwrap().iter();
    let products: std::collections::BTreeSet<String> = statements
        .map(|it| it["products"][0]["@id"].to_string())
        .collect();
    assert_eq!(products.len(), 2, "{document}");
}
