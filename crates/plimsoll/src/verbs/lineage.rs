//! `lineage`: parent, base, scratch.

mod dockerfile;

use plimsoll_model::report::ImageFacts;
use plimsoll_model::text::bytes;
use plimsoll_model::{Lineage, Report};

use crate::cli;
use crate::facts::facts;
use crate::failure::{Exit, Result};
use crate::print;
use crate::session::{self, Context};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Look) -> Result<Exit> {
    if let Some(report) = dockerfile::report(&arguments.image)? {
        let lineage = report.subject.as_ref().map(|facts| &facts.lineage);
        if arguments.json || arguments.format != "text" {
            print::report(&report, &arguments.format, arguments.json)?;
        } else {
            chain(lineage.unwrap_or(&Lineage::default()))?;
            for note in &report.notes {
                print::line(note)?;
            }
            for problem in &report.problems {
                print::line(&format!("incomplete: {problem}"))?;
            }
        }
        return Ok(print::verdict(&report));
    }
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
        chain(&opened.lineage)?;
    }
    if let Some(unread) = unread.filter(|_| !arguments.json && arguments.format == "text") {
        print::line(&format!("({unread})"))?;
    }
    Ok(print::verdict(&report))
}

/// The ancestors, nearest first, each set in below the one it is the base of.
fn chain(lineage: &Lineage) -> Result<()> {
    for (depth, ancestor) in lineage.ancestors.iter().enumerate() {
        let layers = match ancestor.layers {
            Some(1) => ", 1 layer".to_owned(),
            Some(layers) if layers > 1 => format!(", {layers} layers"),
            _ => String::new(),
        };
        // A file can have any number of stages.
        let indent = "  ".repeat(depth.min(20));
        let text = format!(
            "{indent}<- {}{layers}  ({})",
            ancestor.name, ancestor.evidence
        );
        print::line(&plimsoll_model::text::printable(text.as_bytes()))?;
    }
    Ok(())
}
