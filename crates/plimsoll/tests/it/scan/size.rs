//! What is known takes little room: all of it at most 20 MB, one release of a distribution at most 2 MB.
//!
//! All of it is some 330,000 advisories: six releases of Debian's kind of 48,000 each, and 40,000 of
//! languages. Twenty megabytes are 60 bytes for each of these.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::images::{plimsoll, text};

/// Bytes of everything, of one scope, and of one advisory.
const ALL: u64 = 20_000_000;
const ONE: u64 = 2_000_000;
const EACH: u64 = 60;

/// Compiles a feed into `slices` of `scratch`; answers each scope with its advisories and its bytes.
fn built(scratch: &Path, feed: &Path, more: &[&str]) -> Vec<(String, u64, u64)> {
    let feed = feed.to_str().unwrap();
    let fixed = ["db", "build", "-o", "slices", "--from", feed];
    let output = plimsoll(scratch, &[&fixed, more].concat());
    // A feed with rows that say nothing is incomplete, and its data are written all the same.
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{}",
        text(&output)
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows = said.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (scope, count) = (words.next()?, words.next()?.parse().ok()?);
        let slice = format!("slices/{}.slice", scope.replace(':', "@"));
        let bytes = fs::metadata(scratch.join(slice)).ok()?.len();
        Some((scope.to_owned(), count, bytes))
    });
    rows.collect()
}

fn fits(rows: &[(String, u64, u64)]) {
    assert!(!rows.is_empty());
    for (scope, count, bytes) in rows {
        assert!(*bytes <= ONE, "{scope}: {bytes} bytes");
        // What every slice has beside its advisories.
        let own = bytes.saturating_sub(1000);
        assert!(
            own <= EACH * count,
            "{scope}: {bytes} bytes for {count} advisories"
        );
    }
    let all: u64 = rows.iter().map(|(_, _, bytes)| bytes).sum();
    assert!(all <= ALL, "{all} bytes");
    let count: u64 = rows.iter().map(|(_, count, _)| count).sum();
    eprintln!("{} scopes, {count} advisories: {all} bytes", rows.len());
}

/// Words that nothing compresses to nothing.
fn words(seed: &mut u64, count: usize) -> String {
    let mut word = || {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut rest = (*seed >> 40) % 6_000;
        let mut word = String::new();
        while word.is_empty() || rest > 0 {
            word.push_str(["ba", "ke", "li", "mo", "nu", "ra", "se", "to"][(rest % 8) as usize]);
            rest /= 8;
        }
        word
    };
    (0..count).map(|_| word()).collect::<Vec<_>>().join(" ")
}

#[test]
fn advisories_of_a_language_take_little_room() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    fs::create_dir(scratch.join("osv")).unwrap();
    let mut seed = 7;
    for number in 0..3000 {
        let id = format!("GHSA-{}", words(&mut seed, 3).replace(' ', "-"));
        let advisory = json!({
            "schema_version": "1.6.0", "id": format!("{id}-{number}"),
            "modified": "2026-11-01T00:00:00Z",
            "aliases": [format!("CVE-20{}-{}", 15 + number % 12, 1000 + (seed >> 30) % 50_000)],
            "summary": words(&mut seed, 10), "details": words(&mut seed, 80),
            "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:L/A:N" }],
            "affected": [{
                "package": { "ecosystem": "PyPI", "name": words(&mut seed, 2).replace(' ', "-") },
                "ranges": [{ "type": "ECOSYSTEM", "events": [
                    { "introduced": "0" },
                    { "fixed": format!("{}.{}.{number}", seed % 9, (seed >> 20) % 30) },
                ] }],
            }],
        });
        fs::write(
            scratch.join(format!("osv/{number}.json")),
            advisory.to_string(),
        )
        .unwrap();
    }
    let rows = built(scratch, Path::new("osv"), &[]);
    assert_eq!((&*rows[0].0, rows[0].1), ("pypi", 3000));
    fits(&rows);
}

#[test]
fn the_published_data_take_little_room() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/vuln");
    let Ok(data) = data.canonicalize() else {
        eprintln!("skipped: no published data beside this checkout");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut rows = Vec::new();
    for (feed, more) in [
        (
            "debian10-2021q1.jsonl",
            &["--scope", "debian:10", "--date", "2021-03-01"][..],
        ),
        ("alpine-secdb-v3.3-v3.11.jsonl", &["--date", "2020-06-01"]),
        ("bitnami-vulndb-2026-08.jsonl.gz", &["--scope", "bitnami"]),
        ("kev-2025-08-25.tsv", &["--date", "2025-08-25"]),
    ] {
        rows.extend(built(scratch.path(), &data.join(feed), more));
    }
    assert_eq!(rows.len(), 12, "{rows:?}");
    fits(&rows);
    // Languages' data of OSV, where they lie there too.
    for feed in ["osv/PyPI.zip", "osv/npm.zip"].map(|name| data.join(name)) {
        match feed.exists() {
            true => fits(&built(scratch.path(), &feed, &[])),
            false => eprintln!("skipped: there is no {}", feed.display()),
        }
    }
}
