//! The formats write the same report, and nothing a stranger wrote reaches a terminal raw.

mod bills;
mod golden;
mod sample;
mod tools;

use std::fs;
use std::path::Path;

use golden::{JSON, TEXT};
use plimsoll_model::report::{
    Comparison, Demand, DiffRow, ImageDiff, ImageFacts, LayerRow, PackageDiff, PackageShare,
    SlimFacts, Verdict, Waived,
};
use plimsoll_model::{
    Evidence, Finding, ImagePath, Problem, Report, ScanFacts, Severity, Source, Vulnerability,
};
use plimsoll_report::{FORMATS, by_id};
use sample::{comparison, full, httpd, packages, path, slim};

fn written(format: &str, report: &Report) -> String {
    let format = by_id(format).expect("a format of this name");
    let mut out = Vec::new();
    (format.write)(report, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("a report is text")
}

#[test]
fn text_is_what_a_person_reads() {
    assert_eq!(written("text", &full()), TEXT);
}

#[test]
fn json_is_what_a_program_reads() {
    assert_eq!(written("json", &full()), JSON);
}

#[test]
fn an_empty_report_says_nothing_it_does_not_know() {
    let empty = Report {
        verb: "inspect",
        ..Report::default()
    };
    assert_eq!(written("text", &empty), "");
    let json: serde_json::Value = serde_json::from_str(&written("json", &empty)).unwrap();
    assert_eq!(json["complete"], true);
    assert!(json["image"].is_null());
    assert!(json["slim"].is_null());
}

#[test]
fn an_image_without_a_finding_says_so() {
    let report = Report {
        subject: Some(ImageFacts::default()),
        ..Report::default()
    };
    assert!(written("text", &report).ends_with("\nFindings: none\n"));
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let mut report = full();
    let facts = report.subject.as_mut().unwrap();
    facts.packages = packages(17);
    facts.layers = vec![LayerRow::default(); 130];
    report.findings[0].evidence = (0..12)
        .map(|name| path(&format!("/{name}"), 0, 0))
        .collect();
    let slim = report.slim.as_mut().unwrap();
    slim.packages.table = (0..23)
        .map(|number| PackageShare {
            name: format!("package{number:02}"),
            fate: if number < 11 { "whole" } else { "gone" },
            ..PackageShare::default()
        })
        .collect();
    slim.repaired = vec![("/x".into(), "y".into()); 11];
    let text = written("text", &report);
    for line in [
        "  2 more                                            4.50 MB    231",
        "  and 3 more",
        "      and 7 more",
        "    package19, package20 and 2 more",
        "  and 1 more",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&written("json", &report)).unwrap();
    assert_eq!(json["image"]["packages"].as_array().unwrap().len(), 17);
    assert_eq!(
        json["findings"][0]["evidence"].as_array().unwrap().len(),
        12
    );
}

#[test]
fn what_was_not_proved_is_not_called_verified() {
    let line = |facts: SlimFacts| {
        let report = Report {
            slim: Some(facts),
            ..Report::default()
        };
        let json: serde_json::Value = serde_json::from_str(&written("json", &report)).unwrap();
        let text = written("text", &report);
        let line = text.lines().find(|line| line.starts_with("  verified"));
        (
            line.unwrap().to_owned(),
            json["slim"]["verified"].as_bool().unwrap(),
        )
    };
    let unproved = SlimFacts {
        verified_by: vec![],
        ..slim()
    };
    let nothing = "  verified    no: nothing was probed".to_owned();
    assert_eq!(line(unproved), (nothing, false));
    let different = SlimFacts {
        differences: vec!["http:/ answered 500, before 200".into()],
        ..slim()
    };
    let differs = "  verified    no: it does not answer as the original does".to_owned();
    assert_eq!(line(different), (differs, false));
    let proved = "  verified    yes, by http:/, tcp:80".to_owned();
    assert_eq!(line(slim()), (proved, true));
}

/// Moves the cursor, forges a line, turns text around, is no UTF-8.
const HOSTILE: &str = "a\x1b[2J\nincomplete: no\r\u{202e}\u{9b}z";

#[test]
fn no_text_of_a_stranger_reaches_the_page_raw() {
    let hostile = || HOSTILE.to_owned();
    let mut raw = HOSTILE.as_bytes().to_vec();
    raw.push(0xff);
    let place = ImagePath::new(&raw);
    let mut facts = httpd();
    facts.name = hostile();
    facts.digest = hostile();
    facts.platform = hostile();
    facts.created = Some(hostile());
    facts.user = hostile();
    facts.command = vec![hostile()];
    facts.ports = vec![hostile()];
    facts.footprint.shells = vec![place.clone()];
    facts.lineage.ancestors[0].name = hostile();
    facts.lineage.ancestors[0].evidence = hostile();
    let upkeep = &mut facts.upkeep[0];
    (upkeep.name, upkeep.why, upkeep.by) = (hostile(), hostile(), hostile());
    upkeep.instead = Some(hostile());
    if let Some(publisher) = &mut facts.publisher {
        (publisher.repository, publisher.name) = (hostile(), hostile());
        publisher.standing = plimsoll_model::report::Standing::Other(hostile());
    }
    facts.layers[0].created_by = hostile();
    facts.layers[0].digest = hostile();
    facts.packages[0].name = hostile();
    facts.packages[0].version = hostile();
    let mut facts_of_slim = slim();
    facts_of_slim.output = hostile();
    facts_of_slim.digest = hostile();
    facts_of_slim.sandbox = hostile();
    facts_of_slim.verified_by = vec![hostile()];
    facts_of_slim.differences = vec![hostile()];
    facts_of_slim.repaired = vec![(place.clone(), hostile())];
    facts_of_slim.forced = vec![(place.clone(), hostile())];
    facts_of_slim.packages.gone = vec![hostile()];
    facts_of_slim.plan.unresolved = vec![Problem::at(&place, HOSTILE)];
    let everywhere = [
        Evidence::Path {
            path: place.clone(),
            layer: 0,
            size: 1,
        },
        Evidence::Package {
            name: hostile(),
            version: hostile(),
        },
        Evidence::Config {
            key: "USER",
            value: hostile(),
        },
        Evidence::Line {
            path: place,
            line: 1,
        },
        Evidence::Source(Source {
            file: hostile(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 9,
            excerpt: hostile(),
        }),
        Evidence::Layer(0),
    ];
    let finding = Finding {
        check: "shell",
        aliases: &[],
        severity: Severity::High,
        message: hostile(),
        evidence: everywhere.to_vec(),
        remedy: Some(hostile()),
    };
    let report = Report {
        verb: "slim",
        subject: Some(facts),
        findings: vec![finding.clone()],
        problems: everywhere
            .into_iter()
            .map(|evidence| Problem {
                message: hostile(),
                evidence,
            })
            .collect(),
        slim: Some(facts_of_slim),
        comparison: Some(Comparison {
            before_name: hostile(),
            after_name: hostile(),
            ..comparison()
        }),
        diff: Some(ImageDiff {
            directories: vec![DiffRow {
                name: hostile(),
                changed: 1,
                ..DiffRow::default()
            }],
            packages: vec![PackageDiff {
                fate: "changed",
                before: Some(hostile()),
                after: None,
                files: DiffRow {
                    name: hostile(),
                    ..DiffRow::default()
                },
            }],
            ..ImageDiff::default()
        }),
        notes: vec![hostile()],
        waived: vec![Waived {
            finding: finding.clone(),
            reason: hostile(),
            until: Some(hostile()),
        }],
        verdict: Some(Verdict {
            environment: hostile(),
            line: None,
            demands: vec![Demand {
                wanted: hostile(),
                found: hostile(),
                met: false,
                ..Demand::default()
            }],
        }),
        scans: vec![ScanFacts {
            name: hostile(),
            vulnerabilities: vec![Vulnerability {
                id: hostile(),
                fixed: vec![hostile()],
                title: hostile(),
                ..Vulnerability::default()
            }],
            ..ScanFacts::default()
        }],
        ..Report::default()
    };
    for format in FORMATS {
        let text = written(format.id, &report);
        let raw = text.chars().find(|&character| {
            character.is_control() && character != '\n' || character == '\u{202e}'
        });
        assert_eq!(raw, None, "{text}");
        let forged = text.lines().any(|line| line.starts_with("incomplete: no"));
        assert!(!forged, "{text}");
        let escaped = [
            r"a\x1b[2J\x0a",
            r"a\\x1b[2J\\x0a",
            "a&#92;x1b&#91;2J&#92;x0a",
        ];
        assert!(escaped.iter().any(|it| text.contains(it)), "{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&written("json", &report)).unwrap();
    let path = r"/a\x1b[2J\x0aincomplete: no\x0d\xe2\x80\xae\xc2\x9bz\xff";
    assert_eq!(json["image"]["footprint"]["shells"][0], path);
    assert_eq!(json["findings"][0]["evidence"][3]["path"], path);
}

#[test]
fn no_line_is_wider_than_the_page() {
    let long = "word".repeat(100);
    let mut report = full();
    let facts = report.subject.as_mut().unwrap();
    facts.name = long.clone();
    facts.command = vec![long.clone(); 3];
    facts.layers[0].created_by = long.clone();
    facts.packages[0].name = long.clone();
    facts.packages[0].version = long.clone();
    facts.packages[1].bytes = u64::MAX;
    facts.lineage.ancestors[0].name = long.clone();
    report.findings[0].message = long.clone();
    report.findings[0].evidence[0] = path(&long, 3, 1);
    report.comparison.as_mut().unwrap().after_name = long.clone();
    report.slim.as_mut().unwrap().verified_by = vec![long.clone(); 2];
    let diff = report.diff.as_mut().unwrap();
    diff.directories[0].name = long.clone();
    diff.packages[0].files.name = long.clone();
    diff.packages[0].before = Some(long.clone());
    report.notes = vec![long];
    for line in written("text", &report).lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn every_file_is_a_row_and_every_row_a_file() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/formats");
    let mut files: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|stem| stem != "mod")
        .collect();
    files.sort();
    let ids: Vec<&str> = FORMATS.iter().map(|format| format.id).collect();
    assert_eq!(ids, files, "sorted by name, each once");
    for format in FORMATS {
        let stem = Path::new(format.file).file_stem().unwrap();
        assert_eq!(stem.to_str(), Some(format.id));
        assert!(by_id(format.id).is_some_and(|found| found.id == format.id));
    }
    assert!(by_id("html").is_none());
}
