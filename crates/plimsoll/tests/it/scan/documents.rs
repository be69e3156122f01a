//! Documents and lists that stand for an image.

use std::fs;

use serde_json::json;

use super::{known, not_judged, rows, scan, web};
use crate::images::{plimsoll, text};

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
