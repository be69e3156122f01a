//! `check`: the exit code answers, waivers end, and nothing gets worse than the baseline.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::images::{Tar, layout, plimsoll, text};

/// An image with a shell, a key that a later layer deletes, and a user of its own.
fn image(scratch: &Path) -> String {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHBsaW1zb2xscGxpbXNvbGxw\n-----END";
    let layers = [
        Tar::default()
            .file("bin/dash", 0o755, b"\x7fELF")
            .file("srv/deploy.key", 0o600, key.as_bytes())
            .finish(),
        Tar::default()
            .file("srv/.wh.deploy.key", 0o644, b"")
            .finish(),
    ];
    let config = serde_json::json!({
        "User": "65532", "Entrypoint": ["/bin/dash"], "Labels": {"team": "web"},
    });
    layout(&scratch.join("image"), &config, &layers)
}

/// Checks `image` under this policy: the exit code and the report.
fn check(scratch: &Path, image: &str, policy: &str, more: &[&str]) -> (Option<i32>, Value) {
    fs::write(scratch.join("plimsoll.toml"), policy).unwrap();
    let mut arguments = vec!["check", image, "--json"];
    arguments.extend(more);
    let output = plimsoll(scratch, &arguments);
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|_| panic!("{arguments:?}: {}", text(&output)));
    (output.status.code(), report)
}

/// The demands that are not met.
fn unmet(report: &Value) -> Vec<String> {
    let demands = report["verdict"]["demands"].as_array().unwrap().iter();
    let unmet = demands.filter(|demand| demand["met"] == false);
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    unmet
        .map(|demand| format!("{}: {}", word(&demand["wanted"]), word(&demand["found"])))
        .collect()
}

fn ids(findings: &Value) -> Vec<&str> {
    let findings = findings.as_array().unwrap().iter();
    findings
        .map(|finding| finding["check"].as_str().unwrap())
        .collect()
}

#[test]
fn the_line_and_the_demands_decide() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = image(scratch);
    let (code, report) = check(scratch, &image, "", &[]);
    assert_eq!(code, Some(1), "a deleted key is over the line: {report}");
    assert_eq!(report["verdict"]["line"], "high");
    let (code, _) = check(scratch, &image, "", &["--fail-on", "none"]);
    assert_eq!(code, Some(0));
    let policy = r#"
        [policy]
        fail-on = "none"
        [policy.limits]
        bytes = 3
        layers = 2
        [policy.required]
        users = ["65532"]
        labels = ["team=web", "licence"]
        paths = ["/bin/dash", "/app"]
        [policy.forbidden]
        paths = ["/**/da*"]
        users = ["root"]
        packages = ["curl"]
        [policy.bases]
        allowed = ["debian*"]
    "#;
    let (code, report) = check(scratch, &image, policy, &[]);
    assert_eq!(code, Some(1));
    assert_eq!(
        unmet(&report),
        [
            "bytes at most 3 B: 4 B",
            "`/app` is there: missing",
            "label `licence` is set: missing",
            "`/**/da*` is not there: /bin/dash",
            "made from one of debian*: scratch",
        ]
    );
    let wrong = "[policy.limits.vulnerabilities]\nserious = 1\n";
    fs::write(scratch.join("plimsoll.toml"), wrong).unwrap();
    let output = plimsoll(scratch, &["check", &image]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("no kind `serious`"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_waiver_tolerates_until_its_day_and_is_found_when_it_is_over_or_idle() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = image(scratch);
    let policy = r#"
        [[policy.waiver]]
        check = "secret-file"
        paths = ["/srv/*.key"]
        reason = "it opens nothing any more"
        until = "2999-12-31"
        [[policy.waiver]]
        check = "shell"
        reason = "for a week"
        until = 2020-01-01
        [[policy.waiver]]
        check = "editor"
        reason = "just in case"
    "#;
    let (code, report) = check(scratch, &image, policy, &[]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["waived"][0]["finding"]["check"], "secret-file");
    assert_eq!(report["waived"][0]["reason"], "it opens nothing any more");
    let found = ids(&report["findings"]);
    assert!(
        found.contains(&"shell"),
        "what a dead waiver covers comes back"
    );
    let findings = report["findings"].as_array().unwrap().iter();
    let about: Vec<(&str, u64)> = findings
        .filter(|finding| finding["check"] == "waiver")
        .map(|finding| {
            let line = finding["evidence"][0]["line"].as_u64().unwrap();
            (finding["message"].as_str().unwrap(), line)
        })
        .collect();
    assert_eq!(
        about,
        [
            ("the waiver for `shell` ended on 2020-01-01: for a week", 7),
            (
                "the waiver for `editor` covers nothing that is found: just in case",
                11
            ),
        ]
    );
}

#[test]
fn nothing_may_be_worse_than_the_baseline() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let first = image(scratch);
    let policy = "[policy]\nfail-on = \"none\"\n[policy.baseline]\nbytes = \"+50 %\"\n";
    let write = ["--write-baseline", "b.json"];
    assert_eq!(check(scratch, &first, policy, &write).0, Some(0));
    let against = ["--baseline", "b.json"];
    let (code, report) = check(scratch, &first, policy, &against);
    assert_eq!((code, unmet(&report)), (Some(0), vec![]));
    assert_eq!(report["comparison"]["before"]["footprint"]["bytes"], 4);

    let layer = Tar::default()
        .file("bin/dash", 0o755, b"\x7fELF")
        .file("bin/zsh", 0o755, b"\x7fELF")
        .file("usr/bin/gdb", 0o755, b"\x7fELF")
        .finish();
    let config = serde_json::json!({"User": "65532", "Entrypoint": ["/bin/dash"]});
    let second = layout(&scratch.join("second"), &config, &[layer]);
    // A file and an image are the same baseline.
    for against in [["--baseline", "b.json"], ["--baseline", &first]] {
        let (code, report) = check(scratch, &second, policy, &against);
        assert_eq!(code, Some(1));
        assert_eq!(
            unmet(&report),
            [
                "bytes at most +50 % of the baseline's 4 B: 12 B",
                "no new finding since the baseline: debugger:/usr/bin/gdb, shell:/bin/zsh",
            ]
        );
    }
}

#[test]
fn one_look_writes_every_format() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = image(scratch);
    let mut arguments = vec!["check", &image, "--format", "github"];
    for report in [
        "sarif=a.sarif",
        "markdown=a.md",
        "junit=a.xml",
        "json=a.json",
        "text=a.txt",
    ] {
        arguments.extend(["--report", report]);
    }
    let output = plimsoll(scratch, &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("::error title=plimsoll secret-file (high)::"));
    for (file, part) in [
        ("a.sarif", "\"ruleId\": \"secret-file\""),
        ("a.md", "is over the line"),
        ("a.xml", "<failure message="),
        ("a.json", "\"verb\": \"check\""),
        ("a.txt", "The line for production is at high"),
    ] {
        let written = fs::read_to_string(scratch.join(file)).unwrap();
        assert!(written.contains(part), "{file}: {written}");
    }
    for wrong in ["html=a.html", "sarif"] {
        let output = plimsoll(scratch, &["check", &image, "--report", wrong]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    }
}

#[test]
fn the_action_and_the_hooks_call_what_there_is() {
    let top: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../.."].iter().collect();
    let action = fs::read_to_string(top.join("action.yml")).unwrap();
    let hooks = fs::read_to_string(top.join(".pre-commit-hooks.yaml")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let help = |verb: &str| {
        let output = plimsoll(scratch.path(), &[verb, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{verb}: {}", text(&output));
        text(&output)
    };
    let check = help("check");
    let given = action.lines().filter(|line| line.contains("arguments"));
    let words = given.flat_map(|line| line.split([' ', '(', ')']));
    let mut options = words.filter(|word| word.starts_with("--")).peekable();
    assert!(options.peek().is_some());
    for option in options {
        assert!(check.contains(option), "{option} is not in\n{check}");
    }
    let entries = hooks
        .lines()
        .filter_map(|line| line.trim().strip_prefix("entry: plimsoll "));
    for verb in entries {
        help(verb);
    }
}
