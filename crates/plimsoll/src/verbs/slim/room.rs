//! The running room of `slim`: unpacks an image, runs it under watch, and mends what was made until
//! nothing is missing.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_image::{Ownership, Sink};
use plimsoll_model::report::LevelRisk;
use plimsoll_model::{Config, ImagePath, Observations, Plan, Problem, Rootfs, answer};
use plimsoll_run::{AFTER_RELOAD, Limits, Outcome, Recording, Watch, Way};
use plimsoll_slim::Request;

use super::ahead::{self, Ahead};
use super::guess::Guess;
use super::probes;
use super::signals;
use crate::cli::{Compress, SlimOptions};
use crate::failure::{Failure, Result};
use crate::session::{self, Context, Opened};

/// How often a slimmed image that missed files is mended and run again.
const MAX_REPAIRS: usize = 8;

/// What to do with an image that ends by itself and is asked something only a running one can answer.
const ENDS: &str = "an image that ends by itself is proved by its exit code and output: leave out the \
     probes of a running one, and give --args for each way in which it is used";

/// The same where it is run to its end, and does not do what it is for.
const FAILS: &str = "what is run to its end must end with exit code 0: give --args with which the \
     original does";

/// `SIGKILL`: nothing is asked of the program, it is ended.
const KILL: i32 = 9;

/// The sandbox with all that stays the same between runs.
pub(super) struct Room<'a> {
    pub(super) context: &'a Context,
    pub(super) way: Way,
    /// For what is written and read again.
    pub(super) scratch: &'a Path,
    /// For what is run.
    pub(super) trees: &'a Path,
    /// What is asked.
    pub(super) asked: probes::Asked,
    /// How the image is started.
    pub(super) starts: Vec<Start>,
    /// How long the original took, once that is known.
    pub(super) pace: Option<Pace>,
    pub(super) options: &'a SlimOptions,
    /// How long processes of the image ran, all runs together.
    pub(super) ran: Cell<Duration>,
}

/// How much slower than the original a slimmed image may be: another program beside it may take half
/// the machine.
const SLOWER: u32 = 4;
/// The image has the processor for itself until it should be ready, or the report would say that it
/// starts more slowly than it does; but not for longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What it has in any case, to start and for a probe.
const FASTEST_START: Duration = Duration::from_secs(10);
const FASTEST_PROBE: Duration = Duration::from_secs(4);

/// How long an image that listens nowhere is to go on running after its probes, in its first run: the
/// later ones need not be as long, so that they do not tell otherwise by chance.
const LINGER: Duration = Duration::from_millis(500);

/// One way in which an image is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start {
    /// Arguments in the place of the image's own; it is then run to its end, and not probed.
    pub(super) arguments: Option<Vec<String>>,
    /// Whether it is also reloaded, and started a second time.
    pub(super) again: bool,
    /// Whether nobody needs the tree afterwards.
    pub(super) spend: bool,
    /// How much is seen of it.
    pub(super) watch: Watch,
    /// What is otherwise than usual.
    pub(super) surroundings: Surroundings,
}

/// What is otherwise around a start than usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// Whether the way to the server is recorded.
    pub(super) recording: Recording,
    /// Another host name.
    pub(super) hostname: Option<String>,
    /// Variables that are added, or have another value: name and value.
    pub(super) variables: Vec<(String, String)>,
    /// Whether it is killed in the place of being asked to end.
    pub(super) crash: bool,
    /// Whether nothing is asked of it.
    pub(super) unasked: bool,
}

/// The name an image sees itself by.
pub(super) const HOSTNAME: &str = "plimsoll";

impl Start {
    /// All ways the user asks for: the image's own, and each list of arguments. An image that is run
    /// to its end anyway is started in the given ways alone.
    pub(super) fn all(lists: Vec<Vec<String>>, is_probed: bool) -> Vec<Self> {
        let own = (is_probed || lists.is_empty()).then_some(None);
        let all = own.into_iter().chain(lists.into_iter().map(Some));
        all.map(|arguments| Self {
            again: arguments.is_none(),
            spend: false,
            watch: Watch::Usual,
            surroundings: Surroundings::default(),
            arguments,
        })
        .collect()
    }

    /// The same, once.
    pub(super) fn once(&self) -> Self {
        Self {
            again: false,
            ..self.clone()
        }
    }

    fn command(&self, config: &Config) -> Vec<String> {
        match &self.arguments {
            None => config.command_line(),
            Some(words) => config.entrypoint.iter().chain(words).cloned().collect(),
        }
    }
}

/// How long an image took at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Until it was ready; until its end, where it was run to its end.
    start: Duration,
    /// For a probe.
    probe: Duration,
    /// Whether it was asked after a reload.
    reloads: bool,
}

impl Pace {
    /// That of the slowest of these runs.
    pub(super) fn of<'a>(runs: impl Iterator<Item = &'a Outcome>) -> Self {
        let mut pace = Self {
            start: Duration::ZERO,
            probe: Duration::ZERO,
            reloads: false,
        };
        for run in runs {
            let mut later = run.later.iter();
            pace.reloads |= later.any(|answer| answer.probe.ends_with(AFTER_RELOAD));
            let slowest = run.took.iter().max().copied().unwrap_or_default();
            pace.probe = pace.probe.max(slowest);
            pace.start = pace.start.max(run.ready.unwrap_or(slowest));
        }
        pace
    }
}

/// A slimmed image that was written to the work directory, read back and run.
pub(super) struct Made {
    /// What was proved, compressed.
    pub(super) ahead: Ahead,
    /// What each level would leave ashore.
    pub(super) risks: Vec<LevelRisk>,
    pub(super) config_digest: plimsoll_model::Digest,
    pub(super) opened: Opened,
    /// What came of each start.
    pub(super) outcomes: Vec<Outcome>,
    pub(super) repaired: Vec<(ImagePath, String)>,
    /// What it asked for until the end and does not have.
    pub(super) still_missing: Vec<ImagePath>,
}

impl Room<'_> {
    /// Unpacks a tree for the sandbox; answers where, and what the disk could not be given.
    pub(super) fn prepare(
        &self,
        rootfs: &Rootfs,
        what: &str,
        phases: &mut Phases,
    ) -> Result<(PathBuf, Vec<Problem>)> {
        self.context.progress.step(&format!("unpacking the {what}"));
        let directory = self.trees.join(what.replace(' ', "-"));
        let ownership = match self.way {
            Way::Root => Ownership::Real,
            Way::Subordinate => Ownership::Later,
            Way::Plain => Ownership::Mine,
        };
        let unpacked = phases
            .time("unpack", || {
                plimsoll_image::unpack(rootfs, &directory, ownership)
            })
            .map_err(|error| Failure::because(format_args!("cannot unpack the {what}"), &error))?;
        // A plain user's disk holds no other owners by itself: the way it runs says what becomes of them.
        let unhonoured = match self.way {
            Way::Root | Way::Subordinate => unpacked.problems,
            Way::Plain => Vec::new(),
        };
        Ok((directory, unhonoured))
    }

    /// Starts the image unpacked at `root` under watch and asks the probes.
    pub(super) fn run(
        &self,
        root: &Path,
        image: &Opened,
        what: &str,
        start: &Start,
        phases: &mut Phases,
    ) -> Result<Outcome> {
        let said = start.arguments.as_ref().map(|words| probes::line(words));
        let said = said.map_or_else(String::new, |line| format!(" with {line}"));
        self.context
            .progress
            .step(&format!("running the {what}{said}, {}", self.way));
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
        let modes = |path: &ImagePath| {
            let found = tree.resolve_parent(path).ok()?;
            tree.get(&found.path).map(|node| node.meta.mode)
        };
        let scratch = self.trees.join(format!("{}-run", what.replace(' ', "-")));
        std::fs::create_dir_all(&scratch).map_err(|error| failed(&error))?;
        let spec = plimsoll_run::Spec {
            root,
            way: self.way,
            scratch: &scratch,
            command: start.command(config),
            env: variables(config, &start.surroundings),
            working_dir: config.working_dir.clone(),
            identity,
            stop_signal: match start.surroundings.crash {
                true => KILL,
                false => stop_signal(config)?,
            },
            volumes: config.volumes.clone(),
            // Where nothing is asked it is run to its end, whatever it exposes.
            ports: if start.arguments.is_none() && !self.asked.probes.is_empty() {
                config.tcp_ports()
            } else {
                Vec::new()
            },
            watch: start.watch,
            startup: start.surroundings.recording.clone(),
            hostname: start.surroundings.hostname.as_deref().unwrap_or(HOSTNAME),
            probes: if start.arguments.is_none() && !start.surroundings.unasked {
                &self.asked.probes
            } else {
                &[]
            },
            again: start.again,
            spend: start.spend,
            linger: match self.pace {
                None if start.again => LINGER,
                _ => Duration::ZERO,
            },
            // What the original does after a reload, the result is to do; for nothing else is waited.
            reload: match &self.pace {
                Some(pace) if pace.reloads => FASTEST_PROBE,
                _ => Duration::ZERO,
            },
            limits: self.limits(),
            owners: &owners,
            modes: &modes,
        };
        let mut outcome = phases
            .time("run", || plimsoll_run::run(&spec))
            .map_err(|error| failed(&error))?;
        self.ran.set(self.ran.get() + outcome.total);
        for answer in &mut outcome.answers {
            answer.probe.push_str(&said);
        }
        if start.arguments.is_some() {
            for seen in outcome.observations.seen.values_mut() {
                seen.during.push_str(&said);
            }
        }
        Ok(outcome)
    }

    /// What an image may use: a result that is much slower than the original is none that works, and
    /// nobody waits for it as long as for the original.
    fn limits(&self) -> Limits {
        let usual = Limits::default();
        let given = Duration::from_secs(self.options.start_timeout);
        let pace = |start: Duration, probe: Duration| Limits {
            start,
            probe,
            total: given + usual.total,
            memory: self.options.memory << 20,
            ..usual
        };
        match &self.pace {
            None => pace(given, usual.probe),
            Some(original) => pace(
                given.min(FASTEST_START.max(original.start * SLOWER)),
                usual.probe.min(FASTEST_PROBE.max(original.probe * SLOWER)),
            ),
        }
    }

    /// The original must do what is asked of it, or nothing can be proved.
    pub(super) fn must_answer(&self, outcome: &Outcome, name: &str) -> Result<()> {
        if let Some(answer) = outcome.answers.iter().find(|answer| !answer.is_good()) {
            return Err(Failure::new(format!(
                "{name} itself does not pass the probe {}: {}",
                answer.probe,
                probes::describe(answer)
            ))
            .details(outcome.problems.clone())
            .details(probes::said(answer))
            .details(probes::tail("image", &outcome.output))
            .hint(match (&answer.outcome, outcome.exit) {
                (answer::Outcome::None(_), Some(_)) => ENDS,
                (answer::Outcome::Exit { .. }, Some(_)) if probes::is_completion(answer) => FAILS,
                _ => "a probe must pass on the original; --start-timeout gives it more time",
            }));
        }
        if outcome.answers.is_empty() || outcome.observations.seen.is_empty() {
            return Err(Failure::new(format!(
                "nothing was seen of {name} at work, so nothing could be proved"
            ))
            .details(outcome.problems.clone())
            .details(probes::tail("image", &outcome.output))
            .hint("name what must go on working with --probe"));
        }
        Ok(())
    }

    /// Starts a slimmed image in every way; answers what came of each, and what was seen in all.
    fn try_out(
        &self,
        root: &Path,
        opened: &Opened,
        what: &str,
        phases: &mut Phases,
    ) -> Result<(Vec<Outcome>, Observations)> {
        let mut outcomes = Vec::new();
        let mut seen = Observations::default();
        for start in &self.starts {
            let outcome = self.run(root, opened, what, start, phases)?;
            seen.merge(&outcome.observations);
            outcomes.push(outcome);
        }
        Ok((outcomes, seen))
    }

    /// Writes what the plan keeps, runs it, adds what it missed, and again until nothing is.
    /// `original_seen` is what runs of the original touched; `guess` what the first of them promised.
    pub(super) fn make_and_mend(
        &self,
        original: &Opened,
        request: &Request<'_>,
        original_seen: &Observations,
        plan: &mut Plan,
        phases: &mut Phases,
        mut guess: Option<Guess<'_>>,
    ) -> Result<Made> {
        let mut repaired = Vec::new();
        // What the round before missed.
        let mut before: Vec<ImagePath> = Vec::new();
        for round in 0.. {
            let what = if round == 0 {
                "slimmed image".to_owned()
            } else {
                format!("slimmed image, mended {round} times")
            };
            let draft = phases.time("plan", || plimsoll_slim::draft(request, plan));
            let stage = self.trees.join(format!("stage-{round}"));
            let sink = Sink::OciLayout {
                dir: stage.clone(),
                tag: Some("slim".to_owned()),
            };
            let progress = &self.context.progress;
            progress.step(&format!("writing the {what} and reading it again"));
            // What is proved is the tree and the configuration; compressed it is once, at the end.
            let written = phases.time("write", || {
                crate::target::write_only(self.context, &draft, &sink, Compress::None)
            })?;
            let name = format!("oci:{}:slim", stage.display());
            let platform = platform_of(&original.image.config);
            let opened = phases.time("read", || {
                session::read(self.context, &name, Some(&platform), Some(self.scratch))
            })?;
            let (root, _) = self.prepare(&opened.rootfs, &what, phases)?;
            let guessed = guess.take().and_then(|guess| guess.of(&draft));
            let wanted = guessed.as_ref().map(Guess::wanted).unwrap_or_default();
            let directory = self.scratch.join(format!("ahead-{round}"));
            let compression = self.options.compression;
            let pause = self.pace.map_or(Duration::ZERO, |pace| pace.start);
            let pause = pause.min(LONGEST_PAUSE);
            let done = std::thread::scope(|scope| {
                let write = || {
                    if let Some(guessed) = guessed {
                        return guessed.written();
                    }
                    wanted.pause(pause)?;
                    ahead::give_way();
                    ahead::write(self.context, &draft, &directory, compression, &wanted)
                };
                let writing = scope.spawn(write);
                let so_far: &Plan = plan;
                let weighing = scope.spawn(|| plimsoll_slim::risks(request, so_far));
                let tried = self.try_out(&root, &opened, &what, phases);
                // What the original asked for as well, and was not believed, is no news.
                let seen_before = Request {
                    observations: original_seen,
                    ..*request
                };
                let tried = tried.map(|(outcomes, seen)| {
                    let missing =
                        phases.time("plan", || plimsoll_slim::repair(&seen_before, plan, &seen));
                    (outcomes, missing)
                });
                // What did not come by adding it (it is excluded) will not come by adding it again.
                let is_last = |missing: &[(ImagePath, _)]| {
                    let missing = missing.iter().map(|(path, _)| path);
                    round == MAX_REPAIRS || missing.clone().next().is_none() || missing.eq(&before)
                };
                if !tried.as_ref().is_ok_and(|(_, missing)| is_last(missing)) {
                    wanted.give_up();
                }
                let written = phases.time("write", || writing.join());
                let written = written.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                let risks = phases.time("report", || weighing.join());
                let risks = risks.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                let (outcomes, missing) = tried?;
                let done = is_last(&missing).then_some(written).transpose()?;
                Ok::<_, Failure>((outcomes, missing, done.map(|ahead| (ahead, risks))))
            })?;
            let (outcomes, missing, done) = done;
            phases.time("clean up", || remove(&root));
            if let Some((ahead, risks)) = done {
                return Ok(Made {
                    ahead,
                    risks,
                    config_digest: written.config_digest,
                    opened,
                    outcomes,
                    repaired,
                    still_missing: missing.into_iter().map(|(path, _)| path).collect(),
                });
            }
            for made in [&stage, &directory] {
                remove(made);
            }
            for (path, reason) in &missing {
                repaired.push((path.clone(), reason.to_string()));
            }
            before = missing.iter().map(|(path, _)| path.clone()).collect();
            phases.time("plan", || plimsoll_slim::add(plan, request, &missing));
        }
        unreachable!("the last round returns")
    }
}

/// A work directory that cannot be removed now is removed with the one it lies in.
pub(super) fn remove(directory: &Path) {
    let _ = plimsoll_run::remove(directory);
}

/// Seconds by phase; a phase that comes again adds up.
#[derive(Default)]
pub(super) struct Phases(pub(super) Vec<(&'static str, f64)>);

impl Phases {
    pub(super) fn time<T>(&mut self, phase: &'static str, work: impl FnOnce() -> T) -> T {
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

/// The configuration's variables, some of them otherwise.
fn variables(config: &Config, surroundings: &Surroundings) -> Vec<String> {
    let mut env = config.env.clone();
    for (name, value) in &surroundings.variables {
        env.retain(|pair| pair.split('=').next() != Some(name));
        env.push(format!("{name}={value}"));
    }
    env
}

pub(super) fn stop_signal(config: &Config) -> Result<i32> {
    let Some(text) = &config.stop_signal else {
        return Ok(15);
    };
    signals::number(text).ok_or_else(|| {
        Failure::new(format!(
            "the image's STOPSIGNAL is {text:?}, which is no signal of Linux"
        ))
    })
}

pub(super) fn platform_of(config: &Config) -> String {
    let (os, architecture) = (&config.os, &config.architecture);
    match &config.variant {
        Some(variant) => format!("{os}/{architecture}/{variant}"),
        None => format!("{os}/{architecture}"),
    }
}
