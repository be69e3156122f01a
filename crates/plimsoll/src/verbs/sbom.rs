//! `sbom`: the inventory of an image alone, as a bill of materials.

use plimsoll_model::{Inventory, Report};

use crate::cli;
use crate::facts::facts;
use crate::failure::Exit;
use crate::failure::Result;
use crate::print::{self, Has};
use crate::session::{self, Context, Opened};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Sbom) -> Result<Exit> {
    print::able("sbom", Has::Inventory, &arguments.format, arguments.json)?;
    let platform = arguments.platform.as_deref();
    let opened = session::inventory_of(context, &arguments.image, platform)?;
    let report = report(&opened);
    print::report(&report, &arguments.format, arguments.json)?;
    Ok(print::verdict(&report))
}

/// What is installed in the image, and nothing else of it.
pub(crate) fn report(opened: &Opened) -> Report {
    let mut facts = facts(&opened.subject());
    facts.is_document = opened.is_document;
    // Who asks for reproducible documents says their time.
    let time = source_date();
    if time.is_some() {
        facts.created.clone_from(&time);
    }
    // Who owns how much is what `inspect` says.
    facts.packages = Vec::new();
    facts.layers = Vec::new();
    facts.strangers = Vec::new();
    (facts.unowned_bytes, facts.dead_bytes) = (0, 0);
    Report {
        verb: "sbom",
        subject: Some(facts),
        inventory: Some(opened.inventory.clone()),
        problems: opened.problems.clone(),
        time,
        ..Report::default()
    }
}

/// What is installed, for the report of another verb in this format: a bill of materials lists it whichever
/// verb writes one, and never nothing.
pub(crate) fn inventory(format: &str, opened: &Opened) -> Option<Inventory> {
    matches!(format, "cyclonedx" | "spdx").then(|| opened.inventory.clone())
}

/// `SOURCE_DATE_EPOCH` as a time, if it is set to one (reproducible-builds.org).
pub(crate) fn source_date() -> Option<String> {
    let seconds: i64 = std::env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()?;
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
