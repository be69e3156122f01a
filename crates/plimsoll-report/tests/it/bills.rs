//! Bills of materials: by the schema where it lies beside the checkout, and by the rules of both
//! specifications that a reader relies on, wherever it is.

use std::collections::BTreeSet;

use plimsoll_model::package::ecosystem;
use plimsoll_model::vulnerability::{Cvss, Exploited, Quiet, SeverityBy};
use plimsoll_model::{
    Inventory, KnownBy, OsRelease, Package, PackageId, Problem, Report, ScanFacts, Severity, State,
    Vulnerability,
};
use serde_json::{Value, json};

use crate::sample::httpd;
use crate::tools::schema;
use crate::written;

/// An image with a package of every kind, and with names as strangers write them.
fn report() -> Report {
    let package = |ecosystem, name: &str, version: &str| Package {
        ecosystem,
        name: name.to_owned(),
        version: version.to_owned(),
        ..Package::default()
    };
    let mut packages = vec![
        Package {
            architecture: "amd64".into(),
            source: Some("glibc".into()),
            source_version: Some("2.36-9".into()),
            vendor: "GNU Libc Maintainers <glibc@example.org>".into(),
            licences: vec!["LGPL-2.1-or-later".into(), "some words of their own".into()],
            ..package(ecosystem::DEB, "libc6", "2.36-9+b1")
        },
        Package {
            requires: vec![PackageId(0)],
            state: State::HalfInstalled,
            ..package(ecosystem::DEB, "apt", "1:2.6~rc1")
        },
        package(ecosystem::APK, "musl", "1.2.4-r2"),
        package(ecosystem::RPM, "bash", "2:5.1-6.el9"),
        package(ecosystem::NPM, "@scope/name", "1.0.0"),
        package(ecosystem::MAVEN, "org.example:core", "1.0"),
        package(ecosystem::COMPOSER, "vendor/name", "1.0"),
        Package {
            part_of: Some(PackageId(1)),
            known_by: KnownBy::Metadata,
            ..package(ecosystem::PYPI, "Zope.Interface", "5")
        },
        package(ecosystem::GOLANG, "github.com/a/b/v2", ""),
        Package {
            known_by: KnownBy::Pattern,
            database: Some("/usr/local/bin/a\u{1b}[31m".into()),
            ..package(ecosystem::GENERIC, "httpd", "2.4.46")
        },
        // Twice alike, and nothing a stranger could not write.
        package(ecosystem::GENERIC, "httpd", "2.4.46"),
        package(ecosystem::NPM, "a\u{7}\u{202e}b\"<script>", "1 && rm"),
        package(ecosystem::CARGO, "serde", "1.0.0+build"),
        package(ecosystem::GEM, "rack", "3.0"),
        package(ecosystem::NUGET, "Newtonsoft.Json", "13"),
    ];
    let count = packages.len() as u32;
    packages[0].requires = vec![PackageId(1), PackageId(count - 1)];
    Report {
        verb: "sbom",
        subject: Some(httpd()),
        inventory: Some(Inventory {
            packages,
            release: Some(OsRelease {
                id: "debian".into(),
                version_id: "12".into(),
                pretty_name: "Debian 12".into(),
                ..OsRelease::default()
            }),
            ..Inventory::default()
        }),
        problems: vec![Problem::at(
            &"/var/lib/dpkg/status".into(),
            "has no\nVersion",
        )],
        ..Report::default()
    }
}

fn document(format: &str, report: &Report) -> Value {
    let text = written(format, report);
    let control = |sign: char| sign.is_control() && sign != '\n';
    assert!(
        !text.contains(control) && !text.contains('\u{202e}'),
        "{format}"
    );
    assert_eq!(text, written(format, report), "the same bytes again");
    serde_json::from_str(&text).expect("it is JSON")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// What is known: with everything, with nothing beyond its name, and what counts for nothing.
fn scan() -> ScanFacts {
    let full = Vulnerability {
        id: "CVE-2026-1".to_owned(),
        aliases: vec!["GHSA-x".to_owned()],
        fixed: vec!["2".to_owned()],
        severity: Some(Severity::High),
        severity_by: SeverityBy::Vendor,
        cvss: Some(Cvss {
            vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
            score: 98,
        }),
        exploited: Some(Exploited {
            since: "2026-01-02".to_owned(),
            ransomware: true,
        }),
        epss: Some(500_000),
        feed: "debian".to_owned(),
        title: "overflow".to_owned(),
        url: Some("https://security-tracker.debian.org/tracker/CVE-2026-1".to_owned()),
        ..Vulnerability::default()
    };
    let bare = Vulnerability {
        id: "TEMP-1".to_owned(),
        ..Vulnerability::default()
    };
    let quiet = Quiet {
        vulnerability: Vulnerability {
            id: "CVE-2026-3".to_owned(),
            ..full.clone()
        },
        by: "plimsoll.ignore".to_owned(),
        status: "ignored".to_owned(),
        reason: "never called".to_owned(),
        justification: String::new(),
        until: Some("2026-12-31".to_owned()),
    };
    ScanFacts {
        vulnerabilities: vec![full, bare],
        quiet: vec![quiet],
        ..ScanFacts::default()
    }
}

#[test]
fn cyclonedx_is_valid_by_its_schema() {
    let Some(schema) = schema("cyclonedx-1.6.json") else {
        return;
    };
    // The two schemas it borrows from are not beside the checkout: identifiers of licences are any
    // word, and nothing is signed.
    let other = |definitions: Value| jsonschema::Resource::from_contents(definitions);
    let base = "http://cyclonedx.org/schema/";
    let registry = jsonschema::Registry::new()
        .add(
            format!("{base}spdx.schema.json"),
            other(json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"})),
        )
        .unwrap()
        .add(
            format!("{base}jsf-0.82.schema.json"),
            other(json!({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"signature": false}})),
        )
        .unwrap()
        .prepare()
        .unwrap();
    let options = jsonschema::options().with_registry(&registry);
    let validator = options
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let nothing = Report {
        verb: "sbom",
        ..Report::default()
    };
    let scanned = Report {
        verb: "scan",
        scans: vec![scan()],
        ..report()
    };
    assert_eq!(
        document("cyclonedx", &scanned)["vulnerabilities"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    for report in [report(), nothing, scanned, said("not_affected", "")] {
        let bill = document("cyclonedx", &report);
        let errors: Vec<String> = validator
            .iter_errors(&bill)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0]);
    }
    let mut broken = document("cyclonedx", &report());
    broken["components"][0]["type"] = json!("planet");
    assert!(!validator.is_valid(&broken), "the schema looks");
}

/// A flaw of the program that is installed twice, and what was said of it.
fn said(status: &str, justification: &str) -> Report {
    let mut report = Report {
        verb: "scan",
        scans: vec![scan()],
        ..report()
    };
    let facts = &mut report.scans[0];
    facts.vulnerabilities.clear();
    let quiet = &mut facts.quiet[0];
    quiet.vulnerability.package.purl = "pkg:generic/httpd@2.4.46".to_owned();
    (quiet.status, quiet.justification) = (status.to_owned(), justification.to_owned());
    report
}

#[test]
fn what_is_ignored_is_not_said_to_be_absent() {
    let flaw = |status| document("cyclonedx", &said(status, ""))["vulnerabilities"][0].clone();
    let ignored = flaw("ignored");
    assert_eq!(ignored["analysis"].get("state"), None, "{ignored}");
    assert_eq!(ignored["analysis"]["response"], json!(["will_not_fix"]));
    let why = word(&ignored["analysis"], "detail");
    assert!(
        why.contains("2026-12-31") && why.contains("never called"),
        "{why}"
    );
    for (status, state) in [("not_affected", "not_affected"), ("fixed", "resolved")] {
        let analysis = &flaw(status)["analysis"];
        assert_eq!(analysis["state"], state);
        assert_eq!(analysis.get("response"), None);
    }
    let statement = |status, why| document("openvex", &said(status, why))["statements"][0].clone();
    let ignored = statement("ignored", "");
    assert_eq!(ignored["status"], "affected", "{ignored}");
    assert_eq!(
        ignored["action_statement"],
        "ignored until 2026-12-31: never called (by plimsoll.ignore)"
    );
    assert_eq!(ignored.get("impact_statement"), None, "{ignored}");
    let absent = statement("not_affected", "component_not_present");
    assert_eq!(absent["status"], "not_affected");
    assert_eq!(absent["justification"], "component_not_present");
    assert_eq!(statement("fixed", "")["status"], "fixed");
}

#[test]
fn every_copy_of_a_package_has_its_flaws() {
    let bill = document("cyclonedx", &said("ignored", ""));
    let affects = list(&bill["vulnerabilities"][0], "affects");
    let references: Vec<&str> = affects.iter().map(|it| word(it, "ref")).collect();
    assert_eq!(
        references,
        ["pkg:generic/httpd@2.4.46", "pkg:generic/httpd@2.4.46#2"]
    );
    let components = list(&bill, "components").iter();
    let known: Vec<&str> = components.map(|it| word(it, "bom-ref")).collect();
    assert!(references.iter().all(|it| known.contains(it)), "{known:?}");
}

#[test]
fn cyclonedx_names_everything_once_and_refers_to_nothing_else() {
    let bill = document("cyclonedx", &report());
    assert_eq!(
        (word(&bill, "bomFormat"), word(&bill, "specVersion")),
        ("CycloneDX", "1.6")
    );
    let serial = word(&bill, "serialNumber")
        .strip_prefix("urn:uuid:")
        .unwrap();
    let parts: Vec<usize> = serial.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    let components = list(&bill, "components");
    assert_eq!(components.len(), 16, "15 packages and the distribution");
    let mut references = BTreeSet::from([word(&bill["metadata"]["component"], "bom-ref")]);
    for component in components {
        assert!(
            references.insert(word(component, "bom-ref")),
            "twice: {component}"
        );
        assert!(!word(component, "name").is_empty(), "{component}");
        let kind = word(component, "type");
        assert!(
            matches!(kind, "operating-system" | "library" | "application"),
            "{component}"
        );
        if kind != "operating-system" {
            let url = word(component, "purl");
            let (kind, rest) = url.strip_prefix("pkg:").unwrap().split_once('/').unwrap();
            assert!(
                kind.bytes().all(|it| it.is_ascii_lowercase()) && !rest.is_empty(),
                "{url}"
            );
            assert!(url.is_ascii() && !url.contains([' ', '<', '"']), "{url}");
        }
    }
    let dependencies = list(&bill, "dependencies");
    assert_eq!(
        dependencies.len(),
        1,
        "the ring that two packages are is cut"
    );
    for row in dependencies {
        let to = list(row, "dependsOn").iter().map(|it| it.as_str().unwrap());
        for reference in to.chain([word(row, "ref")]) {
            assert!(references.contains(reference), "{reference}");
        }
    }
    let problems = list(&bill["metadata"], "properties");
    assert!(
        problems[0]["value"]
            .as_str()
            .unwrap()
            .contains("/var/lib/dpkg/status")
    );
}

/// The rules of SPDX 2.3, clauses 6, 7 and 11, on fields that must be there and on what they may
/// hold.
#[test]
fn spdx_keeps_to_the_rules_of_its_specification() {
    let bill = document("spdx", &report());
    for (key, value) in [
        ("spdxVersion", "SPDX-2.3"),
        ("dataLicense", "CC0-1.0"),
        ("SPDXID", "SPDXRef-DOCUMENT"),
    ] {
        assert_eq!(word(&bill, key), value);
    }
    let space = word(&bill, "documentNamespace");
    assert!(
        space.contains(':') && !space.contains(['#', ' ']),
        "{space}"
    );
    let created = word(&bill["creationInfo"], "created");
    assert!(
        created.len() == 20 && created.ends_with('Z') && created.as_bytes()[10] == b'T',
        "{created}"
    );
    let creators = list(&bill["creationInfo"], "creators");
    assert!(
        creators[0].as_str().unwrap().starts_with("Tool: plimsoll-"),
        "{creators:?}"
    );
    let mut ids = BTreeSet::from(["SPDXRef-DOCUMENT"]);
    for package in list(&bill, "packages") {
        let id = word(package, "SPDXID");
        let name = id.strip_prefix("SPDXRef-").unwrap();
        let allowed = |it: u8| it.is_ascii_alphanumeric() || it == b'.' || it == b'-';
        assert!(!name.is_empty() && name.bytes().all(allowed), "{id}");
        assert!(ids.insert(id), "twice: {id}");
        assert!(!word(package, "name").is_empty(), "{package}");
        assert_eq!(word(package, "downloadLocation"), "NOASSERTION");
        assert_eq!(
            package["filesAnalyzed"], false,
            "or a verification code would be due"
        );
        let supplier = word(package, "supplier");
        let known = ["Person: ", "Organization: "]
            .iter()
            .any(|kind| supplier.starts_with(kind));
        assert!(known || supplier == "NOASSERTION", "{supplier}");
        for reference in list(package, "externalRefs") {
            assert_eq!(word(reference, "referenceCategory"), "PACKAGE-MANAGER");
            assert_eq!(word(reference, "referenceType"), "purl");
            assert!(
                !word(reference, "referenceLocator").contains(' '),
                "{reference}"
            );
        }
    }
    assert_eq!(ids.len(), 17, "the document, the image, 15 packages");
    let relations = list(&bill, "relationships");
    for row in relations {
        for key in ["spdxElementId", "relatedSpdxElement"] {
            assert!(ids.contains(word(row, key)), "{row}");
        }
        let kind = word(row, "relationshipType");
        assert!(
            matches!(kind, "DESCRIBES" | "CONTAINS" | "DEPENDS_ON"),
            "{kind}"
        );
    }
    let described = relations
        .iter()
        .filter(|row| row["relationshipType"] == "DESCRIBES");
    assert_eq!(described.count(), 1);
}
