//! `sarif`: SARIF 2.1.0, for code scanning.
//!
//! One run. Its rules are the checks that looked, each with its page as help, and each advisory that a
//! package is subject to, with its severity and its address; a result points at
//! the user's file where there is one, else at the path inside the image (relative to the base
//! `IMAGE`), else at the image by name, so that each has a physical location. Fingerprints stay the
//! same from build to build; waived findings are suppressed results; what could not be judged is a
//! notification of the invocation, which then was not a success.
//!
//! Source: OASIS, *Static Analysis Results Interchange Format (SARIF) Version 2.1.0*, errata 01;
//! `security-severity` is read by GitHub's code scanning.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use plimsoll_model::{Evidence, Finding, Report, Rule, Severity};
use serde::Serialize;
use serde_json::{Value, json};

use crate::formats::markdown;
use crate::place::{Place, Region, clean, places};
use crate::{Format, Needs};

/// The row.
pub static FORMAT: Format = Format {
    id: "sarif",
    extension: "sarif",
    help: "SARIF 2.1.0, for code scanning",
    needs: Needs::Anything,
    write,
    file: file!(),
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Locations of one result; its message says how many there are.
const LOCATIONS: usize = 100;
/// The rule of demands that are not met.
const POLICY: &str = "policy";
/// What paths inside the image are relative to.
const BASE: &str = "IMAGE";

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run(report)],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Value,
    automation_details: Value,
    invocations: [Value; 1],
    original_uri_base_ids: Value,
    column_kind: &'static str,
    results: Vec<Outcome>,
    properties: Value,
}

/// What SARIF calls a result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Value,
    locations: Vec<Value>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Value>,
    properties: Value,
}

fn run(report: &Report) -> Run {
    let name = match (&report.subject, &report.comparison) {
        (Some(facts), _) => clean(&facts.name),
        (None, Some(pair)) => clean(&pair.after_name),
        (None, None) => String::new(),
    };
    let digest = report.subject.as_ref().map(|facts| clean(&facts.digest));
    let rules: Vec<(String, Value)> = rules(report)
        .iter()
        .map(|rule| (rule.id.to_owned(), descriptor(rule)))
        .chain(advisories(report))
        .collect();
    let index: BTreeMap<&str, usize> = rules
        .iter()
        .enumerate()
        .map(|(at, (id, _))| (&**id, at))
        .collect();
    let mut results = Vec::new();
    let mut seen = BTreeMap::new();
    // What the policy demands and the image is not.
    let demands = report.verdict.iter().flat_map(|verdict| &verdict.demands);
    let unmet: Vec<Finding> = demands
        .filter(|demand| !demand.met && !demand.unjudged)
        .map(|demand| Finding {
            check: POLICY,
            aliases: &[],
            severity: Severity::High,
            message: format!("{}: {}", demand.wanted, demand.found),
            evidence: vec![Evidence::Image],
            remedy: None,
        })
        .collect();
    let active = report.findings.iter().chain(&unmet);
    let active = active.map(|finding| (finding, None));
    let waived = report
        .waived
        .iter()
        .map(|waived| (&waived.finding, Some(clean(&waived.reason))));
    for (finding, reason) in active.chain(waived) {
        let mut outcome = outcome(finding, &name, &index);
        // Two findings may begin at the same place: a program that is set-uid and set-gid.
        let mut key = finding.key();
        if finding.check == POLICY {
            let wanted = finding.message.split(": ").next();
            key = format!("{POLICY}:{}", wanted.unwrap_or_default());
        }
        let times: &mut usize = seen.entry(key.clone()).or_default();
        *times += 1;
        outcome.partial_fingerprints = BTreeMap::from([(
            "plimsoll/v1",
            match *times {
                1 => clean(&key),
                times => format!("{}#{times}", clean(&key)),
            },
        )]);
        outcome.suppressions = reason
            .iter()
            .map(|why| json!({"kind": "external", "status": "accepted", "justification": why}))
            .collect();
        results.push(outcome);
    }
    let problems: Vec<Value> = report
        .problems
        .iter()
        .map(|problem| {
            json!({
                "level": "error",
                "message": {"text": plain(&problem.to_string())},
                "descriptor": {"id": "incomplete"},
            })
        })
        .collect();
    let described = match &digest {
        Some(digest) => format!("the root directory of {name} ({digest})"),
        None => format!("the root directory of {name}"),
    };
    let described = plain(&described);
    Run {
        tool: json!({"driver": {
            "name": "plimsoll",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules.iter().map(|(_, rule)| rule).collect::<Vec<_>>(),
            "notifications": [{"id": "incomplete", "shortDescription": {
                "text": "something could not be read, and so could not be judged"
            }}],
        }}),
        automation_details: json!({"id": format!("plimsoll/{}/{name}", report.verb)}),
        invocations: [json!({
            "executionSuccessful": report.problems.is_empty(),
            "toolExecutionNotifications": problems,
        })],
        original_uri_base_ids: json!({BASE: {"description": {"text": described}}}),
        column_kind: "unicodeCodePoints",
        results,
        properties: match digest {
            Some(digest) => json!({"image": name, "digest": digest}),
            None => json!({}),
        },
    }
}

/// The rules that looked, and those that something was found by without being listed.
fn rules(report: &Report) -> Vec<Rule> {
    let mut rules = report.rules.clone();
    let known: BTreeSet<&str> = rules.iter().map(|rule| rule.id).collect();
    let waived = report.waived.iter().map(|waived| &waived.finding);
    if report.unmet() > 0 {
        rules.push(Rule {
            id: POLICY,
            summary: "the image is not what the policy demands",
            severity: Severity::High,
            page: String::new(),
        });
    }
    let unknown: BTreeMap<&'static str, Severity> = report
        .findings
        .iter()
        .chain(waived)
        .filter(|finding| !known.contains(finding.check) && advisory(finding).is_none())
        .map(|finding| (finding.check, finding.severity))
        .collect();
    rules.extend(unknown.into_iter().map(|(id, severity)| Rule {
        id,
        summary: id,
        severity,
        page: String::new(),
    }));
    rules
}

/// The advisory a finding is about, and its page.
fn advisory(finding: &Finding) -> Option<(&str, Option<&str>)> {
    finding.evidence.iter().find_map(|it| match it {
        Evidence::Advisory { id, url, .. } => Some((&**id, url.as_deref())),
        _ => None,
    })
}

/// Each advisory is a rule of its own: viewers take the severity and the page from there.
fn advisories(report: &Report) -> Vec<(String, Value)> {
    let mut found: BTreeMap<String, (Severity, &Finding, Option<&str>)> = BTreeMap::new();
    for finding in &report.findings {
        if let Some((id, url)) = advisory(finding) {
            let entry = found
                .entry(clean(id))
                .or_insert((finding.severity, finding, url));
            entry.0 = entry.0.max(finding.severity);
        }
    }
    let rules = found.into_iter().map(|(id, (severity, finding, url))| {
        // `CVE-1 in zlib 1.2: overflow`: what is said of it, where anything is.
        let words = clean(&finding.message);
        let title = words.split_once(": ").map_or(&*id, |(_, title)| title);
        let mut rule = json!({
            "id": id,
            "shortDescription": {"text": plain(title)},
            "defaultConfiguration": {"level": level(severity)},
            "properties": {
                "security-severity": score(severity),
                "problem.severity": problem_severity(severity),
                "precision": "high",
                "tags": ["container", "security", "vulnerability"],
            },
        });
        if let Some(url) = url {
            let url = clean(url);
            let text = format!("What is known about {id}: {url}");
            // A link of its own only where nothing in it could end it.
            let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"<>{}\\".contains(&byte);
            let link = match url.starts_with("https://") && url.bytes().all(is_plain) {
                true => format!("What is known about {}: <{url}>", marked(&id)),
                false => marked(&text),
            };
            rule["help"] = json!({"text": plain(&text), "markdown": link});
            rule["helpUri"] = json!(url);
        }
        (id, rule)
    });
    rules.collect()
}

fn descriptor(rule: &Rule) -> Value {
    let page = rule.page.trim();
    let why = page.split("\n\n").next().unwrap_or_default();
    let why = why.replace('\n', " ");
    let mut descriptor = json!({
        "id": rule.id,
        "name": pascal(rule.id),
        "shortDescription": {"text": rule.summary},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "security-severity": score(rule.severity),
            "problem.severity": problem_severity(rule.severity),
            "precision": "high",
            "tags": ["container", "security"],
        },
    });
    if !page.is_empty() {
        descriptor["fullDescription"] = json!({"text": why});
        descriptor["help"] = json!({"text": page, "markdown": page});
    }
    descriptor
}

fn outcome(finding: &Finding, image: &str, rules: &BTreeMap<&str, usize>) -> Outcome {
    let rule = match advisory(finding) {
        Some((id, _)) => clean(id),
        None => finding.check.to_owned(),
    };
    let mut text = finding.message.clone();
    if finding.evidence.len() > LOCATIONS {
        let count = finding.evidence.len();
        text.push_str(&format!(
            " ({count} places, of which {LOCATIONS} are listed)"
        ));
    }
    let mut markdown = marked(&text);
    text = plain(&text);
    if let Some(remedy) = &finding.remedy {
        text.push_str(&format!("\nremedy: {}", plain(remedy)));
        markdown.push_str(&format!("\n\n**Remedy:** {}", marked(remedy)));
    }
    let mut evidence = places(finding);
    // Viewers show the first location: the user's own file, if there is one.
    evidence.sort_by_key(|evidence| !matches!(evidence, Evidence::Source { .. }));
    Outcome {
        rule_index: rules.get(&*rule).copied(),
        rule_id: rule,
        level: level(finding.severity),
        message: json!({"text": text, "markdown": markdown}),
        locations: evidence
            .into_iter()
            .take(LOCATIONS)
            .map(|evidence| location(evidence, image))
            .collect(),
        partial_fingerprints: BTreeMap::new(),
        suppressions: Vec::new(),
        properties: json!({
            "severity": finding.severity.name(),
            "security-severity": score(finding.severity),
            "tags": finding.aliases,
        }),
    }
}

fn location(evidence: &Evidence, image: &str) -> Value {
    let place = Place::of(evidence);
    let mut physical = match &place.file {
        Some(file) if file.in_image && !file.name.is_empty() => {
            json!({"artifactLocation": {"uri": uri(&file.name), "uriBaseId": BASE}})
        }
        Some(file) if !file.in_image => json!({"artifactLocation": {"uri": uri(&file.name)}}),
        _ => json!({"artifactLocation": {"uri": uri(image)}}),
    };
    if let Some(file) = &place.file
        && let Some(region) = &file.region
    {
        physical["region"] = region_of(region);
    }
    let logical = match evidence {
        Evidence::Path { path, layer, .. } => {
            Some((path.to_string(), format!("layer {layer}"), "resource"))
        }
        Evidence::Package { name, .. } => Some((clean(name), "package".to_owned(), "package")),
        Evidence::Config { key, .. } => Some(((*key).to_owned(), "config".to_owned(), "member")),
        Evidence::Layer(layer) => Some((format!("layer {layer}"), String::new(), "layer")),
        Evidence::Image => Some((image.to_owned(), String::new(), "image")),
        Evidence::Advisory { .. } | Evidence::Line { .. } | Evidence::Source { .. } => None,
    };
    let mut location = json!({
        "physicalLocation": physical,
        "message": {"text": plain(&place.words)},
    });
    if let Some((name, inside, kind)) = logical {
        let parts = [image, &inside, &name];
        let full: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        location["logicalLocations"] = json!([{
            "name": name,
            "fullyQualifiedName": full.join("::"),
            "kind": kind,
        }]);
    }
    location
}

/// Words as a plain message, in which `[text](uri)` would be a link and `{0}` the place of an argument
/// (SARIF 2.1.0, 3.11.5 and 3.11.6): names of packages are what strangers wrote.
fn plain(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for sign in clean(words).chars() {
        match sign {
            '\\' | '[' | ']' => text.extend(['\\', sign]),
            '{' | '}' => text.extend([sign, sign]),
            other => text.push(other),
        }
    }
    text
}

/// The same as a formatted message: nothing is markup but what is quoted, and no brace is left.
fn marked(words: &str) -> String {
    let text = markdown::prose(words);
    text.replace('{', "&#123;").replace('}', "&#125;")
}

fn region_of(region: &Region) -> Value {
    let mut value = json!({"startLine": region.line, "endLine": region.end_line});
    if let Some((from, to)) = region.columns {
        value["startColumn"] = json!(from);
        value["endColumn"] = json!(to);
    }
    if region.line == region.end_line && !region.excerpt.is_empty() {
        value["snippet"] = json!({"text": region.excerpt});
    }
    value
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

const fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "recommendation",
    }
}

/// A number in the middle of the range that GitHub shows as this severity.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

/// `root-user` becomes `RootUser`, as SARIF wants names.
fn pascal(id: &str) -> String {
    let words = id.split(|sign: char| !sign.is_ascii_alphanumeric());
    words
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            format!("{}{rest}", first.to_ascii_uppercase())
        })
        .collect()
}

/// A path as a relative reference (RFC 3986): everything but unreserved characters and slashes is
/// written in per cent.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
