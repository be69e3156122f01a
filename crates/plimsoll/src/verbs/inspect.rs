//! `inspect`: what is in an image, where it comes from, and what should not be in it.

use plimsoll_checks::{Circumstances, Environment, Lifetime, State};
use plimsoll_model::os_release::OsRelease;
use plimsoll_model::report::{ImageFacts, Verdict};
use plimsoll_model::{Evidence, Problem, Report, Severity};
use plimsoll_scan::Support;

use crate::cli;
use crate::document;
use crate::facts::facts;
use crate::failure::{Exit, Result};
use crate::page;
use crate::print::{self, Has};
use crate::session::{self, Context, Opened};
use crate::verbs::sbom;

pub(crate) mod pair;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Inspect) -> Result<Exit> {
    let look = &arguments.look;
    let format = if look.json { "json" } else { &look.format };
    let has = match arguments.other {
        Some(_) => Has::Two,
        None => Has::Inventory,
    };
    print::able("inspect", has, format, false)?;
    let environment: Environment = arguments.environment.into();
    let (mut report, beside, listed) = match &arguments.other {
        Some(other) => {
            let (report, beside) = pair::look(context, arguments, other)?;
            (report, beside, None)
        }
        None => {
            let platform = look.platform.as_deref();
            let (opened, pending) = match document::open(&look.image)? {
                Some(opened) => (opened, plimsoll_image::Pending::default()),
                None => session::open_ahead(context, &look.image, platform)?,
            };
            let named = [(&*opened.image.name, &opened)];
            let beside = arguments
                .html
                .as_ref()
                .map(|_| page::beside(context, &named, None));
            let report = report(&opened, environment);
            session::verified(&look.image, pending)?;
            let listed = sbom::inventory(format, &opened);
            (report, beside.transpose()?, listed)
        }
    };
    let line = arguments.fail_on.as_deref().and_then(Severity::parse);
    report.verdict = line.map(|line| Verdict {
        environment: environment.name().to_owned(),
        line: Some(line),
        ..Verdict::default()
    });
    if let (Some(path), Some(beside)) = (&arguments.html, beside) {
        let report = beside.with(report.clone());
        page::write(&report, &beside.sides, path)?;
    }
    let code = print::verdict(&report);
    report.inventory = listed;
    print::report(&report, format, false)?;
    Ok(code)
}

/// The report on an image.
pub(crate) fn report(opened: &Opened, environment: Environment) -> Report {
    report_of(opened, environment, jiff::Zoned::now().date())
}

/// The report on an image as on this day.
pub(crate) fn report_of(
    opened: &Opened,
    environment: Environment,
    today: plimsoll_scan::Date,
) -> Report {
    let subject = opened.subject();
    let lifetime = lifetime(opened, today);
    let notes = lifetime.as_ref().map(|(note, _)| note.clone());
    let circumstances = Circumstances {
        environment,
        today: Some(today),
        lifetime: lifetime.and_then(|(_, lifetime)| lifetime),
        abandoned: opened.abandoned.clone(),
    };
    // First, for it reads in order what of uncompressed layers has to be read again.
    let facts = ImageFacts {
        is_document: opened.is_document,
        upkeep: opened.upkeep.clone(),
        ..facts(&subject)
    };
    let (findings, unjudged) = match opened.is_document {
        true => (Vec::new(), vec![no_files()]),
        false => plimsoll_checks::judge(&subject, &circumstances),
    };
    let mut problems = opened.problems.clone();
    problems.extend(unjudged);
    Report {
        verb: "inspect",
        subject: Some(facts),
        findings,
        rules: plimsoll_checks::rules(),
        problems,
        notes: notes.into_iter().collect(),
        ..Report::default()
    }
}

/// What nobody can say of what stands for an image.
fn no_files() -> Problem {
    Problem {
        message: "it is a document that says what is installed and holds no files: what the checks look for, \
                  sizes, layers and how it is run cannot be judged"
            .to_owned(),
        evidence: Evidence::Image,
    }
}

/// How long the distribution in the image gets fixes, as a sentence and, where it is known, as
/// checks take it; nothing for an image without one.
fn lifetime(opened: &Opened, today: plimsoll_scan::Date) -> Option<(String, Option<Lifetime>)> {
    let (os, _) = OsRelease::of(&opened.rootfs).0?;
    let support = plimsoll_scan::support(&os, today);
    let note = format!("{}: {support}", os.pretty_name);
    let state = match support {
        Support::Supported { .. } => Some(State::Supported),
        Support::LongTerm { until, by } => Some(State::LongTerm {
            until,
            by: by.to_owned(),
        }),
        Support::Ended { on } => Some(State::Ended { on }),
        Support::Unknown { .. } => None,
    };
    let release = os.pretty_name;
    Some((note, state.map(|state| Lifetime { release, state })))
}
