//! `slim`: watch the original, plan, write, watch the result, repair, compare; then, and only
//! then, call it slimmed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plimsoll_image::Sink;
use plimsoll_model::report::{Comparison, SlimFacts};
use plimsoll_model::{ImagePath, Observations, Plan, Problem, Report};
use plimsoll_run::Outcome;
use plimsoll_slim::{Level, Request};

use crate::cli::{self, SlimOptions};
use crate::failure::{Exit, Failure, Result};
use crate::plan_file::{self, PlanFile};
use crate::print;
use crate::session::{self, Context, Opened};
use crate::settings;
use crate::work;

mod probes;
mod room;

use room::{MAX_REPAIRS, Pace, Phases, Room, Start};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Slim) -> Result<Exit> {
    let look = &arguments.look;
    let target = match &arguments.output {
        Some(target) => target.clone(),
        None => default_target(&look.image),
    };
    let mut options = arguments.options.clone();
    let settings = settings::read(arguments.config.as_deref())?;
    options.probes.splice(0..0, settings.probes);
    options.arguments.splice(0..0, settings.arguments);
    let slimmed = slim(
        context,
        &look.image,
        look.platform.as_deref(),
        &target,
        &options,
    )?;
    print::report(&slimmed.report, &look.format, look.json)?;
    Ok(slimmed.exit)
}

/// What came of it.
pub(crate) struct Slimmed {
    /// The report.
    pub(crate) report: Report,
    /// Fine, or unproved where the failed image was asked for all the same.
    pub(crate) exit: Exit,
}

/// Slims the image called `name` into `target`.
pub(crate) fn slim(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    target: &str,
    options: &SlimOptions,
) -> Result<Slimmed> {
    let began = Instant::now();
    let given = probes::parse(&options.probes)?;
    let lists = probes::arguments(&options.arguments)?;
    let sink = Sink::parse(target).map_err(|error| {
        Failure::because(format_args!("cannot write to {target}"), &error)
            .hint("write it as oci:DIR:TAG, oci-archive:FILE or docker-archive:FILE")
    })?;
    let way = plimsoll_run::way().map_err(|error| {
        Failure::because("cannot start images on this machine", &error)
            .hint("slim proves what it does by running the image; `inspect` needs no sandbox")
    })?;
    let scratch = work::on_disk(&context.leftovers)?;
    let mut phases = Phases::default();

    let opened = phases.time("read", || {
        session::open(context, name, platform, Some(scratch.path()))
    })?;
    let asked = probes::Asked::new(given, &opened.image.config);
    let starts = Start::all(lists, !asked.probes.is_empty());
    let trees = work::directory(opened.rootfs.tree.live_bytes(), &context.leftovers)?;
    let mut room = Room {
        context,
        way,
        scratch: scratch.path(),
        trees: trees.path(),
        asked,
        starts,
        pace: None,
        options,
    };

    let (first, unhonoured) = room.prepare(&opened.rootfs, "original", &mut phases)?;
    let mut originals = Vec::new();
    let mut notes = Vec::new();
    let mut observations = Observations::default();
    for start in room.starts.clone() {
        let mut original = room.run(&first, &opened, "original", &start, &mut phases)?;
        if start.arguments.is_none() {
            notes.extend(room.asked.settle(&mut original)?);
        }
        room.must_answer(&original, name)?;
        let once = start.once();
        let again = room.run(&first, &opened, "original again", &once, &mut phases)?;
        room.must_answer(&again, name)?;
        observations.merge(&original.observations);
        observations.merge(&again.observations);
        originals.push((original, again));
    }
    room.pace = Some(Pace::of(originals.iter().flat_map(|(one, two)| [one, two])));
    phases.time("clean up", || room::remove(&first));

    let request = Request {
        subject: opened.subject(),
        observations: &observations,
        level: Level::App,
        include: &options.includes,
        exclude: &options.excludes,
    };
    context.progress.step("planning what must stay");
    let mut plan = phases.time("plan", || plimsoll_slim::plan(&request));
    let made = room.make_and_mend(&opened, &request, &mut plan, &mut phases)?;

    let mut differences = Vec::new();
    for ((original, again), result) in originals.iter().zip(&made.outcomes) {
        differences.extend(probes::compare(original, again, result));
        differences.extend(probes::compare_later(&room.asked, original, result));
    }
    if made.still_missing > 0 {
        differences.push(format!(
            "after {MAX_REPAIRS} repairs it still misses {} files the original has",
            made.still_missing
        ));
    }
    if !differences.is_empty() && !options.keep_failed {
        return Err(unproved(&differences, &made.outcomes));
    }

    context.progress.step(&format!("writing {target}"));
    let written = phases.time("write", || {
        super::write_image(context, &made.draft, &sink, options.compression)
    })?;
    // The config names the layers' uncompressed digests, so it is the same in every kind of target.
    if written.config_digest != made.config_digest {
        return Err(Failure::new(format!(
            "{target} was written with config {}, but {} was proved: this is a fault of plimsoll",
            written.config_digest, made.config_digest
        )));
    }
    let result = Opened {
        image: plimsoll_model::Image {
            name: target.to_owned(),
            ..made.opened.image.clone()
        },
        ..made.opened
    };
    let runs = originals.iter().map(|(one, two)| one.total + two.total);
    let application = runs.sum::<Duration>() + made.ran;
    let (before, after, forced, packages) = phases.time("report", || {
        let after = plimsoll_checks::footprint(&result.subject());
        let unwanted = [&after.shells, &after.package_managers, &after.network_tools];
        let unwanted: Vec<ImagePath> = unwanted.into_iter().flatten().cloned().collect();
        let forced = plimsoll_slim::forced(&opened.subject(), &plan, &unwanted);
        let packages = plimsoll_slim::fate(&opened.subject(), &plan);
        (
            plimsoll_checks::footprint(&opened.subject()),
            after,
            forced,
            packages,
        )
    });
    phases.time("report", || {
        remember(context, options, &opened, &result, target, &plan)
    })?;
    let verified = differences.is_empty();
    let mut report = Report {
        verb: "slim",
        problems: opened.problems.clone(),
        slim: Some(SlimFacts {
            output: target.to_owned(),
            digest: written.digest.to_string(),
            level: Level::App.name(),
            sandbox: way.to_string(),
            verified_by: originals
                .iter()
                .flat_map(|(original, _)| &original.answers)
                .filter(|_| verified)
                .map(|answer| answer.probe.clone())
                .collect(),
            differences,
            repaired: made.repaired,
            forced,
            packages,
            own_seconds: began.elapsed().saturating_sub(application).as_secs_f64(),
            seconds: phases.0,
            plan: plan.clone(),
        }),
        comparison: Some(Comparison {
            before_name: name.to_owned(),
            after_name: target.to_owned(),
            before,
            after,
            before_ready: seconds(originals.iter().map(|(original, _)| original)),
            after_ready: seconds(made.outcomes.iter()),
        }),
        ..Report::default()
    };
    for blind in &observations.blind {
        let evidence = plimsoll_model::Evidence::Image;
        report.problems.push(Problem {
            message: blind.clone(),
            evidence,
        });
    }
    report.notes.extend(
        plan.unresolved
            .iter()
            .map(|problem| format!("not followed: {problem}")),
    );
    report.notes.extend(
        unhonoured
            .iter()
            .map(|problem| format!("not so while it ran: {problem}")),
    );
    for (original, _) in &originals {
        for problem in &original.problems {
            if !report.notes.contains(problem) {
                report.notes.push(problem.clone());
            }
        }
        report.notes.extend(probes::refused(&original.answers));
        report.notes.extend(probes::not_later(original));
    }
    report.notes.extend(notes);
    report.notes.extend(room.asked.weakness());
    context.progress.done();
    let exit = if verified {
        print::verdict(&report, None)
    } else {
        Exit::Unproved
    };
    Ok(Slimmed { report, exit })
}

/// How long the first start that was waited for took to be ready.
fn seconds<'a>(mut runs: impl Iterator<Item = &'a Outcome>) -> Option<f64> {
    let ready = runs.find_map(|run| run.ready)?;
    Some(ready.as_secs_f64())
}

fn unproved(differences: &[String], outcomes: &[Outcome]) -> Failure {
    let problems = outcomes.iter().flat_map(|outcome| outcome.problems.clone());
    let output = outcomes
        .iter()
        .flat_map(|outcome| probes::tail("image", &outcome.output));
    Failure::new("the slimmed image does not do what the original does; it was not written")
        .details(differences.iter().cloned())
        .details(problems)
        .details(output)
        .exit(Exit::Unproved)
        .hint("keep what it misses with --include, or look at it with --keep-failed")
}

/// Keeps the plan, so that `why` can answer: under the digests of both images.
fn remember(
    context: &Context,
    options: &SlimOptions,
    original: &Opened,
    result: &Opened,
    target: &str,
    plan: &Plan,
) -> Result<()> {
    let file = PlanFile {
        source: (original.image.name.clone(), original.image.digest),
        result: (target.to_owned(), result.image.digest),
        level: Level::App.name().to_owned(),
        ashore: ashore(original, plan),
        plan: plan.clone(),
    };
    if let Some(path) = &options.plan {
        file.write(path)?;
    }
    for digest in [original.image.digest, result.image.digest] {
        file.write(&plan_file::in_cache(&context.cache, &digest))?;
    }
    Ok(())
}

/// What is left ashore, with the package that owns it.
fn ashore(original: &Opened, plan: &Plan) -> BTreeMap<ImagePath, Option<String>> {
    let owners = original.inventory.owners(&original.rootfs.tree);
    let gone = original
        .rootfs
        .tree
        .iter()
        .filter(|(path, _)| !plan.keeps(path));
    let named = gone.map(|(path, _)| {
        let owner = owners
            .get(path)
            .and_then(|&owner| original.inventory.get(owner));
        (path.clone(), owner.map(|package| package.name.clone()))
    });
    named.collect()
}

/// `oci:NAME-slim` in this directory, NAME being the tag or the file's stem.
fn default_target(image: &str) -> String {
    let last = image
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(image);
    let name = match last.rsplit_once(':') {
        Some((_, tag)) if !tag.is_empty() => tag,
        _ => last,
    };
    let name = name.split('@').next().unwrap_or(name);
    let stem = name.strip_suffix(".gz").unwrap_or(name);
    let stem = stem.strip_suffix(".tar").unwrap_or(stem);
    format!("oci:{stem}-slim")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_target_is_named_after_the_image() {
        for (image, target) in [
            ("oci:/images:web", "oci:web-slim"),
            ("web.tar.gz", "oci:web-slim"),
            ("docker-archive:/x/web.tar", "oci:web-slim"),
            ("dir:/x/rootfs/", "oci:rootfs-slim"),
        ] {
            assert_eq!(default_target(image), target);
        }
    }
}
