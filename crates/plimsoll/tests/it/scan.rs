//! `scan` from end to end: what is counted, in every format; exit codes; and that nothing is called 0 that
//! could not be judged.

mod accepted;
mod beside;
mod counts;
mod documents;
mod ended;
mod formats;
mod pages;
mod policy;
mod quiet;
mod severities;
mod size;
mod unjudged;

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
{{"scope": "alpine:3.77", "date": "{date}", "lists_unfixed": false}}
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
    let release = "ID=alpine\nVERSION_ID=3.77.3\nPRETTY_NAME=\"Alpine Linux v3.77\"\n";
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
