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
        "text", "markdown", "sarif", "github", "junit", "openvex", "json",
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
    assert_eq!(prints.len(), 4, "{prints:?}");
    assert!(
        run["automationDetails"]["id"].as_str().unwrap().len() > "plimsoll/scan/".len(),
        "{run}"
    );
}
