//! What a run is asked to do, and what comes back.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use plimsoll_model::{Answer, ImagePath, Observations, Startup};

use crate::{Identity, Probe, Way};

/// What to run, and how.
pub struct Spec<'a> {
    /// The unpacked tree of the image; written to only where it may be spent.
    pub root: &'a Path,
    /// How the sandbox is made, from [`crate::way_for`].
    pub way: Way,
    /// A directory of the caller's for the log and mount points; must exist and be writable, and
    /// must not lie below `root`.
    pub scratch: &'a Path,
    /// The program and its arguments; the program is searched in the `PATH` of `env`.
    pub command: Vec<String>,
    /// `NAME=value`, in order; `PATH`, `HOME` and `HOSTNAME` are added where missing.
    pub env: Vec<String>,
    /// Where the program starts; made if missing, empty means `/`.
    pub working_dir: String,
    /// Whom the program runs as, from [`crate::identity`].
    pub identity: Identity,
    /// The number of the signal that asks the program to end, e.g. 15.
    pub stop_signal: i32,
    /// Paths of anonymous volumes: they are made if missing and keep the image's content.
    pub volumes: Vec<String>,
    /// Exposed TCP ports: the image is ready when one of them listens.
    pub ports: Vec<u16>,
    /// Whether to record what the run touches.
    pub watch: Watch,
    /// Whether to record how the run comes to its server, too.
    pub startup: Recording,
    /// The name the image sees itself by.
    pub hostname: &'a str,
    /// What to ask the running image, in order.
    pub probes: &'a [Probe],
    /// Whether to reload the image after its probes (SIGHUP, where it has a handler) and to start it
    /// a second time on what it has written, with the probes asked again each time.
    pub again: bool,
    /// How long a handler for SIGHUP is waited for before the image counts as one that has none: a
    /// server may answer before it has set its handlers.
    pub reload: Duration,
    /// Whether the image may run on the tree itself: nobody needs it afterwards. What of it was read
    /// can be told then: see [`Outcome::read`].
    pub spend: bool,
    /// How long an image that listens on no TCP port must go on running after its last answer, if a
    /// probe needs it running: one that is about to end by itself would be asked in time or too late as
    /// chance will have it.
    pub linger: Duration,
    /// What the image may use.
    pub limits: Limits,
    /// Who owns a path (user, group), as the image says: what a plain user's run is answered when
    /// it asks, because a plain user's disk cannot hold other owners. `None`: the image has no such path.
    pub owners: &'a (dyn Fn(&ImagePath) -> Option<(u32, u32)> + Sync),
    /// The mode of a path with its set-user-ID, set-group-ID and sticky bits, as the image says: with
    /// subordinate ids its files get it together with their owners. `None`: it stays as it is.
    pub modes: &'a (dyn Fn(&ImagePath) -> Option<u32> + Sync),
}

/// Whether the way to the server is recorded; see [`plimsoll_model::Startup`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Recording {
    /// It is not.
    #[default]
    Off,
    /// It is, and the run goes on.
    On,
    /// It is, and the run ends when process 1 becomes this program, for the so manieth time.
    Until {
        /// Its path, as spelt in an earlier recording.
        program: Vec<u8>,
        /// How often process 1 becomes it; 1 is the first time.
        times: usize,
    },
}

/// What an image may use. Whichever is hit ends the run, and [`Outcome::problems`] names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the start until the image is ready; without ports and probes, until it has ended.
    pub start: Duration,
    /// One probe, all its tries together.
    pub probe: Duration,
    /// Everything, the stop included.
    pub total: Duration,
    /// From the stop signal until the kill.
    pub stop: Duration,
    /// Processes at one time.
    pub processes: u32,
    /// Bytes of memory of all processes together (shared pages counted once), looked at ten times a second.
    pub memory: u64,
    /// Bytes the image may write to its file system, which is in memory.
    pub disk: u64,
    /// Files, directories and links the image may make there.
    pub files: u64,
    /// Bytes of the image's output, and of one probe's answer, that are kept; an image that prints
    /// sixteen times as much is ended.
    pub output: u64,
}

impl Default for Limits {
    /// Room for a database or a JVM; a runaway ends within two minutes.
    fn default() -> Self {
        Self {
            start: Duration::from_secs(60),
            probe: Duration::from_secs(15),
            total: Duration::from_secs(120),
            stop: Duration::from_secs(3),
            processes: 1024,
            memory: 2 << 30,
            disk: 1 << 30,
            files: 500_000,
            output: 4 << 20,
        }
    }
}

/// How much of what a run touches is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Nothing.
    Off,
    /// Every call that names a file, but for questions about an open descriptor: the C library asks
    /// them by `newfstatat(fd, "", AT_EMPTY_PATH)`, and they may be half of all calls. A file that is
    /// asked for in that form by a name behind a directory is not seen.
    Usual,
    /// Every call that names a file, whatever it costs.
    Everything,
}

/// The name of the one answer of a program that is run to its end.
pub const COMPLETION: &str = "run";

/// How the name of what a probe got after a reload ends.
pub const AFTER_RELOAD: &str = "after a reload";

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What the probes got, in their order (of an image that ended by itself no probe that needs it
    /// running has a good one); for a run without ports and probes the one answer `run`,
    /// with the exit code and the output of the program.
    pub answers: Vec<Answer>,
    /// How long each of [`Outcome::answers`] took, all its tries together.
    pub took: Vec<Duration>,
    /// What the probes got after a reload and after a second start, under their names with that
    /// added; empty where neither was asked for, or the first answers were not good.
    pub later: Vec<Answer>,
    /// What the run touched; empty where it was not watched.
    pub observations: Observations,
    /// How the run came to its server, where that was recorded.
    pub startup: Option<Startup>,
    /// The files and links of the tree that were read, whoever read them, as access times tell: a
    /// check upon the observations. Empty where the tree's disk keeps no access times; `None` where
    /// the tree was not to be spent, or could not be looked at.
    pub read: Option<BTreeSet<ImagePath>>,
    /// TCP ports that listened when the probes were done, sorted.
    pub listening: Vec<u16>,
    /// The processes that lived when the probes were done, sorted, each kind once.
    pub running_as: Vec<RunningAs>,
    /// How the program ended, where it ended by itself.
    pub exit: Option<Exit>,
    /// What the image printed, both streams, at most `limits.output` bytes of it.
    pub output: Vec<u8>,
    /// From the start of the program until the image was ready.
    pub ready: Option<Duration>,
    /// From the first system call for the sandbox until the last process was gone.
    pub total: Duration,
    /// How the sandbox was made.
    pub way: Way,
    /// What could not be enforced or supplied, and which limit was hit, as sentences.
    pub problems: Vec<String>,
}

impl Outcome {
    /// That of a run of which nothing is known yet.
    pub(crate) fn nothing(way: Way) -> Self {
        Self {
            answers: Vec::new(),
            took: Vec::new(),
            later: Vec::new(),
            observations: Observations::default(),
            startup: None,
            read: None,
            listening: Vec::new(),
            running_as: Vec::new(),
            exit: None,
            output: Vec::new(),
            ready: None,
            total: Duration::ZERO,
            way,
            problems: Vec::new(),
        }
    }
}

/// A program that was running, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunningAs {
    /// Path of the program inside the image.
    pub exe: String,
    /// Effective user.
    pub uid: u32,
    /// Effective group.
    pub gid: u32,
}

/// The end of a program that was not asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// How.
    pub ended: Ended,
    /// Whether it was over before the image was ready to be asked anything.
    pub before_probes: bool,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Ended {
    /// As a shell counts: the code, or 128 and the number of the signal.
    pub const fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}
