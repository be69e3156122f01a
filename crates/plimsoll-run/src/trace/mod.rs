//! Watches a sandbox through seccomp's user notification: every call that names a file arrives here
//! before the kernel makes it.
//!
//! What is seen is what was asked for, whether it was there or not; the tree tells that. Answering is
//! "go on", so nothing here is a boundary: a program could change a path after we have read it, and
//! only fool the report. As a plain user the tracer also answers for owners and identities
//! ([`fake`]).
//!
//! Not seen: what the kernel opens by itself (the loader an ELF file names, the interpreter of a `#!`
//! line), which a reader of the executed files finds; a datagram sent to the path of a socket without
//! a connection; what is done with a descriptor once it is open, but for listing a directory. The C
//! library asks about an open file by `newfstatat(fd, "", AT_EMPTY_PATH)`, half of all calls of many
//! an interpreter; a filter sees no text, so a path behind the descriptor of a directory with that
//! flag alone, which asks about the directory where the path is empty, is seen only where everything
//! is to be ([`crate::Watch`]).

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_model::{Access, Observations, Startup};

use crate::seccomp::{Number, RENAMEAT};
use crate::{Spec, Way};
use caller::{Directories, Programs};
use calls::{Flags, Follow, Place, Shape};
use fake::Fake;
use listener::{Listener, Question, Reply};
use startup::Recorder;

mod caller;
mod calls;
mod fake;
mod listener;
mod memory;
mod startup;

pub(crate) use calls::{flags_of_question, sees_path};
pub(crate) use fake::{Given, Identities, sees_owner};

/// Calls after which a process may work in another directory, or its directory has another name.
const MOVES: [Number; 5] = [
    libc::SYS_chdir,
    libc::SYS_fchdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(not(target_arch = "x86_64"))]
    RENAMEAT,
    RENAMEAT,
    libc::SYS_renameat2,
];

/// Paths that are recorded in one run.
const MOST_PATHS: usize = 400_000;
/// Bytes of all recorded paths together.
const MOST_BYTES: usize = 64 << 20;

/// What came of watching.
#[derive(Default)]
pub(crate) struct Traced {
    /// What was touched; empty where nobody asked for it.
    pub(crate) observations: Observations,
    /// What the run had to do without.
    pub(crate) problems: Vec<String>,
    /// The owners that were given, for a second start.
    pub(crate) given: Given,
    /// How process 1 came to be what it is, where that was asked for.
    pub(crate) startup: Option<Startup>,
}

impl Traced {
    /// Adds what another tracer of the same sandbox saw.
    pub(crate) fn merge(&mut self, other: Self) {
        self.observations.merge(&other.observations);
        for problem in other.problems {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }

    /// The answer of a tracer that failed.
    pub(crate) fn broken() -> Self {
        let text = String::from("the tracer ended before the image: what was touched is not known");
        let observations = Observations {
            blind: vec![text.clone()],
            ..Observations::default()
        };
        Self {
            observations,
            problems: vec![text],
            ..Self::default()
        }
    }
}

/// Answers the calls of one sandbox until its last process is gone.
pub(crate) struct Tracer<'a> {
    first: i32,
    listener: Listener,
    record: bool,
    scenes: &'a [String],
    during: &'a AtomicUsize,
    fake: Option<Fake<'a>>,
    recorder: Option<Recorder>,
    /// The last of the scenes in which process 1 is on its way, or at work.
    last_probe: usize,
}

impl<'a> Tracer<'a> {
    /// A tracer for the sandbox whose first process is `pid`; `during` is the index in `scenes` of
    /// what happens at the moment, `given` what an earlier start gave owners to.
    pub(crate) fn new(
        listener: OwnedFd,
        pid: i32,
        way: Way,
        (spec, given): (&Spec<'a>, Given),
        scenes: &'a [String],
        during: &'a AtomicUsize,
    ) -> Self {
        let fake = match way {
            Way::Plain => Some(Fake::new(pid, &spec.identity, spec.owners, given)),
            Way::Root | Way::Subordinate => None,
        };
        Self {
            first: pid,
            listener: Listener::new(listener),
            record: spec.watch != crate::Watch::Off,
            scenes,
            during,
            fake,
            recorder: None,
            last_probe: spec.probes.len(),
        }
    }

    /// The same, and how process 1 comes to its server is recorded; `upper` holds what the image
    /// writes.
    pub(crate) fn recording(self, upper: Option<OwnedFd>, spec: &Spec<'_>) -> Self {
        Self {
            recorder: Some(Recorder::new(self.first, upper, spec)),
            ..self
        }
    }

    /// The identities that are answered for, shared with whoever wants to name them.
    pub(crate) fn identities(&self) -> Option<Identities> {
        self.fake.as_ref().map(Fake::identities)
    }

    /// Answers until there is nobody left to ask.
    pub(crate) fn run(self) -> Traced {
        let mut log = Log::default();
        let mut programs = Programs::new();
        let mut directories = Directories::default();
        let mut fake = self.fake;
        let mut recorder = self.recorder;
        // Reading the root of every caller is only worth it once somebody has changed it.
        let mut chrooted = false;
        loop {
            let question = match self.listener.next() {
                Ok(Some(question)) => question,
                Ok(None) => break,
                Err(error) => {
                    log.fail(&error);
                    let mut traced = log.finish();
                    traced.problems.extend(Traced::broken().problems);
                    return traced;
                }
            };
            directories.asked(question.thread);
            let sights = look(&question, chrooted, &mut directories);
            chrooted |= question.number == libc::SYS_chroot;
            if MOVES.contains(&question.number) {
                directories.moves(question.thread);
            }
            let program = self.record.then(|| programs.of(question.thread));
            let during = self.during.load(Ordering::Relaxed);
            if [libc::SYS_execve, libc::SYS_execveat].contains(&question.number) {
                programs.forget(question.thread);
                if let Some(recorder) = recorder.as_mut().filter(|_| during <= self.last_probe) {
                    recorder.executing(&self.listener, &question, &sights, fake.as_ref());
                }
            }
            let reply = match &mut fake {
                Some(fake) => fake.answer(&self.listener, &question, &sights),
                None => Reply::Continue,
            };
            // A caller that is gone may have been confused with another: nothing of it is believed.
            if !self.listener.reply(&question, reply) {
                continue;
            }
            if let Some(program) = program {
                let scene = self.scenes.get(during).map_or("", String::as_str);
                if let Some(recorder) = recorder.as_mut().filter(|_| during <= self.last_probe) {
                    recorder.touched(question.thread, &sights, &program, scene);
                }
                log.add(&sights, &program, scene);
            }
        }
        let mut traced = log.finish();
        if let Some((problems, given)) = fake.map(Fake::finish) {
            traced.problems.extend(problems);
            traced.given = given;
        }
        traced.startup = recorder.map(Recorder::finish);
        traced
    }
}

/// A path that a call names.
pub(super) struct Sight {
    /// Seen from the root of the sandbox, as spelt.
    path: Vec<u8>,
    access: Access,
}

/// What a call names: at most two paths, or why they cannot be told.
type Sights = Result<[Option<Sight>; 2], io::Error>;

/// Reads the paths of a call out of its caller.
fn look(question: &Question, chrooted: bool, directories: &mut Directories) -> Sights {
    let Some(call) = calls::find(question.number) else {
        return Ok([None, None]);
    };
    let mut at = |place: &Place, access| locate(question, place, access, chrooted, directories);
    match &call.shape {
        Shape::One(place, access) => Ok([at(place, *access)?, None]),
        Shape::Two(a, first, b, second) => Ok([at(a, *first)?, at(b, *second)?]),
        Shape::Open { place, flags } => {
            let flags = match *flags {
                Flags::Argument(index) => question.arguments[index],
                Flags::Pointer(index) => memory::word(question.thread, question.arguments[index])?,
                #[cfg(target_arch = "x86_64")]
                Flags::Fixed(flags) => flags as u64,
            };
            Ok([at(place, calls::opened(flags))?, None])
        }
        Shape::Nothing => Ok([None, None]),
        Shape::List { fd } => {
            let path = caller::descriptor(question.thread, question.arguments[*fd] as i32)?;
            let access = Access::LISTED;
            Ok([path.map(|path| Sight { path, access }), None])
        }
        Shape::Address { at } => {
            let path = address(question, *at)?;
            let access = if question.number == libc::SYS_bind {
                Access::SOCKET.with(Access::WRITTEN)
            } else {
                Access::SOCKET
            };
            let place = |path| from_here(question, None, path, chrooted, directories);
            let path = path.map(place).transpose()?.flatten();
            Ok([path.map(|path| Sight { path, access }), None])
        }
    }
}

fn locate(
    question: &Question,
    place: &Place,
    access: Access,
    chrooted: bool,
    directories: &mut Directories,
) -> io::Result<Option<Sight>> {
    let address = question.arguments[place.path];
    // A null pointer stands for the descriptor itself, as does an empty text.
    let text = match address {
        0 => Some(Vec::new()),
        address => memory::text(question.thread, address)?,
    };
    let Some(text) = text else {
        // Longer than a path may be: the kernel refuses it.
        return Ok(None);
    };
    // Only these do something to a descriptor itself; a question about an open file is none worth
    // recording, and to all others an empty path is an error.
    const OF_DESCRIPTORS: [Number; 4] = [
        libc::SYS_execveat,
        libc::SYS_fchownat,
        libc::SYS_linkat,
        libc::SYS_utimensat,
    ];
    if text.is_empty() && !OF_DESCRIPTORS.contains(&question.number) {
        return Ok(None);
    }
    let has = |index: usize, bit| question.arguments[index] & bit as u64 != 0;
    let nofollow = match place.follow {
        Follow::Always => false,
        Follow::Never => true,
        Follow::Unless(index, bit) => has(index, bit),
        Follow::If(index, bit) => !has(index, bit),
    };
    let access = if nofollow {
        access.with(Access::NOFOLLOW)
    } else {
        access
    };
    let directory = place
        .directory
        .map(|index| question.arguments[index] as i32);
    let path = from_here(question, directory, text, chrooted, directories)?;
    Ok(path.map(|path| Sight { path, access }))
}

/// A path as seen from the root of the sandbox; `None` where it starts from something without one.
fn from_here(
    question: &Question,
    directory: Option<i32>,
    path: Vec<u8>,
    chrooted: bool,
    directories: &mut Directories,
) -> io::Result<Option<Vec<u8>>> {
    let thread = question.thread;
    if path.first() == Some(&b'/') {
        if !chrooted {
            return Ok(Some(path));
        }
        return Ok(Some(caller::join(&caller::root(thread)?, &path)));
    }
    let directory = match directory {
        None | Some(libc::AT_FDCWD) => Some(directories.of(thread)?),
        Some(fd) => match caller::descriptor(thread, fd) {
            // The kernel will say so too.
            Err(rustix::io::Errno::NOENT) => None,
            other => other?,
        },
    };
    Ok(directory.map(|directory| match path.is_empty() {
        true => directory,
        false => caller::join(&directory, &path),
    }))
}

/// The path of a socket address, unless it is of another family or has no path (`unix(7)`).
fn address(question: &Question, at: usize) -> io::Result<Option<Vec<u8>>> {
    const LONGEST: u64 = 110;
    let length = question.arguments[at + 1].min(LONGEST) as usize;
    let mut bytes = vec![0; length];
    let got = memory::read(question.thread, question.arguments[at], &mut bytes)?;
    bytes.truncate(got);
    let Some(path) = bytes.strip_prefix(&(libc::AF_UNIX as u16).to_le_bytes()) else {
        return Ok(None);
    };
    let path = path.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok((!path.is_empty()).then(|| path.to_vec()))
}

/// The record in the making.
#[derive(Default)]
struct Log {
    observations: Observations,
    /// How each path was asked for, and the scene of the last time: most are asked for many times,
    /// and nothing new is learnt of them.
    known: HashMap<Box<[u8]>, (Access, Box<str>)>,
    bytes: usize,
    /// What could not be decoded, by reason.
    lost: BTreeMap<String, u64>,
    full: bool,
}

impl Log {
    fn add(&mut self, sights: &Sights, program: &str, scene: &str) {
        match sights {
            Ok(sights) => {
                for sight in sights.iter().flatten() {
                    self.sight(sight, program, scene);
                }
            }
            Err(error) => self.fail(error),
        }
    }

    fn sight(&mut self, sight: &Sight, program: &str, scene: &str) {
        let path = &*sight.path;
        if let Some((access, last)) = self.known.get_mut(path) {
            let joined = access.joined(sight.access);
            if joined == *access && **last == *scene {
                return;
            }
            (*access, *last) = (joined, scene.into());
            self.observations.add(path, sight.access, program, scene);
            return;
        }
        if self.known.len() >= MOST_PATHS || self.bytes + path.len() > MOST_BYTES {
            self.full = true;
            return;
        }
        self.bytes += path.len();
        self.known.insert(path.into(), (sight.access, scene.into()));
        self.observations.add(path, sight.access, program, scene);
    }

    fn merge(&mut self, other: Self) {
        self.observations.merge(&other.observations);
        self.bytes += other.bytes;
        for (why, count) in other.lost {
            *self.lost.entry(why).or_default() += count;
        }
        self.full |= other.full;
    }

    fn fail(&mut self, error: &io::Error) {
        match error.raw_os_error() {
            // A pointer to nowhere: the kernel refuses the call, nothing is touched. A caller that
            // is gone touches nothing either.
            Some(libc::EFAULT | libc::ESRCH) => {}
            _ => *self.lost.entry(error.to_string()).or_default() += 1,
        }
    }

    fn finish(self) -> Traced {
        let mut observations = self.observations;
        let lost = |(why, count): (&String, &u64)| {
            format!("{count} file calls could not be decoded: {why}")
        };
        observations.blind.extend(self.lost.iter().map(lost));
        if self.full {
            observations.blind.push(format!(
                "more than {MOST_PATHS} paths or {MOST_BYTES} bytes of paths were touched: the rest was not recorded"
            ));
        }
        Traced {
            observations,
            ..Traced::default()
        }
    }
}
