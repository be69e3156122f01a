//! Every feed is read from a small sample, and refused when it is cut, deep, or of other types.

use std::fmt::Write as _;
use std::io::Write as _;

use super::*;
use crate::advisory::{PackageKind, Range, Until};
use crate::{Advisory, Cve, Marks, Origin, Scope, Slice, Texts};

mod samples;

/// What a compiler made of some files, one line an advisory.
fn compile(
    files: &[(&str, &[u8])],
    scope: Option<&str>,
) -> Result<(Vec<String>, Vec<String>), FeedError> {
    let compiled = compiled(files, scope)?;
    let mut lines = Vec::new();
    for (scope, file) in &compiled.slices {
        match Slice::read(file, Texts::Read) {
            Ok(slice) => {
                let rows = slice.all().map(|row| line(scope, &row.unwrap()));
                lines.extend(rows);
            }
            Err(_) => drop(Marks::read(file).unwrap()),
        }
    }
    Ok((lines, compiled.problems))
}

fn compiled(files: &[(&str, &[u8])], scope: Option<&str>) -> Result<Compiled, FeedError> {
    let mut compiler = Compiler::default();
    let origin = Origin {
        from: "the test".to_owned(),
        ..Origin::default()
    };
    compiler.begin(origin, scope.and_then(Scope::parse));
    for (name, bytes) in files {
        compiler.file(name, bytes)?;
    }
    compiler.end()?;
    Ok(compiler.finish())
}

fn line(scope: &Scope, advisory: &Advisory<'_>) -> String {
    let mut line = format!("{scope} {} {}", advisory.package, advisory.id);
    for alias in &advisory.aliases {
        let _ = write!(line, "={alias}");
    }
    let _ = write!(line, " {}", advisory.status.name());
    for range in &advisory.ranges {
        let _ = write!(line, " {}", shown(range));
    }
    for version in &advisory.versions {
        let _ = write!(line, " ={version}");
    }
    if let Some(severity) = advisory.severity {
        let _ = write!(line, " {severity}");
    }
    if advisory.kind == PackageKind::Binary {
        line.push_str(" binary");
    }
    line
}

fn shown(range: &Range<'_>) -> String {
    let from = range.introduced.unwrap_or_default();
    match range.until {
        Until::Fixed(version) => format!("{from}..<{version}"),
        Until::Last(version) => format!("{from}..{version}"),
        Until::Open => format!("{from}.."),
    }
}

#[test]
fn the_table_is_sound() {
    for pair in FEEDS.windows(2) {
        assert!(pair[0].id < pair[1].id, "{} {}", pair[0].id, pair[1].id);
    }
    for feed in FEEDS {
        assert!(
            feed.page
                .lines()
                .all(|line| line.is_empty() || line.starts_with(' ')),
            "{}",
            feed.id
        );
    }
}

#[test]
fn every_sample_is_recognised_by_its_row_alone() {
    for sample in samples::ALL {
        let document = Document {
            name: sample.name,
            bytes: sample.text.as_bytes(),
        };
        let known: Vec<_> = FEEDS
            .iter()
            .filter(|feed| (feed.recognise)(&document))
            .map(|feed| feed.id)
            .collect();
        assert_eq!(known, [sample.feed], "{}", sample.name);
    }
    // And every row has a sample.
    for feed in FEEDS {
        assert!(
            samples::ALL.iter().any(|sample| sample.feed == feed.id),
            "{}",
            feed.id
        );
    }
}

#[test]
fn samples_say_what_is_written_beside_them() {
    for sample in samples::ALL {
        let (lines, problems) = compile(&[(sample.name, sample.text.as_bytes())], None).unwrap();
        let expected: Vec<&str> = sample
            .lines
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(lines, expected, "{}", sample.name);
        assert_eq!(problems, [""; 0], "{}", sample.name);
    }
}

#[test]
fn a_sample_cut_anywhere_is_refused_by_name() {
    for sample in samples::ALL {
        let text = sample.text.as_bytes();
        for end in 0..text.len() - 1 {
            // What is whole at the end of a line nobody can tell: sums and lengths are for that.
            let by_lines = matches!(sample.feed, "exchange" | "epss" | "kev" | "alpine");
            if by_lines && (end == 0 || text[end - 1] == b'\n')
                || text[end..].trim_ascii().is_empty()
            {
                continue;
            }
            // A YAML value may end anywhere.
            if sample.name.ends_with(".yaml") {
                continue;
            }
            let error = compile(&[(sample.name, &text[..end])], None).map(|(lines, _)| lines);
            let error =
                error.expect_err(&format!("{} cut at {end} of {}", sample.name, text.len()));
            assert_eq!(error.document, sample.name);
        }
    }
}

#[test]
fn nonsense_is_refused_and_never_an_empty_slice() {
    for (name, text) in [
        ("nothing.json", ""),
        ("empty.json", "{}"),
        ("list.json", "[]"),
        ("page.html", "<html>429 Too Many Requests</html>"),
        (
            "types.json",
            r#"{"zlib": {"CVE-2024-1": {"releases": {"bookworm": 5}, "urgency": 1}}}"#,
        ),
        (
            "types.json",
            r#"{"packages": [{"pkg": {"name": 5, "secfixes": {"1": ["CVE-2024-1"]}}}], "distroversion": "v3.20"}"#,
        ),
        (
            "nobody.json",
            r#"{"packages": [{"pkg": {"name": "a", "secfixes": {"1": ["CVE-2024-1"]}}}]}"#,
        ),
        (
            "none.json",
            r#"{"packages": [], "distroversion": "v3.20", "secfixes": null}"#,
        ),
        (
            "osv.json",
            r#"{"id": 7, "affected": [{"package": {"name": "a", "ecosystem": "npm"}}]}"#,
        ),
        (
            "rows.jsonl",
            "{\"id\": \"CVE-2024-1\", \"package\": \"a\"}\n",
        ),
        (
            "rows.jsonl",
            "{\"scope\": \"../x\", \"id\": \"CVE-2024-1\", \"package\": \"a\"}\n",
        ),
        (
            "rows.jsonl",
            "{\"scope\": \"a\", \"id\": \"CVE-2024-1\", \"package\": \"a\", \"status\": \"fine\"}\n",
        ),
        (
            "kev.csv",
            "cveID,dateAdded,knownRansomwareCampaignUse\nCVE-2024-1,soon,Known\n",
        ),
        ("epss.csv", "cve,epss,percentile\nCVE-2024-1,7,0.1\n"),
        ("epss.csv", "cve,epss,percentile\nCVE-2024-1,0.1\n"),
        (
            "secdb.yaml",
            "distroversion: v3.10\npackages: &a [*a, *a]\nsecfixes: {}\n",
        ),
    ] {
        let error = compile(&[(name, text.as_bytes())], None).map(|(lines, _)| lines);
        let error = error.expect_err(&format!("{name}: {text}"));
        assert!(!error.why.is_empty() && !error.document.is_empty());
    }
}

#[test]
fn depth_without_end_is_refused() {
    let open = "{\"releases\":{\"urgency\":".repeat(20_000);
    for text in [
        open.clone(),
        format!(
            "{{\"id\": \"a\", \"affected\": [], \"package\": {}",
            "[".repeat(100_000)
        ),
        format!("{{\"packages\": {}\"secfixes\"", "[".repeat(100_000)),
        format!(
            "{{\"matches\": {}\"vulnerability\"\"artifact\"",
            "[".repeat(100_000)
        ),
    ] {
        assert!(compile(&[("deep.json", text.as_bytes())], None).is_err());
    }
    let yaml = format!("distroversion: v3.10\npackages: {}", "[".repeat(100_000));
    assert!(
        compile(
            &[("secfixes/deep.yaml", format!("{yaml} secfixes").as_bytes())],
            None
        )
        .is_err()
    );
}

/// A zip of these entries.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    use rawzip::{CompressionMethod, ZipArchiveWriter};
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for (name, text) in entries {
        let (mut entry, config) = archive
            .new_file(name)
            .compression_method(CompressionMethod::DEFLATE)
            .start()
            .unwrap();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::best());
        let mut writer = config.wrap(encoder);
        writer.write_all(text).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn osv(id: &str) -> String {
    format!(
        r#"{{"id": "{id}", "modified": "2026-01-02T00:00:00Z", "affected": [{{"package": {{"ecosystem": "npm", "name": "left"}}, "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}, {{"fixed": "1.2"}}]}}]}}]}}"#
    )
}

#[test]
fn archives_are_opened_and_a_bad_entry_is_a_problem_of_its_own() {
    let (first, second) = (osv("GHSA-a-1"), osv("GHSA-a-2"));
    let archive = zip(&[
        ("a/GHSA-a-1.json", first.as_bytes()),
        ("a/broken.json", &first.as_bytes()[..60]),
        ("a/GHSA-a-2.json", second.as_bytes()),
        ("a/README.md", b"read me"),
    ]);
    let (lines, problems) = compile(&[("all.zip", &archive)], None).unwrap();
    assert_eq!(
        lines,
        [
            "npm left GHSA-a-1 fixed ..<1.2 binary",
            "npm left GHSA-a-2 fixed ..<1.2 binary"
        ]
    );
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].starts_with("a/broken.json: is "),
        "{problems:?}"
    );
    let (lines, _) = compile(&[("one.json.gz", &gzip(first.as_bytes()))], None).unwrap();
    assert_eq!(lines.len(), 1);
    let packed = zstd::bulk::compress(first.as_bytes(), 1).unwrap();
    assert_eq!(
        compile(&[("one.json.zst", &packed)], None).unwrap().0.len(),
        1
    );
}

#[test]
fn an_archive_that_was_cut_or_changed_is_refused() {
    let text = osv("GHSA-a-1");
    let archive = zip(&[("a.json", text.as_bytes()), ("b.json", text.as_bytes())]);
    for end in 0..archive.len() {
        assert!(
            compile(&[("all.zip", &archive[..end])], None).is_err(),
            "{end}"
        );
    }
    let packed = gzip(text.as_bytes());
    for end in 0..packed.len() {
        assert!(
            compile(&[("a.json.gz", &packed[..end])], None).is_err(),
            "{end}"
        );
    }
    // A byte of the packed data: the sum no longer fits.
    let mut changed = archive.clone();
    changed[60] ^= 0x40;
    assert!(compile(&[("all.zip", &changed)], None).is_err());
}

#[test]
fn what_is_made_to_fill_the_memory_is_refused() {
    let nothing = vec![b' '; 65 << 20];
    let error = compile(&[("bomb.json.gz", &gzip(&nothing))], None).unwrap_err();
    assert!(error.why.contains("unpacks to more than"), "{error}");
    let error = compile(&[("bomb.zip", &zip(&[("a.json", &nothing)]))], None).unwrap_err();
    assert!(error.why.contains("unpacks to more than"), "{error}");
}

#[test]
fn marks_are_kept_beside_the_slices() {
    for text in [samples::KEV_JSON, samples::KEV_CSV, samples::KEV_TABLE] {
        let compiled = compiled(&[("kev", text.as_bytes())], None).unwrap();
        let (scope, file) = &compiled.slices[0];
        assert_eq!(scope.to_string(), "kev");
        let marks = Marks::read(file).unwrap();
        let kev = marks.kev(Cve::parse("CVE-2021-44228").unwrap()).unwrap();
        assert_eq!(
            (kev.added.to_string().as_str(), kev.ransomware),
            ("2021-12-10", true)
        );
        assert_eq!(marks.meta().rows, 2);
        assert_eq!(marks.meta().origins[0].feed, "kev");
        assert!(
            marks.meta().origins[0].date.starts_with("2025-08-25"),
            "{:?}",
            marks.meta()
        );
    }
    let compiled = compiled(&[("epss.csv", samples::EPSS.as_bytes())], None).unwrap();
    let marks = Marks::read(&compiled.slices[0].1).unwrap();
    let epss = marks.epss(Cve::parse("CVE-2021-44228").unwrap()).unwrap();
    assert!((epss.score - 0.94358).abs() < 1e-5 && (epss.percentile - 0.99956).abs() < 1e-5);
    assert_eq!(marks.meta().origins[0].date, "2026-08-21T12:00:00Z");
}

#[test]
fn only_what_is_wanted_is_kept() {
    let mut compiler = Compiler::new(Scope::parse("debian:12"));
    compiler.begin(Origin::default(), None);
    compiler
        .file("debian.json", samples::DEBIAN.as_bytes())
        .unwrap();
    compiler.end().unwrap();
    let scopes: Vec<_> = compiler
        .finish()
        .slices
        .iter()
        .map(|(scope, _)| scope.to_string())
        .collect();
    assert_eq!(scopes, ["debian:12"]);
}

#[test]
fn an_origin_says_where_its_rows_came_from() {
    let compiled = compiled(&[("debian.json", samples::DEBIAN.as_bytes())], None).unwrap();
    let slice = Slice::read(&compiled.slices[0].1, Texts::Skip).unwrap();
    let origin = &slice.meta().origins[0];
    assert_eq!((&*origin.feed, &*origin.from), ("debian", "the test"));
    assert!(origin.lists_unfixed && origin.digest.starts_with("sha256:"));
    assert_eq!(origin.rows, slice.meta().rows);
}

/// The lists of the Debian tracker need each other.
#[test]
fn debians_lists_are_joined() {
    let list = |id: &str, annotations: &str| {
        format!(
            r#"{{"Header": {{"ID": "{id}", "Description": "(a flaw  ...)"}}, "Annotations": [{annotations}]}}"#
        )
    };
    let word = |release: &str, kind: &str, version: &str| {
        format!(
            r#"{{"Type": "package", "Release": "{release}", "Package": "curl", "Kind": "{kind}", "Version": "{version}"}}"#
        )
    };
    let source = |version: &str| format!(r#"{{"Package": ["curl"], "Version": ["{version}"]}}"#);
    let fixed = list("CVE-2024-1", &word("", "fixed", "8.0-1"));
    let nodsa = list(
        "CVE-2024-2",
        &[word("", "fixed", "8.0-1"), word("bookworm", "no-dsa", "")].join(","),
    );
    let announced = list("CVE-2024-3", &word("", "unfixed", ""));
    let dsa = list(
        "DSA-1-1",
        &[
            r#"{"Type": "xref", "Bugs": ["CVE-2024-3"]}"#.to_owned(),
            word("bookworm", "fixed", "7.88.1-10+deb12u5"),
        ]
        .join(","),
    );
    let (old, new) = (source("7.88.1-10"), source("8.14.1-2"));
    let files: Vec<(&str, &[u8])> = vec![
        ("tracker/CVE/2024/CVE-2024-1.json", fixed.as_bytes()),
        ("tracker/CVE/2024/CVE-2024-2.json", nodsa.as_bytes()),
        ("tracker/CVE/2024/CVE-2024-3.json", announced.as_bytes()),
        ("tracker/DSA/DSA-1-1.json", dsa.as_bytes()),
        ("tracker/source/bookworm/main/c/curl.json", old.as_bytes()),
        ("tracker/source/trixie/main/c/curl.json", new.as_bytes()),
        (
            "tracker/source/buster/main/z/zlib.json",
            br#"{"Package": ["zlib"], "Version": ["1"]}"#,
        ),
    ];
    let (lines, problems) = compile(&files, None).unwrap();
    assert_eq!(problems, [""; 0]);
    let of = |scope: &str| -> Vec<&str> {
        lines
            .iter()
            .filter_map(|line| line.strip_prefix(scope))
            .map(str::trim)
            .collect()
    };
    assert_eq!(
        of("debian:12 "),
        [
            "curl CVE-2024-1 affected ..",
            "curl CVE-2024-2 ignored ..",
            "curl CVE-2024-3 fixed ..<7.88.1-10+deb12u5",
        ]
    );
    assert_eq!(
        of("debian:13 "),
        [
            "curl CVE-2024-1 fixed ..<8.0-1",
            "curl CVE-2024-2 fixed ..<8.0-1",
            "curl CVE-2024-3 affected ..",
        ]
    );
    assert_eq!(of("debian:10 "), [""; 0], "a release that does not have it");
}
