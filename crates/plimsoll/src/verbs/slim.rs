//! `slim`: watch the original, plan, write, watch the result, repair, compare; then, and only
//! then, call it slimmed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_image::{Ownership, Sink};
use plimsoll_model::report::{Comparison, SlimFacts};
use plimsoll_model::{Config, Draft, ImagePath, Observations, Plan, Problem, Report, Rootfs};
use plimsoll_run::{Limits, Outcome, Probe, Way};
use plimsoll_slim::{Level, Request};

use crate::cli::{self, SlimOptions};
use crate::facts;
use crate::failure::{Exit, Failure, Result};
use crate::plan_file::{self, PlanFile};
use crate::print;
use crate::session::{self, Context, Opened};
use crate::work;

/// How often a slimmed image that missed files is mended and run again.
const MAX_REPAIRS: usize = 8;

/// Signal numbers of Linux, for `STOPSIGNAL` by name (`signal(7)`; the same on every architecture
/// plimsoll builds for).
const SIGNALS: [(&str, i32); 9] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("KILL", 9),
    ("USR1", 10),
    ("USR2", 12),
    ("TERM", 15),
    ("WINCH", 28),
    ("PWR", 30),
];

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Slim) -> Result<Exit> {
    let look = &arguments.look;
    let target = match &arguments.output {
        Some(target) => target.clone(),
        None => default_target(&look.image),
    };
    let slimmed = slim(
        context,
        &look.image,
        look.platform.as_deref(),
        &target,
        &arguments.options,
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
    let given = parse_probes(&options.probes)?;
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
    let probes = match given.is_empty() {
        true => exposed(&opened.image.config)?,
        false => given,
    };
    let trees = work::directory(opened.rootfs.tree.live_bytes(), &context.leftovers)?;
    let room = Room {
        context,
        way,
        scratch: scratch.path(),
        trees: trees.path(),
        probes: &probes,
        options,
    };

    let (first, unhonoured) = room.prepare(&opened.rootfs, "original", &mut phases)?;
    let original = room.run(&first, &opened, "original", &mut phases)?;
    room.must_answer(&original, name)?;
    let again = room.run(&first, &opened, "original again", &mut phases)?;
    room.must_answer(&again, name)?;
    let mut observations = original.observations.clone();
    observations.merge(&again.observations);
    phases.time("clean up", || remove(&first));

    let request = Request {
        subject: opened.subject(),
        observations: &observations,
        level: options.level.into(),
        include: &options.includes,
        exclude: &options.excludes,
        keep_packages: &options.keep_packages,
        layers: options.layers.into(),
    };
    context.progress.step("planning what must stay");
    let mut plan = phases.time("plan", || plimsoll_slim::plan(&request));
    let made = room.make_and_mend(&opened, &request, &mut plan, &mut phases)?;

    let mut differences = compare(&original, &again, &made.outcome);
    if made.still_missing > 0 {
        differences.push(format!(
            "after {MAX_REPAIRS} repairs it still misses {} files the original has",
            made.still_missing
        ));
    }
    if !differences.is_empty() && !options.keep_failed {
        return Err(unproved(&differences, &made.outcome));
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
    let application = original.total + again.total + made.ran;
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
    let risks = phases.time("report", || plimsoll_slim::risks(&request, &plan));
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
            level: request.level.name(),
            sandbox: way.to_string(),
            verified_by: original
                .answers
                .iter()
                .filter(|_| verified)
                .map(|answer| answer.probe.clone())
                .collect(),
            differences,
            repaired: made.repaired,
            forced,
            packages,
            layers: facts::layers(&result.subject()),
            risks,
            own_seconds: began.elapsed().saturating_sub(application).as_secs_f64(),
            seconds: phases.0,
            plan: plan.clone(),
        }),
        comparison: Some(Comparison {
            before_name: name.to_owned(),
            after_name: target.to_owned(),
            before,
            after,
            before_ready: original.ready.map(|ready| ready.as_secs_f64()),
            after_ready: made.outcome.ready.map(|ready| ready.as_secs_f64()),
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
    report.notes.extend(original.problems.iter().cloned());
    report.notes.extend(refused(&original.answers));
    report.notes.extend(weakness(&options.probes, &probes));
    context.progress.done();
    let exit = if verified {
        print::verdict(&report, None)
    } else {
        Exit::Unproved
    };
    Ok(Slimmed { report, exit })
}

/// The sandbox with all that stays the same between runs.
struct Room<'a> {
    context: &'a Context,
    way: Way,
    /// For what is written and read again.
    scratch: &'a Path,
    /// For what is run.
    trees: &'a Path,
    probes: &'a [Probe],
    options: &'a SlimOptions,
}

/// A slimmed image that was written to the work directory, read back and run.
struct Made {
    draft: Draft,
    config_digest: plimsoll_model::Digest,
    opened: Opened,
    outcome: Outcome,
    repaired: Vec<(ImagePath, String)>,
    still_missing: usize,
    /// How long its processes ran, all rounds together.
    ran: Duration,
}

impl Room<'_> {
    /// Unpacks a tree for the sandbox; answers where, and what the disk could not be given.
    fn prepare(
        &self,
        rootfs: &Rootfs,
        what: &str,
        phases: &mut Phases,
    ) -> Result<(PathBuf, Vec<Problem>)> {
        self.context.progress.step(&format!("unpacking the {what}"));
        let directory = self.trees.join(what.replace(' ', "-"));
        let ownership = match self.way {
            Way::Root => Ownership::Real,
            Way::Plain => Ownership::Mine,
        };
        let unpacked = phases
            .time("unpack", || {
                plimsoll_image::unpack(rootfs, &directory, ownership)
            })
            .map_err(|error| Failure::because(format_args!("cannot unpack the {what}"), &error))?;
        // A plain user's disk holds no other owners at all: the way it runs says so, once.
        let unhonoured = match self.way {
            Way::Root => unpacked.problems,
            Way::Plain => Vec::new(),
        };
        Ok((directory, unhonoured))
    }

    /// Starts the image unpacked at `root` under watch and asks the probes.
    fn run(&self, root: &Path, image: &Opened, what: &str, phases: &mut Phases) -> Result<Outcome> {
        self.context
            .progress
            .step(&format!("running the {what}, {}", self.way));
        let config = &image.image.config;
        let failed = |error: &dyn std::error::Error| {
            Failure::because(format_args!("cannot run the {what}"), error)
        };
        let identity =
            plimsoll_run::identity(&image.rootfs, config).map_err(|error| failed(&error))?;
        let tree = &image.rootfs.tree;
        let owners = |path: &ImagePath| {
            let found = tree.resolve_parent(path).ok()?;
            tree.get(&found.path)
                .map(|node| (node.meta.uid, node.meta.gid))
        };
        let scratch = self.trees.join(format!("{}-run", what.replace(' ', "-")));
        std::fs::create_dir_all(&scratch).map_err(|error| failed(&error))?;
        let spec = plimsoll_run::Spec {
            root,
            scratch: &scratch,
            command: config.command_line(),
            env: config.env.clone(),
            working_dir: config.working_dir.clone(),
            identity,
            stop_signal: stop_signal(config)?,
            volumes: config.volumes.clone(),
            ports: config.tcp_ports(),
            watch: true,
            probes: self.probes,
            limits: Limits {
                start: Duration::from_secs(self.options.start_timeout),
                total: Duration::from_secs(self.options.start_timeout) + Limits::default().total,
                memory: self.options.memory << 20,
                ..Limits::default()
            },
            owners: &owners,
        };
        phases
            .time("run", || plimsoll_run::run(&spec))
            .map_err(|error| failed(&error))
    }

    /// The original must do what is asked of it, or nothing can be proved.
    fn must_answer(&self, outcome: &Outcome, name: &str) -> Result<()> {
        if let Some(answer) = outcome.answers.iter().find(|answer| !answer.is_good()) {
            return Err(Failure::new(format!(
                "{name} itself does not pass the probe {}: {}",
                answer.probe,
                describe(answer)
            ))
            .details(outcome.problems.clone())
            .details(said(answer))
            .details(tail("image", &outcome.output))
            .hint("a probe must pass on the original; --start-timeout gives it more time"));
        }
        if outcome.answers.is_empty() || outcome.observations.seen.is_empty() {
            return Err(Failure::new(format!(
                "nothing was seen of {name} at work, so nothing could be proved"
            ))
            .details(outcome.problems.clone())
            .details(tail("image", &outcome.output))
            .hint("name what must go on working with --probe"));
        }
        Ok(())
    }

    /// Writes what the plan keeps, runs it, adds what it missed, and again until nothing is.
    fn make_and_mend(
        &self,
        original: &Opened,
        request: &Request<'_>,
        plan: &mut Plan,
        phases: &mut Phases,
    ) -> Result<Made> {
        let mut repaired = Vec::new();
        let mut ran = Duration::ZERO;
        for round in 0.. {
            let what = if round == 0 {
                "slimmed image".to_owned()
            } else {
                format!("slimmed image, mended {round} times")
            };
            let draft = phases.time("plan", || plimsoll_slim::draft(request, plan));
            let stage = self.scratch.join(format!("stage-{round}"));
            let sink = Sink::OciLayout {
                dir: stage.clone(),
                tag: Some("slim".to_owned()),
            };
            let progress = &self.context.progress;
            progress.step(&format!("writing the {what} and reading it again"));
            let compression = self.options.compression;
            let written = phases.time("write", || {
                super::write_image(self.context, &draft, &sink, compression)
            })?;
            let name = format!("oci:{}:slim", stage.display());
            let platform = platform_of(&original.image.config);
            let opened = phases.time("read", || {
                session::read(self.context, &name, Some(&platform), Some(self.scratch))
            })?;
            let (root, _) = self.prepare(&opened.rootfs, &what, phases)?;
            let outcome = self.run(&root, &opened, &what, phases)?;
            ran += outcome.total;
            phases.time("clean up", || remove(&root));
            let seen: &Observations = &outcome.observations;
            let missing = phases.time("plan", || plimsoll_slim::repair(request, plan, seen));
            if missing.is_empty() || round == MAX_REPAIRS {
                let config_digest = written.config_digest;
                let still_missing = missing.len();
                return Ok(Made {
                    draft,
                    config_digest,
                    opened,
                    outcome,
                    repaired,
                    still_missing,
                    ran,
                });
            }
            for (path, reason) in &missing {
                repaired.push((path.clone(), reason.to_string()));
            }
            phases.time("plan", || plimsoll_slim::add(plan, request, &missing));
        }
        unreachable!("the last round returns")
    }
}

/// A work directory that cannot be removed now is removed with the one it lies in.
fn remove(directory: &Path) {
    let _ = std::fs::remove_dir_all(directory);
}

/// Seconds by phase; a phase that comes again adds up.
#[derive(Default)]
struct Phases(Vec<(&'static str, f64)>);

impl Phases {
    fn time<T>(&mut self, phase: &'static str, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = work();
        let seconds = began.elapsed().as_secs_f64();
        match self.0.iter_mut().find(|(name, _)| *name == phase) {
            Some((_, sum)) => *sum += seconds,
            None => self.0.push((phase, seconds)),
        }
        result
    }
}

fn parse_probes(texts: &[String]) -> Result<Vec<Probe>> {
    let parse = |text: &String| {
        Probe::parse(text).map_err(|error| {
            Failure::because(format_args!("cannot understand the probe `{text}`"), &error)
                .hint("probes are http:/PATH, http://:PORT/PATH, tcp:PORT and cmd:COMMAND")
        })
    };
    texts.iter().map(parse).collect()
}

/// A connection to each exposed port.
fn exposed(config: &Config) -> Result<Vec<Probe>> {
    let ports = config.tcp_ports();
    let texts: Vec<String> = ports.iter().map(|port| format!("tcp:{port}")).collect();
    parse_probes(&texts)
}

/// What the user should know about a proof that proves little.
fn weakness(given: &[String], probes: &[Probe]) -> Option<String> {
    match (given.is_empty(), probes.is_empty()) {
        (false, _) => None,
        (true, false) => Some(
            "no probe was given: only connections to the exposed ports were tried, which proves \
             little; name what must go on working with --probe http:/PATH or --probe cmd:COMMAND"
                .to_owned(),
        ),
        (true, true) => Some(
            "no probe was given and no port is exposed: the image was run to its end, and its \
             exit code and output were compared"
                .to_owned(),
        ),
    }
}

/// What the slimmed image does differently, beyond what differs between two runs of the original.
fn compare(first: &Outcome, second: &Outcome, result: &Outcome) -> Vec<String> {
    let users = [first, second, result].map(|outcome| {
        let running = outcome.running_as.iter();
        running
            .map(|it| format!("{} {}:{}", it.exe, it.uid, it.gid))
            .collect::<Vec<_>>()
    });
    fn run<'a>(outcome: &'a Outcome, users: &'a [String]) -> plimsoll_slim::Run<'a> {
        plimsoll_slim::Run {
            answers: &outcome.answers,
            listening: &outcome.listening,
            running_as: users,
            exit: outcome.exit.map(|exit| exit.ended.code()),
        }
    }
    let [first_users, second_users, result_users] = &users;
    let differences = plimsoll_slim::compare(
        &run(first, first_users),
        &run(second, second_users),
        &run(result, result_users),
    );
    differences.iter().map(ToString::to_string).collect()
}

fn unproved(differences: &[String], outcome: &Outcome) -> Failure {
    Failure::new("the slimmed image does not do what the original does; it was not written")
        .details(differences.iter().cloned())
        .details(outcome.problems.clone())
        .details(tail("image", &outcome.output))
        .exit(Exit::Unproved)
        .hint("keep what it misses with --include, or look at it with --keep-failed")
}

/// The last lines that somebody printed.
fn tail(who: &str, output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .take(8)
        .map(|line| format!("{who}: {line}"))
        .collect();
    lines.reverse();
    lines
}

fn describe(answer: &plimsoll_model::Answer) -> String {
    use plimsoll_model::answer::Outcome::{Exit, Http, None, Tcp};
    match &answer.outcome {
        Http { status, .. } => format!("it answers {status}"),
        Tcp { .. } => "connected".to_owned(),
        Exit { code, .. } => format!("exit code {code}"),
        None(why) => why.clone(),
    }
}

/// What a probe's command printed.
fn said(answer: &plimsoll_model::Answer) -> Vec<String> {
    match &answer.outcome {
        plimsoll_model::answer::Outcome::Exit { output, .. } => tail("probe", output),
        _ => Vec::new(),
    }
}

/// A client error is an answer, and is compared; but a probe that meets one tries less than it
/// seems to.
fn refused(answers: &[plimsoll_model::Answer]) -> impl Iterator<Item = String> {
    answers.iter().filter_map(|answer| match &answer.outcome {
        plimsoll_model::answer::Outcome::Http { status, .. } if *status >= 400 => Some(format!(
            "the original answers {} with {status}: that proves little of the application",
            answer.probe
        )),
        _ => None,
    })
}

fn stop_signal(config: &Config) -> Result<i32> {
    let Some(text) = &config.stop_signal else {
        return Ok(15);
    };
    let name = text.trim().trim_start_matches("SIG");
    if let Ok(number) = name.parse::<i32>()
        && (1..=64).contains(&number)
    {
        return Ok(number);
    }
    let known = SIGNALS.iter().find(|(known, _)| *known == name);
    known.map(|(_, number)| *number).ok_or_else(|| {
        Failure::new(format!(
            "the image's STOPSIGNAL is {text:?}, which is no signal of Linux"
        ))
    })
}

fn platform_of(config: &Config) -> String {
    let (os, architecture) = (&config.os, &config.architecture);
    match &config.variant {
        Some(variant) => format!("{os}/{architecture}/{variant}"),
        None => format!("{os}/{architecture}"),
    }
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

    #[test]
    fn stop_signals_have_names_and_numbers() {
        let signal = |text: &str| {
            stop_signal(&Config {
                stop_signal: Some(text.into()),
                ..Config::default()
            })
            .ok()
        };
        assert_eq!(signal("SIGWINCH"), Some(28));
        assert_eq!(signal("QUIT"), Some(3));
        assert_eq!(signal("9"), Some(9));
        assert_eq!(signal("SIGNOTHING"), None);
        assert_eq!(signal("99"), None);
    }
}
