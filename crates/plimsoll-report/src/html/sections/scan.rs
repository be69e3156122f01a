//! What is known to be wrong with the packages.

use plimsoll_model::text::count;
use plimsoll_model::{Report, ScanFacts};

use super::findings::severity;
use super::{heading, table};
use crate::html::markup::Html;

/// Rows that a page lists of one image.
const SHOWN: usize = 2000;
/// Rows that are seen without opening the rest.
const FIRST: usize = 20;

pub(super) fn write(report: &Report, html: &mut Html) {
    if report.scans.is_empty() {
        return;
    }
    heading(html, "vulnerabilities", "Vulnerabilities", "");
    for scan in &report.scans {
        if report.scans.len() > 1 {
            html.raw("<h3>").put(&scan.name).raw("</h3>");
        }
        one(scan, html);
    }
    html.raw("</section>");
}

fn one(scan: &ScanFacts, html: &mut Html) {
    let counts = scan.counts();
    let words = format!(
        "{} fixable, {} not fixed, {} the vendor calls unimportant; {} of {} packages judged",
        count(counts.fixable),
        count(counts.unfixed),
        count(counts.unimportant),
        count(scan.judged),
        count(scan.packages)
    );
    html.raw("<p>").put(&words).raw("</p>");
    for data in &scan.data {
        let age = match data.age {
            None => "of an unknown day".to_owned(),
            Some(0) => "of today".to_owned(),
            Some(_) => format!("of {}", data.date),
        };
        let words = format!(
            "data: {}, {} advisories, {age}",
            data.scope,
            count(data.rows)
        );
        html.raw("<p>").put(&words).raw("</p>");
    }
    for unjudged in &scan.unjudged {
        html.raw("<p class=\"problem\">not judged: ")
            .put(&unjudged.why)
            .raw("</p>");
    }
    let all = &scan.vulnerabilities;
    let all = all.get(..SHOWN).unwrap_or(all);
    let (first, rest) = all.split_at(all.len().min(FIRST));
    rows(first, html);
    if !rest.is_empty() {
        html.raw("<details><summary>")
            .put(&count(rest.len() as u64))
            .raw(" more</summary>");
        rows(rest, html);
        html.raw("</details>");
    }
    if !scan.quiet.is_empty() {
        html.raw("<details><summary>not counted: ")
            .put(&count(scan.quiet.len() as u64))
            .raw("</summary><ul>");
        for it in scan.quiet.iter().take(SHOWN) {
            let (flaw, until) = (&it.vulnerability, it.until.as_deref());
            let until = until.map_or(String::new(), |day| format!(", until {day}"));
            let words = format!(
                "{} in {}: {} by {}{until}: {} {}",
                flaw.id, flaw.package.name, it.status, it.by, it.justification, it.reason
            );
            html.raw("<li>").put(&words).raw("</li>");
        }
        html.raw("</ul></details>");
    }
    let cut = scan.vulnerabilities.len().saturating_sub(SHOWN) as u64;
    if cut > 0 {
        html.raw("<p>")
            .put(&count(cut))
            .raw(" more are not listed here.</p>");
    }
}

fn rows(rows: &[plimsoll_model::Vulnerability], html: &mut Html) {
    if rows.is_empty() {
        return;
    }
    table(html, "vulnerabilities");
    html.raw("<thead><tr><th>severity</th><th>id</th><th>package</th><th>version</th><th>fixed in</th><th>state</th></tr></thead><tbody>");
    for row in rows {
        html.raw("<tr><td>");
        severity(row.severity, html);
        html.raw("</td><th>").put(&row.id);
        if row.exploited.is_some() {
            html.raw(" <em class=\"over\">exploited</em>");
        }
        html.raw("</th><td>")
            .put(&row.package.name)
            .raw("</td><td>")
            .put(&row.package.version);
        html.raw("</td><td>")
            .put(&row.fixed.join(", "))
            .raw("</td><td>");
        html.raw(row.state.name()).raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}
