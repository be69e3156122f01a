//! `slim`: watch the original, plan, write, watch the result, repair, compare; then, and only
//! then, call it slimmed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plimsoll_model::report::{Comparison, LevelRisk, SlimFacts};
use plimsoll_model::{ImagePath, Observations, Plan, Problem, Report};
use plimsoll_run::Outcome;
use plimsoll_slim::{Known, Level, Request};

use crate::cli::{self, SlimOptions};
use crate::facts;
use crate::failure::{Exit, Failure, Result};
use crate::plan_file::{self, PlanFile};
use crate::print;
use crate::session::{self, Context, Opened};
use crate::settings;
use crate::target::Target;
use crate::verbs::referrers;
use crate::work;

mod ahead;
mod bills;
mod direct;
mod guess;
mod known;
mod page;
mod probes;
mod replay;
mod room;
mod signals;
mod unseen;
mod watch;

use guess::Guess;
use replay::Replayed;
use room::{Pace, Phases, Room, Start};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Slim) -> Result<Exit> {
    let look = &arguments.look;
    let target = match &arguments.output {
        Some(target) => target.clone(),
        None => default_target(&look.image),
    };
    let mut options = arguments.options.clone();
    if runs(&options) {
        let settings = settings::read(arguments.config.as_deref())?;
        options.probes.splice(0..0, settings.probes);
        options.arguments.splice(0..0, settings.arguments);
    } else if !options.probes.is_empty() {
        return Err(Failure::new("nothing is run, so no --probe can be asked")
            .hint("--no-run starts nothing, and neither does --profile without --verify"));
    }
    let slimmed = slim(
        context,
        &look.image,
        look.platform.as_deref(),
        &target,
        &options,
    )?;
    print::report(&slimmed.report, &look.format, look.json)?;
    if target.starts_with("docker://") {
        let kind = "application/vnd.plimsoll.slim-report+json";
        referrers::attach_report(context, &target, kind, &slimmed.report)?;
    }
    Ok(slimmed.exit)
}

/// Whether the image is started at all.
fn runs(options: &SlimOptions) -> bool {
    !options.no_run && (options.profile.profile.is_none() || options.profile.verify)
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
    let profile = replay::read(options)?;
    let by_profile = profile.as_ref().map(|profile| profile.options(options));
    let options = by_profile.as_ref().unwrap_or(options);
    if !runs(options) {
        return unseen::slim(context, name, platform, target, options, profile.as_ref());
    }
    let began = Instant::now();
    let given = probes::parse(&options.probes)?;
    let lists = probes::arguments(&options.arguments)?;
    let sink = Target::open(target)?;
    let way = plimsoll_run::way().map_err(|error| {
        Failure::because("cannot start images on this machine", &error)
            .hint("slim proves what it does by running the image; `inspect` needs no sandbox")
    })?;
    let scratch = work::on_disk(&context.leftovers)?;
    let mut phases = Phases::default();

    let opened = phases.time("read", || {
        session::open(context, name, platform, Some(scratch.path()))
    })?;
    let here = plimsoll_image::Platform::of_this_machine();
    let image = &opened.image.config.architecture;
    if *image != here.architecture {
        return Err(Failure::new(format!(
            "{name} is for {image}, and this machine runs {}",
            here.architecture
        ))
        .hint("--no-run slims it by reading alone; nothing is proved then"));
    }
    room::stop_signal(&opened.image.config)?;
    let asked = probes::Asked::new(given, &opened.image.config);
    let mut starts = Start::all(lists, !asked.probes.is_empty());
    direct::record(&mut starts, options);
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
        ran: Cell::default(),
    };

    let (first, unhonoured) = room.prepare(&opened.rootfs, "original", &mut phases)?;
    let known = Known::about(opened.subject());
    let mut notes = Vec::new();
    std::thread::scope(|scope| {
        let mut guess = None;
        let mut begin = |firsts: &[Outcome]| {
            // Otherwise it is not what the runs show that is slimmed, or not all of it.
            if profile.is_none()
                && !options.direct_entry
                && options.profile.merge_profiles.is_empty()
            {
                guess = Some(Guess::begin(
                    scope,
                    context,
                    scratch.path(),
                    options,
                    &known,
                    firsts,
                ));
            }
        };
        let (originals, found) =
            watch::originals(&mut room, &first, &opened, &mut phases, &mut begin)?;
        notes.extend(found);
        room.pace = Some(Pace::of(originals.iter().flat_map(|(one, two)| [one, two])));
        let mut entry = direct::entry(&mut room, &first, &opened, &originals, &mut phases)?;
        scope.spawn(|| room::remove(&first));
        // What is slimmed is the image that starts its server itself, and what that asks for is kept.
        let made = entry.over(&opened);
        let (opened, started) = match &made {
            Some((opened, runs)) => (opened, Some(runs)),
            None => (&opened, None),
        };
        let of_made = Known::about(opened.subject());
        let known = if made.is_some() { &of_made } else { &known };
        let watched = started.unwrap_or(&originals);
        let mut observations = Observations::default();
        for (original, again) in watched {
            watch::merge(&mut observations, original, again);
        }
        let merged = replay::merge(options, opened, &mut observations)?;

        let replayed = profile.as_ref().map(|file| Replayed::of(file, opened));
        let exclude = entry.excluded(opened, &observations, options);
        let nothing = Observations::default();
        let request = Request {
            subject: opened.subject(),
            known: Some(known),
            observations: &nothing,
            level: options.level.into(),
            include: &options.includes,
            exclude: &exclude,
            keep_packages: &options.keep_packages,
            baked: &entry.baked,
            layers: options.layers.into(),
        };
        let (watched, gap) = match watched.first() {
            Some((_, again)) => watch::check(&request, again, &mut observations),
            None => Default::default(),
        };
        let request = Request {
            // A profile is proved by what it alone makes.
            observations: replayed
                .as_ref()
                .map_or(&observations, Replayed::observations),
            ..request
        };
        let missed = replayed.as_ref().map_or(&*merged, Replayed::missed);
        context.progress.step("planning what must stay");
        let mut plan = phases.time("plan", || replay::plan(&request, missed));
        let made = room.make_and_mend(
            opened,
            &request,
            &observations,
            &mut plan,
            &mut phases,
            guess,
        )?;

        let mut differences = Vec::new();
        for ((original, again), result) in originals.iter().zip(&made.outcomes) {
            differences.extend(probes::compare(original, again, result));
            differences.extend(probes::compare_later(&room.asked, original, result));
        }
        if let Some(first) = made.still_missing.first() {
            differences.push(match made.still_missing.len() {
                1 => format!("it still misses {first}, which the original has"),
                many => format!("it still misses {many} files the original has: {first} ..."),
            });
        }
        if !differences.is_empty() && !options.keep_failed {
            return Err(unproved(&differences, &made.outcomes));
        }

        context.progress.step(&format!("writing {target}"));
        let written = &made.ahead.written;
        phases.time("write", || sink.deliver(context, &made.ahead.sink, written))?;
        // The config names the layers' uncompressed digests, so it is the same however it is compressed.
        if written.config_digest != made.config_digest {
            return Err(Failure::new(format!(
                "{target} was written with config {}, but {} was proved: this is a fault of plimsoll",
                written.config_digest, made.config_digest
            )));
        }
        let result = Opened {
            image: as_written(&made.opened.image, target, written),
            ..made.opened
        };
        let verified = differences.is_empty();
        let asked = originals.iter().flat_map(|(original, _)| &original.answers);
        let answers = asked.filter(|_| verified);
        let proof = Proof {
            sandbox: way.to_string(),
            verified_by: answers.map(|answer| answer.probe.clone()).collect(),
            differences,
            repaired: made.repaired,
            ready: [
                ready(originals.iter().map(|(original, _)| original)),
                ready(made.outcomes.iter()),
            ],
            ran: room.ran.get(),
            watch: watched,
            scenes: watch::scenes(Some(&room.asked)),
            risks: Some(made.risks),
        };
        let learned = (&*result.image.digest.to_string(), &*proof.verified_by);
        let asked = Some(&room.asked);
        notes.extend(replay::write(
            options, opened, &request, &plan, asked, learned,
        )?);
        let done = Done {
            target,
            opened,
            result: &result,
            request: &request,
            plan: &plan,
        };
        let parts = page::parts(options, &done);
        let mut report = done.report(context, options, proof, began, phases)?;
        report.problems.extend(gap);
        let (direct, more) = entry.report(&plan);
        if let Some(slim) = &mut report.slim {
            slim.direct = direct;
        }
        report.notes.extend(more);
        for blind in &observations.blind {
            let evidence = plimsoll_model::Evidence::Image;
            report.problems.push(Problem {
                message: blind.clone(),
                evidence,
            });
        }
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
            replay::judge(&mut report, options, replayed.as_ref(), Exit::Fine)
        } else {
            Exit::Unproved
        };
        page::write(options, parts, &report)?;
        Ok(Slimmed { report, exit })
    })
}

/// What is known of how the result does beside the original.
#[derive(Default)]
struct Proof {
    sandbox: String,
    verified_by: Vec<String>,
    differences: Vec<String>,
    repaired: Vec<(ImagePath, String)>,
    /// How long the original and the result took to answer.
    ready: [Option<Duration>; 2],
    /// How long the image's processes ran, all runs together.
    ran: Duration,
    /// How it is known that the watch saw everything.
    watch: String,
    /// The parts of a run in their order.
    scenes: Vec<String>,
    /// What each level would leave ashore, where that is known by now.
    risks: Option<Vec<LevelRisk>>,
}

/// A slimmed image that was written.
struct Done<'a> {
    target: &'a str,
    opened: &'a Opened,
    result: &'a Opened,
    request: &'a Request<'a>,
    plan: &'a Plan,
}

impl Done<'_> {
    /// The report, its notes what could not be followed; the plan is kept for `why`.
    fn report(
        self,
        context: &Context,
        options: &SlimOptions,
        proof: Proof,
        began: Instant,
        mut phases: Phases,
    ) -> Result<Report> {
        let (before, after) = (self.opened.subject(), self.result.subject());
        let name = before.image.name.clone();
        let (comparison, forced, packages, risks, rounds) = phases.time("report", || {
            let footprint = plimsoll_checks::footprint(&after);
            let unwanted = [
                &footprint.shells,
                &footprint.package_managers,
                &footprint.network_tools,
            ];
            let unwanted: Vec<ImagePath> = unwanted.into_iter().flatten().cloned().collect();
            let seconds = |ready: Option<Duration>| ready.map(|ready| ready.as_secs_f64());
            let comparison = Comparison {
                before_name: name,
                after_name: self.target.to_owned(),
                before: plimsoll_checks::footprint(&before),
                after: footprint,
                before_ready: seconds(proof.ready[0]),
                after_ready: seconds(proof.ready[1]),
            };
            (
                comparison,
                plimsoll_slim::forced(&before, self.plan, &unwanted),
                plimsoll_slim::fate(&before, self.plan),
                proof
                    .risks
                    .unwrap_or_else(|| plimsoll_slim::risks(self.request, self.plan)),
                plimsoll_slim::rounds(self.request, self.plan, &proof.scenes),
            )
        });
        phases.time("report", || {
            let (opened, result) = (self.opened, self.result);
            remember(context, options, opened, result, self.target, self.plan)?;
            match &options.sbom {
                Some(directory) => bills::write(directory, opened, result),
                None => Ok(()),
            }
        })?;
        let unresolved = self.plan.unresolved.iter();
        let mut known = Report::default();
        phases.time("report", || {
            known::side_by_side(context, self.opened, self.result, &mut known);
        });
        Ok(Report {
            verb: "slim",
            problems: self.opened.problems.clone(),
            notes: unresolved
                .map(|problem| format!("not followed: {problem}"))
                .chain(known.notes)
                .collect(),
            scans: known.scans,
            slim: Some(SlimFacts {
                direct: None,
                output: self.target.to_owned(),
                digest: self.result.image.digest.to_string(),
                level: self.request.level.name(),
                sandbox: proof.sandbox,
                verified_by: proof.verified_by,
                differences: proof.differences,
                repaired: proof.repaired,
                forced,
                packages,
                rounds,
                watch: proof.watch,
                layers: facts::layers(&after),
                risks,
                own_seconds: began.elapsed().saturating_sub(proof.ran).as_secs_f64(),
                seconds: phases.0,
                plan: self.plan.clone(),
            }),
            comparison: Some(comparison),
            ..Report::default()
        })
    }
}

/// The proved image as it was written: the same layers, compressed.
fn as_written(
    proved: &plimsoll_model::Image,
    name: &str,
    written: &plimsoll_image::Written,
) -> plimsoll_model::Image {
    let mut image = proved.clone();
    name.clone_into(&mut image.name);
    image.digest = written.digest;
    for (layer, stored) in image.layers.iter_mut().zip(&written.layers) {
        layer.blob.descriptor.digest = stored.digest;
        layer.blob.descriptor.size = stored.size;
    }
    image
}

/// How long the first start that was waited for took to be ready.
fn ready<'a>(mut runs: impl Iterator<Item = &'a Outcome>) -> Option<Duration> {
    runs.find_map(|run| run.ready)
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
        level: Level::from(options.level).name().to_owned(),
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
