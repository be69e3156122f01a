//! A report as one page to look at: no network, no script or style from elsewhere, nothing that a
//! stranger wrote taken for markup.
//!
//! What can be read is in the page as HTML; the map of the bytes is drawn by the page's script
//! from data beside it, one level at a time. The page forbids itself everything but that script
//! and that style, by their digests, in its content security policy.

mod data;
mod markup;
mod sections;
mod tree;

use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plimsoll_model::report::{ImageFacts, LayerRow};
use plimsoll_model::{Census, Plan, Report};
use sha2::{Digest as _, Sha256};

use markup::Html;

/// One image of a page, byte by byte.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// What it is called: `before`, `after`, or the image's name.
    pub name: String,
    /// Whose its bytes are.
    pub census: Census,
    /// Its layers, lowest first.
    pub layers: Vec<LayerRow>,
    /// What slim keeps of it, and why.
    pub plan: Option<Plan>,
    /// What is said of files that the plan does not name.
    pub unplanned: &'static str,
}

/// What [`Side::unplanned`] says of the original of a slim.
pub const ASHORE: &str = "left ashore";

/// What a page shows.
pub struct Page<'a> {
    /// What was learned.
    pub report: &'a Report,
    /// The images to draw, at most two.
    pub sides: &'a [Side],
    /// The version of plimsoll.
    pub version: &'a str,
}

/// What comes between the parts of a page that come from a report.
const FRAME: &str = include_str!("page/page.html");
const STYLE: &str = concat!(
    include_str!("page/base.css"),
    include_str!("page/map.css"),
    include_str!("page/parts.css")
);
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("page/data.js"),
    include_str!("page/squarify.js"),
    include_str!("page/colour.js"),
    include_str!("page/map.js"),
    include_str!("page/keys.js"),
    include_str!("page/start.js"),
    "})();\n"
);

/// Writes the page.
///
/// # Errors
/// Those of the writer.
pub fn write(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    // The frame is walked once, so that nothing a report holds can be taken for a place in it.
    let mut rest = FRAME;
    while let Some((before, place, after)) = next_place(rest) {
        out.write_all(before.as_bytes())?;
        match place {
            "policy" => out.write_all(policy().as_bytes())?,
            "title" => out.write_all(title(page).as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "body" => out.write_all(sections::body(page).finish().as_bytes())?,
            "data" => data::write(page.sides, out)?,
            "script" => out.write_all(SCRIPT.as_bytes())?,
            _ => {}
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// What is before the next `{{place}}`, its name, and what is behind it.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, behind) = text.split_once("{{")?;
    let (place, after) = behind.split_once("}}")?;
    Some((before, place, after))
}

/// The content security policy: this script, this style, pictures that are in the page itself.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; \
         base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

fn title(page: &Page<'_>) -> String {
    let mut html = Html::default();
    html.put(&sections::name(page)).raw(" – plimsoll");
    html.finish()
}

/// The image that a page is about: the one that was looked at, or the second of two.
fn subject<'a>(page: &Page<'a>) -> Option<&'a ImageFacts> {
    let report = page.report;
    let pair = report.pair.as_deref().map(|pair| &pair.after);
    report.subject.as_ref().or(pair)
}

#[cfg(test)]
mod tests;
