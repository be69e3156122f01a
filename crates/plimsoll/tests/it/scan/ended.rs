//! A release that nobody fixes any more: said, found, and never judged as if its data were whole.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{application, debian, flat, scan};
use crate::images::{layout, plimsoll, text};

/// Debian 10, which had its last fix on 2024-06-30.
fn buster(scratch: &Path) -> String {
    let release = "ID=debian\nVERSION_ID=\"10\"\nPRETTY_NAME=\"Debian 10\"\n";
    let layers = [debian(release).finish(), application()];
    layout(&scratch.join("buster"), &json!({}), &layers)
}

/// Data of this day, which hold one flaw of the image and say nothing bad of nginx.
fn data_of(scratch: &Path, day: &str) {
    let rows = format!(
        "{{\"scope\": \"debian:10\", \"date\": \"{day}\"}}\n\
         {{\"package\": \"zlib\", \"kind\": \"source\", \"id\": \"CVE-2024-1\", \"fixed\": \"9\", \"severity\": \"low\"}}\n\
         {{\"scope\": \"bitnami\", \"date\": \"{day}\"}}\n\
         {{\"package\": \"nginx\", \"id\": \"CVE-2024-2\", \"ranges\": [[[\"introduced\", \"0\"], [\"fixed\", \"0.1\"]]]}}\n"
    );
    fs::write(scratch.join("rows.jsonl"), rows).unwrap();
    let _ = fs::remove_dir_all(scratch.join("cache"));
    let output = plimsoll(scratch, &["db", "build", "--from", "rows.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn data_about_a_release_that_is_over_are_never_as_new_as_they_should_be() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = buster(scratch);
    data_of(scratch, "2024-06-29");
    // While it was looked after, it is judged; of that day are all ages.
    for day in ["2024-06-30", "2024-07-01"] {
        let (code, report) = scan(scratch, &[&image, "--today", day]);
        assert_eq!(code, Some(0), "{day}: {report}");
        assert_eq!(report["scans"][0]["day"], day);
    }
    // Fetched long after, and fresh by every other account.
    data_of(scratch, "2024-09-01");
    let at = ["--today", "2024-09-02"];
    let (code, report) = scan(scratch, &[&[&*image], &at[..]].concat());
    assert_eq!(code, Some(3), "{report}");
    let facts = &report["scans"][0];
    assert_eq!(facts["ended"]["on"], "2024-06-30");
    assert!(
        facts["ended"]["by"]
            .as_str()
            .unwrap()
            .contains("the table of Debian's releases of 20"),
        "{facts}"
    );
    assert_eq!(facts["complete"], false);
    let why = facts["unjudged"][0]["why"].as_str().unwrap();
    for words in [
        "debian:10 gets no fixes since 2024-06-30",
        "in the 64 days since",
        "and 7 are the limit",
    ] {
        assert!(why.contains(words), "{words}: {why}");
    }
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["check"], &finding["severity"]),
        (&json!("end-of-life"), &json!("high"))
    );
    assert_eq!(
        finding["message"],
        "Debian 10 gets no fixes since 2024-06-30"
    );
    assert_eq!(finding["evidence"][0]["path"], "/etc/os-release");
    // The line is drawn through it; above it the rest is still not judged.
    for (line, code) in [("high", 1), ("medium", 1), ("critical", 3)] {
        let more = [&[&*image, "--fail-on", line], &at[..]].concat();
        assert_eq!(scan(scratch, &more).0, Some(code), "{line}");
    }
    // Whoever says how old data may be, says so of these; the finding stays.
    let (code, report) = scan(scratch, &[&[&*image, "--max-age", "64"], &at[..]].concat());
    assert_eq!(
        (code, report["findings"].as_array().unwrap().len()),
        (Some(0), 1)
    );
    for format in ["text", "markdown", "sarif", "junit", "github"] {
        let more = ["scan", &image, "--format", format, "--fail-on", "high"];
        let output = plimsoll(scratch, &[&more[..], &at].concat());
        assert_eq!(output.status.code(), Some(1), "{format}: {}", text(&output));
        assert!(
            flat(&output).contains("Debian 10 gets no fixes since 2024-06-30"),
            "{format}: {}",
            text(&output)
        );
    }
    let output = plimsoll(scratch, &[&["scan", &image], &at[..]].concat());
    let said = flat(&output);
    for words in [
        "Debian 10, which nobody fixes since 2024-06-30",
        "judged as on 2024-09-02 (--today)",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_list_of_packages_is_as_over_as_an_image() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    data_of(scratch, "2024-09-01");
    fs::write(scratch.join("list.txt"), "curl 8.0-1\n").unwrap();
    let more = ["list.txt", "--distro", "debian:10", "--today", "2024-09-02"];
    let (code, report) = scan(scratch, &more);
    assert_eq!(code, Some(3), "{report}");
    assert_eq!(report["findings"][0]["check"], "end-of-life");
    let (code, report) = scan(scratch, &[&more[..], &["--fail-on", "high"]].concat());
    assert_eq!(code, Some(1), "{report}");
    let html = [&more[..], &["--fail-on", "high", "--html", "page.html"]].concat();
    assert_eq!(scan(scratch, &html).0, Some(1));
    let page = fs::read_to_string(scratch.join("page.html")).unwrap();
    assert!(page.contains("a distribution release that gets fixes"));
}

#[test]
fn the_end_is_accepted_in_the_ignore_file_and_tolerated_by_a_policy() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = buster(scratch);
    data_of(scratch, "2024-09-01");
    let accepted = "end-of-life until=2024-12-31 # we pay for fixes\n";
    fs::write(scratch.join("plimsoll.ignore"), accepted).unwrap();
    let on = |day: &str| scan(scratch, &[&image, "--fail-on", "high", "--today", day]);
    let (code, report) = on("2024-09-02");
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["findings"], json!([]));
    let waived = &report["waived"][0];
    assert_eq!(waived["finding"]["check"], "end-of-life");
    assert_eq!(waived["until"], "2024-12-31");
    assert_eq!(
        report["scans"][0]["ended"]["accepted"]["reason"],
        "we pay for fixes"
    );
    assert_eq!(on("2025-01-01").0, Some(1));

    let check = |policy: &str| -> (Option<i32>, Value) {
        fs::write(scratch.join("plimsoll.toml"), policy).unwrap();
        let more = ["check", &image, "--json", "--today", "2024-09-02"];
        let output = plimsoll(scratch, &more);
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|_| panic!("{}", text(&output)));
        (output.status.code(), report)
    };
    let limit =
        "[policy]\nfail-on = \"none\"\n[policy.limits]\nvulnerabilities = { critical = 0 }\n";
    let (code, report) = check(limit);
    assert_eq!(code, Some(0), "{report}");
    assert!(
        report["notes"]
            .to_string()
            .contains("which plimsoll.ignore accepts until 2024-12-31: we pay for fixes"),
        "{report}"
    );
    // Unaccepted, no limit is kept to; and the line refuses the release, unless it is waived.
    fs::remove_file(scratch.join("plimsoll.ignore")).unwrap();
    let (code, report) = check(limit);
    assert_eq!(code, Some(3), "{report}");
    assert_eq!(report["verdict"]["demands"][0]["judged"], false);
    let refused = |report: &Value| {
        let findings = report["findings"].as_array().unwrap().iter();
        findings.filter(|it| it["check"] == "end-of-life").count()
    };
    let (code, report) = check("[policy]\nfail-on = \"high\"\n");
    assert_eq!((code, refused(&report)), (Some(1), 1), "{report}");
    let waiver = "[policy]\nfail-on = \"high\"\n[[policy.waiver]]\ncheck = \"end-of-life\"\nreason = \"x\"\nuntil = 2024-12-31\n";
    assert_eq!(refused(&check(waiver).1), 0);
}

#[test]
fn a_day_that_is_none_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    for day in ["yesterday", "2024-13-01", ""] {
        let output = plimsoll(scratch.path(), &["scan", "x", "--today", day]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains("--today"), "{}", text(&output));
    }
}
