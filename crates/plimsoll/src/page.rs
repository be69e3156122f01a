//! A report as a page to look at: the files of the images beside it, and the file it is written to.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use plimsoll_model::{Census, Plan, Report, ScanFacts};
use plimsoll_report::html::{self, Page, Side};

use crate::facts;
use crate::failure::{Failure, Result};
use crate::session::{Context, Opened};
use crate::verbs::scan;

/// One image for a page, under the name that it has there; with what slim keeps of it, and what is said
/// of files that its plan does not name.
pub(crate) fn side(name: &str, opened: &Opened, plan: Option<(&Plan, &'static str)>) -> Side {
    let subject = opened.subject();
    Side {
        name: name.to_owned(),
        census: Census::of(&subject),
        layers: facts::layers(&subject),
        plan: plan.map(|(plan, _)| plan.clone()),
        unplanned: plan.map_or("", |(_, unplanned)| unplanned),
    }
}

/// What a page shows that the report of `inspect` does not hold.
pub(crate) struct Beside {
    /// The files of the images.
    pub(crate) sides: Vec<Side>,
    scans: Vec<ScanFacts>,
    notes: Vec<String>,
}

impl Beside {
    /// The report with what is known about the packages.
    pub(crate) fn with(&self, mut report: Report) -> Report {
        report.scans.clone_from(&self.scans);
        report.notes.extend(self.notes.iter().cloned());
        report
    }
}

/// Gathers it: the files, each image under the name that it has on the page, and what is known about
/// the packages: the scan that was already `made` of them, whose problems are in the report, else one of the
/// data on this machine. What cannot be judged of them is a note then.
pub(crate) fn beside(
    context: &Context,
    images: &[(&str, &Opened)],
    made: Option<&[ScanFacts]>,
) -> Result<Beside> {
    // A document has no files to draw.
    let drawn = images.iter().filter(|(_, opened)| !opened.is_document);
    let sides = drawn.map(|(name, opened)| side(name, opened, None));
    let sides = sides.collect();
    if let Some(made) = made {
        return Ok(Beside {
            sides,
            scans: made.to_vec(),
            notes: Vec::new(),
        });
    }
    let opened: Vec<&Opened> = images.iter().map(|(_, opened)| *opened).collect();
    let (scans, notes) = match scan::beside(context, &opened)? {
        Some(scanned) => {
            let unjudged = scanned.problems.iter();
            let notes = unjudged.map(|problem| format!("vulnerabilities not judged: {problem}"));
            (scanned.facts, notes.collect())
        }
        None => {
            let note = "vulnerabilities: no data (plimsoll db update)".to_owned();
            (Vec::new(), vec![note])
        }
    };
    Ok(Beside {
        sides,
        scans,
        notes,
    })
}

/// Writes the page to a file.
pub(crate) fn write(report: &Report, sides: &[Side], path: &Path) -> Result<()> {
    let page = Page {
        report,
        sides,
        version: env!("CARGO_PKG_VERSION"),
    };
    let written = fs::File::create(path).and_then(|file| {
        let mut out = io::BufWriter::new(file);
        html::write(&page, &mut out)?;
        out.flush()
    });
    written
        .map_err(|error| Failure::because(format_args!("cannot write {}", path.display()), &error))
}
