//! Vulnerabilities as findings, for formats that know nothing else.

use plimsoll_model::report::ImageFacts;
use plimsoll_model::vulnerability::VulnerabilityState;
use plimsoll_model::{Evidence, Finding, Report, ScanFacts, Severity, Vulnerability};

/// The name under which formats show them.
const CHECK: &str = "vulnerability";

/// The same report with each known vulnerability as a finding, one for each source package that has
/// it, in the place of the scans.
///
/// They are those of the first image: another was set beside it to be compared with. Where the
/// report is about something else, what is known about the images is no finding of it.
pub fn as_findings(report: &Report) -> Report {
    let mut report = report.clone();
    let scans = std::mem::take(&mut report.scans);
    if report.verb != "scan" {
        return report;
    }
    if let Some(facts) = scans.first() {
        report.findings.extend(findings(facts));
        report.subject.get_or_insert_with(|| ImageFacts {
            name: facts.name.clone(),
            digest: facts.digest.clone(),
            ..ImageFacts::default()
        });
    }
    report
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    // They are findings now, and would be counted twice.
    report
}

fn findings(facts: &ScanFacts) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let mut index = std::collections::BTreeMap::new();
    for it in &facts.vulnerabilities {
        let key = (it.package.ecosystem, &it.package.source, &it.id);
        let at = *index.entry(key).or_insert_with(|| {
            found.push(finding(it));
            found.len() - 1
        });
        found[at].evidence.push(Evidence::Package {
            name: it.package.name.clone(),
            version: it.package.version.clone(),
        });
    }
    found
}

fn finding(it: &Vulnerability) -> Finding {
    let package = &it.package;
    let mut message = format!("{} in {} {}", it.id, package.source, package.source_version);
    if !it.title.is_empty() {
        message = format!("{message}: {}", it.title);
    }
    if it.exploited.is_some() {
        message.push_str(" (known to be exploited)");
    }
    let advisory = Evidence::Advisory {
        id: it.id.clone(),
        source: package.source.clone(),
        url: it.url.clone(),
    };
    let place = package.place.iter().map(|path| Evidence::Path {
        path: path.clone(),
        layer: package.layer.unwrap_or_default(),
        size: 0,
    });
    Finding {
        check: CHECK,
        aliases: &[],
        severity: match it.state {
            VulnerabilityState::Unimportant => Severity::Info,
            _ => it.severity.unwrap_or(Severity::Info),
        },
        message,
        evidence: std::iter::once(advisory).chain(place).collect(),
        remedy: (!it.fixed.is_empty())
            .then(|| format!("upgrade {} to {}", package.source, it.fixed.join(", "))),
    }
}
