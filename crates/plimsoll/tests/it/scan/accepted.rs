//! A package nobody can judge may be accepted, by name, until a day and with a reason; every format says so.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{days_ago, flat, known, not_judged, scan};
use crate::images::{Tar, layout, plimsoll, text};

/// nginx of nginx.org's archive, with a module from a source of its own that nobody's data watch.
fn image(directory: &Path) -> String {
    let record = |name: &str, version: &str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\
             Maintainer: NGINX Packaging <nginx-packaging@f5.com>\n\n"
        )
    };
    let status = record("nginx", "1.29.4-1~bookworm")
        + &record("nginx-module-njs", "1.29.4+0.9.4-1~bookworm");
    let release = b"ID=debian\nVERSION_ID=\"12\"\n";
    let mut tar = Tar::default().file("etc/os-release", 0o644, release).file(
        "var/lib/dpkg/status",
        0o644,
        status.as_bytes(),
    );
    for name in ["nginx", "nginx-module-njs"] {
        let list = format!("var/lib/dpkg/info/{name}.list");
        let path = format!("usr/lib/{name}.so");
        tar = tar
            .file(&list, 0o644, format!("/{path}\n").as_bytes())
            .file(&path, 0o644, b"x");
    }
    layout(directory, &json!({}), &[tar.finish()])
}

#[test]
fn a_package_nobody_can_judge_is_accepted_until_a_day_and_never_in_silence() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let image = image(&scratch.join("image"));
    let output = plimsoll(scratch, &["scan", &image]);
    not_judged(&output, &["1 package not judged: nginx-module-njs"]);

    let until = days_ago(-30);
    let row =
        format!("not-judged package=nginx-module-njs until={until} # read its changes by hand\n");
    fs::write(scratch.join("plimsoll.ignore"), &row).unwrap();
    let (code, report) = scan(scratch, &[&image]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["complete"], true, "{report}");
    let facts = &report["scans"][0];
    assert_eq!(
        (&facts["packages"], &facts["judged"]),
        (&json!(2), &json!(1))
    );
    let accepted = &facts["accepted"][0];
    assert_eq!(
        accepted["package"],
        "nginx-module-njs 1.29.4+0.9.4-1~bookworm"
    );
    assert_eq!(accepted["until"], json!(until));
    assert!(
        accepted["why"]
            .as_str()
            .unwrap()
            .contains("no feed is known that watches it")
    );
    for format in ["text", "json", "markdown", "sarif", "github", "junit"] {
        let output = plimsoll(scratch, &["scan", &image, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", text(&output));
        for words in [
            "nginx-module-njs",
            "read its changes by hand",
            "plimsoll.ignore",
        ] {
            assert!(
                flat(&output).contains(words),
                "{format}: {words}: {}",
                text(&output)
            );
        }
    }
    let output = plimsoll(scratch, &["scan", &image, "--html", "page.html"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let said = flat(&output);
    assert!(
        said.contains("none known of what could be judged"),
        "{said}"
    );
    assert!(
        said.contains("1 of 2 packages; 1 not, which was accepted"),
        "{said}"
    );
    let page = fs::read_to_string(scratch.join("page.html")).unwrap();
    for words in ["nginx-module-njs", "read its changes by hand"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // A policy takes it as the scan does.
    fs::write(
        scratch.join("plimsoll.toml"),
        "[policy]\nfail-on = \"none\"\n[policy.limits]\nvulnerabilities = { total = 0 }\n",
    )
    .unwrap();
    let output = plimsoll(scratch, &["check", &image, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["waived"][0]["finding"]["check"], "not-judged",
        "{report}"
    );

    // When the day is over, it is a package nobody judged again, and the row is said to be stale.
    let over = days_ago(1);
    fs::write(scratch.join("plimsoll.ignore"), row.replace(&until, &over)).unwrap();
    let output = plimsoll(scratch, &["scan", &image]);
    not_judged(
        &output,
        &[
            "1 package not judged: nginx-module-njs",
            &format!("was accepted without being judged until {over}, and is not any more"),
        ],
    );
    // Data that are missing are no package's.
    fs::write(scratch.join("plimsoll.ignore"), &row).unwrap();
    let other = scratch.join("none");
    let output = plimsoll(scratch, &["scan", &image, "--db", other.to_str().unwrap()]);
    not_judged(
        &output,
        &["there are no data about bitnami; 2 packages not judged: nginx 1.29.4"],
    );
    // Nor can they be accepted by its name, or any.
    let rows = format!(
        "not-judged package=nginx until={until} # x\nnot-judged package=nginx-module-* until={until} # x\n"
    );
    fs::write(scratch.join("plimsoll.ignore"), rows).unwrap();
    let output = plimsoll(scratch, &["scan", &image, "--db", other.to_str().unwrap()]);
    not_judged(
        &output,
        &["there are no data about bitnami; 2 packages not judged: nginx 1.29.4"],
    );
    for bad in [
        "not-judged package=* until=2030-01-01 # x\n".to_owned(),
        "not-judged package=nginx # x\n".to_owned(),
        format!("not-judged package=[!0]* until={until} # x\n"),
        "not-judged package=nginx until=9999-12-31 # x\n".to_owned(),
    ] {
        fs::write(scratch.join("plimsoll.ignore"), bad).unwrap();
        let output = plimsoll(scratch, &["scan", &image]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    }
}
