//! One run from beginning to end: start, wait until it is ready, ask, stop.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use plimsoll_model::answer::{self, Answer};
use plimsoll_model::text::printable;

use super::again::Kept;
use super::exec::Door;
use super::output::{self, Output};
use super::place::{Place, check};
use super::plan::{Places, Pristine};
use super::proc::Hearing;
use super::shared::Shared;
use super::spawn::{self, Started, Stopped};
use super::spend::Before;
use super::{copy, proc};
use crate::probe::{self, Scene};
use crate::seccomp::Notify;
use crate::subordinate;
use crate::trace::{Given, Identities, Traced, Tracer};
use crate::way::why_plain;
use crate::{
    AFTER_RELOAD, COMPLETION, Ended, Error, Exit, Outcome, Probe, Recording, RunningAs, Spec,
    Watch, Way,
};

/// From one look at the image to the next, while it gets ready.
const LOOK: Duration = Duration::from_millis(5);
/// How long a reload is given before the image is asked again.
const SETTLE: Duration = Duration::from_millis(300);
/// How long a probe is tried after a reload or a second start.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much slower than the first answer a later one may be: another program beside it may take half
/// the machine.
const SLOWER: u32 = 4;
/// From one look at its limits to the next.
const GUARD: Duration = Duration::from_millis(100);

/// See [`crate::run`].
pub(crate) fn run(spec: &Spec<'_>) -> Result<Outcome, Error> {
    match spec.spend {
        true => run_on(spec, &[Pristine::Itself]),
        false => run_on(spec, &[Pristine::UserXattr, Pristine::Overlay]),
    }
}

/// As [`run`], on the first of these that can be mounted, else on a copy.
fn run_on(spec: &Spec<'_>, pristine: &[Pristine]) -> Result<Outcome, Error> {
    let begun = Instant::now();
    let way = spec.way;
    check(spec)?;
    let place = Place::new(spec)?;
    let before = spec
        .spend
        .then(|| Before::now(&place.places.root, &place.places.base));
    let before = before
        .transpose()
        .map_err(Error::sandbox("look at the image's tree"))?;
    let output =
        Output::new(place.log(), spec.limits.output).map_err(Error::sandbox("make a log"))?;
    let (pipe, writer) = output::pipe().map_err(Error::sandbox("make a pipe"))?;
    let notify = match (way, spec.watch) {
        (Way::Plain, _) => Notify::FilesAndOwners,
        (_, Watch::Everything) => Notify::EveryFile,
        (_, Watch::Usual) => Notify::Files,
        (_, Watch::Off) => Notify::Nothing,
    };
    let mut problems = Vec::new();
    problems.extend(place.problems(way));
    if way == Way::Plain {
        problems.extend(why_plain(&spec.identity));
    }
    let started = start(spec, way, notify, pristine, &place, &writer, &mut problems)?;
    // The image alone holds it now, so that its end is the end of what it prints.
    drop(writer);
    let kept = spec.again.then(|| Kept::of(started.process.pid));
    let stage = Stage {
        spec,
        way,
        notify,
        place: &place,
        before: before.as_ref(),
        begun,
        second: None,
    };
    let (mut outcome, given) = stage.supervise(&output, pipe, started, Given::new())?;
    problems.append(&mut outcome.problems);
    outcome.problems = problems;
    if let Some(kept) = kept
        && outcome.exit.is_none()
        && may_go_on(&outcome.answers)
    {
        let second = kept
            .map_err(Error::sandbox("keep its namespaces"))
            .and_then(|kept| stage.second(&kept, given, slowest(&outcome.took)));
        match second {
            Ok(second) => {
                outcome.later.extend(second.answers);
                outcome.observations.merge(&second.observations);
                for problem in second.problems {
                    if !outcome.problems.contains(&problem) {
                        outcome.problems.push(problem);
                    }
                }
            }
            Err(error) => outcome
                .problems
                .push(format!("it was not started a second time: {error}")),
        }
    }
    outcome.total = begun.elapsed();
    if let Some(before) = &before {
        match place
            .mark()
            .and_then(|mark| before.read_since(way, &place.places.root, &mark))
        {
            Ok(read) => outcome.read = Some(read),
            Err(error) => outcome
                .problems
                .push(format!("what it has read could not be looked at: {error}")),
        }
    }
    outcome.problems.extend(place.clear());
    Ok(outcome)
}

/// Starts the image on an overlay, or on a copy where the kernel has no overlay for us.
fn start(
    spec: &Spec<'_>,
    way: Way,
    notify: Notify,
    pristine: &[Pristine],
    place: &Place,
    writer: &File,
    problems: &mut Vec<String>,
) -> Result<Started, Error> {
    for &pristine in pristine {
        match spawn::start(spec, way, pristine, &place.places, notify, writer) {
            Ok(started) => return Ok(started),
            Err(Stopped::Error(error)) => return Err(error),
            Err(Stopped::Overlay) => {}
        }
    }
    problems.push(String::from(
        "no overlay can be mounted here: the tree was copied, and writes are bounded by the disk only",
    ));
    let copied = Places {
        root: place.directory.join("copy"),
        base: place.places.base.clone(),
        mode: place.places.mode,
        owners: Vec::new(),
    };
    copy::copy(&place.places.root, &copied.root, spec.limits.disk)
        .map_err(Error::sandbox("copy the image's tree"))?;
    let copied = copied.owned(spec);
    match spawn::start(spec, way, Pristine::Itself, &copied, notify, writer) {
        Ok(started) => Ok(started),
        Err(Stopped::Error(error)) => Err(error),
        Err(Stopped::Overlay) => Err(Error::Spec(String::from("a copy needs no overlay"))),
    }
}

/// How long the slowest answer took.
fn slowest(took: &[Duration]) -> Duration {
    took.iter().max().copied().unwrap_or_default()
}

/// Whether there were questions, all of them answered: what comes after them can be judged.
fn may_go_on(answers: &[Answer]) -> bool {
    !answers.is_empty()
        && answers
            .iter()
            .all(|answer| answer.is_good() && answer.probe != COMPLETION)
}

/// One start of the image, the first or the second.
#[derive(Clone, Copy)]
struct Stage<'a> {
    spec: &'a Spec<'a>,
    way: Way,
    notify: Notify,
    place: &'a Place,
    before: Option<&'a Before>,
    begun: Instant,
    /// Of the second start: how long the slowest answer to the first one took.
    second: Option<Duration>,
}

impl Stage<'_> {
    /// Starts the image again on what it has written.
    fn second(self, kept: &Kept, given: Given, slowest: Duration) -> Result<Outcome, Error> {
        let log = self.place.directory.join("output-again");
        let output =
            Output::new(log, self.spec.limits.output).map_err(Error::sandbox("make a log"))?;
        let (pipe, writer) = output::pipe().map_err(Error::sandbox("make a pipe"))?;
        let started = kept.start(self.spec, self.way, self.notify, &writer)?;
        drop(writer);
        let stage = Self {
            second: Some(slowest),
            ..self
        };
        let (outcome, _) = stage.supervise(&output, pipe, started, given)?;
        Ok(outcome)
    }

    /// The start itself, beside the tracer and the guard of the limits.
    fn supervise(
        self,
        output: &Output,
        pipe: File,
        mut started: Started,
        given: Given,
    ) -> Result<(Outcome, Given), Error> {
        let Self {
            spec,
            way,
            notify,
            place,
            before,
            begun,
            second,
        } = self;
        let is_second = second.is_some();
        let scenes: Vec<String> = ["start".to_owned()]
            .into_iter()
            .chain(spec.probes.iter().map(ToString::to_string))
            .chain(["stop", "reload", "restart"].map(str::to_owned))
            .collect();
        let restart = scenes.len() - 1;
        let during = AtomicUsize::new(if is_second { restart } else { 0 });
        let upper = started.upper.take();
        let tracer = started.listener.take().map(|listener| {
            let tracer = Tracer::new(
                listener,
                started.process.pid,
                way,
                (spec, given),
                &scenes,
                &during,
            );
            match spec.startup != Recording::Off && !is_second {
                true => tracer.recording(upper, spec),
                false => tracer,
            }
        });
        let identities = tracer.as_ref().and_then(Tracer::identities);
        let limit = Mutex::new(None);
        let helper = AtomicI32::new(0);
        let (done, over) = mpsc::channel::<()>();
        let (tree_done, tree_over) = mpsc::channel::<()>();
        let (listeners, heard) = mpsc::channel();
        let door = Door {
            spec,
            way,
            notify,
            pid: started.process.pid,
            listeners,
            helper: &helper,
        };
        let shared = Shared::now().ok();
        let run = Run {
            spec,
            place,
            before,
            shared: shared.as_ref(),
            output,
            started: &started,
            begun,
            during: &during,
            limit: &limit,
            helper: &helper,
        };
        thread::scope(|scope| {
            let tracer = tracer.map(|tracer| scope.spawn(move || tracer.run()));
            let guard = scope.spawn(move || run.guard(&over));
            let guard_tree = scope.spawn(move || run.guard_tree(&tree_over));
            let drain = scope.spawn(move || output.drain(pipe, |hit| run.hit(hit)));
            // One tracer for each program that a probe runs inside, as long as any of its processes lives.
            let (pid, scenes, during) = (started.process.pid, &scenes, &during);
            let others = scope.spawn(move || {
                let trace = |listener| {
                    let tracer =
                        Tracer::new(listener, pid, way, (spec, Given::new()), scenes, during);
                    scope.spawn(move || tracer.run())
                };
                heard.iter().map(trace).collect::<Vec<_>>()
            });
            let told = match second {
                Some(slowest) => run.tell_again(&door, slowest),
                None => run.tell(&identities, &door),
            };
            drop(door);
            // Whatever happened, nothing of the image may live on; the tracer ends with its last process.
            started.process.kill();
            drop((done, tree_done));
            // No thread of these has anything to tell but what it has written down.
            let _ = (guard.join(), guard_tree.join(), drain.join());
            let join = |tracer: thread::ScopedJoinHandle<'_, Traced>| {
                tracer.join().unwrap_or_else(|_| Traced::broken())
            };
            let mut traced = tracer.map(join).unwrap_or_default();
            let given = std::mem::take(&mut traced.given);
            for other in others.join().unwrap_or_default() {
                traced.merge(join(other));
            }
            let mut outcome = told?;
            outcome.way = way;
            outcome.observations = traced.observations;
            outcome.startup = traced.startup;
            outcome.problems.extend(traced.problems);
            outcome.output = output.read();
            let limit = limit.lock().unwrap_or_else(PoisonError::into_inner).take();
            outcome.problems.extend(limit);
            Ok((outcome, given))
        })
    }
}

/// What a run is made of; copied to where it is watched.
#[derive(Clone, Copy)]
struct Run<'a> {
    spec: &'a Spec<'a>,
    place: &'a Place,
    before: Option<&'a Before>,
    shared: Option<&'a Shared>,
    output: &'a Output,
    started: &'a Started,
    begun: Instant,
    during: &'a AtomicUsize,
    limit: &'a Mutex<Option<String>>,
    helper: &'a AtomicI32,
}

impl Run<'_> {
    /// Waits for the program, asks, stops it.
    fn tell(&self, identities: &Option<Identities>, door: &Door<'_>) -> Result<Outcome, Error> {
        let spec = self.spec;
        let process = &self.started.process;
        let mut problems = self.started.executed(spec)?;
        let running = Instant::now();
        let deadline = running + spec.limits.start;
        let ports = self.ports();

        let mut ready = None;
        let mut early = None;
        let (mut answers, mut took) = (Vec::new(), Vec::new());
        if ports.is_empty() && spec.probes.is_empty() {
            early = self.until(deadline, || false);
            answers.push(self.completion(early));
            took.push(running.elapsed());
        } else {
            if !ports.is_empty() {
                early = self.until(deadline, || {
                    let listens = !self.listening().is_disjoint(&ports);
                    if listens {
                        ready = Some(running.elapsed());
                    }
                    listens
                });
                if early.is_none() && ready.is_none() {
                    let list: Vec<String> = ports.iter().map(u16::to_string).collect();
                    problems.push(format!(
                        "no port of {} listened within {:?}",
                        list.join(", "),
                        spec.limits.start
                    ));
                }
            }
            for (index, probe) in spec.probes.iter().enumerate() {
                self.during.store(index + 1, Ordering::Relaxed);
                // Without a port to watch, the first probe is what tells that it is ready.
                let first = ports.is_empty() && index == 0;
                let now = Instant::now();
                let usual = spec.limits.probe;
                let until = if first {
                    deadline
                } else {
                    now + probe
                        .patience()
                        .map_or(usual, |patience| patience.min(usual))
                };
                let until = until.min(self.begun + spec.limits.total);
                let answer = probe::ask(probe, &self.scene(door), until, || self.is_over());
                if first && answer.is_good() {
                    ready = Some(running.elapsed());
                }
                answers.push(answer);
                took.push(now.elapsed());
            }
        }

        // The number of a process that has been waited for may be another's.
        let mut ended = process.ended(Duration::ZERO);
        let is_needed = spec.probes.iter().any(Probe::needs_it_running);
        if ended.is_none() && is_needed && !spec.linger.is_zero() && self.listening().is_empty() {
            ended = process.ended(spec.linger);
        }
        let (mut listening, mut running_as) = (BTreeSet::new(), Vec::new());
        if ended.is_none() {
            listening = self.listening();
            running_as = self.running_as(identities);
        }
        let killed = self
            .limit
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some();
        // A program that a limit has ended did not end by itself.
        let exit = ended.filter(|_| !killed).map(|ended| Exit {
            ended,
            before_probes: early.is_some() || ready.is_none(),
        });
        if let Some(Exit { ended, .. }) = exit {
            // An answer that came just in time is none that can be relied on.
            for (probe, answer) in spec.probes.iter().zip(&mut answers) {
                if probe.needs_it_running() && answer.is_good() {
                    let name = std::mem::take(&mut answer.probe);
                    *answer = Answer::new(name, probe::over(ended));
                }
            }
        }
        let mut later = Vec::new();
        if spec.again && ended.is_none() && !killed && may_go_on(&answers) {
            later = self.reload(door, slowest(&took));
        }
        if ended.is_none() {
            self.stop();
        }
        Ok(Outcome {
            answers,
            took,
            later,
            listening: listening.into_iter().collect(),
            running_as,
            exit,
            ready,
            problems,
            ..Outcome::nothing(Way::Root)
        })
    }

    /// Sends SIGHUP to a program that has a handler for it, and asks again. One that ends by it has
    /// no reload.
    fn reload(&self, door: &Door<'_>, slowest: Duration) -> Vec<Answer> {
        let process = &self.started.process;
        let hears = || proc::hearing(process.pid, libc::SIGHUP) == Hearing::Handles;
        self.until(Instant::now() + self.spec.reload, hears);
        if !hears() {
            return Vec::new();
        }
        let scene = self.spec.probes.len() + 2;
        self.during.store(scene, Ordering::Relaxed);
        process.signal(libc::SIGHUP);
        if process.ended(SETTLE).is_some() {
            return Vec::new();
        }
        let answers = self.ask_again(door, AFTER_RELOAD, slowest);
        // Servers that end some time after the signal were not reloaded either.
        match process.ended(Duration::ZERO) {
            None => answers,
            Some(_) => Vec::new(),
        }
    }

    /// A second start: waits until it is ready, and asks again.
    fn tell_again(&self, door: &Door<'_>, slowest: Duration) -> Result<Outcome, Error> {
        let problems = self.started.executed(self.spec)?;
        let running = Instant::now();
        let ports = self.ports();
        if !ports.is_empty() {
            self.until(running + self.spec.limits.start, || {
                !self.listening().is_disjoint(&ports)
            });
        }
        let answers = self.ask_again(door, "after a restart", slowest);
        Ok(Outcome {
            answers,
            problems,
            ..Outcome::nothing(Way::Root)
        })
    }

    /// The probes once more; what they get is told under their names with `when` added. Who took long
    /// for an answer at first is given longer.
    fn ask_again(&self, door: &Door<'_>, when: &str, slowest: Duration) -> Vec<Answer> {
        let patience = PATIENCE.max(slowest * SLOWER);
        let limits = &self.spec.limits;
        let mut answers = Vec::new();
        for probe in self.spec.probes {
            let until = Instant::now() + limits.probe.min(patience);
            let until = until.min(self.begun + limits.total);
            let answer = probe::ask(probe, &self.scene(door), until, || self.is_over());
            let name = format!("{}, {when}", answer.probe);
            answers.push(Answer {
                probe: name,
                ..answer
            });
        }
        answers
    }

    /// The TCP ports that listen.
    fn listening(&self) -> BTreeSet<u16> {
        let asked = self.started.network.listening();
        // A kernel that cannot be asked shows it.
        asked.unwrap_or_else(|_| proc::listening(self.started.process.pid))
    }

    /// The ports that tell that the image is ready.
    fn ports(&self) -> BTreeSet<u16> {
        let exposed = self.spec.ports.iter().copied();
        let named = self.spec.probes.iter().filter_map(Probe::port);
        exposed.chain(named).collect()
    }

    /// Waits until `done`, or the end of the program, which is then the answer.
    fn until(&self, deadline: Instant, mut done: impl FnMut() -> bool) -> Option<Ended> {
        loop {
            // Asked before, so that what it did last is seen.
            let ended = self.started.process.ended(LOOK);
            if ended.is_some() || done() || Instant::now() >= deadline {
                return ended;
            }
        }
    }

    /// The answer of a program that is to run to its end.
    fn completion(&self, ended: Option<Ended>) -> Answer {
        let outcome = match ended {
            Some(ended) => answer::Outcome::Exit {
                code: ended.code(),
                output: {
                    self.output.settle();
                    self.output.read()
                },
            },
            None => answer::Outcome::None(format!(
                "still running after {:?}, with no port and no probe to ask",
                self.spec.limits.start
            )),
        };
        Answer::new(COMPLETION.to_owned(), outcome)
    }

    /// How the program ended, if it is gone; all it printed can be read then.
    fn is_over(&self) -> Option<Ended> {
        let over = self.started.process.ended(Duration::ZERO);
        if over.is_some() {
            self.output.settle();
        }
        over
    }

    fn scene<'b>(&'b self, door: &'b Door<'b>) -> Scene<'b> {
        Scene {
            door,
            network: &self.started.network,
            port: self.spec.ports.first().copied(),
            log: self.output.log.clone(),
            scratch: &self.place.directory,
            output: self.spec.limits.output,
        }
    }

    /// The stop signal, some patience, and no more: the caller kills what is left.
    fn stop(&self) {
        self.during
            .store(self.spec.probes.len() + 1, Ordering::Relaxed);
        let process = &self.started.process;
        let (signal, patience) = (self.spec.stop_signal, self.spec.limits.stop);
        let hearing = || proc::hearing(process.pid, signal);
        match hearing() {
            Hearing::Deaf => {}
            Hearing::Handles => {
                process.signal(signal);
                let _ = process.ended(patience);
            }
            // Held back for a moment, or for good: as soon as it is neither held back nor handled
            // the kernel has dropped it, and nobody waits for what cannot come.
            Hearing::HoldsBack => {
                process.signal(signal);
                let begun = Instant::now();
                while process.ended(GUARD / 4).is_none()
                    && hearing() != Hearing::Deaf
                    && begun.elapsed() < patience
                {}
            }
        }
    }

    /// The programs that run now, each kind once.
    fn running_as(&self, identities: &Option<Identities>) -> Vec<RunningAs> {
        let mut kinds = BTreeSet::new();
        for pid in proc::family(self.started.process.pid) {
            let Some((exe, uid, gid)) = proc::running_as(pid) else {
                continue;
            };
            let (uid, gid) = inside(self.spec.way, uid, gid);
            let faked = identities.as_ref().and_then(|all| all.effective(pid));
            let (uid, gid) = faked.unwrap_or((uid, gid));
            let exe = printable(exe.as_os_str().as_encoded_bytes());
            kinds.insert(RunningAs { exe, uid, gid });
        }
        kinds.into_iter().collect()
    }

    /// Looks at the limits until the run is over; the first that is hit ends the image.
    fn guard(&self, over: &mpsc::Receiver<()>) {
        while over.recv_timeout(GUARD) == Err(mpsc::RecvTimeoutError::Timeout) {
            if let Some(hit) = self.limit_hit() {
                self.hit(hit);
                return;
            }
        }
    }

    /// Looks through the tree that is used up, beside [`Self::guard`]: the other limits do not wait for
    /// that. A look takes at most half of the time.
    fn guard_tree(&self, over: &mpsc::Receiver<()>) {
        let (way, root, limits) = (self.spec.way, &self.place.places.root, &self.spec.limits);
        let Some(before) = self.before else { return };
        let mut pause = GUARD;
        while over.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout) {
            let begun = Instant::now();
            if let Some(hit) = before.hit(way, root, limits, || self.family()) {
                self.hit(hit);
                return;
            }
            pause = GUARD.max(begun.elapsed());
        }
    }

    /// All processes of the image.
    fn family(&self) -> Vec<i32> {
        let mut family = proc::family(self.started.process.pid);
        // What a probe runs inside is below a helper of ours, which is no part of it.
        match self.helper.load(Ordering::Relaxed) {
            0 => {}
            helper => family.extend(proc::family(helper).into_iter().skip(1)),
        }
        family
    }

    /// A limit is hit: the first one is kept, and ends the image.
    fn hit(&self, what: String) {
        let mut limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.get_or_insert(what);
        self.started.process.signal(libc::SIGKILL);
    }

    fn limit_hit(&self) -> Option<String> {
        let limits = &self.spec.limits;
        if self.begun.elapsed() > limits.total {
            return Some(format!(
                "ended: the whole run took longer than {:?}",
                limits.total
            ));
        }
        let root = &self.place.places.root;
        let spent = self
            .before
            .and_then(|before| before.hit_by_far(root, limits));
        if spent.is_some() {
            return spent;
        }
        let family = self.family();
        if family.len() as u64 > u64::from(limits.processes) {
            return Some(format!(
                "ended: it had more than {} processes",
                limits.processes
            ));
        }
        // The quick sum counts pages shared after a fork for each process: too much, never too little.
        let over = |exact| proc::memory(&family, exact) > limits.memory;
        if over(false) && over(true) {
            let limit = limits.memory;
            return Some(format!("ended: it used more than {limit} bytes of memory"));
        }
        self.shared.and_then(|shared| shared.hit(limits, &family))
    }
}

/// The user and group of a process as the image knows them.
fn inside(way: Way, user: u32, group: u32) -> (u32, u32) {
    let ids = (way == Way::Subordinate).then(subordinate::ids);
    let ids = ids.and_then(Result::ok);
    ids.and_then(|ids| ids.inside(user, group))
        .unwrap_or((user, group))
}

#[cfg(test)]
mod tests;
