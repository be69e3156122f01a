//! What the checks found, each with what was seen and what to do.

use std::collections::BTreeMap;

use plimsoll_model::{Evidence, Finding, Report, Severity, text};

use super::layout::{Page, clean, short};

/// Places that are shown of each finding.
const EVIDENCE: usize = 5;

pub(super) fn write(report: &Report, page: &mut Page) {
    if report.findings.is_empty() {
        // Only where somebody looked: a report without an image had nothing to find.
        if report.subject.is_some() {
            page.heading("Findings: none");
        }
        return;
    }
    page.heading(&format!("Findings: {}", tally(&report.findings)));
    for finding in &report.findings {
        one(finding, page);
    }
}

/// `1 high, 3 medium, 12 low`.
fn tally(findings: &[Finding]) -> String {
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.severity).or_default() += 1;
    }
    let counts = counts.iter().rev();
    let words = counts.map(|(severity, count)| format!("{count} {severity}"));
    words.collect::<Vec<_>>().join(", ")
}

fn one(finding: &Finding, page: &mut Page) {
    let Finding {
        check,
        severity,
        message,
        evidence,
        remedy,
    } = finding;
    page.paragraph(2, &format!("{severity} {check}: {}", clean(message)));
    for evidence in evidence.iter().take(EVIDENCE) {
        page.paragraph(6, &place(evidence));
    }
    if evidence.len() > EVIDENCE {
        page.paragraph(6, &format!("and {} more", evidence.len() - EVIDENCE));
    }
    if let Some(remedy) = remedy {
        page.paragraph(4, &format!("remedy: {}", clean(remedy)));
    }
}

/// An evidence in its own words, and how large it is.
fn place(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Path { path, layer, size } if *size > 0 => {
            format!("{path} (layer {layer}, {})", text::bytes(*size))
        }
        // A command line can be very long.
        evidence => short(&clean(&evidence.to_string()), 300),
    }
}
