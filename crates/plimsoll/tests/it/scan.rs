//! `scan` from end to end: what is counted, in every format; exit codes; and that nothing is called 0 that
//! could not be judged.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::images::{Tar, layout, layout_with_history, plimsoll, text};

/// A day so many days ago, as feeds write it.
pub(crate) fn days_ago(days: i64) -> String {
    let day = jiff::Zoned::now().date();
    let day = day.checked_sub(jiff::Span::new().days(days)).unwrap();
    day.to_string()
}

/// What is known in these tests.
fn feed(date: &str) -> String {
    format!(
        r#"{{"scope": "debian:12", "date": "{date}"}}
{{"package": "zlib", "kind": "source", "id": "CVE-2026-1001", "fixed": "1:1.3-1", "severity": "high", "title": "overflow in a <b>header</b>"}}
{{"package": "zlib", "kind": "source", "id": "CVE-2026-1002", "severity": "medium"}}
{{"package": "zlib", "kind": "source", "id": "CVE-2026-1003", "status": "unimportant", "severity": "low"}}
{{"package": "curl", "kind": "source", "id": "CVE-2026-1004", "fixed": "7.0-1", "severity": "critical"}}
{{"scope": "alpine:3.20", "date": "{date}", "lists_unfixed": false}}
{{"package": "zlib", "kind": "source", "id": "CVE-2026-1001", "fixed": "1.3.1-r1", "severity": "high"}}
{{"scope": "bitnami", "date": "{date}"}}
{{"package": "nginx", "id": "CVE-2026-1100", "ranges": [[["introduced", "1.0.0"], ["fixed", "1.29.1"]]], "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}
{{"package": "nginx", "id": "CVE-2026-1101", "ranges": [[["introduced", "1.0.0"], ["fixed", "1.20.0"]]], "severity": "high"}}
"#
    )
}

/// Puts what is known into the cache of `scratch`, as of so many days ago.
pub(crate) fn known(scratch: &Path, days: i64) {
    let feeds = scratch.join("feeds");
    fs::create_dir_all(&feeds).unwrap();
    let date = days_ago(days);
    fs::write(feeds.join("advisories.jsonl"), feed(&date)).unwrap();
    let kev = json!({"dateReleased": date, "vulnerabilities": [{"cveID": "CVE-2026-1001", "dateAdded": "2026-01-02", "knownRansomwareCampaignUse": "Known"}]});
    fs::write(feeds.join("kev.json"), kev.to_string()).unwrap();
    let epss = format!(
        "#model_version:v2026,score_date:{date}\ncve,epss,percentile\nCVE-2026-1001,0.5,0.9\n"
    );
    fs::write(feeds.join("epss.csv"), epss).unwrap();
    let output = plimsoll(
        scratch,
        &["db", "build", "--from", "feeds", "--date", &date],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

const RECORDS: &str = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib (1:1.2)\n\
    Version: 1:1.2-1\n\nPackage: zlib-tools\nStatus: install ok installed\nArchitecture: amd64\n\
    Source: zlib (1:1.2)\nVersion: 1:1.2-1\n\nPackage: curl\nStatus: install ok installed\n\
    Architecture: amd64\nVersion: 8.0-1\n\n";

/// A tree with these packages of a Debian kind.
fn debian(release: &str) -> Tar {
    let tar = match release {
        "" => Tar::default(),
        release => Tar::default().file("etc/os-release", 0o644, release.as_bytes()),
    };
    ["curl", "zlib-tools", "zlib1g"]
        .iter()
        .fold(tar, |tar, name| {
            let path = format!("usr/lib/{name}/data");
            let list = format!("var/lib/dpkg/info/{name}.list");
            tar.file(&list, 0o644, format!("/{path}\n").as_bytes())
                .file(&path, 0o644, b"free")
        })
        .file("var/lib/dpkg/status", 0o644, RECORDS.as_bytes())
}

/// What was compiled into the image, whatever it stands on.
fn application() -> Vec<u8> {
    let program = b"\x7fELF\0nginx version: nginx/1.28.0\0";
    Tar::default()
        .file("usr/local/sbin/nginx", 0o755, program)
        .finish()
}

/// nginx compiled on Debian: a base layer and one above.
pub(crate) fn web(directory: &Path) -> String {
    let history = [
        "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'",
        "RUN make install",
    ];
    let release = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n";
    let layers = [debian(release).finish(), application()];
    layout_with_history(directory, "amd64", &json!({}), &layers, &history)
}

fn alpine(release: &str) -> Vec<u8> {
    let installed = "C:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaaa=\nP:zlib\nV:1.3.1-r1\nA:x86_64\no:zlib\nF:lib\nR:libz.so.1\n\n";
    Tar::default()
        .file("etc/os-release", 0o644, release.as_bytes())
        .file("lib/apk/db/installed", 0o644, installed.as_bytes())
        .file("lib/libz.so.1", 0o644, b"\x7fELF z")
        .finish()
}

/// The same nginx on Alpine, up to date.
fn web_on_alpine(directory: &Path) -> String {
    let release = "ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n";
    layout(directory, &json!({}), &[alpine(release), application()])
}

fn scan(scratch: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = plimsoll(scratch, &[&["scan", "--json"], arguments].concat());
    let report = serde_json::from_slice(&output.stdout);
    (
        output.status.code(),
        report.unwrap_or_else(|_| panic!("{arguments:?}: {}", text(&output))),
    )
}

/// Identifiers and installed packages, sorted.
fn rows(scan: &Value) -> Vec<String> {
    let rows = scan["vulnerabilities"].as_array().unwrap().iter();
    let mut rows: Vec<String> = rows
        .map(|it| {
            format!(
                "{} {}",
                it["id"].as_str().unwrap(),
                it["package"]["name"].as_str().unwrap()
            )
        })
        .collect();
    rows.sort();
    rows
}

/// What is said, however it is broken into lines.
fn flat(output: &Output) -> String {
    let said = text(output);
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Ends with 3, says all of these words, and never that nothing is known.
fn not_judged(output: &Output, words: &[&str]) {
    let said = flat(output);
    assert_eq!(output.status.code(), Some(3), "{}", text(output));
    for word in words.iter().chain(&["Not judged"]) {
        assert!(said.contains(word), "`{word}` is not in\n{said}");
    }
    assert!(!said.contains("none known"), "{said}");
}

#[test]
fn each_flaw_is_counted_once_for_its_source_with_what_can_be_done_and_where_it_came_from() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let image = web(&scratch.join("web"));
    let (code, report) = scan(scratch, &[&image]);
    assert_eq!(code, Some(0), "{report}");
    let scan = &report["scans"][0];
    assert_eq!(
        rows(scan),
        [
            "CVE-2026-1001 zlib-tools",
            "CVE-2026-1001 zlib1g",
            "CVE-2026-1002 zlib-tools",
            "CVE-2026-1002 zlib1g",
            "CVE-2026-1003 zlib-tools",
            "CVE-2026-1003 zlib1g",
            "CVE-2026-1100 nginx",
        ]
    );
    assert_eq!((&scan["packages"], &scan["judged"]), (&json!(4), &json!(4)));
    let counts = &scan["counts"];
    for (key, number) in [
        ("by_package", 7),
        ("by_source", 4),
        ("distinct", 4),
        ("fixable", 2),
        ("unfixed", 1),
        ("unimportant", 1),
        ("exploited", 1),
    ] {
        assert_eq!(counts[key], number, "{key}: {counts}");
    }
    assert_eq!(scan["parts"]["base"]["by_source"], 3, "{scan}");
    assert_eq!(scan["parts"]["application"]["by_source"], 1, "{scan}");
    let worst = &scan["vulnerabilities"][0];
    assert_eq!(
        worst["id"], "CVE-2026-1001",
        "what is exploited comes first"
    );
    assert_eq!(worst["fixed"], json!(["1:1.3-1"]));
    assert_eq!(worst["severity_by"], "vendor");
    assert_eq!(
        worst["exploited"],
        json!({"since": "2026-01-02", "ransomware": true})
    );
    assert_eq!(worst["epss"], 0.5);
    let own = &scan["vulnerabilities"].as_array().unwrap().iter();
    let own = own.clone().find(|it| it["id"] == "CVE-2026-1100").unwrap();
    assert_eq!(own["severity"], "critical");
    assert_eq!(own["severity_by"], "cvss");
    assert_eq!(own["package"]["layer"], 1);
    assert_eq!(own["package"]["path"], "/usr/local/sbin/nginx");
    assert!(scan["matching_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(scan["data"][0]["age_days"], 1);

    // The line is drawn where the user says; what the vendor calls unimportant is never over it.
    for (line, code) in [("critical", 1), ("high", 1), ("low", 1)] {
        let output = plimsoll(scratch, &["scan", &image, "--fail-on", line]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{line}: {}",
            text(&output)
        );
    }
    let output = plimsoll(scratch, &["scan", &image]);
    let said = flat(&output);
    for words in [
        ": 4 (2 fixable, 1 unfixed, 1 unimportant to the vendor), 7 by installed package",
        "CVE-2026-1001 zlib 1:1.2 high, EXPLOITED, EPSS 50 % upgrade to 1:1.3-1",
        "also lists flaws without a fix (1)",
        "nginx 1.28.0 was built from source",
    ] {
        assert!(said.contains(words), "`{words}` is not in\n{said}");
    }
}

#[test]
fn every_format_has_every_flaw_and_the_image_it_is_in() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let image = web(&scratch.join("web"));
    for format in [
        "text", "markdown", "sarif", "github", "junit", "openvex", "json",
    ] {
        let arguments = ["scan", &image, "--format", format, "--fail-on", "high"];
        let output = plimsoll(scratch, &arguments);
        assert_eq!(output.status.code(), Some(1), "{format}: {}", text(&output));
        let written = String::from_utf8(output.stdout).unwrap();
        for id in [
            "CVE-2026-1001",
            "CVE-2026-1002",
            "CVE-2026-1003",
            "CVE-2026-1100",
        ] {
            assert!(written.contains(id), "{format}: {id} is not in\n{written}");
        }
        assert!(!written.contains("CVE-2026-1004"), "{format}\n{written}");
        assert!(
            !written.contains("<b>header") || !matches!(format, "markdown" | "junit"),
            "{written}"
        );
    }
    let output = plimsoll(scratch, &["scan", &image, "--format", "sarif"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4, "one for each flaw of a source: {sarif}");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        let location = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert!(
            location.as_str().is_some_and(|uri| !uri.is_empty()),
            "{result}"
        );
    }
    let prints: std::collections::BTreeSet<&str> = results
        .iter()
        .map(|result| {
            result["partialFingerprints"]["plimsoll/v1"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(prints.len(), 4, "{prints:?}");
    assert!(
        run["automationDetails"]["id"].as_str().unwrap().len() > "plimsoll/scan/".len(),
        "{run}"
    );
}

#[test]
fn what_cannot_be_judged_is_said_and_is_no_zero() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = web(&scratch.join("web"));
    let scan = |image: &str, more: &[&str]| plimsoll(scratch, &[&["scan", image], more].concat());

    // Nothing was ever fetched.
    let output = scan(&image, &[]);
    not_judged(
        &output,
        &[
            "cannot be judged",
            "there are no data about debian:12; 3 packages not judged: curl 8.0-1",
            "there are no data about bitnami; 1 package not judged: nginx 1.28.0",
            "plimsoll db update",
        ],
    );
    // Old data: what is found is said, and that it may not be all; the limit is the user's.
    known(scratch, 30);
    let output = scan(&image, &["--fail-on", "critical", "--ignore", "/dev/null"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let output = scan(&image, &[]);
    not_judged(
        &output,
        &["debian:12 are 30 days old", "more than the limit of 7"],
    );
    let output = scan(&image, &["--max-age", "60"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));

    known(scratch, 0);
    // A distribution nobody has data about, a release nobody knows yet, none at all.
    let with = |name: &str, release: &str| {
        layout(&scratch.join(name), &json!({}), &[debian(release).finish()])
    };
    for (name, release, words) in [
        (
            "other",
            "ID=void\nVERSION_ID=1\n",
            "there are no data about void:1; 3 packages",
        ),
        (
            "later",
            "ID=debian\nVERSION_ID=99\n",
            "there are no data about debian:99",
        ),
        ("nameless", "PRETTY_NAME=x\n", "os-release has no ID"),
        ("unreleased", "ID=ubuntu\n", "names no release of ubuntu"),
    ] {
        not_judged(&scan(&with(name, release), &[]), &[words]);
    }
    let release = "ID=alpine\nVERSION_ID=3.99.0\n";
    let newer = layout(&scratch.join("newer"), &json!({}), &[alpine(release)]);
    not_judged(&scan(&newer, &[]), &["there are no data about alpine:3.99"]);
    let homeless = with("homeless", "");
    not_judged(&scan(&homeless, &[]), &["it has no os-release"]);
    // Whoever knows may say it.
    let output = scan(&homeless, &["--distro", "debian:12"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("CVE-2026-1001"), "{}", text(&output));
    // Nothing is installed that anybody could know something about.
    let layer = Tar::default().file("hello", 0o755, b"\x7fELF").finish();
    let empty = layout(&scratch.join("empty"), &json!({}), &[layer]);
    not_judged(&scan(&empty, &[]), &["no package is known in it"]);

    // Damaged data are no data.
    let slice = scratch.join("cache/advisories/debian@12.slice");
    let mut bytes = fs::read(&slice).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&slice, &bytes).unwrap();
    not_judged(
        &scan(&image, &[]),
        &["the data about debian:12 cannot be read: "],
    );
    fs::write(&slice, &bytes[..last / 2]).unwrap();
    not_judged(
        &scan(&image, &[]),
        &["the data about debian:12 cannot be read: "],
    );
    let kev = scratch.join("cache/advisories/kev.slice");
    fs::write(&kev, b"nonsense").unwrap();
    not_judged(&scan(&image, &[]), &["the marks of kev cannot be read"]);
}

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
        "the feed of alpine:3.20 lists only what has been fixed",
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
    fs::remove_file(scratch.join("cache/advisories/alpine@3.20.slice")).unwrap();
    let output = plimsoll(scratch, &["scan", &image, "--against", &other]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("? (0 found)"), "{}", text(&output));
}

#[test]
fn a_document_stands_for_an_image() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let image = web(&scratch.join("web"));
    let (_, report) = scan(scratch, &[&image]);
    let expected = rows(&report["scans"][0]);
    for format in ["cyclonedx", "spdx"] {
        let output = plimsoll(scratch, &["sbom", &image, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let file = format!("{format}.json");
        fs::write(scratch.join(&file), &output.stdout).unwrap();
        let (code, report) = scan(scratch, &[&file]);
        assert_eq!(code, Some(0), "{format}: {report}");
        let found = &report["scans"][0];
        assert_eq!(rows(found), expected, "{format}");
        assert_eq!(found["counts"]["by_source"], 4, "{format}: {found}");
        // And in place of either of two.
        let (code, _) = scan(scratch, &[&image, "--against", &file]);
        assert_eq!(code, Some(0), "{format}");
    }
    // A list as `dpkg-query -W` prints it; its distribution is told by a package that every Debian has.
    let list = "base-files\t12.4+deb12u5\nzlib\t1:1.2-1\n";
    fs::write(scratch.join("packages.txt"), list).unwrap();
    let (code, report) = scan(scratch, &["packages.txt"]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["scans"][0]["counts"]["by_source"], 3, "{report}");
    let output = plimsoll(scratch, &["sbom", "packages.txt", "--format", "json"]);
    assert!(text(&output).contains("\"zlib\""), "{}", text(&output));
    // Components that need each other in a ring: a problem by name, and the rest is judged.
    let ring = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
        {"type": "operating-system", "name": "debian", "version": "12"},
        {"type": "library", "bom-ref": "a", "name": "zlib", "version": "1:1.2-1", "purl": "pkg:deb/debian/zlib@1%3A1.2-1"},
        {"type": "library", "bom-ref": "b", "name": "curl", "version": "8.0-1", "purl": "pkg:deb/debian/curl@8.0-1"}],
        "dependencies": [{"ref": "a", "dependsOn": ["b"]}, {"ref": "b", "dependsOn": ["a"]}]});
    fs::write(scratch.join("ring.json"), ring.to_string()).unwrap();
    let output = plimsoll(scratch, &["scan", "ring.json"]);
    not_judged(&output, &["in a ring: a -> b -> a", "CVE-2026-1001"]);
    // No document at all.
    fs::write(
        scratch.join("broken.json"),
        "{\"bomFormat\": \"CycloneDX\",",
    )
    .unwrap();
    let output = plimsoll(scratch, &["scan", "broken.json"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("broken.json: it is no JSON"),
        "{}",
        text(&output)
    );
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
fn a_package_whose_files_are_gone_is_said_to_be() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let gone = Tar::default()
        .file("usr/lib/zlib1g/.wh.data", 0o644, b"")
        .finish();
    let layers = [debian("ID=debian\nVERSION_ID=12\n").finish(), gone];
    let image = layout(&scratch.join("image"), &json!({}), &layers);
    let (code, report) = scan(scratch, &[&image]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["scans"][0]["phantoms"], json!(["zlib1g 1:1.2-1"]));
    let found = rows(&report["scans"][0]);
    assert!(
        found.contains(&"CVE-2026-1001 zlib1g".to_owned()),
        "{found:?}"
    );
    let output = plimsoll(scratch, &["scan", &image]);
    let said = flat(&output);
    assert!(
        said.contains("no file is left of 1 package in its database (zlib1g"),
        "{said}"
    );
}
