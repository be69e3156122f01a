//! Before and after: the numbers, and what differs by directory and by package.

use plimsoll_model::Report;
use plimsoll_model::report::{DiffRow, ImageDiff};
use plimsoll_model::text::{bytes, count};

use super::{heading, some, table};
use crate::before_after;
use crate::html::markup::Html;

/// Rows of a table that are shown.
const SHOWN: usize = 25;
/// Rows behind them.
const REST: usize = 2000;

pub(super) fn write(report: &Report, html: &mut Html) {
    let Some(comparison) = &report.comparison else {
        return;
    };
    heading(html, "comparison", "Before and after", "");
    if let Some(pair) = &report.pair {
        let words = match pair.shared_layers {
            0 => "No layer is in both.".to_owned(),
            shared => format!(
                "{} in both: {} that need not be pulled again.",
                some(shared, "layer is", "layers are"),
                bytes(pair.shared_bytes)
            ),
        };
        html.raw("<p>").put(&words).raw("</p>");
    }
    html.raw("<ul class=\"changes\">");
    for [name, before, after, change] in before_after::rows(comparison) {
        html.raw("<li><span>")
            .put(&name)
            .raw("</span><strong>")
            .put(&after);
        html.raw("</strong><s>")
            .put(&before)
            .raw("</s><em>")
            .put(&change)
            .raw("</em></li>");
    }
    html.raw("</ul>");
    if let Some(diff) = &report.diff {
        files(diff, html);
    }
    html.raw("</section>");
}

fn files(diff: &ImageDiff, html: &mut Html) {
    let total = &diff.total;
    if total.is_same() {
        html.raw("<p>No file differs but for its time.</p>");
        return;
    }
    html.raw("<p>").put(&format!(
        "{} files added, {} removed, {} changed.",
        count(total.added),
        count(total.removed),
        count(total.changed)
    ));
    html.raw("</p><h3>By directory</h3>");
    let rows: Vec<Row> = diff
        .directories
        .iter()
        .map(|row| Row {
            row,
            fate: "",
            versions: String::new(),
        })
        .collect();
    list("directories", false, &rows, html);
    let versions = |version: &Option<String>| version.clone().unwrap_or_else(|| "–".to_owned());
    let rows: Vec<Row> = diff
        .packages
        .iter()
        .map(|package| Row {
            row: &package.files,
            fate: package.fate,
            versions: match package.fate {
                "added" => versions(&package.after),
                _ if package.fate == "removed" || package.before == package.after => {
                    versions(&package.before)
                }
                _ => format!(
                    "{} → {}",
                    versions(&package.before),
                    versions(&package.after)
                ),
            },
        })
        .collect();
    if !rows.is_empty() {
        html.raw("<h3>By package <small>")
            .put(&count(diff.same_packages))
            .raw(" are the same</small></h3>");
        list("packages", true, &rows, html);
    }
}

struct Row<'a> {
    row: &'a DiffRow,
    fate: &'static str,
    versions: String,
}

fn list(label: &'static str, packages: bool, rows: &[Row<'_>], html: &mut Html) {
    let (first, rest) = rows.split_at(rows.len().min(SHOWN));
    part(label, packages, first, html);
    if !rest.is_empty() {
        html.raw("<details><summary>")
            .put(&count(rest.len() as u64))
            .raw(" more</summary>");
        part(label, packages, rest.get(..REST).unwrap_or(rest), html);
        html.raw("</details>");
    }
}

fn part(label: &'static str, packages: bool, rows: &[Row<'_>], html: &mut Html) {
    table(html, label);
    html.raw("<thead><tr><th></th>");
    if packages {
        html.raw("<th></th><th>version</th>");
    }
    html.raw("<th class=\"n\">before</th><th class=\"n\">after</th><th class=\"n\">added</th><th class=\"n\">removed</th><th class=\"n\">changed</th></tr></thead><tbody>");
    for Row {
        row,
        fate,
        versions,
    } in rows
    {
        html.raw("<tr><th>").put(&row.name).raw("</th>");
        if packages {
            html.raw("<td><span class=\"fate ")
                .raw(fate)
                .raw("\">")
                .raw(fate)
                .raw("</span></td><td>");
            html.put(versions).raw("</td>");
        }
        for number in [
            bytes(row.before_bytes),
            bytes(row.after_bytes),
            count(row.added),
            count(row.removed),
            count(row.changed),
        ] {
            html.raw("<td class=\"n\">").put(&number).raw("</td>");
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div>");
}
