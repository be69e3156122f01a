//! A report as a page to look at: the files of the images beside it, and the file it is written to.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use plimsoll_model::{Census, Plan, Report};
use plimsoll_report::html::{self, Page, Side};

use crate::facts;
use crate::failure::{Failure, Result};
use crate::session::Opened;

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
