//! What the page of a scan has of the report it is written beside.

use std::fs;

use super::{flat, known, web};
use crate::images::{plimsoll, text};

#[test]
fn a_page_has_the_verdict_the_notes_and_what_could_not_be_judged() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = web(&scratch.join("web"));
    known(scratch, 1);
    let page = |arguments: &[&str], code: i32| {
        let output = plimsoll(scratch, arguments);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        (
            fs::read_to_string(scratch.join("page.html")).unwrap(),
            flat(&output),
        )
    };
    let scan = ["scan", &image, "--html", "page.html", "--fail-on"];
    let (html, _) = page(&[&scan[..], &["critical"]].concat(), 1);
    let demand =
        "<em class=\"over\">no</em></td><td>no vulnerability at critical or above</td><td>1</td>";
    assert!(html.contains(demand), "{html}");
    assert!(html.contains("<strong>Over the line</strong> 1 of 1 demand"));
    // How long the distribution gets fixes.
    assert!(html.contains("Debian 12: "), "{html}");
    // What is known is judged once, by the policy's own limit of age.
    let policy = "[policy]\nfail-on = \"none\"\n[policy.limits]\nadvisory-days = 60\nvulnerabilities = { total = 9 }\n";
    fs::write(scratch.join("plimsoll.toml"), policy).unwrap();
    known(scratch, 30);
    let (html, said) = page(&["check", &image, "--html", "page.html"], 0);
    assert!(html.contains("CVE-2026-1001"), "{html}");
    assert!(!html.contains("days old"), "{html}");
    assert!(!said.contains("days old"), "{said}");
}
