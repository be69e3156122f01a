//! The parts of a page that are read, in the order of the questions: what is it, where do its
//! bytes lie, what made it, what is wrong with it, what is better now, what was not judged.

mod comparison;
mod findings;
mod head;
mod layers;
mod owners;
mod policy;
mod rest;
mod scan;
mod slim;

use plimsoll_model::text;

use super::markup::Html;
use super::{Page, subject};

/// The name of what a page is about.
pub(super) fn name(page: &Page<'_>) -> String {
    if let Some(pair) = &page.report.pair {
        return format!("{} and {}", pair.before.name, pair.after.name);
    }
    let scanned = page.report.scans.first().map(|scan| scan.name.clone());
    let name = subject(page).map(|facts| facts.name.clone());
    name.or(scanned).unwrap_or_default()
}

/// Everything between the frame's beginning and its data.
pub(super) fn body(page: &Page<'_>) -> Html {
    let mut html = Html::default();
    head::write(page, &mut html);
    html.raw("<main id=\"main\">");
    let report = page.report;
    // What was asked is answered first: whether it keeps to the policy, or what is known about it.
    let (is_check, is_scan) = (report.verb == "check", report.verb == "scan");
    if is_check {
        policy::write(report, &mut html);
        findings::write(report, &mut html);
    }
    if is_scan {
        scan::write(report, &mut html);
    }
    comparison::write(report, &mut html);
    slim::write(report, &mut html);
    map(page, &mut html);
    owners::write(page, &mut html);
    layers::write(page, &mut html);
    if !is_check {
        policy::write(report, &mut html);
        findings::write(report, &mut html);
    }
    if !is_scan {
        scan::write(report, &mut html);
    }
    rest::write(report, &mut html);
    html.raw("</main>");
    rest::foot(page, &mut html);
    html
}

/// Where the script draws the map; without it there is a sentence.
fn map(page: &Page<'_>, html: &mut Html) {
    if page.sides.is_empty() {
        return;
    }
    html.raw("<section id=\"map\" aria-labelledby=\"map-title\"><h2 id=\"map-title\">Every byte</h2>")
        .raw("<noscript><p>The map is drawn by a script, which is switched off here; the tables below do without.</p></noscript>")
        .raw("<div id=\"map-app\"></div></section>");
}

/// A heading that can be linked to, with a remark behind it.
fn heading(html: &mut Html, id: &'static str, title: &'static str, remark: &str) {
    html.raw("<section id=\"").raw(id).raw("\"><h2>").raw(title);
    if !remark.is_empty() {
        html.raw(" <small>").put(remark).raw("</small>");
    }
    html.raw("</h2>");
}

/// `3 files`, `1 file`.
fn some(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", text::count(number))
}

/// The beginning of a table that may be wider than a phone: it scrolls by itself, also by keyboard.
fn table(html: &mut Html, label: &'static str) {
    html.raw("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"")
        .raw(label)
        .raw("\"><table>");
}
