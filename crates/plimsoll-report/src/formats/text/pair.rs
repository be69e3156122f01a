//! Two images side by side: the layers they share, and findings that came or went.

use plimsoll_model::report::Pair;
use plimsoll_model::text::{bytes, count};
use plimsoll_model::{Finding, Report};

use super::findings::one;
use super::layout::Page;

pub(super) fn write(report: &Report, pair: &Pair, page: &mut Page) {
    page.heading("Layers in both");
    let words = match pair.shared_layers {
        0 => "none: the second is pulled whole".to_owned(),
        shared => format!(
            "{} of the second's {}: {} of {} need not be pulled where the first is",
            count(shared),
            count(pair.after.layers.len() as u64),
            bytes(pair.shared_bytes),
            bytes(pair.after.footprint.compressed)
        ),
    };
    page.paragraph(2, &words);
    list("Findings that only the second has", &report.findings, page);
    list("Findings that only the first has", &pair.gone, page);
    page.heading(&format!("Findings that both have: {}", count(pair.staying)));
}

fn list(title: &str, findings: &[Finding], page: &mut Page) {
    page.heading(&format!("{title}: {}", count(findings.len() as u64)));
    for finding in findings {
        one(finding, page);
    }
}
