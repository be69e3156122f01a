//! What counts for nothing: by an ignore file, by documents of VEX.

use std::fs;

use serde_json::json;

use super::{days_ago, known, rows, scan, web};
use crate::images::{plimsoll, text};

#[test]
fn what_is_ignored_has_a_reason_and_an_end() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let image = web(&scratch.join("web"));
    let until = days_ago(-1);
    let over = days_ago(1);
    fs::write(
        scratch.join("plimsoll.ignore"),
        format!(
            "CVE-2026-1100 until={until} # nothing listens to it\nCVE-2026-1001 until={over} # for a week\n\
             CVE-2026-9999 # gone by now\nCVE-2026-1002 package=zlib1g # never called\n"
        ),
    )
    .unwrap();
    let (code, report) = scan(scratch, &[&image]);
    assert_eq!(code, Some(0), "{report}");
    let found = &report["scans"][0];
    assert_eq!(
        rows(found),
        [
            "CVE-2026-1001 zlib-tools",
            "CVE-2026-1001 zlib1g",
            "CVE-2026-1002 zlib-tools",
            "CVE-2026-1003 zlib-tools",
            "CVE-2026-1003 zlib1g",
        ]
    );
    let quiet = found["quiet"].as_array().unwrap();
    assert_eq!(quiet.len(), 2, "{found}");
    let own = quiet
        .iter()
        .find(|it| it["vulnerability"]["id"] == "CVE-2026-1100")
        .unwrap();
    assert_eq!(
        (&own["by"], &own["status"]),
        (&json!("plimsoll.ignore"), &json!("ignored"))
    );
    assert_eq!(
        (&own["reason"], &own["until"]),
        (&json!("nothing listens to it"), &json!(until))
    );
    let stale = found["stale_ignores"].to_string();
    assert!(
        stale.contains(&format!("CVE-2026-1001 was ignored until {over}")),
        "{stale}"
    );
    assert!(
        stale.contains("CVE-2026-9999 is ignored, and nothing here has it"),
        "{stale}"
    );
    let output = plimsoll(scratch, &["scan", &image]);
    for words in [
        "Not counted (2):",
        "nothing listens to it",
        "stale: plimsoll.ignore line 3",
    ] {
        assert!(text(&output).contains(words), "{}", text(&output));
    }
    // Without a reason nothing is ignored, and nothing else is done.
    fs::write(scratch.join("bare"), "CVE-2026-1100\n").unwrap();
    let output = plimsoll(scratch, &["scan", &image, "--ignore", "bare"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("bare: line 1: CVE-2026-1100 is ignored without a reason"),
        "{}",
        text(&output)
    );
}

#[test]
fn documents_of_vex_say_what_is_not_there_and_ours_can_be_read_again() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let image = web(&scratch.join("web"));
    let openvex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:x", "author": "us", "version": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "statements": [
            {"vulnerability": {"name": "CVE-2026-1100"}, "products": [{"@id": "pkg:generic/nginx@1.28.0"}],
             "status": "not_affected", "justification": "vulnerable_code_not_present"},
            {"vulnerability": {"name": "CVE-2026-1001"}, "products": [{"@id": "pkg:deb/debian/elsewhere"}],
             "status": "not_affected", "justification": "component_not_present"},
        ],
    });
    fs::write(scratch.join("open.json"), openvex.to_string()).unwrap();
    let csaf = json!({
        "document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "x",
            "tracking": {"id": "x", "current_release_date": "2026-01-01T00:00:00Z"}},
        "product_tree": {"full_product_names": [{"product_id": "Z", "name": "zlib",
            "product_identification_helper": {"purl": "pkg:deb/debian/zlib1g"}}]},
        "vulnerabilities": [{"cve": "CVE-2026-1002", "product_status": {"known_not_affected": ["Z"]},
            "threats": [{"category": "impact", "details": "never called", "product_ids": ["Z"]}]}],
    });
    fs::write(scratch.join("csaf.json"), csaf.to_string()).unwrap();
    let (code, report) = scan(
        scratch,
        &[&image, "--vex", "open.json", "--vex", "csaf.json"],
    );
    assert_eq!(code, Some(0), "{report}");
    let left = rows(&report["scans"][0]);
    assert!(
        !left.contains(&"CVE-2026-1100 nginx".to_owned()),
        "{left:?}"
    );
    assert!(
        !left.contains(&"CVE-2026-1002 zlib1g".to_owned()),
        "{left:?}"
    );
    assert!(
        left.contains(&"CVE-2026-1002 zlib-tools".to_owned()),
        "{left:?}"
    );
    assert!(
        left.contains(&"CVE-2026-1001 zlib1g".to_owned()),
        "{left:?}"
    );
    let quiet = report["scans"][0]["quiet"].to_string();
    for words in [
        "vulnerable_code_not_present",
        "never called",
        "open.json",
        "csaf.json",
    ] {
        assert!(quiet.contains(words), "{words}: {quiet}");
    }
    // What we write of it says the same when it is read.
    let arguments = ["scan", &image, "--vex", "open.json", "--format", "openvex"];
    let written = plimsoll(scratch, &arguments).stdout;
    fs::write(scratch.join("ours.json"), written).unwrap();
    let (_, again) = scan(scratch, &[&image, "--vex", "ours.json"]);
    let left = rows(&again["scans"][0]);
    assert!(
        !left.contains(&"CVE-2026-1100 nginx".to_owned()),
        "{left:?}"
    );
    assert_eq!(left.len(), 6, "{left:?}");
    fs::write(scratch.join("no.json"), "{\"statements\": 1}").unwrap();
    let output = plimsoll(scratch, &["scan", &image, "--vex", "no.json"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("no.json"), "{}", text(&output));
}
