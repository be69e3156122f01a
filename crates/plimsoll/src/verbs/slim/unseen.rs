//! `slim --no-run`: by reading alone, for an image of another architecture, or one nobody may start.

use std::time::Instant;

use plimsoll_model::Observations;
use plimsoll_slim::Request;

use super::room::Phases;
use super::{Done, Proof, Slimmed, as_written};
use crate::cli::SlimOptions;
use crate::failure::{Exit, Failure, Result};
use crate::session::{self, Context, Opened};
use crate::target::Target;
use crate::work;

/// Slims the image called `name` into `target` without starting it. The report says that nothing
/// was verified, and the exit code that it could not be judged.
pub(super) fn slim(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    target: &str,
    options: &SlimOptions,
) -> Result<Slimmed> {
    let began = Instant::now();
    if !options.probes.is_empty() {
        return Err(
            Failure::new("--no-run starts nothing, so no --probe can be asked")
                .hint("leave one of them out"),
        );
    }
    let sink = Target::open(target)?;
    let scratch = work::on_disk(&context.leftovers)?;
    let mut phases = Phases::default();
    let opened = phases.time("read", || {
        session::open(context, name, platform, Some(scratch.path()))
    })?;
    let observations = Observations::default();
    let request = Request {
        subject: opened.subject(),
        observations: &observations,
        level: options.level.into(),
        layers: options.layers.into(),
        include: &options.includes,
        exclude: &options.excludes,
        keep_packages: &options.keep_packages,
    };
    context.progress.step("planning what must stay");
    let plan = phases.time("plan", || plimsoll_slim::plan(&request));
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
    let proof = Proof {
        sandbox: "not run".to_owned(),
        ..Proof::default()
    };
    let mut report = done.report(context, options, proof, began, phases)?;
    report.notes.push(
        "not verified: nothing was run, so files that are found only at run time may be missing"
            .to_owned(),
    );
    context.progress.done();
    Ok(Slimmed {
        report,
        exit: Exit::Incomplete,
    })
}
