//! `slim --no-run` and `slim --profile`: nothing is started. By reading alone, for an image of another
//! architecture or one nobody may start; or by what earlier runs taught.

use std::time::Instant;

use plimsoll_model::Observations;
use plimsoll_slim::{Known, Request};

use super::page;
use super::replay::{self, Replayed};
use super::room::Phases;
use super::{Done, Proof, Slimmed, as_written};
use crate::cli::SlimOptions;
use crate::failure::{Exit, Result};
use crate::profile_file::ProfileFile;
use crate::session::{self, Context, Opened};
use crate::target::Target;
use crate::work;

/// Slims the image called `name` into `target` without starting it. Unless the result is the very one
/// that was verified when the profile was written, the report says that nothing was verified, and the
/// exit code that it could not be judged.
pub(super) fn slim(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    target: &str,
    options: &SlimOptions,
    profile: Option<&ProfileFile>,
) -> Result<Slimmed> {
    let began = Instant::now();
    let sink = Target::open(target)?;
    let scratch = work::on_disk(&context.leftovers)?;
    let mut phases = Phases::default();
    let opened = phases.time("read", || {
        session::open(context, name, platform, Some(scratch.path()))
    })?;
    let replayed = profile.map(|profile| Replayed::of(profile, &opened));
    let nothing = Observations::default();
    let observations = replayed.as_ref().map_or(&nothing, Replayed::observations);
    let known = Known::about(opened.subject());
    let request = Request {
        subject: opened.subject(),
        known: Some(&known),
        observations,
        level: options.level.into(),
        baked: &[],
        layers: options.layers.into(),
        include: &options.includes,
        exclude: &options.excludes,
        keep_packages: &options.keep_packages,
    };
    let missed = replayed.as_ref().map_or(&[][..], Replayed::missed);
    context.progress.step("planning what must stay");
    let plan = phases.time("plan", || replay::plan(&request, missed));
    let draft = phases.time("plan", || plimsoll_slim::draft(&request, &plan));
    context.progress.step(&format!("writing {target}"));
    let written = phases.time("write", || sink.write(context, &draft, options.compression))?;
    let config = &opened.image.config;
    let platform = super::room::platform_of(config);
    let read = phases.time("read", || {
        session::read(context, &written.name, Some(&platform), None)
    })?;
    let result = Opened {
        image: as_written(&read.image, target, &written.written),
        ..read
    };
    let done = Done {
        target,
        opened: &opened,
        result: &result,
        request: &request,
        plan: &plan,
    };
    let digest = result.image.digest.to_string();
    let verified_by = replayed
        .as_ref()
        .map(|replayed| replayed.verified_by(&digest));
    let verified_by = verified_by.unwrap_or_default();
    let proof = Proof {
        sandbox: match verified_by.is_empty() {
            true => "not run".to_owned(),
            false => {
                "not run now: this very result was verified when the profile was written".to_owned()
            }
        },
        verified_by: verified_by.clone(),
        ..Proof::default()
    };
    let parts = page::parts(options, &done);
    let mut report = done.report(context, options, proof, began, phases)?;
    let usual = if verified_by.is_empty() {
        let why = match &replayed {
            Some(_) => "what the profile does not name may be missing; --verify runs it",
            None => "files that are found only at run time may be missing",
        };
        report
            .notes
            .push(format!("not verified: nothing was run, so {why}"));
        Exit::Incomplete
    } else {
        Exit::Fine
    };
    let learned = (&*digest, &*verified_by);
    let written = replay::write(options, &opened, &request, &plan, None, learned)?;
    report.notes.extend(written);
    context.progress.done();
    let exit = replay::judge(&mut report, options, replayed.as_ref(), usual);
    page::write(options, parts, &report)?;
    Ok(Slimmed { report, exit })
}
