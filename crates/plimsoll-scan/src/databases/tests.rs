//! Small databases made here, in the layouts of the real ones.

use std::fs;

use crate::feeds::{Compiled, Compiler, FeedError};
use crate::{Origin, Slice, Texts};

use super::bolt;

fn compile(path: &std::path::Path) -> Result<Compiled, FeedError> {
    assert!(super::is_database(path));
    let mut compiler = Compiler::default();
    compiler.begin(Origin::default(), None);
    compiler.database(path)?;
    compiler.end()?;
    Ok(compiler.finish())
}

/// Scope, package, identifier, status and ranges of every row.
fn lines(compiled: &Compiled) -> Vec<String> {
    let mut lines = Vec::new();
    for (scope, file) in &compiled.slices {
        let slice = Slice::read(file, Texts::Read).unwrap();
        for row in slice.all().map(Result::unwrap) {
            let ranges: Vec<_> = row
                .ranges
                .iter()
                .map(|range| format!("{}{:?}", range.introduced.unwrap_or("0"), range.until))
                .collect();
            let severity = row.severity.map_or("-", |severity| severity.name());
            let (package, id, status) = (row.package, row.id, row.status.name());
            lines.push(format!(
                "{scope} {package} {id} {status} {severity} {}",
                ranges.join(" ")
            ));
        }
    }
    lines
}

/// A bbolt file, written by hand: pages of 4096 bytes.
#[derive(Default)]
struct Writer {
    pages: Vec<Vec<u8>>,
}

const PAGE: usize = 4096;

impl Writer {
    /// A page of elements: flags, key, value.
    fn leaf(number: u64, elements: &[(u32, &[u8], Vec<u8>)]) -> Vec<u8> {
        let mut page = header(number, 2, elements.len() as u16, 0);
        let mut data = Vec::new();
        for (index, (flags, key, value)) in elements.iter().enumerate() {
            let at = 16 + index * 16;
            let start = 16 + elements.len() * 16 + data.len();
            for number in [
                *flags,
                (start - at) as u32,
                key.len() as u32,
                value.len() as u32,
            ] {
                page.extend(number.to_le_bytes());
            }
            data.extend_from_slice(key);
            data.extend_from_slice(value);
        }
        page.extend(data);
        page
    }

    /// Adds a leaf page, running over several if it must; gives its number.
    fn add(&mut self, elements: &[(u32, &[u8], Vec<u8>)]) -> u64 {
        let number = self.pages.len() as u64 + 2;
        let mut page = Self::leaf(number, elements);
        let more = page.len().div_ceil(PAGE) - 1;
        page[12..16].copy_from_slice(&(more as u32).to_le_bytes());
        page.resize((more + 1) * PAGE, 0);
        self.pages.extend(page.chunks(PAGE).map(<[u8]>::to_vec));
        number
    }

    fn branch(&mut self, children: &[(&[u8], u64)]) -> u64 {
        let number = self.pages.len() as u64 + 2;
        let mut page = header(number, 1, children.len() as u16, 0);
        let mut keys = Vec::new();
        for (index, (key, child)) in children.iter().enumerate() {
            let start = (children.len() - index) * 16 + keys.len();
            page.extend((start as u32).to_le_bytes());
            page.extend((key.len() as u32).to_le_bytes());
            page.extend(child.to_le_bytes());
            keys.extend_from_slice(key);
        }
        page.extend(keys);
        page.resize(PAGE, 0);
        self.pages.push(page);
        number
    }

    fn finish(self, root: u64) -> Vec<u8> {
        let meta = |number: u64| {
            let mut meta = Vec::new();
            for value in [bolt::MAGIC, 2, PAGE as u32, 0] {
                meta.extend(value.to_le_bytes());
            }
            for value in [root, 0, 0, 9, number] {
                meta.extend(value.to_le_bytes());
            }
            meta.extend(bolt::fnv(&meta).to_le_bytes());
            let mut page = header(number, 4, 0, 0);
            page.extend(meta);
            page.resize(PAGE, 0);
            page
        };
        let mut file = [meta(0), meta(1)].concat();
        file.extend(self.pages.concat());
        file
    }
}

fn header(number: u64, flags: u16, count: u16, overflow: u32) -> Vec<u8> {
    let mut page = number.to_le_bytes().to_vec();
    page.extend(flags.to_le_bytes());
    page.extend(count.to_le_bytes());
    page.extend(overflow.to_le_bytes());
    page
}

/// The value of a bucket that lies in a page, and of one that lies in its value.
fn paged(number: u64) -> Vec<u8> {
    [number.to_le_bytes(), 0_u64.to_le_bytes()].concat()
}

fn inline(elements: &[(u32, &[u8], Vec<u8>)]) -> Vec<u8> {
    let mut value = paged(0);
    value.extend(Writer::leaf(0, elements));
    value
}

fn trivy() -> Vec<u8> {
    let mut writer = Writer::default();
    let json = |text: &str| text.as_bytes().to_vec();
    let curl = inline(&[
        (0, b"CVE-2024-1", json(r#"{"FixedVersion": "7.88.1-10"}"#)),
        (0, b"CVE-2024-2", json(r#"{"Status": 5, "Severity": 1}"#)),
        (
            0,
            b"CVE-2024-3",
            json(r#"{"Status": 1, "FixedVersion": null}"#.replace("null", "\"\"").as_str()),
        ),
    ]);
    let debian = writer.add(&[(1, b"curl", curl)]);
    let flask = inline(&[(
        0,
        b"CVE-2024-9",
        json(
            r#"{"VendorIDs": ["GHSA-a-1"], "PatchedVersions": ["1.2"], "VulnerableVersions": [">=1.0, <1.2", "<0.9"]}"#,
        ),
    )]);
    let pip = inline(&[(1, b"Flask", flask)]);
    // A text that makes the page run over.
    let long = format!(
        r#"{{"Title": "{}", "Severity": "HIGH", "VendorSeverity": {{"debian": 2}}}}"#,
        "x".repeat(5000)
    );
    let details = writer.add(&[(0, b"CVE-2024-1", json(&long))]);
    let first = writer.add(&[
        (1, b"Red Hat", inline(&[])),
        (1, b"debian 12", paged(debian)),
    ]);
    let second = writer.add(&[
        (1, b"pip::GitHub Security Advisory Pip", pip),
        (1, b"vulnerability", paged(details)),
    ]);
    let root = writer.branch(&[(b"Red Hat", first), (b"pip", second)]);
    writer.finish(root)
}

#[test]
fn trivys_database_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trivy.db");
    fs::write(&path, trivy()).unwrap();
    let compiled = compile(&path).unwrap();
    assert_eq!(
        lines(&compiled),
        [
            "debian:12 curl CVE-2024-1 fixed medium 0Fixed(\"7.88.1-10\")",
            "debian:12 curl CVE-2024-2 ignored low 0Open",
            "debian:12 curl CVE-2024-3 not-affected - ",
            "pypi flask CVE-2024-9 fixed - 1.0Fixed(\"1.2\") 0Fixed(\"0.9\")",
        ]
    );
    assert_eq!(compiled.problems.len(), 1, "{:?}", compiled.problems);
    assert!(compiled.problems[0].contains("`Red Hat`"));
}

#[test]
fn a_bolt_file_that_was_cut_or_leads_in_a_circle_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trivy.db");
    let whole = trivy();
    for end in (PAGE..whole.len()).step_by(PAGE) {
        fs::write(&path, &whole[..end]).unwrap();
        let error = compile(&path).unwrap_err();
        assert!(error.why.contains("cut short"), "{end}: {error}");
    }
    // Every page changed in its head: an error, a problem or another answer, never a panic or a hang.
    for at in (2 * PAGE..whole.len()).step_by(56) {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        fs::write(&path, &changed).unwrap();
        let _ = compile(&path);
    }
    let mut writer = Writer::default();
    let root = writer.branch(&[(b"a", 2), (b"b", 2)]);
    fs::write(&path, writer.finish(root)).unwrap();
    assert!(compile(&path).unwrap_err().why.contains("circle"));
}

const SIXTH: &str = r#"
CREATE TABLE db_metadata (build_timestamp datetime, model int, revision int, addition int);
INSERT INTO db_metadata VALUES ('2026-08-01 01:02:03+00:00', 6, 1, 9);
CREATE TABLE blobs (id integer primary key, value text);
CREATE TABLE packages (id integer primary key, ecosystem text, name text);
CREATE TABLE operating_systems (id integer primary key, name text, major_version text, minor_version text, label_version text, codename text);
CREATE TABLE vulnerability_handles (id integer primary key, name text, status text, published_date datetime, modified_date datetime, withdrawn_date datetime, provider_id text, blob_id integer);
CREATE TABLE affected_package_handles (id integer primary key, vulnerability_id integer, operating_system_id integer, package_id integer, blob_id integer);
INSERT INTO blobs VALUES
 (1, '{"id":"CVE-2024-1","description":"a flaw","severities":[{"scheme":"CHMLN","value":"high","rank":1},{"scheme":"CVSS","value":{"vector":"CVSS:3.1/AV:N","version":"3.1"}}]}'),
 (2, '{"cves":["CVE-2024-1"],"ranges":[{"version":{"type":"deb","constraint":"< 7.88"},"fix":{"version":"7.88","state":"fixed"}}]}'),
 (3, '{"id":"GHSA-a-1","severities":[],"aliases":["CVE-2024-2"]}'),
 (4, '{"ranges":[{"version":{"type":"python","constraint":">=1,<2"},"fix":{"state":"not-fixed"}}]}'),
 (5, 'not json');
INSERT INTO packages VALUES (1, 'deb', 'curl'), (2, 'python', 'Flask'), (3, 'deb', 'broken');
INSERT INTO operating_systems VALUES (1, 'debian', '12', '', '', 'bookworm');
INSERT INTO vulnerability_handles VALUES (1, 'CVE-2024-1', 'active', '2024-01-02 00:00:00', NULL, NULL, 'debian', 1), (2, 'GHSA-a-1', 'active', NULL, NULL, NULL, 'github', 3), (3, 'CVE-2024-3', 'rejected', NULL, NULL, NULL, 'nvd', 1);
INSERT INTO affected_package_handles VALUES (1, 1, 1, 1, 2), (2, 2, NULL, 2, 4), (3, 3, 1, 1, 2), (4, 1, 1, 3, 5);
"#;

const FIFTH: &str = r#"
CREATE TABLE id (build_timestamp text, schema_version int);
INSERT INTO id VALUES ('2026-08-01T01:02:03Z', 5);
CREATE TABLE vulnerability (pk integer primary key, id text, package_name text, namespace text, version_constraint text, version_format text, related_vulnerabilities text, fixed_in_versions text, fix_state text);
CREATE TABLE vulnerability_metadata (id text, namespace text, severity text, description text);
INSERT INTO vulnerability VALUES
 (1, 'CVE-2024-1', 'curl', 'debian:distro:debian:12', '< 7.88', 'dpkg', NULL, '["7.88"]', 'fixed'),
 (2, 'GHSA-a-1', 'flask', 'github:language:python', '>=1,<2', 'python', '[{"id":"CVE-2024-2","namespace":"nvd:cpe"}]', NULL, 'not-fixed'),
 (3, 'CVE-2024-3', 'x', 'nvd:cpe', '< 1', 'unknown', NULL, NULL, 'unknown');
INSERT INTO vulnerability_metadata VALUES ('CVE-2024-1', 'debian:distro:debian:12', 'Negligible', 'a flaw');
"#;

#[test]
fn grypes_database_is_read_in_both_versions() {
    let directory = tempfile::tempdir().unwrap();
    for (version, sql, first, problems) in [
        (6, SIXTH, "fixed high", 1),
        (5, FIFTH, "unimportant info", 0),
    ] {
        let path = directory.path().join(format!("v{version}.db"));
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let compiled = compile(&path).unwrap();
        assert_eq!(
            lines(&compiled),
            [
                format!("debian:12 curl CVE-2024-1 {first} 0Fixed(\"7.88\")"),
                "pypi flask CVE-2024-2 affected - 1Fixed(\"2\")".to_owned(),
            ]
        );
        assert_eq!(compiled.problems.len(), problems, "{:?}", compiled.problems);
        let slice = Slice::read(&compiled.slices[0].1, Texts::Read).unwrap();
        assert_eq!(&slice.meta().origins[0].date[..10], "2026-08-01");
        // Cut: refused.
        let whole = fs::read(&path).unwrap();
        for end in (4096..whole.len()).step_by(4096) {
            fs::write(&path, &whole[..end]).unwrap();
            assert!(compile(&path).is_err(), "v{version} cut at {end}");
        }
    }
    let path = directory.path().join("other.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE a (b)")
        .unwrap();
    assert!(compile(&path).unwrap_err().why.contains("not Grype's"));
}
