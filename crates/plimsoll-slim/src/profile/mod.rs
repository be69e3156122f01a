//! What runs taught, in a form that people read and that outlives the image: the profile.
//!
//! A plan is a function of the image and of what runs of it touched. Of the latter a profile holds
//! only what no follower finds by reading (the rest is found again), in directories as a whole where
//! all of one stays, and by patterns where a name has a version in it: [`condense`]. On the same
//! image it gives the same plan; on a rebuilt one [`replay`] says what it names there, and what has
//! drifted.

mod condense;
mod fold;
mod pattern;
mod replay;
mod source;

pub use condense::condense;
pub use pattern::Pattern;
pub use replay::{DRIFT, Replay, replay};
pub use source::{Others, Source, drift};

use std::collections::BTreeMap;

/// What runs taught about an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// What they touched and no follower finds, in the order of a run.
    pub groups: Vec<Group>,
    /// What the slim image missed when it ran: added for that reason.
    pub missed: Vec<Pattern>,
    /// The directories of which all stays: their patterns among those of the groups.
    pub folded: BTreeMap<Pattern, Folded>,
    /// Whether the image was run at all; followers read more where it was not.
    pub was_run: bool,
}

/// What one program touched during one part of the runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// `start`, a probe, `stop`, `reload`, `restart`.
    pub during: String,
    /// The program; empty if unknown.
    pub by: String,
    /// What it executed.
    pub run: Vec<Pattern>,
    /// What it opened, listed, or asked about, links followed.
    pub open: Vec<Pattern>,
    /// Links it looked at themselves.
    pub link: Vec<Pattern>,
}

/// A directory of which all stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    /// How many files and links it had.
    pub files: u64,
    /// Short hashes of their names seen from the directory, sorted, so that a new one can be told;
    /// empty where there were too many.
    pub names: Vec<u16>,
}

/// How a program touched a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Run,
    Open,
    Link,
}
