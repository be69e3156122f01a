//! `lineage`: parent, base, scratch.

use plimsoll_model::Report;
use plimsoll_model::report::ImageFacts;
use plimsoll_model::text::bytes;

use crate::cli;
use crate::facts::facts;
use crate::failure::{Exit, Result};
use crate::print;
use crate::session::{self, Context};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Look) -> Result<Exit> {
    let opened = session::glance(context, &arguments.image, arguments.platform.as_deref())?;
    // Manifest and configuration say most of it; the rest would cost the whole image.
    let unread = (opened.unread > 0).then(|| {
        format!(
            "read from manifest and configuration alone; {} of layers were not fetched",
            bytes(opened.unread)
        )
    });
    let facts = ImageFacts {
        packages: Vec::new(),
        ..facts(&opened.subject())
    };
    let problems = opened.problems.clone();
    let report = Report {
        verb: "lineage",
        subject: Some(facts),
        problems,
        notes: unread.iter().cloned().collect(),
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
    if let Some(unread) = unread.filter(|_| !arguments.json && arguments.format == "text") {
        print::line(&format!("({unread})"))?;
    }
    Ok(print::verdict(&report))
}
