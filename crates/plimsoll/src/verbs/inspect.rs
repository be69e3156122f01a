//! `inspect`: what is in an image, where it comes from, and what should not be in it.

use plimsoll_model::os_release::OsRelease;
use plimsoll_model::report::Verdict;
use plimsoll_model::{Report, Severity};

use crate::cli;
use crate::facts::facts;
use crate::failure::{Exit, Result};
use crate::print;
use crate::session::{self, Context, Opened};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Inspect) -> Result<Exit> {
    let look = &arguments.look;
    let opened = session::open(context, &look.image, look.platform.as_deref(), None)?;
    let mut report = report(&opened);
    let line = arguments.fail_on.as_deref().and_then(Severity::parse);
    report.verdict = line.map(|line| Verdict {
        environment: "production".to_owned(),
        line: Some(line),
        ..Verdict::default()
    });
    print::report(&report, &look.format, look.json)?;
    Ok(print::verdict(&report))
}

/// The report on an image.
pub(crate) fn report(opened: &Opened) -> Report {
    let subject = opened.subject();
    let (findings, unjudged) = plimsoll_checks::judge(&subject);
    let mut problems = opened.problems.clone();
    problems.extend(unjudged);
    Report {
        verb: "inspect",
        subject: Some(facts(&subject)),
        findings,
        rules: plimsoll_checks::rules(),
        problems,
        notes: support(opened).into_iter().collect(),
        ..Report::default()
    }
}

/// How long the distribution in the image gets fixes; nothing for an image without one.
fn support(opened: &Opened) -> Option<String> {
    let (os, _) = OsRelease::of(&opened.rootfs).0?;
    let today = jiff::Zoned::now().date();
    Some(format!(
        "{}: {}",
        os.pretty_name,
        plimsoll_scan::support(&os, today)
    ))
}
