//! A bill of materials in place of an image: taken where only packages count, and named for what it is
//! where files are asked for.

use std::fs;

use serde_json::Value;

use crate::images::{plimsoll, text};
use crate::scan::{known, web};

#[test]
fn who_has_nothing_for_a_document_says_so_before_any_work() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    // There is no such image: nobody looked for it.
    for (verb, words, formats) in [
        ("inspect", &["a.tar"][..], &["openvex"][..]),
        (
            "inspect",
            &["a.tar", "b.tar"],
            &["cyclonedx", "spdx", "openvex"],
        ),
        ("check", &["a.tar"], &["openvex"]),
        ("sbom", &["a.tar"], &["openvex"]),
        (
            "diff",
            &["a.tar", "b.tar"],
            &["cyclonedx", "spdx", "openvex"],
        ),
        ("lint", &["Dockerfile"], &["cyclonedx", "spdx", "openvex"]),
        ("lineage", &["a.tar"], &["cyclonedx", "spdx", "openvex"]),
        ("slim", &["a.tar"], &["cyclonedx", "spdx", "openvex"]),
        (
            "build",
            &["a.toml", "-o", "oci:out"],
            &["cyclonedx", "spdx", "openvex"],
        ),
    ] {
        for format in formats {
            let arguments = [&[verb], words, &["--format", format]].concat();
            let output = plimsoll(scratch, &arguments);
            assert_eq!(output.status.code(), Some(2), "{}", text(&output));
            assert!(output.stdout.is_empty(), "{}", text(&output));
            let (said, advice) = match *format {
                "openvex" => (
                    "makes no openvex document",
                    "plimsoll scan IMAGE --format openvex",
                ),
                _ => (
                    "makes no bill of materials",
                    "plimsoll sbom IMAGE --format ",
                ),
            };
            let error = text(&output);
            assert!(error.contains(said) && error.contains(advice), "{error}");
            assert!(error.contains(&format!("error: {verb}")), "{error}");
        }
    }
    let output = plimsoll(scratch, &["check", "a.tar", "--report", "openvex=vex.json"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        text(&output).contains("makes no openvex"),
        "{}",
        text(&output)
    );
    assert!(!scratch.join("vex.json").exists());
}

#[test]
fn a_bill_of_materials_is_checked_and_has_no_files() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let image = web(&scratch.join("web"));
    for (format, file) in [("cyclonedx", "bill.cdx.json"), ("spdx", "bill.spdx.json")] {
        let output = plimsoll(scratch, &["sbom", &image, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        fs::write(scratch.join(file), &output.stdout).unwrap();
    }
    known(scratch, 0);
    let policy = "[policy]\nfail-on = \"high\"\n[policy.limits]\nbytes = \"1 GB\"\npackages = 3\n\
        vulnerabilities = { total = 3 }\n[policy.forbidden]\npackages = [\"telnet\"]\npaths = [\"/bin/sh\"]\n";
    let check = |policy: &str, file: &str| {
        fs::write(scratch.join("plimsoll.toml"), policy).unwrap();
        let output = plimsoll(scratch, &["check", file, "--json"]);
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
        (output.status.code(), report)
    };
    let without = "holds no files";
    for file in ["bill.cdx.json", "bill.spdx.json"] {
        let (code, report) = check(policy, file);
        assert_eq!(code, Some(3), "{report}");
        for demand in report["verdict"]["demands"].as_array().unwrap() {
            let wanted = demand["wanted"].as_str().unwrap();
            let about_files = wanted.starts_with("bytes") || wanted.contains("/bin/sh");
            assert_eq!(demand["judged"], !about_files, "{demand}");
            assert_eq!(demand["met"], !about_files, "{demand}");
        }
        assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{report}");
        assert_eq!(report["problems"].to_string().matches(without).count(), 1);
        // What is over a limit on packages is over it.
        let (code, report) = check(&policy.replace("packages = 3", "packages = 2"), file);
        assert_eq!(code, Some(1), "{report}");

        let output = plimsoll(scratch, &["inspect", file]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        assert!(text(&output).contains("zlib1g"), "{}", text(&output));
        assert!(!text(&output).contains("0 B"), "{}", text(&output));
        // Nor does any other form say that it weighs nothing.
        for verb in ["inspect", "sbom"] {
            let output = plimsoll(scratch, &[verb, file, "--format", "json"]);
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            let image = &report["image"];
            assert_eq!(image["is_document"], true, "{image}");
            for key in ["bytes", "compressed", "files", "shells", "setuid"] {
                assert_eq!(image["footprint"][key], Value::Null, "{verb}: {image}");
            }
            for key in ["unowned_bytes", "dead_bytes", "waste"] {
                assert_eq!(image[key], Value::Null, "{verb}: {image}");
            }
            assert!(
                image["footprint"]["packages"].as_u64() >= Some(3),
                "{image}"
            );
        }
        let output = plimsoll(scratch, &["inspect", file, "--html", "page.html"]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        let page = fs::read_to_string(scratch.join("page.html")).unwrap();
        assert!(page.contains("<strong>not known</strong>"), "{page}");
        for weighs in ["<strong>0 B", ">0 B<", "0 files"] {
            assert!(!page.contains(weighs), "{weighs}: {page}");
        }
        assert!(page.contains("zlib1g"), "{page}");
        let output = plimsoll(scratch, &["inspect", file, "--format", "markdown"]);
        assert!(
            text(&output).contains("size not known"),
            "{}",
            text(&output)
        );
        assert!(!text(&output).contains("0 B"), "{}", text(&output));
    }
    for (verb, more) in [
        (&["tree"][..], &[][..]),
        (&["ls"], &["/"]),
        (&["diff"], &["bill.spdx.json"]),
        (&["slim"], &["--no-run", "-o", "oci:out"]),
        (&["lineage"], &[]),
    ] {
        let output = plimsoll(scratch, &[verb, &["bill.cdx.json"], more].concat());
        assert_eq!(output.status.code(), Some(2), "{verb:?}: {}", text(&output));
        let said = text(&output);
        assert!(
            said.contains("bill.cdx.json is a CycloneDX document, which says what is installed and holds no files"),
            "{verb:?}: {said}"
        );
    }
}
