//! What a policy demands, what was found, and what it tolerates.

use plimsoll_model::Report;
use plimsoll_model::report::Demand;
use plimsoll_model::text::count;

use super::findings::quoted;
use super::{heading, some, table};
use crate::html::markup::Html;

/// Tolerated findings that a page lists.
const SHOWN: usize = 200;

pub(super) fn write(report: &Report, html: &mut Html) {
    demands(report, html);
    waived(report, html);
}

fn demands(report: &Report, html: &mut Html) {
    let Some(verdict) = &report.verdict else {
        return;
    };
    if verdict.demands.is_empty() {
        return;
    }
    let unjudged = |demand: &&Demand| !demand.met && demand.unjudged;
    let unjudged = verdict.demands.iter().filter(unjudged).count() as u64;
    let unmet = match report.unmet() as u64 {
        0 => "all met".to_owned(),
        unmet => format!("{} not met", some(unmet, "demand", "demands")),
    };
    let remark = match (report.unmet(), unjudged) {
        (_, 0) => unmet,
        (0, _) => format!("{} not judged", some(unjudged, "demand", "demands")),
        (_, _) => format!("{unmet}, {} not judged", count(unjudged)),
    };
    heading(html, "policy", "Policy", &remark);
    table(html, "The demands of the policy");
    html.raw("<thead><tr><th>Met</th><th>Demand</th><th>Found</th></tr></thead><tbody>");
    for demand in &verdict.demands {
        html.raw("<tr><td>")
            .raw(match (demand.met, demand.unjudged) {
                (true, _) => "<span class=\"good\">yes</span>",
                (false, true) => "not judged",
                (false, false) => "<em class=\"over\">no</em>",
            })
            .raw("</td><td>");
        quoted(&demand.wanted, html);
        html.raw("</td><td>").put(&demand.found).raw("</td></tr>");
    }
    html.raw("</tbody></table></div></section>");
}

fn waived(report: &Report, html: &mut Html) {
    if report.waived.is_empty() {
        return;
    }
    let remark = some(report.waived.len() as u64, "finding", "findings");
    heading(html, "waived", "Tolerated", &remark);
    html.raw("<ul class=\"lines\">");
    for waived in report.waived.iter().take(SHOWN) {
        html.raw("<li><code>")
            .put(waived.finding.check)
            .raw("</code> ");
        quoted(&waived.finding.message, html);
        html.raw(" <small>").put(&waived.reason);
        if let Some(until) = &waived.until {
            html.raw(", until ").put(until);
        }
        html.raw("</small></li>");
    }
    html.raw("</ul></section>");
}
