//! The limits of a policy.

use std::fs;

use serde_json::{Value, json};

use super::{days_ago, flat, known, web};
use crate::images::{plimsoll, text};

#[test]
fn marks_that_are_old_empty_or_of_no_day_meet_no_limit_on_what_is_exploited() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = web(&scratch.join("web"));
    known(scratch, 1);
    let policy =
        "[policy]\nfail-on = \"none\"\n[policy.limits]\nvulnerabilities = { exploited = 0 }\n";
    fs::write(scratch.join("plimsoll.toml"), policy).unwrap();
    let slice = scratch.join("cache/advisories/kev.slice");
    let listed = |released: &str, ids: &[&str], date: &str| {
        let rows: Vec<Value> = ids
            .iter()
            .map(|id| json!({"cveID": id, "dateAdded": "2010-01-02"}))
            .collect();
        let kev = json!({"dateReleased": released, "vulnerabilities": rows});
        fs::write(scratch.join("kev.json"), kev.to_string()).unwrap();
        let _ = fs::remove_file(&slice);
        let build = ["db", "build", "--from", "kev.json", "--date", date];
        let output = plimsoll(scratch, &build);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    };
    let today = days_ago(0);
    listed(&today, &["CVE-2010-1"], &today);
    let output = plimsoll(scratch, &["check", &image]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let (_, report) = super::scan(scratch, &[&image]);
    let facts = &report["scans"][0];
    assert_eq!(
        (&facts["counts"]["exploited"], &facts["exploited_unknown"]),
        (&json!(0), &Value::Null)
    );
    let blind = |words: &str| {
        let output = plimsoll(scratch, &["check", &image]);
        let said = flat(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(words), "{words}: {said}");
        assert!(
            said.contains(
                "NOT JUDGED: vulnerabilities (exploited) at most 0: 0 in what could be judged"
            ),
            "{said}"
        );
        // A scan asks no limit of it, and says what a 0 there is worth.
        let output = plimsoll(scratch, &["scan", &image]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let said = flat(&output);
        assert!(
            said.contains("known to be exploited is not known"),
            "{said}"
        );
        assert!(said.contains(words), "{words}: {said}");
        // Nor is it 0 for a program.
        let (_, report) = super::scan(scratch, &[&image]);
        let facts = &report["scans"][0];
        for counts in facts["parts"].as_object().unwrap().values() {
            assert_eq!(counts["exploited"], Value::Null, "{counts}");
        }
        assert_eq!(facts["counts"]["exploited"], Value::Null, "{facts}");
        let why = facts["exploited_unknown"].as_str().unwrap();
        assert!(why.contains(words), "{words}: {why}");
    };
    listed("2010-01-03", &["CVE-2010-1"], "2010-01-03");
    blind("the data about kev are");
    for format in ["text", "markdown", "json"] {
        let output = plimsoll(scratch, &["scan", &image, "--format", format]);
        let said = flat(&output);
        assert!(
            said.contains("kev") && said.contains("2010-01-03"),
            "{format}: {said}"
        );
        assert!(said.contains("epss"), "{format}: {said}");
    }
    fs::remove_file(&slice).unwrap();
    blind("there are no data about kev");
}

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
