//! Files that a scan is told to use: compiled advisories, VEX documents, lists of what to ignore.

use plimsoll_scan::{Date, Ignores, Marks, Slice, Texts, Vex};

use crate::Target;
use crate::make::{choosing, chosen};

pub(crate) static TARGET: Target = Target {
    id: "slice",
    summary: "compiled advisories, VEX documents, lists of what to ignore",
    seeds,
    run,
};

type Read = fn(&[u8]);

const READERS: [Read; 4] = [
    |bytes| drop(Slice::read(bytes, Texts::Read)),
    |bytes| drop(Marks::read(bytes)),
    |bytes| drop(Vex::parse("vex.json", bytes)),
    |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            drop(Ignores::parse("ignore", text, Date::constant(2026, 6, 1)));
        }
    },
];

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        choosing(
            2,
            r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2024-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2024-1"},"products":[{"@id":"pkg:deb/debian/a@1"}],"status":"not_affected","justification":"component_not_present"}]}"#,
        ),
        choosing(
            2,
            r#"{"document":{"category":"csaf_vex","csaf_version":"2.0"},"product_tree":{"branches":[{"category":"product_version","name":"1","product":{"product_id":"p","name":"a","product_identification_helper":{"purl":"pkg:deb/debian/a@1"}}}]},"vulnerabilities":[{"cve":"CVE-2024-1","product_status":{"known_not_affected":["p"]}}]}"#,
        ),
        choosing(3, "# why\nCVE-2024-1 exp:2030-01-01\nCVE-2024-2\n"),
        choosing(
            3,
            "[[ignore]]\nid = \"CVE-2024-1\"\nreason = \"x\"\nexpires = 2030-01-01\n",
        ),
    ];
    let feed = br#"{"id":"CVE-2024-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"a"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0"}]}]}]}"#;
    let mut compiler = plimsoll_scan::feeds::Compiler::default();
    if compiler.file("osv/CVE-2024-1.json", feed).is_ok() && compiler.end().is_ok() {
        let slices = compiler.finish().slices;
        seeds.extend(slices.into_iter().map(|(_, file)| choosing(0, file)));
    }
    seeds
}

fn run(data: &[u8]) {
    if let Some((read, bytes)) = chosen(&READERS, data) {
        read(bytes);
    }
}
