//! The page of a slim: both images byte by byte, why each byte is kept, and what checks say of both.

use plimsoll_checks::Environment;
use plimsoll_model::Report;
use plimsoll_model::report::Pair;
use plimsoll_report::html::{ASHORE, Side};

use super::Done;
use crate::cli::SlimOptions;
use crate::failure::Result;
use crate::page;
use crate::verbs::inspect::pair;

/// What a page shows that the report of a slim does not hold.
pub(super) struct Parts {
    pair: Pair,
    rules: Vec<plimsoll_model::Rule>,
    sides: Vec<Side>,
}

/// Gathers it, where a page is wanted.
pub(super) fn parts(options: &SlimOptions, done: &Done<'_>) -> Option<Parts> {
    options.html.as_ref()?;
    let (pair, report) = pair::of(done.opened, done.result, Environment::Production);
    Some(Parts {
        pair,
        rules: report.rules,
        sides: vec![
            page::side("before", done.opened, Some((done.plan, ASHORE))),
            page::side("after", done.result, Some((done.plan, "written by slim"))),
        ],
    })
}

/// Writes the page.
pub(super) fn write(options: &SlimOptions, parts: Option<Parts>, report: &Report) -> Result<()> {
    let (Some(path), Some(parts)) = (&options.html, parts) else {
        return Ok(());
    };
    let report = Report {
        pair: Some(Box::new(parts.pair)),
        rules: parts.rules,
        ..report.clone()
    };
    page::write(&report, &parts.sides, path)
}
