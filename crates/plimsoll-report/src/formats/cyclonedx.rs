//! `cyclonedx`: the inventory as a CycloneDX 1.6 document (ECMA-424), for programs.
//!
//! One component a package, with its package URL, licences, the file it is known by and how sure
//! that is; one for the distribution. The serial number comes from the image's digest and the time
//! from the image, so the same image gives the same bytes; of a scan both come from its data, too. Needs that close a ring are left out.
//! Packages that were removed and left their configuration are no components. Of a scan it also has
//! what is known to be wrong with the components, and what was said to count for nothing, with the reason.
//! The properties of `plimsoll:` say what the format has no field for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use plimsoll_model::vulnerability::Quiet;
use plimsoll_model::{
    Inventory, KnownBy, OsRelease, Package, Report, ScanFacts, Severity, Vulnerability,
};
use serde::Serialize;

use crate::sbom::{self, clean};
use crate::{Format, Needs};

/// The row.
pub static FORMAT: Format = Format {
    id: "cyclonedx",
    extension: "cdx.json",
    help: "the inventory as a CycloneDX 1.6 bill of materials",
    needs: Needs::Inventory,
    write,
    file: file!(),
};

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document::of(report))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerabilities: Option<Vec<Flaw>>,
}

/// What CycloneDX calls a vulnerability.
#[derive(Serialize)]
struct Flaw {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ratings: Vec<Rating>,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    recommendation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    analysis: Option<Analysis>,
    affects: Vec<Affects>,
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Link {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// The same flaw under another name.
#[derive(Serialize)]
struct Reference {
    id: String,
    source: Link,
}

#[derive(Serialize)]
struct Rating {
    source: Link,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<String>,
}

#[derive(Serialize)]
struct Analysis {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    response: Vec<&'static str>,
    detail: String,
}

#[derive(Serialize)]
struct Affects {
    #[serde(rename = "ref")]
    reference: String,
}

#[derive(Serialize)]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    tools: Tools,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Component>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Serialize, Default)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "String::is_empty")]
    reference: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    publisher: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseChoice>,
    #[serde(skip_serializing_if = "String::is_empty")]
    purl: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct LicenseChoice {
    license: License,
}

#[derive(Serialize)]
struct License {
    name: String,
}

#[derive(Serialize)]
struct Evidence {
    identity: Vec<Identity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    occurrences: Vec<Occurrence>,
}

#[derive(Serialize)]
struct Identity {
    field: &'static str,
    confidence: f64,
    methods: Vec<Method>,
}

#[derive(Serialize)]
struct Method {
    technique: &'static str,
    confidence: f64,
    value: &'static str,
}

#[derive(Serialize)]
struct Occurrence {
    location: String,
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    depends_on: Vec<String>,
}

impl Document {
    fn of(report: &Report) -> Self {
        let none = Inventory::default();
        let inventory = report.inventory.as_ref().unwrap_or(&none);
        let facts = report.subject.as_ref();
        let references = sbom::references(inventory);
        let mut components: Vec<Component> = inventory.release.iter().map(release).collect();
        let packages = inventory.packages.iter().zip(&references);
        components
            .extend(packages.map(|(package, reference)| component(inventory, package, reference)));
        let problems = report
            .problems
            .iter()
            .map(|problem| property("plimsoll:problem", &problem.to_string()));
        let accepted = report.waived.iter().map(|waived| {
            let until = waived.until.as_deref().unwrap_or_default();
            let (message, reason) = (&waived.finding.message, &waived.reason);
            let words = format!("{message}; accepted until {until}: {reason}");
            property("plimsoll:accepted", &words)
        });
        // Another image may have been set beside it, to be compared with.
        let scan = report.scans.first();
        Self {
            schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: format!("urn:uuid:{}", sbom::serial(report)),
            version: 1,
            metadata: Metadata {
                timestamp: sbom::time(report),
                tools: Tools {
                    components: vec![Component {
                        kind: "application",
                        name: sbom::TOOL.to_owned(),
                        version: sbom::TOOL_VERSION.to_owned(),
                        ..Component::default()
                    }],
                },
                component: facts.map(|facts| Component {
                    kind: "container",
                    reference: "image".to_owned(),
                    name: clean(&facts.name),
                    version: clean(&facts.digest),
                    ..Component::default()
                }),
                properties: problems.chain(accepted).collect(),
            },
            components,
            dependencies: sbom::needs(inventory)
                .into_iter()
                .filter(|(_, needs)| !needs.is_empty())
                .map(|(id, needs)| Dependency {
                    reference: references[id.0 as usize].clone(),
                    depends_on: needs
                        .iter()
                        .map(|id| references[id.0 as usize].clone())
                        .collect(),
                })
                .collect(),
            vulnerabilities: scan.map(|facts| flaws(facts, inventory, &references)),
        }
    }
}

/// Each flaw of a source package once, with every component that has it.
fn flaws(facts: &ScanFacts, inventory: &Inventory, references: &[String]) -> Vec<Flaw> {
    // What is installed twice is one package URL and two components: both have the flaw.
    let mut copies: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for (package, reference) in inventory.packages.iter().zip(references) {
        let purl = package.purl(inventory.release.as_ref());
        copies.entry(purl).or_default().push(reference);
    }
    let mut named = BTreeSet::new();
    let counted = facts.vulnerabilities.iter().map(|it| (it, None));
    let quiet = facts.quiet.iter();
    let all = counted.chain(quiet.map(|it| (&it.vulnerability, Some(it))));
    let mut found: Vec<Flaw> = Vec::new();
    let mut index = BTreeMap::new();
    for (it, quiet) in all {
        let reason = quiet.map(|it| (&it.by, &it.reason));
        let key = (it.package.ecosystem, &it.package.source, &it.id, reason);
        let at = *index.entry(key).or_insert_with(|| {
            found.push(flaw(it, quiet));
            found.len() - 1
        });
        if named.insert((at, &it.package.purl)) {
            let copies = copies.get(&it.package.purl).into_iter().flatten();
            found[at].affects.extend(copies.map(|reference| Affects {
                reference: (*reference).clone(),
            }));
        }
    }
    found
}

fn flaw(it: &Vulnerability, quiet: Option<&Quiet>) -> Flaw {
    let link = |name: &str, url: Option<&String>| Link {
        name: clean(name),
        url: url.map(|url| clean(url)),
    };
    let severity = it.severity.map_or("unknown", Severity::name);
    let mut ratings = vec![Rating {
        source: link(it.severity_by.name(), None),
        score: None,
        severity,
        method: None,
        vector: None,
    }];
    ratings.extend(it.cvss.as_ref().map(|cvss| {
        let method = match cvss.vector.get(..8) {
            Some("CVSS:3.0") => "CVSSv3",
            Some("CVSS:3.1") => "CVSSv31",
            Some("CVSS:4.0") => "CVSSv4",
            _ => "CVSSv2",
        };
        Rating {
            source: link("cvss", None),
            score: Some(f64::from(cvss.score) / 10.0),
            severity: rating(cvss.score),
            method: Some(method),
            vector: Some(clean(&cvss.vector)),
        }
    }));
    let mut properties = vec![
        property("plimsoll:state", it.state.name()),
        property("plimsoll:status", it.status),
        property("plimsoll:source", &it.package.source),
        property("plimsoll:part", it.package.part.name()),
    ];
    if let Some(exploited) = &it.exploited {
        properties.push(property("plimsoll:exploited-since", &exploited.since));
    }
    if let Some(epss) = it.epss {
        let share = f64::from(epss) / 1e6;
        properties.push(property("plimsoll:epss", &share.to_string()));
    }
    let aliases = it.aliases.iter().map(|alias| Reference {
        id: clean(alias),
        source: link(&it.feed, None),
    });
    Flaw {
        id: clean(&it.id),
        source: Some(link(&it.feed, it.url.as_ref())),
        references: aliases.collect(),
        ratings,
        description: clean(&it.title),
        recommendation: match it.fixed.is_empty() {
            true => String::new(),
            false => clean(&format!(
                "upgrade {} to {}",
                it.package.source,
                it.fixed.join(", ")
            )),
        },
        analysis: quiet.map(|quiet| Analysis {
            // Who ignores a flaw says that it counts for nothing, and not that it is not there.
            state: match &*quiet.status {
                "fixed" => Some("resolved"),
                "not_affected" => Some("not_affected"),
                _ => None,
            },
            response: match &*quiet.status {
                "fixed" | "not_affected" => Vec::new(),
                _ => vec!["will_not_fix"],
            },
            detail: clean(&format!(
                "{} by {}{}: {} {}",
                quiet.status,
                quiet.by,
                quiet
                    .until
                    .as_ref()
                    .map(|day| format!(" until {day}"))
                    .unwrap_or_default(),
                quiet.justification,
                quiet.reason
            )),
        }),
        affects: Vec::new(),
        properties,
    }
}

/// The word for a base score in tenths (CVSS 3.1, section 5).
fn rating(score: u8) -> &'static str {
    match score {
        0 => "none",
        1..=39 => "low",
        40..=69 => "medium",
        70..=89 => "high",
        _ => "critical",
    }
}

fn property(name: &str, value: &str) -> Property {
    Property {
        name: name.to_owned(),
        value: clean(value),
    }
}

fn release(release: &OsRelease) -> Component {
    Component {
        kind: "operating-system",
        reference: "distribution".to_owned(),
        name: clean(if release.id.is_empty() {
            "linux"
        } else {
            &release.id
        }),
        version: clean(&release.version_id),
        description: clean(&release.pretty_name),
        ..Component::default()
    }
}

fn component(inventory: &Inventory, package: &Package, reference: &str) -> Component {
    let (group, name) = match package.ecosystem {
        "maven" => package.name.split_once(':').unwrap_or(("", &package.name)),
        "npm" | "composer" => package.name.split_once('/').unwrap_or(("", &package.name)),
        _ => ("", package.name.as_str()),
    };
    let owner = package.part_of.and_then(|id| inventory.get(id));
    let mut properties = vec![property("plimsoll:known-by", package.known_by.name())];
    let mut add = |key: &str, value: &str| {
        if !value.is_empty() {
            properties.push(property(&format!("plimsoll:{key}"), value));
        }
    };
    add("architecture", &package.architecture);
    add("source", package.source.as_deref().unwrap_or_default());
    add(
        "source-version",
        package.source_version.as_deref().unwrap_or_default(),
    );
    add("part-of", owner.map_or("", |owner| owner.name.as_str()));
    if package.state != plimsoll_model::State::Installed {
        add("state", package.state.name());
    }
    let licences = package
        .licences
        .iter()
        .map(|name| clean(name))
        .filter(|name| !name.is_empty());
    Component {
        kind: if package.ecosystem == "generic" {
            "application"
        } else {
            "library"
        },
        reference: reference.to_owned(),
        publisher: clean(&package.vendor),
        group: clean(group),
        name: clean(name),
        version: clean(&package.version),
        licenses: licences
            .map(|name| LicenseChoice {
                license: License { name },
            })
            .collect(),
        purl: package.purl(inventory.release.as_ref()),
        evidence: Some(evidence(package)),
        properties,
        ..Component::default()
    }
}

fn evidence(package: &Package) -> Evidence {
    let (technique, confidence) = match package.known_by {
        KnownBy::Database | KnownBy::Metadata | KnownBy::Sbom => ("manifest-analysis", 1.0),
        KnownBy::BuildInfo | KnownBy::Note => ("binary-analysis", 1.0),
        KnownBy::Pattern => ("binary-analysis", 0.9),
        KnownBy::FileName => ("filename", 0.5),
    };
    let method = Method {
        technique,
        confidence,
        value: package.known_by.name(),
    };
    Evidence {
        identity: vec![Identity {
            field: "purl",
            confidence,
            methods: vec![method],
        }],
        occurrences: sbom::place(package)
            .map(|location| Occurrence { location })
            .into_iter()
            .collect(),
    }
}
