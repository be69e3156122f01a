//! What the checks found, each with what was seen and what to do.

use std::collections::BTreeMap;

use plimsoll_model::{Evidence, Finding, Report, Severity, Source, text};

use super::layout::{Page, WIDTH, clean, short};

/// Places that are shown of each finding.
const EVIDENCE: usize = 5;

pub(super) fn write(report: &Report, page: &mut Page) {
    if report.findings.is_empty() {
        // Only where somebody looked: a report without an image or a file had nothing to find.
        if report.subject.is_some() || report.verb == "lint" {
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

/// One finding.
pub(super) fn one(finding: &Finding, page: &mut Page) {
    let Finding {
        check,
        aliases,
        severity,
        message,
        evidence,
        remedy,
    } = finding;
    let names = match aliases {
        [] => (*check).to_owned(),
        aliases => format!("{check} ({})", aliases.join(", ")),
    };
    page.paragraph(2, &format!("{severity} {names}: {}", clean(message)));
    for evidence in evidence.iter().take(EVIDENCE) {
        match evidence {
            Evidence::Source(source) => excerpt(source, page),
            evidence => page.paragraph(6, &place(evidence)),
        }
    }
    if evidence.len() > EVIDENCE {
        page.paragraph(6, &format!("and {} more", evidence.len() - EVIDENCE));
    }
    if let Some(remedy) = remedy {
        page.paragraph(4, &format!("remedy: {}", clean(remedy)));
    }
}

/// The place, its line as written, and carets below what is meant.
fn excerpt(source: &Source, page: &mut Page) {
    page.line(&format!(
        "      {}",
        place(&Evidence::Source(source.clone()))
    ));
    let number = source.line.to_string();
    // Tabs, and what is written as an escape, would move what stands below them.
    let plain = |c: char| match c {
        '\t' => ' ',
        c if clean(c.encode_utf8(&mut [0; 4])).len() > c.len_utf8() => '?',
        c => c,
    };
    let line: Vec<char> = source.excerpt.chars().map(plain).collect();
    let start = source.column.saturating_sub(1).min(line.len());
    let end = match source.end_line == source.line {
        true => source.end_column.saturating_sub(1).min(line.len()),
        false => line.len(),
    };
    let carets = end.saturating_sub(start).max(1);
    // A window on a long line, so that carets are where the reader looks.
    let room = WIDTH - 12 - number.len();
    let from = match start + carets.min(20) > room {
        true => start.saturating_sub(room / 3),
        false => 0,
    };
    let shown: String = line.iter().skip(from).take(room).collect();
    let (shown, at) = (clean(shown.trim_end()), start - from);
    let carets = carets.min(room - at.min(room - 1));
    let gap = " ".repeat(number.len());
    page.line(&format!("      {number} | {shown}"));
    page.line(&format!(
        "      {gap} | {}{}",
        " ".repeat(at),
        "^".repeat(carets)
    ));
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
