//! What slim did, and how it is known that the result works.

use plimsoll_model::report::SlimFacts;
use plimsoll_model::text::{bytes, count};
use plimsoll_model::{ImagePath, Report};

use super::{heading, table};
use crate::html::markup::Html;

/// Rows of a list that are shown.
const SHOWN: usize = 200;

pub(super) fn write(report: &Report, html: &mut Html) {
    let Some(slim) = &report.slim else { return };
    heading(
        html,
        "slim",
        "What slim did",
        &format!("level {}", slim.level),
    );
    let verified = slim.differences.is_empty() && !slim.verified_by.is_empty();
    html.raw(if verified {
        "<p class=\"good\">Verified by "
    } else {
        "<p class=\"problem\">Not verified"
    });
    match (slim.verified_by.is_empty(), slim.differences.is_empty()) {
        (false, true) => html.put(&slim.verified_by.join("; ")),
        (_, false) => html.put(": it does not answer as the original does"),
        (true, true) => html.put(": nothing was probed"),
    };
    html.raw("</p>");
    for difference in slim.differences.iter().take(SHOWN) {
        html.raw("<p class=\"problem\">")
            .put(difference)
            .raw("</p>");
    }
    html.raw("<dl class=\"facts\"><div><dt>written to</dt><dd>")
        .put(&slim.output);
    html.raw("</dd></div><div class=\"long\"><dt>digest</dt><dd>")
        .put(&slim.digest);
    html.raw("</dd></div><div><dt>run</dt><dd>")
        .put(&slim.sandbox);
    html.raw("</dd></div></dl>");
    chains("Had to stay, and why", &slim.forced, html);
    chains(
        "Added because the slim image missed them",
        &slim.repaired,
        html,
    );
    packages(slim, html);
    html.raw("</section>");
}

fn chains(title: &'static str, list: &[(ImagePath, String)], html: &mut Html) {
    if list.is_empty() {
        return;
    }
    html.raw("<details><summary>")
        .raw(title)
        .raw(" <small>")
        .put(&count(list.len() as u64));
    html.raw("</small></summary><ul class=\"places\">");
    for (path, why) in list.iter().take(SHOWN) {
        html.raw("<li>")
            .put(&path.to_string())
            .raw(" <small>")
            .put(why)
            .raw("</small></li>");
    }
    html.raw("</ul></details>");
}

fn packages(slim: &SlimFacts, html: &mut Html) {
    let fate = &slim.packages;
    if fate.table.is_empty() {
        return;
    }
    html.raw("<details><summary>Packages: ").put(&format!(
        "{} whole, {} partial, {} gone",
        fate.whole.len(),
        fate.partial.len(),
        fate.gone.len()
    ));
    html.raw("</summary>");
    table(html, "packages of the slim image");
    html.raw("<thead><tr><th>package</th><th></th><th class=\"n\">kept</th><th class=\"n\">of</th><th class=\"n\">files</th><th class=\"n\">of</th></tr></thead><tbody>");
    for row in fate.table.iter().take(10 * SHOWN) {
        html.raw("<tr><th>")
            .put(&row.name)
            .raw("</th><td><span class=\"fate ")
            .raw(row.fate);
        html.raw("\">").raw(row.fate).raw("</span></td>");
        for number in [
            bytes(row.kept_bytes),
            bytes(row.bytes),
            count(row.kept_files),
            count(row.files),
        ] {
            html.raw("<td class=\"n\">").put(&number).raw("</td>");
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table></div></details>");
}
