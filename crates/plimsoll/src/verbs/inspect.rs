//! `inspect`: what is in an image, where it comes from, and what should not be in it.

use plimsoll_model::{Finding, Report, Severity};

use crate::cli;
use crate::facts::facts;
use crate::failure::{Exit, Result};
use crate::print;
use crate::session::{self, Context, Opened};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Inspect) -> Result<Exit> {
    let look = &arguments.look;
    let opened = session::open(context, &look.image, look.platform.as_deref(), None)?;
    let report = report(&opened);
    print::report(&report, &look.format, look.json)?;
    let fail_on = arguments.fail_on.as_deref().and_then(Severity::parse);
    Ok(print::verdict(&report, fail_on))
}

/// The report on an image.
pub(crate) fn report(opened: &Opened) -> Report {
    let subject = opened.subject();
    let findings: Vec<Finding> = plimsoll_checks::inspect(&subject);
    Report {
        verb: "inspect",
        subject: Some(facts(&subject)),
        findings,
        problems: opened.problems.clone(),
        ..Report::default()
    }
}
