//! Reports as pages: `scan --html` and `check --html` (what a page lets in is tested where it is written).

use std::fs;
use std::path::Path;

use crate::images::{Tar, layout, plimsoll, text};
use crate::scan::known;

const RECORD: &str = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib (1:1.2)\n\
    Version: 1:1.2-1\n\n";

/// An image of Debian 12 with one package and a shell.
fn image(scratch: &Path) -> String {
    let layer = Tar::default()
        .file("etc/os-release", 0o644, b"ID=debian\nVERSION_ID=12\n")
        .file("var/lib/dpkg/status", 0o644, RECORD.as_bytes())
        .file(
            "var/lib/dpkg/info/zlib1g.list",
            0o644,
            b"/usr/lib/libz.so.1\n",
        )
        .file("usr/lib/libz.so.1", 0o644, b"z")
        .file("bin/dash", 0o755, b"\x7fELF")
        .finish();
    layout(&scratch.join("image"), &serde_json::json!({}), &[layer])
}

/// The page that these arguments write.
fn page(scratch: &Path, arguments: &[&str], code: i32) -> String {
    let output = plimsoll(scratch, &[arguments, &["--html", "page.html"]].concat());
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    let page = fs::read_to_string(scratch.join("page.html")).unwrap();
    fs::remove_file(scratch.join("page.html")).unwrap();
    page
}

fn has(page: &str, words: &[&str]) {
    for word in words {
        assert!(page.contains(word), "no {word:?} in {page}");
    }
}

#[test]
fn a_scan_as_a_page_has_vulnerabilities_findings_and_the_map() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    known(scratch.path(), 1);
    let one = page(scratch.path(), &["scan", &image], 0);
    has(
        &one,
        &[
            "plimsoll <span>scan</span>",
            "id=\"vulnerabilities\"",
            "CVE-2026-1001",
            "id=\"findings\"",
            "<code>shell</code>",
            "id=\"map\"",
            "id=\"layers\"",
        ],
    );
    let two = page(scratch.path(), &["scan", &image, "--against", &image], 0);
    assert_eq!(two.matches("CVE-2026-1001").count() % 2, 0, "{two}");
    has(&two, &["id=\"map\""]);
    assert!(
        !two.contains("id=\"findings\""),
        "whose findings would they be"
    );
    // A list of packages has no files.
    fs::write(scratch.path().join("list.txt"), "zlib 1:1.2-1\n").unwrap();
    let words = ["scan", "list.txt", "--distro", "debian:12"];
    let list = page(scratch.path(), &words, 0);
    has(&list, &["CVE-2026-1001"]);
    assert!(!list.contains("id=\"map\"") && !list.contains("id=\"findings\""));
}

#[test]
fn a_check_as_a_page_has_the_policy_and_what_it_tolerates() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let policy = "[policy.limits]\nfiles = 1\nlayers = 5\n[[policy.waiver]]\ncheck = \"shell\"\nreason = \"the \
                  <entry> needs it\"\n";
    fs::write(scratch.path().join("plimsoll.toml"), policy).unwrap();
    let without = page(scratch.path(), &["check", &image], 1);
    has(
        &without,
        &[
            "plimsoll <span>check</span>",
            "id=\"policy\"",
            "1 demand not met",
            "<em class=\"over\">no</em>",
            "id=\"waived\"",
            "the &lt;entry&gt; needs it",
            "id=\"map\"",
            "vulnerabilities: no data",
        ],
    );
    known(scratch.path(), 1);
    let with = page(scratch.path(), &["check", &image], 1);
    has(&with, &["CVE-2026-1001", "id=\"policy\""]);
    // What the policy asks for is judged once, and shown as it was judged.
    let policy = "[policy.limits]\nvulnerabilities = { total = 0 }\n";
    fs::write(scratch.path().join("plimsoll.toml"), policy).unwrap();
    let judged = page(scratch.path(), &["check", &image], 1);
    has(&judged, &["CVE-2026-1001", "1 demand not met"]);
}
