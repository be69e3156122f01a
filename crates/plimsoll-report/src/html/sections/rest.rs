//! What could not be judged, what else is worth saying, and who wrote the page.

use plimsoll_model::Report;

use super::{heading, some};
use crate::html::Page;
use crate::html::markup::Html;

/// Lines of a list that are shown.
const SHOWN: usize = 200;

pub(super) fn write(report: &Report, html: &mut Html) {
    if !report.problems.is_empty() {
        let remark = some(report.problems.len() as u64, "problem", "problems");
        heading(html, "problems", "Not judged", &remark);
        html.raw("<ul class=\"lines\">");
        for problem in report.problems.iter().take(SHOWN) {
            html.raw("<li class=\"problem\">")
                .put(&problem.to_string())
                .raw("</li>");
        }
        html.raw("</ul></section>");
    }
    if !report.notes.is_empty() {
        heading(html, "notes", "Notes", "");
        html.raw("<ul class=\"lines\">");
        for note in report.notes.iter().take(SHOWN) {
            html.raw("<li>").put(note).raw("</li>");
        }
        html.raw("</ul></section>");
    }
}

pub(super) fn foot(page: &Page<'_>, html: &mut Html) {
    html.raw("<footer><p>Written by plimsoll ")
        .put(page.version);
    html.raw("; the page is whole in itself and asks no network for anything.</p></footer>");
}
