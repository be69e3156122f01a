//! The limits of a policy.

use std::fs;

use serde_json::{Value, json};

use super::{flat, known, web};
use crate::images::{plimsoll, text};

#[test]
fn a_policy_limits_what_is_known_and_no_data_keep_to_no_limit() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = web(&scratch.join("web"));
    let check = |limits: &str| {
        let policy = format!("[policy]\nfail-on = \"none\"\n[policy.limits]\n{limits}\n");
        fs::write(scratch.join("plimsoll.toml"), policy).unwrap();
        let output = plimsoll(scratch, &["check", &image, "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), report)
    };
    // Without data no limit is kept to, however high.
    let (code, report) = check("vulnerabilities = { total = 1000, exploited = 1000 }");
    assert_eq!(code, Some(3), "{report}");
    for demand in report["verdict"]["demands"].as_array().unwrap() {
        assert_eq!(demand["met"], false, "{demand}");
        assert_eq!(demand["judged"], false, "{demand}");
        assert_eq!(demand["found"], "cannot be judged", "{demand}");
    }
    let problems = report["problems"].to_string();
    for words in [
        "there are no data about debian:12",
        "there are no data about kev",
    ] {
        assert!(problems.contains(words), "{problems}");
    }
    for format in ["text", "markdown", "junit", "github", "sarif"] {
        let output = plimsoll(scratch, &["check", &image, "--format", format]);
        assert_eq!(output.status.code(), Some(3), "{format}: {}", text(&output));
    }
    let output = plimsoll(scratch, &["check", &image]);
    assert!(
        flat(&output)
            .contains("NOT JUDGED: vulnerabilities (total) at most 1000: cannot be judged"),
        "{}",
        text(&output)
    );

    known(scratch, 1);
    for (limits, code, found) in [
        (
            "vulnerabilities = { total = 3 }",
            0,
            "3: CVE-2026-1001 in zlib, CVE-2026-1100 in nginx, CVE-2026-1002 in zlib",
        ),
        (
            "vulnerabilities = { total = 2 }",
            1,
            "3: CVE-2026-1001 in zlib, CVE-2026-1100 in nginx, CVE-2026-1002 in zlib",
        ),
        (
            "vulnerabilities = { fixable = 1 }",
            1,
            "2: CVE-2026-1001 in zlib, CVE-2026-1100 in nginx",
        ),
        (
            "vulnerabilities = { critical = 0 }",
            1,
            "1: CVE-2026-1100 in nginx",
        ),
        ("vulnerabilities = { low = 0 }", 0, "0"),
        (
            "vulnerabilities = { exploited = 0 }",
            1,
            "1: CVE-2026-1001 in zlib",
        ),
    ] {
        let (is, report) = check(limits);
        assert_eq!(is, Some(code), "{limits}: {report}");
        let demand = &report["verdict"]["demands"][0];
        assert_eq!(demand["found"], found, "{limits}");
        assert_eq!(
            (&demand["met"], &demand["judged"]),
            (&json!(code == 0), &json!(true))
        );
    }
    // Old data: over the limit is over it, below it is nothing.
    known(scratch, 30);
    assert_eq!(check("vulnerabilities = { critical = 0 }").0, Some(1));
    let (code, report) = check("vulnerabilities = { low = 0 }");
    assert_eq!(code, Some(3), "{report}");
    assert_eq!(
        report["verdict"]["demands"][0]["found"],
        "0 in what could be judged"
    );
    assert_eq!(
        check("vulnerabilities = { low = 0 }\nadvisory-days = 60").0,
        Some(0)
    );
    // What is ignored is in no count.
    fs::write(
        scratch.join("plimsoll.ignore"),
        "CVE-2026-1100 # it is not reachable\n",
    )
    .unwrap();
    assert_eq!(
        check("vulnerabilities = { critical = 0 }\nadvisory-days = 60").0,
        Some(0)
    );
}
