//! `slim`: watch the original, plan, write, watch the result, repair, compare; then, and only
//! then, call it slimmed.

use std::cell::Cell;
use std::time::{Duration, Instant};

use plimsoll_model::{Evidence, Observations, Problem, Report};
use plimsoll_run::Outcome;
use plimsoll_slim::{Known, Request};

use crate::cli::{self, SlimOptions};
use crate::failure::{Exit, Failure, Result};
use crate::print::{self, Has};
use crate::session::{self, Context, Opened};
use crate::settings;
use crate::target::Target;
use crate::verbs::referrers;
use crate::work;

mod ahead;
mod bills;
mod direct;
mod done;
mod guess;
mod known;
mod page;
mod places;
mod probes;
mod replay;
mod room;
mod signals;
mod unseen;
mod watch;

use done::{Done, Proof, Said, as_written};
use guess::Guess;
use replay::Replayed;
use room::{Pace, Phases, Room, Start};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Slim) -> Result<Exit> {
    let look = &arguments.look;
    // Better said now than when all is done.
    print::able("slim", Has::Findings, &look.format, look.json)?;
    let target = match &arguments.output {
        Some(target) => target.clone(),
        None => places::default_target(&look.image),
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

/// Sees that what is written beside a slimmed image can be.
pub(crate) fn may_write(options: &SlimOptions) -> Result<()> {
    places::check(options)
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
    let given = probes::parse(&options.probes)?;
    let lists = probes::arguments(&options.arguments)?;
    let cannot = |error: plimsoll_run::Unavailable| {
        Failure::because("cannot start images on this machine", &error)
            .hint("slim proves what it does by running the image; `inspect` needs no sandbox")
    };
    let way = plimsoll_run::way().map_err(cannot)?;
    let (mut begun, opened) = Begun::of(context, options, name, platform, target)?;
    let phases = &mut begun.phases;
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
    let way = match plimsoll_run::identity(&opened.rootfs, &opened.image.config) {
        Ok(identity) => plimsoll_run::way_for(&identity, options.direct_entry).map_err(cannot)?,
        // It cannot be started as anybody, and that is said when it is.
        Err(_) => way,
    };
    let asked = probes::Asked::new(given, &opened.image.config);
    let mut starts = Start::all(lists, !asked.probes.is_empty());
    direct::record(&mut starts, options);
    let trees = work::directory(opened.rootfs.tree.live_bytes(), &context.leftovers)?;
    let scratch = begun.scratch.path().to_owned();
    let mut room = Room {
        context,
        way,
        scratch: &scratch,
        trees: trees.path(),
        asked,
        starts,
        pace: None,
        options,
        ran: Cell::default(),
    };

    let (first, unhonoured) = room.prepare(&opened.rootfs, "original", phases)?;
    let known = Known::about(opened.subject());
    std::thread::scope(|scope| {
        let phases = &mut begun.phases;
        let mut guess = None;
        let mut begin = |firsts: &[Outcome]| {
            // Otherwise it is not what the runs show that is slimmed, or not all of it.
            if profile.is_none()
                && !options.direct_entry
                && options.profile.merge_profiles.is_empty()
            {
                guess = Some(Guess::begin(
                    scope, context, &scratch, options, &opened, &known, firsts,
                ));
            }
        };
        // A profile is read instead, or a run shows the image that is made of this one first.
        let _learning = (profile.is_none() && !options.direct_entry)
            .then(|| guess::learn(scope, &opened, &known, options));
        let mut notes = Vec::new();
        let (originals, found) = watch::originals(&mut room, &first, &opened, phases, &mut begin)?;
        notes.extend(found);
        room.pace = Some(Pace::of(originals.iter().flat_map(|(one, two)| [one, two])));
        let mut entry = direct::entry(&mut room, &first, &opened, &originals, phases)?;
        let clearing = scope.spawn(|| room::remove(&first));
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
            exclude: &exclude,
            baked: &entry.baked,
            ..request(opened, known, &nothing, options)
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
        let made = room.make_and_mend(opened, &request, &observations, &mut plan, phases, guess)?;

        let mut differences = Vec::new();
        for ((original, again), result) in originals.iter().zip(&made.outcomes) {
            differences.extend(probes::compare(original, again, result));
            differences.extend(probes::compare_later(&room.asked, original, again, result));
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
        phases.time("write", || {
            begun.sink.deliver(context, &made.ahead.sink, written)
        })?;
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
        let (direct, more) = entry.report(&plan);
        let mut said = Said {
            direct,
            problems: gap.into_iter().collect(),
            notes: more,
        };
        for blind in &observations.blind {
            let evidence = Evidence::Image;
            said.problems.push(Problem {
                message: blind.clone(),
                evidence,
            });
        }
        let otherwise = unhonoured.iter();
        said.notes
            .extend(otherwise.map(|problem| format!("not so while it ran: {problem}")));
        for (original, _) in &originals {
            for problem in &original.problems {
                if !said.notes.contains(problem) {
                    said.notes.push(problem.clone());
                }
            }
            said.notes.extend(probes::refused(&original.answers));
            said.notes.extend(probes::not_later(original));
        }
        said.notes.extend(notes);
        said.notes.extend(room.asked.weakness());
        phases
            .time("clean up", || clearing.join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What an image has done to the tree it ran on may keep us from removing it.
        said.problems
            .extend(trees.remove().err().map(|left| Problem {
                message: left.to_string(),
                evidence: Evidence::Image,
            }));
        let usual = match verified {
            true => Exit::Fine,
            false => Exit::Unproved,
        };
        let done = Done {
            target,
            opened,
            result: &result,
            request: &request,
            plan: &plan,
            replayed: replayed.as_ref(),
            asked: Some(&room.asked),
        };
        done.finish(begun, proof, said, usual)
    })
}

/// What every slim begins with.
struct Begun<'a> {
    context: &'a Context,
    options: &'a SlimOptions,
    /// Where it is written.
    sink: Target,
    /// For what is written and read again.
    scratch: work::Directory,
    began: Instant,
    phases: Phases,
}

impl<'a> Begun<'a> {
    /// Sees that everything can be written that will be, then reads the image called `name`.
    fn of(
        context: &'a Context,
        options: &'a SlimOptions,
        name: &str,
        platform: Option<&str>,
        target: &str,
    ) -> Result<(Self, Opened)> {
        let began = Instant::now();
        places::check(options)?;
        let sink = Target::open(context, target, Some(name))?;
        let scratch = work::on_disk(&context.leftovers)?;
        let mut phases = Phases::default();
        let opened = phases.time("read", || {
            session::open(context, name, platform, Some(scratch.path()))
        })?;
        let begun = Self {
            context,
            options,
            sink,
            scratch,
            began,
            phases,
        };
        Ok((begun, opened))
    }
}

/// What the options ask for, with what is known of the image and these observations.
fn request<'a>(
    opened: &'a Opened,
    known: &'a Known<'a>,
    observations: &'a Observations,
    options: &'a SlimOptions,
) -> Request<'a> {
    Request {
        subject: opened.subject(),
        known: Some(known),
        observations,
        level: options.level.into(),
        include: &options.includes,
        exclude: &options.excludes,
        keep_packages: &options.keep_packages,
        baked: &[],
        layers: options.layers.into(),
    }
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
