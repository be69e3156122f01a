//! Every format has every flaw.

use serde_json::Value;

use super::{known, web};
use crate::images::{plimsoll, text};

#[test]
fn every_format_has_every_flaw_and_the_image_it_is_in() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let image = web(&scratch.join("web"));
    for format in [
        "text",
        "markdown",
        "sarif",
        "github",
        "junit",
        "openvex",
        "json",
        "cyclonedx",
        "spdx",
    ] {
        let arguments = ["scan", &image, "--format", format, "--fail-on", "high"];
        let output = plimsoll(scratch, &arguments);
        assert_eq!(output.status.code(), Some(1), "{format}: {}", text(&output));
        let written = String::from_utf8(output.stdout).unwrap();
        for id in [
            "CVE-2026-1001",
            "CVE-2026-1002",
            "CVE-2026-1003",
            "CVE-2026-1100",
        ] {
            assert!(written.contains(id), "{format}: {id} is not in\n{written}");
        }
        assert!(!written.contains("CVE-2026-1004"), "{format}\n{written}");
        assert!(
            !written.contains("<b>header") || !matches!(format, "markdown" | "junit"),
            "{written}"
        );
    }
    let output = plimsoll(scratch, &["scan", &image, "--format", "sarif"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4, "one for each flaw of a source: {sarif}");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        let location = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert!(
            location.as_str().is_some_and(|uri| !uri.is_empty()),
            "{result}"
        );
    }
    let prints: std::collections::BTreeSet<&str> = results
        .iter()
        .map(|result| {
            result["partialFingerprints"]["plimsoll/v1"]
                .as_str()
                .unwrap()
        })
        .collect();
    // Each is named by what it is, not by its place among others: the next scan names it the same.
    assert_eq!(
        prints.into_iter().collect::<Vec<_>>(),
        [
            "vulnerability:CVE-2026-1001 in zlib",
            "vulnerability:CVE-2026-1002 in zlib",
            "vulnerability:CVE-2026-1003 in zlib",
            "vulnerability:CVE-2026-1100 in nginx",
        ]
    );
    let ids: Vec<&str> = results
        .iter()
        .map(|it| it["ruleId"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"CVE-2026-1100"), "{ids:?}");
    assert!(
        run["automationDetails"]["id"].as_str().unwrap().len() > "plimsoll/scan/".len(),
        "{run}"
    );
}

#[test]
fn a_bill_of_materials_of_a_scan_lists_what_is_installed_and_what_is_known_of_it() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    known(scratch, 1);
    let image = web(&scratch.join("web"));
    std::fs::write(
        scratch.join("plimsoll.ignore"),
        "CVE-2026-1002 until=2036-01-01 # never called\n",
    )
    .unwrap();
    let bill = |verb: &str, format: &str| -> Value {
        let output = plimsoll(scratch, &[verb, &image, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (alone, scanned) = (bill("sbom", "cyclonedx"), bill("scan", "cyclonedx"));
    assert_eq!(scanned["components"], alone["components"]);
    assert!(alone.get("vulnerabilities").is_none(), "{alone}");
    let references: Vec<&str> = scanned["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["bom-ref"].as_str().unwrap())
        .collect();
    let flaws = scanned["vulnerabilities"].as_array().unwrap();
    assert_eq!(flaws.len(), 4, "one for each flaw of a source: {scanned}");
    for flaw in flaws {
        let affects = flaw["affects"].as_array().unwrap();
        assert!(!affects.is_empty(), "{flaw}");
        for affected in affects {
            let reference = affected["ref"].as_str().unwrap();
            assert!(references.contains(&reference), "{flaw}");
        }
    }
    let of = |id: &str| flaws.iter().find(|flaw| flaw["id"] == id).unwrap();
    let zlib = of("CVE-2026-1001");
    assert_eq!(zlib["affects"].as_array().unwrap().len(), 2, "{zlib}");
    assert_eq!(zlib["recommendation"], "upgrade zlib to 1:1.3-1");
    assert_eq!(zlib["ratings"][0]["severity"], "high");
    let ignored = of("CVE-2026-1002");
    assert_eq!(ignored["analysis"].get("state"), None, "{ignored}");
    assert_eq!(ignored["analysis"]["response"][0], "will_not_fix");
    // It is another document than the list alone, and as old as its data.
    assert_ne!(scanned["serialNumber"], alone["serialNumber"]);
    assert!(scanned["metadata"]["timestamp"].is_string(), "{scanned}");
    let why = ignored["analysis"]["detail"].as_str().unwrap();
    assert!(
        why.contains("never called") && why.contains("2036-01-01"),
        "{why}"
    );
    let nginx = of("CVE-2026-1100");
    assert_eq!(nginx["ratings"][1]["score"], 9.8, "{nginx}");
    assert_eq!(nginx["ratings"][1]["method"], "CVSSv31", "{nginx}");

    let (alone, scanned) = (bill("sbom", "spdx"), bill("scan", "spdx"));
    let count = |bill: &Value| bill["packages"].as_array().unwrap().len();
    assert_eq!(count(&scanned), count(&alone));
    assert!(
        scanned
            .to_string()
            .contains("\"referenceType\":\"advisory\""),
        "{scanned}"
    );
    let said_of = |time: Option<&str>| {
        let mut command = crate::images::command(scratch);
        command.args(["scan", &image, "--format", "cyclonedx"]);
        command.envs(time.map(|time| ("SOURCE_DATE_EPOCH", time)));
        let bill: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        bill["metadata"]["timestamp"].as_str().unwrap().to_owned()
    };
    assert!(said_of(None).starts_with("20"), "{}", said_of(None));
    assert_eq!(said_of(Some("86400")), "1970-01-02T00:00:00Z");
    // Whichever verb is asked for one, it lists what is installed.
    for verb in ["inspect", "check"] {
        std::fs::write(
            scratch.join("plimsoll.toml"),
            "[policy]\nfail-on = \"none\"\n",
        )
        .unwrap();
        assert_eq!(
            bill(verb, "cyclonedx")["components"],
            bill("sbom", "cyclonedx")["components"]
        );
    }
}
