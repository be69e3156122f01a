//! What the checks found: how much it weighs, what to do, and where it was seen.

use plimsoll_model::text::count;
use plimsoll_model::{Evidence, Finding, Report, Severity};

use super::{heading, some};
use crate::html::markup::Html;

/// Places that are listed of one finding.
const PLACES: usize = 100;
/// Findings that a page lists.
const SHOWN: usize = 1000;

pub(super) fn write(report: &Report, html: &mut Html) {
    match &report.pair {
        Some(pair) => {
            let remark = format!(
                "{} new, {} gone, {} in both",
                count(pair.new.len() as u64),
                count(pair.gone.len() as u64),
                count(pair.staying)
            );
            heading(html, "findings", "Findings", &remark);
            part("Only after", &pair.new, report, html);
            part("Only before", &pair.gone, report, html);
            html.raw("</section>");
        }
        None if report.subject.is_some() || !report.findings.is_empty() => {
            let remark = some(report.findings.len() as u64, "finding", "findings");
            heading(html, "findings", "Findings", &remark);
            list(&report.findings, report, html);
            if report.findings.is_empty() {
                html.raw("<p class=\"good\">No check found anything.</p>");
            }
            html.raw("</section>");
        }
        None => {}
    }
}

fn part(title: &'static str, findings: &[Finding], report: &Report, html: &mut Html) {
    html.raw("<h3>")
        .raw(title)
        .raw(" <small>")
        .put(&count(findings.len() as u64));
    html.raw("</small></h3>");
    list(findings, report, html);
}

fn list(findings: &[Finding], report: &Report, html: &mut Html) {
    html.raw("<ul class=\"findings\">");
    for finding in findings.iter().take(SHOWN) {
        one(finding, report, html);
    }
    html.raw("</ul>");
    if findings.len() > SHOWN {
        html.raw("<p>and ")
            .put(&count((findings.len() - SHOWN) as u64))
            .raw(" more</p>");
    }
}

fn one(finding: &Finding, report: &Report, html: &mut Html) {
    html.raw("<li class=\"")
        .raw(finding.severity.name())
        .raw("\"><p class=\"say\">");
    severity(Some(finding.severity), html);
    quoted(&finding.message, html);
    html.raw(" <code>").put(finding.check).raw("</code>");
    if report.is_over(finding) {
        html.raw(" <em class=\"over\">over the line</em>");
    }
    html.raw("</p>");
    if let Some(remedy) = &finding.remedy {
        html.raw("<p class=\"remedy\"><span>Remedy</span> ")
            .put(remedy)
            .raw("</p>");
    }
    places(&finding.evidence, html);
    html.raw("</li>");
}

/// A sentence in which what stands between backquotes is code.
pub(super) fn quoted(sentence: &str, html: &mut Html) {
    // Without its other half a backquote is one.
    if !sentence.matches('`').count().is_multiple_of(2) {
        html.put(sentence);
        return;
    }
    for (number, part) in sentence.split('`').enumerate() {
        if number % 2 == 0 {
            html.put(part);
        } else {
            html.raw("<code class=\"name\">").put(part).raw("</code>");
        }
    }
}

/// The one place, or how many there are and a list to open.
fn places(evidence: &[Evidence], html: &mut Html) {
    match evidence {
        [] => {}
        [one] => {
            html.raw("<p class=\"place\">")
                .put(&one.to_string())
                .raw("</p>");
        }
        many => {
            html.raw("<details><summary>");
            html.put(&some(many.len() as u64, "place", "places"))
                .raw("</summary><ul class=\"places\">");
            for evidence in many.iter().take(PLACES) {
                html.raw("<li>").put(&evidence.to_string());
                if let Evidence::Path { size, .. } = evidence
                    && *size > 0
                {
                    html.raw(" <small>")
                        .put(&plimsoll_model::text::bytes(*size))
                        .raw("</small>");
                }
                html.raw("</li>");
            }
            if many.len() > PLACES {
                let more = count((many.len() - PLACES) as u64);
                html.raw("<li>and ").put(&more).raw(" more</li>");
            }
            html.raw("</ul></details>");
        }
    }
}

/// The word for a severity, as a badge.
pub(super) fn severity(severity: Option<Severity>, html: &mut Html) {
    let word = severity.map_or("unrated", Severity::name);
    html.raw("<span class=\"badge ")
        .raw(word)
        .raw("\">")
        .raw(word)
        .raw("</span> ");
}
