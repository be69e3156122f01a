//! `lineage`: parent, base, scratch.

mod dockerfile;

use plimsoll_image::Reference;
use plimsoll_model::report::ImageFacts;
use plimsoll_model::text::bytes;
use plimsoll_model::{Lineage, Report};

use crate::cli;
use crate::facts::facts;
use crate::failure::{Exit, Result};
use crate::hub;
use crate::officials::{self, Officials};
use crate::print::{self, Has};
use crate::session::{self, Context};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Look) -> Result<Exit> {
    print::able("lineage", Has::Findings, &arguments.format, arguments.json)?;
    let officials = Officials::of(&context.cache);
    let (mut report, reference) = match dockerfile::report(&arguments.image)? {
        Some(report) => (report, None),
        None => of_image(context, arguments)?,
    };
    if let Some(facts) = &mut report.subject {
        facts.upkeep = officials.upkeep(&facts.lineage);
        let lines = facts.upkeep.iter().map(officials::line);
        report.notes.extend(lines);
    }
    // Where it was found says whose it is: names of other places are nobody's business there.
    if let Some(reference) = reference.filter(|reference| reference.host() == hub::HOST) {
        context.progress.step("asking Docker Hub");
        let today = jiff::Zoned::now().date();
        let told = hub::told(context.registries.hub(), &reference, today);
        report.notes.extend(told.lines);
        if let Some(facts) = &mut report.subject {
            facts.publisher = told.publisher;
        }
        context.progress.done();
    }
    if let Some(problem) = officials.problem {
        context.progress.note(&format!("problem: {problem}"));
    }
    if arguments.json || arguments.format != "text" {
        print::report(&report, &arguments.format, arguments.json)?;
        return Ok(print::verdict(&report));
    }
    let lineage = report.subject.as_ref().map(|facts| &facts.lineage);
    chain(lineage.unwrap_or(&Lineage::default()))?;
    for note in &report.notes {
        print::line(note)?;
    }
    for problem in &report.problems {
        print::line(&format!("incomplete: {problem}"))?;
    }
    Ok(print::verdict(&report))
}

/// The report on an image, with what its name meant in a registry.
fn of_image(context: &Context, arguments: &cli::Look) -> Result<(Report, Option<Reference>)> {
    let (opened, reference) =
        session::glance(context, &arguments.image, arguments.platform.as_deref())?;
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
    let report = Report {
        verb: "lineage",
        subject: Some(facts),
        problems: opened.problems,
        notes: unread.into_iter().collect(),
        ..Report::default()
    };
    Ok((report, reference))
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
