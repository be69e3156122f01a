//! What is counted, once, with what can be done about it and where it came from.

use serde_json::json;

use super::{debian, flat, known, rows, scan, web};
use crate::images::{Tar, layout, plimsoll, text};

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
