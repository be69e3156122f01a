//! `check`: does an image keep to the policy? The exit code answers.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use plimsoll_model::report::Comparison;

use super::{inspect, sbom, scan};
use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::page;
use crate::policy::{self, Baseline, Policy};
use crate::print::{self, Has};
use crate::session::{self, Context};
use crate::settings;

/// Bytes of a baseline.
const LONGEST: u64 = 64 << 20;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Check) -> Result<Exit> {
    let look = &arguments.look;
    print::able("check", Has::Inventory, &look.format, look.json)?;
    let settings = settings::read(arguments.config.as_deref())?;
    let mut policy = settings.policy(arguments.environment.map(Into::into))?;
    if let Some(word) = &arguments.fail_on {
        policy.line = policy::line(word).map_err(Failure::new)?;
    }
    let files = print::targets("check", Has::Inventory, &arguments.reports)?;
    // The baseline first: its name may be wrong, and the image large.
    let baseline = match &arguments.baseline {
        Some(name) => Some(baseline(context, name, &policy, look.platform.as_deref())?),
        None => None,
    };
    let opened = session::inventory_of(context, &look.image, look.platform.as_deref())?;
    if opened.is_document && arguments.write_baseline.is_some() {
        return Err(Failure::new(format!(
            "{} holds no files, and makes no baseline",
            look.image
        )));
    }
    let day = scan::Day::of(arguments.today);
    let mut report = inspect::report_of(&opened, policy.environment, day.0);
    report.verb = "check";
    report.notes.extend(day.note());
    if let Some(path) = &arguments.write_baseline {
        let cannot = |error: &dyn std::error::Error| {
            Failure::because(format_args!("cannot write {}", path.display()), error)
        };
        let made = Baseline::of(&report).unwrap_or_default();
        let text = made.text().map_err(|error| cannot(&error))?;
        fs::write(path, text).map_err(|error| cannot(&error))?;
    }
    if let (Some(baseline), Some(facts)) = (&baseline, &report.subject) {
        report.comparison = Some(Comparison {
            before_name: baseline.image.clone(),
            after_name: facts.name.clone(),
            before: baseline.footprint(),
            after: facts.footprint.clone(),
            ..Comparison::default()
        });
    }
    let known = match policy.asks_for_vulnerabilities() {
        Some(days) => Some(scan::one(context, &opened, day, days)?),
        None => None,
    };
    let (baseline, known) = (baseline.as_ref(), known.as_ref());
    policy.judge(&mut report, &opened, baseline, known, day.0);
    if let Some(path) = &arguments.html {
        let made = known.map(|known| &*known.facts);
        let beside = page::beside(context, &[(&*opened.image.name, &opened)], made)?;
        page::write(&beside.with(report.clone()), &beside.sides, path)?;
    }
    for (format, path) in files {
        report.inventory = sbom::inventory(format.id, &opened);
        print::write(&report, format, &path)?;
    }
    let format = if look.json { "json" } else { &look.format };
    report.inventory = sbom::inventory(format, &opened);
    print::report(&report, format, false)?;
    Ok(print::verdict(&report))
}

/// The baseline of this name: a file that `--write-baseline` made, else an image.
fn baseline(
    context: &Context,
    name: &str,
    policy: &Policy,
    platform: Option<&str>,
) -> Result<Baseline> {
    let path = Path::new(name);
    if path.extension().is_some_and(|ending| ending == "json") {
        let cannot = |error: &dyn std::error::Error| {
            Failure::because(format_args!("cannot read the baseline {name}"), error)
                .hint("plimsoll check IMAGE --write-baseline FILE makes one")
        };
        let mut text = String::new();
        let file = fs::File::open(path).map_err(|error| cannot(&error))?;
        file.take(LONGEST)
            .read_to_string(&mut text)
            .map_err(|error| cannot(&error))?;
        return Baseline::parse(&text)
            .map_err(|why| Failure::new(format!("cannot understand the baseline {name}: {why}")));
    }
    let opened = session::open(context, name, platform, None)?;
    let report = inspect::report(&opened, policy.environment);
    Ok(Baseline::of(&report).unwrap_or_default())
}
