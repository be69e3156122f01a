//! What other tools read: SARIF by its schema, annotations, JUnit, Markdown.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use plimsoll_model::report::ImageFacts;
use plimsoll_model::vulnerability::Affected;
use plimsoll_model::{Problem, Report, ScanFacts, Severity, Vulnerability};
use serde_json::{Value, json};

use crate::sample::{full, judged};
use crate::written;

fn sarif(report: &Report) -> Value {
    serde_json::from_str(&written("sarif", report)).expect("it is JSON")
}

/// A schema as its makers publish it, or `None` with a word about it.
pub(crate) fn schema(name: &str) -> Option<Value> {
    let path: PathBuf = [
        env!("CARGO_MANIFEST_DIR"),
        "../../../shared/data/schemas",
        name,
    ]
    .iter()
    .collect();
    let Ok(text) = fs::read_to_string(&path) else {
        let _ = writeln!(std::io::stderr(), "skipped: no {name} beside the checkout");
        return None;
    };
    Some(serde_json::from_str(&text).expect("a schema is JSON"))
}

#[test]
fn sarif_is_valid() {
    let Some(schema) = schema("sarif-2.1.0.json") else {
        return;
    };
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    let empty = Report {
        verb: "inspect",
        ..Report::default()
    };
    for report in [full(), judged(), empty] {
        let log = sarif(&report);
        let errors: Vec<String> = validator
            .iter_errors(&log)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0]);
    }
    let mut broken = sarif(&judged());
    broken["runs"][0]["results"][0]["level"] = json!("loud");
    assert!(!validator.is_valid(&broken), "the schema looks");
}

#[test]
fn a_result_points_where_a_person_can_look() {
    let log = sarif(&judged());
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let physical = |index: usize| &results[index]["locations"][0]["physicalLocation"];
    assert_eq!(
        *physical(0),
        json!({
            "artifactLocation": {"uri": "web/Dockerfile"},
            "region": {"startLine": 3, "endLine": 3, "startColumn": 6, "endColumn": 12,
                "snippet": {"text": "FROM debian"}},
        })
    );
    let dash = json!({"artifactLocation": {"uri": "usr/bin/dash", "uriBaseId": "IMAGE"}});
    assert_eq!(*physical(1), dash);
    let image = json!({"artifactLocation": {"uri": "httpd%3A2.4"}});
    assert_eq!(
        *physical(2),
        image,
        "a key of the configuration lies in no file"
    );
    assert_eq!(
        results[2]["locations"][0]["logicalLocations"][0]["name"],
        "USER"
    );
    assert_eq!(results[0]["level"], "error");
    assert_eq!(results[1]["level"], "warning");
    assert_eq!(results[3]["level"], "note");
    let waived = results.last().unwrap();
    assert_eq!(
        waived["suppressions"][0]["justification"],
        "no-new-privileges is set everywhere"
    );
    let demand = &results[4];
    assert_eq!(demand["ruleId"], "policy");
    assert_eq!(demand["message"]["text"], "bytes at most 120 MB: 181 MB");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(result["partialFingerprints"]["plimsoll/v1"].is_string());
    }
    assert_eq!(rules[1]["name"], "Shell");
    assert_eq!(
        rules[1]["fullDescription"]["text"],
        "Remove shells: who can start one can do everything."
    );
    assert!(
        rules[1]["help"]["markdown"]
            .as_str()
            .unwrap()
            .contains("## Remedy")
    );
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(
        invocation["toolExecutionNotifications"][0]["message"]["text"],
        "/var/lib/dpkg/status line 812: has no Version"
    );
}

#[test]
fn names_of_strangers_are_neither_links_nor_places_of_arguments() {
    let name = r"[x](https://evil.example) {0} \";
    let flaw = Vulnerability {
        id: "CVE-2026-1".to_owned(),
        title: name.to_owned(),
        fixed: vec![name.to_owned()],
        url: Some("https://tracker.example/CVE-2026-1".to_owned()),
        package: Affected {
            source: name.to_owned(),
            ..Affected::default()
        },
        ..Vulnerability::default()
    };
    let hostile = Vulnerability {
        id: "CVE-2026-2".to_owned(),
        url: Some("https://tracker.example/>[x](https://evil.example)".to_owned()),
        ..flaw.clone()
    };
    let scanned = Report {
        verb: "scan",
        subject: Some(ImageFacts::default()),
        problems: vec![Problem {
            message: name.to_owned(),
            evidence: plimsoll_model::Evidence::Image,
        }],
        scans: vec![ScanFacts {
            vulnerabilities: vec![flaw, hostile],
            ..ScanFacts::default()
        }],
        ..Report::default()
    };
    let log = sarif(&plimsoll_report::as_findings(&scanned));
    let run = &log["runs"][0];
    let message = &run["results"][0]["message"];
    let escaped = r"\[x\](https://evil.example) {{0}} \\";
    let text = message["text"].as_str().unwrap();
    assert_eq!(text.matches(escaped).count(), 4, "{text}");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let of = |id: &str| rules.iter().find(|rule| rule["id"] == id).unwrap();
    assert_eq!(of("CVE-2026-1")["shortDescription"]["text"], escaped);
    assert_eq!(
        of("CVE-2026-1")["help"]["markdown"],
        "What is known about CVE-2026-1: <https://tracker.example/CVE-2026-1>"
    );
    let told = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(told.as_str().unwrap().contains(escaped), "{told}");
    let help = &of("CVE-2026-2")["help"];
    assert!(help["text"].as_str().unwrap().contains(r"\[x\]"), "{help}");
    for markdown in [&message["markdown"], &help["markdown"]] {
        let markdown = markdown.as_str().unwrap();
        assert!(!markdown.contains(['[', ']', '{', '}']), "{markdown}");
        assert!(!markdown.contains("://evil"), "{markdown}");
    }
}

#[test]
fn fingerprints_stay_when_layers_sizes_and_lines_move_and_are_told_apart() {
    let prints = |report: &Report| {
        let log = sarif(report);
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let of = |result: &Value| result["partialFingerprints"]["plimsoll/v1"].clone();
        results.iter().map(of).collect::<Vec<_>>()
    };
    let before = prints(&judged());
    let mut moved = judged();
    for finding in &mut moved.findings {
        for evidence in &mut finding.evidence {
            use plimsoll_model::Evidence::{Path, Source};
            match evidence {
                Path { layer, size, .. } => (*layer, *size) = (*layer + 1, *size + 1),
                Source(source) => source.line += 7,
                _ => {}
            }
        }
    }
    assert_eq!(prints(&moved), before);
    let mut twice = judged();
    let again = twice.findings[1].clone();
    twice.findings.push(again);
    let prints = prints(&twice);
    assert_eq!(prints[1], "shell:/usr/bin/dash");
    assert!(prints.contains(&json!("shell:/usr/bin/dash#2")));
}

#[test]
fn annotations_are_workflow_commands() {
    let text = written("github", &judged());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "::error file=web/Dockerfile,line=3,endLine=3,col=6,endColumn=12,title=plimsoll \
             latest-tag (high)::FROM debian: no tag, which means `latest`%0Aremedy: \
             FROM debian:13-slim@sha256:...",
            "::warning title=plimsoll shell (medium)::`/usr/bin/dash` is a shell, also started as \
             `/usr/bin/sh`%0A- /usr/bin/dash (layer 0)%0A- /usr/bin/sh (layer 0)%0Aremedy: \
             plimsoll slim IMAGE",
            "::warning title=plimsoll root-user (medium)::USER is not set, so the application is \
             started as root%0A- USER is not set",
            "::notice title=plimsoll dead-bytes (low)::layer 1 removes 1.50 MB of layer 0, which \
             stay in the image%0A- /opt/x (layer 0)%0A- /opt/link (layer 1)",
            "::warning title=plimsoll%3A not judged::/var/lib/dpkg/status line 812: has no Version",
            "::error title=plimsoll policy::bytes at most 120 MB: 181 MB",
            "plimsoll: 1 over the line, 1 demand of the policy not met",
        ]
    );
    let mut unjudged = judged();
    unjudged.verdict = None;
    unjudged.findings[1].severity = Severity::Critical;
    let text = written("github", &unjudged);
    assert_eq!(text.matches("::error ").count(), 2, "{text}");
    assert!(!text.contains("over the line"), "{text}");
}

#[test]
fn tests_of_junit_fail_over_the_line_and_say_what_was_looked_at() {
    let text = written("junit", &judged());
    for line in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<testsuites name=\"plimsoll\" tests=\"9\" failures=\"2\" errors=\"1\" skipped=\"1\">",
        "  <testsuite name=\"httpd:2.4\" tests=\"9\" failures=\"2\" errors=\"1\" skipped=\"1\">",
        "    <testcase classname=\"shell\" name=\"shell:/usr/bin/dash\">",
        "    <testcase classname=\"ssh-server\" name=\"not so: an SSH server is in the image\"/>",
        "    <testcase classname=\"policy\" name=\"bytes at most 120 MB\">",
        "      <failure message=\"181 MB\" type=\"policy\"></failure>",
        "      <skipped message=\"waived (until 2027-01-31): no-new-privileges is set everywhere\"/>",
        "      <error message=\"has no Version\" type=\"incomplete\"/>",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let mut unjudged = judged();
    unjudged.verdict = None;
    let text = written("junit", &unjudged);
    assert!(text.contains("tests=\"7\" failures=\"4\""), "{text}");
    let mut hostile = judged();
    hostile.findings[0].message = "<x a=\"b\">&\u{ffff}".into();
    let text = written("junit", &hostile);
    assert!(
        text.contains("message=\"&lt;x a=&quot;b&quot;&gt;&amp;\u{fffd}\""),
        "{text}"
    );
}

#[test]
fn markdown_answers_first_and_shows_before_and_after() {
    let text = written("markdown", &judged());
    assert!(
        text.starts_with(
            "<!-- plimsoll -->\n## ❌ <code>httpd:2.4</code> is over the line: 1 of 4 findings, 1 of 2 demands\n"
        ),
        "{text}"
    );
    for line in [
        "| package managers | 1 | 0 | gone |",
        "| bytes at most 120 MB | 181 MB | ❌ |",
        "| packages at most 200 | 2 | ✅ |",
        "<details><summary>1 of severity low or info</summary>",
        "<details><summary>Waived (1)</summary>",
        "<details><summary>Not judged (1)</summary>",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let mut fine = judged();
    fine.verdict.as_mut().unwrap().demands.remove(0);
    fine.findings.remove(0);
    fine.problems.clear();
    let text = written("markdown", &fine);
    assert!(
        text.contains("## ✅ <code>httpd:2.4</code> is within the line\n"),
        "{text}"
    );
}

#[test]
fn a_long_comment_still_fits() {
    let mut report = judged();
    report.findings = vec![report.findings[1].clone(); 2000];
    report.notes = vec!["n".repeat(100); 2000];
    let text = written("markdown", &report);
    assert!(text.chars().count() < 65_536, "{}", text.len());
    assert!(text.contains("more | |"), "{text}");
}
