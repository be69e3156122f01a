//! `lineage`: parent, base, scratch.

use plimsoll_model::Report;
use plimsoll_model::report::ImageFacts;

use crate::cli;
use crate::facts::facts;
use crate::failure::{Exit, Result};
use crate::print;
use crate::session::{self, Context};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Look) -> Result<Exit> {
    let opened = session::open(
        context,
        &arguments.image,
        arguments.platform.as_deref(),
        None,
    )?;
    let facts = ImageFacts {
        packages: Vec::new(),
        ..facts(&opened.subject())
    };
    let problems = opened.problems.clone();
    let report = Report {
        verb: "lineage",
        subject: Some(facts),
        problems,
        ..Report::default()
    };
    if arguments.json || arguments.format != "text" {
        print::report(&report, &arguments.format, arguments.json)?;
    } else {
        for (depth, ancestor) in opened.lineage.ancestors.iter().enumerate() {
            let layers = match ancestor.layers {
                Some(1) => ", 1 layer".to_owned(),
                Some(layers) if layers > 1 => format!(", {layers} layers"),
                _ => String::new(),
            };
            let indent = "  ".repeat(depth);
            print::line(&format!(
                "{indent}<- {}{layers}  ({})",
                ancestor.name, ancestor.evidence
            ))?;
        }
    }
    Ok(print::verdict(&report))
}
