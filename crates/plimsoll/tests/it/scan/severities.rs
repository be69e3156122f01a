//! What nobody gives a severity passes no line and keeps to no limit by severity.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{alpine, days_ago, flat};
use crate::images::{layout, plimsoll, text};

/// An Alpine image, and its security database as that of Alpine is: without severities.
fn on_alpine(scratch: &Path) -> String {
    let secdb = json!({"distroversion": "v3.77", "packages": [{"pkg": {
        "name": "zlib", "secfixes": {"1.3.1-r2": ["CVE-2026-2001", "CVE-2026-2002"]}}}]});
    fs::write(scratch.join("main.json"), secdb.to_string()).unwrap();
    let release = "ID=alpine\nVERSION_ID=3.77.3\n";
    layout(&scratch.join("web"), &json!({}), &[alpine(release)])
}

fn built(scratch: &Path, more: &[&str]) {
    let build = [&["db", "build", "--from", "main.json"], more].concat();
    let output = plimsoll(scratch, &build);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn what_has_no_severity_is_not_below_the_line() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = on_alpine(scratch);
    built(scratch, &["--date", &days_ago(0)]);
    let scan = |line: &[&str]| plimsoll(scratch, &[&["scan", &image], line].concat());
    assert_eq!(scan(&[]).status.code(), Some(0));
    let output = scan(&["--fail-on", "low"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let said = flat(&output);
    assert!(
        said.contains("2 vulnerabilities have no severity from the vendor and no score, so that nobody knows which of them are at low or above"),
        "{said}"
    );
    assert!(!said.contains("fine"), "{said}");
    // Whatever they are, they are at the lowest.
    let output = scan(&["--fail-on", "info"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    // What is ignored is no question any more.
    fs::write(
        scratch.join("plimsoll.ignore"),
        "CVE-2026-2001 # not called\nCVE-2026-2002 # not called\n",
    )
    .unwrap();
    let output = scan(&["--fail-on", "low"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn what_is_over_the_line_makes_it_fail_whatever_else_has_no_severity() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = on_alpine(scratch);
    let rows = format!(
        "{{\"scope\": \"alpine:3.77\", \"date\": \"{}\"}}\n\
         {{\"package\": \"zlib\", \"kind\": \"source\", \"id\": \"CVE-2026-2003\", \"fixed\": \"1.3.1-r2\", \"severity\": \"high\"}}\n\
         {{\"package\": \"zlib\", \"kind\": \"source\", \"id\": \"CVE-2026-2004\", \"fixed\": \"1.3.1-r2\"}}\n\
         {{\"package\": \"zlib\", \"kind\": \"source\", \"id\": \"CVE-2026-2005\", \"fixed\": \"1.3.1-r2\", \"severity\": \"negligible\"}}\n",
        days_ago(0)
    );
    fs::write(scratch.join("rows.jsonl"), rows).unwrap();
    let output = plimsoll(scratch, &["db", "build", "--from", "rows.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    for (line, code) in [("high", 1), ("critical", 3)] {
        let output = plimsoll(scratch, &["scan", &image, "--fail-on", line]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{line}: {}",
            text(&output)
        );
        // The vendor's negligible is a severity.
        assert!(flat(&output).contains("1 vulnerability has no severity"));
    }
}

#[test]
fn a_limit_by_severity_is_not_kept_to_by_what_has_none() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = on_alpine(scratch);
    built(scratch, &["--date", &days_ago(0)]);
    for (limits, code, met, judged) in [
        ("critical = 0", 3, false, false),
        // However severe they are, there are no more than that.
        ("critical = 2", 0, true, true),
        ("total = 2", 0, true, true),
        ("fixable = 1", 1, false, true),
    ] {
        let policy = format!(
            "[policy]\nfail-on = \"none\"\n[policy.limits]\nvulnerabilities = {{ {limits} }}\n"
        );
        fs::write(scratch.join("plimsoll.toml"), policy).unwrap();
        let output = plimsoll(scratch, &["check", &image, "--json"]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{limits}: {}",
            text(&output)
        );
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let demand = &report["verdict"]["demands"][0];
        assert_eq!(
            (&demand["met"], &demand["judged"]),
            (&json!(met), &json!(judged)),
            "{limits}"
        );
        let problems = report["problems"].to_string();
        let words = "2 vulnerabilities have no severity from the vendor and no score, so that a limit of 0 for critical";
        assert_eq!(problems.contains(words), code == 3, "{problems}");
    }
}

#[test]
fn data_that_do_not_say_of_which_day_they_are_are_not_of_today() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = on_alpine(scratch);
    built(scratch, &[]);
    let output = plimsoll(scratch, &["scan", &image]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let said = flat(&output);
    assert!(
        said.contains(
            "nothing says of which day the data about alpine:3.77 are (`plimsoll db build --date` does)"
        ),
        "{said}"
    );
    let policy = "[policy]\nfail-on = \"none\"\n[policy.limits]\nvulnerabilities = { total = 9 }\n";
    fs::write(scratch.join("plimsoll.toml"), policy).unwrap();
    let output = plimsoll(scratch, &["check", &image]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let status = plimsoll(scratch, &["db", "status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["slices"][0]["date"], Value::Null);

    built(scratch, &["--date", &days_ago(1)]);
    let output = plimsoll(scratch, &["scan", &image]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn the_day_of_one_feed_of_a_directory_is_not_that_of_another() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = on_alpine(scratch);
    let feeds = scratch.join("feeds");
    fs::create_dir_all(&feeds).unwrap();
    // Read first, as files are sorted by name; it states its day.
    let rows = format!(
        "{{\"scope\": \"pypi\", \"date\": \"{}\"}}\n{{\"package\": \"x\", \"id\": \"CVE-2026-1\", \"fixed\": \"2\"}}\n",
        days_ago(0)
    );
    fs::write(feeds.join("a.jsonl"), rows).unwrap();
    fs::rename(scratch.join("main.json"), feeds.join("main.json")).unwrap();
    let output = plimsoll(scratch, &["db", "build", "--from", "feeds"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let output = plimsoll(scratch, &["scan", &image]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
}
