//! Whose the bytes are: sums by kind of owner, and the packages by size.

use plimsoll_model::census::OwnerKind;
use plimsoll_model::report::{ImageFacts, PackageRow};
use plimsoll_model::text::{bytes, count};
use plimsoll_model::{DirectoryRow, Waste};

use super::{heading, table};
use crate::html::markup::Html;
use crate::html::{Page, Side};

/// Rows of a table that are seen without opening the rest.
const SHOWN: usize = 12;
/// Rows that the rest has at most.
const REST: usize = 2000;

pub(super) fn write(page: &Page<'_>, html: &mut Html) {
    if let Some(facts) = page.report.subject.as_ref()
        && facts.is_document
    {
        return listed(facts, html);
    }
    if page.sides.is_empty() {
        return;
    }
    heading(html, "owners", "Whose bytes they are", "");
    for side in page.sides {
        if page.sides.len() > 1 {
            html.raw("<h3>").put(&side.name).raw("</h3>");
        }
        bar(side, html);
    }
    if let Some(facts) = &page.report.subject {
        waste(&facts.waste, html);
        html.raw("<div class=\"columns\">");
        directories(facts, html);
        packages(facts, html);
        html.raw("</div>");
    }
    html.raw("</section>");
}

/// What a document lists; of what it says nothing about no size is told.
fn listed(facts: &ImageFacts, html: &mut Html) {
    heading(html, "owners", "Packages", "");
    let (shown, rest) = facts.packages.split_at(facts.packages.len().min(SHOWN));
    names(shown, html);
    if !rest.is_empty() {
        html.raw("<details><summary>")
            .put(&count(rest.len() as u64))
            .raw(" more</summary>");
        names(rest.get(..REST).unwrap_or(rest), html);
        html.raw("</details>");
    }
    html.raw("</section>");
}

fn names(rows: &[PackageRow], html: &mut Html) {
    table(html, "packages");
    html.raw("<thead><tr><th>package</th><th>version</th></tr></thead><tbody>");
    for row in rows {
        html.raw("<tr><th>").put(&row.name).raw("</th><td>");
        html.put(&row.version).raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}

fn class(kind: OwnerKind) -> &'static str {
    match kind {
        OwnerKind::Package => "k0",
        OwnerKind::LanguagePackage => "k1",
        OwnerKind::Application => "k2",
        OwnerKind::Nobody => "k3",
    }
}

fn bar(side: &Side, html: &mut Html) {
    let sums = side.census.sums();
    let total = sums
        .iter()
        .map(|sum| sum.bytes)
        .fold(0, u64::saturating_add);
    let share = |bytes: u64| bytes as f64 / total.max(1) as f64 * 100.0;
    html.raw("<svg class=\"bar whose\" aria-hidden=\"true\">");
    let mut from = 0.0;
    for sum in sums {
        let width = share(sum.bytes);
        html.raw("<rect height=\"100%\" class=\"")
            .raw(class(sum.kind))
            .raw("\" x=\"");
        html.number(from)
            .raw("%\" width=\"")
            .number(width)
            .raw("%\"/>");
        from += width;
    }
    html.raw("</svg><ul class=\"sums\">");
    for sum in sums {
        html.raw("<li class=\"")
            .raw(class(sum.kind))
            .raw("\"><strong>");
        html.put(&bytes(sum.bytes))
            .raw("</strong> ")
            .raw(sum.kind.words())
            .raw(" <small>");
        html.put(&format!(
            "{:.1} %, {} files",
            share(sum.bytes),
            count(sum.files)
        ));
        html.raw("</small></li>");
    }
    html.raw("</ul>");
}

/// What is stored and need not be.
fn waste(waste: &Waste, html: &mut Html) {
    let rows = [
        (waste.deleted, "dead: removed by a later layer"),
        (waste.overwritten, "dead: written again, changed"),
        (waste.again, "dead: written again, the same content"),
        (waste.duplicate, "alive: the same content as another file"),
    ];
    if rows.iter().all(|(wasted, _)| *wasted == 0) {
        return;
    }
    html.raw("<h3>Stored and not needed</h3><ul class=\"sums\">");
    for (wasted, what) in rows {
        html.raw("<li class=\"k4\"><strong>").put(&bytes(wasted));
        html.raw("</strong> <small>").raw(what).raw("</small></li>");
    }
    html.raw("</ul>");
}

fn directories(facts: &ImageFacts, html: &mut Html) {
    html.raw("<div><h3>Directories, each byte in one</h3>");
    let all = &facts.directories;
    let (shown, rest) = all.split_at(all.len().min(SHOWN));
    directory_rows(shown, html);
    if !rest.is_empty() {
        let more = count(rest.len() as u64);
        html.raw("<details><summary>")
            .put(&more)
            .raw(" more</summary>");
        directory_rows(rest.get(..REST).unwrap_or(rest), html);
        html.raw("</details>");
    }
    html.raw("</div>");
}

fn directory_rows(rows: &[DirectoryRow], html: &mut Html) {
    table(html, "directories");
    html.raw("<thead><tr><th>directory</th><th class=\"n\">bytes</th><th class=\"n\">files</th></tr></thead><tbody>");
    for row in rows {
        html.raw("<tr><th>").put(&row.directory.to_string());
        if row.alone {
            html.raw(" <small>files in it</small>");
        }
        html.raw("</th><td class=\"n\">").put(&bytes(row.bytes));
        html.raw("</td><td class=\"n\">")
            .put(&count(row.files))
            .raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}

fn packages(facts: &ImageFacts, html: &mut Html) {
    if facts.packages.is_empty() {
        return;
    }
    html.raw("<div><h3>Packages, by the bytes they occupy</h3>");
    let (shown, rest) = facts.packages.split_at(facts.packages.len().min(SHOWN));
    rows(shown, html);
    if !rest.is_empty() {
        html.raw("<details><summary>")
            .put(&count(rest.len() as u64))
            .raw(" more</summary>");
        rows(rest.get(..REST).unwrap_or(rest), html);
        html.raw("</details>");
    }
    html.raw("</div>");
}

fn rows(packages: &[plimsoll_model::report::PackageRow], html: &mut Html) {
    table(html, "packages");
    html.raw("<thead><tr><th>package</th><th>version</th><th class=\"n\">bytes</th><th class=\"n\">files</th></tr></thead><tbody>");
    for package in packages {
        html.raw("<tr><th>")
            .put(&package.name)
            .raw("</th><td>")
            .put(&package.version);
        html.raw("</td><td class=\"n\">")
            .put(&bytes(package.bytes))
            .raw("</td><td class=\"n\">");
        html.put(&count(package.files)).raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
}
