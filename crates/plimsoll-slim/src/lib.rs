//! What an application needs of its image, and why.
//!
//! [`plan`] starts from the roots the image declares and from what runs of it touched, lets the
//! [`FOLLOWERS`] pull in what those need until nothing new comes, adds the application's own files
//! and the skeleton, and gives every kept path its reasons. [`draft`] makes the smaller image of
//! it, [`repair`] says what a run of that image missed, [`compare`] whether it answers as the
//! original does. Nothing here opens a file, starts a process or reads a clock.

mod ahead;
mod apk;
mod commands;
mod compare;
mod direct;
mod draft;
mod elf;
mod explain;
mod followers;
mod glob;
mod inventory;
mod jar;
mod keep;
mod known;
mod layers;
mod level;
mod loader;
mod metadata;
mod node;
mod observed;
mod own;
mod owners;
mod packages;
mod plan;
mod plugins;
mod profile;
mod python;
mod risk;
mod roots;
mod rounds;
mod scene;
mod script;
mod secret;
mod skeleton;
mod valve;

pub use compare::{Difference, Run, compare};
pub use direct::{Account, Baked, Direct, Starts, Whom, alterable, bake, differences, direct};
pub use draft::{draft, is_same};
pub use explain::{Sum, Summary, Why, fate, forced, matching, summary, summary_of, why};
pub use followers::{FOLLOWERS, Follower};
pub use glob::is_pattern;
pub use keep::{Keep, Pull};
pub use known::Known;
pub use plan::{add, plan, repair};
pub use profile::{
    DRIFT, Folded, Group, Others, Pattern, Profile, Replay, Source, condense, drift, replay,
};
pub use risk::risks;
pub use rounds::{read_unseen, rounds};
pub use scene::Scene;

use plimsoll_model::{ImagePath, Observations, Subject};

/// How much stays beyond what has a reason of its own: the risk dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Every package of which anything was reached, whole but for its documentation, and the
    /// application's own files.
    Package,
    /// The application's own packages and directories whole, everything else by reachability.
    #[default]
    App,
    /// Only what has a reason of its own.
    File,
}

impl Level {
    /// Every level, the most careful first.
    pub const ALL: [Self; 3] = [Self::Package, Self::App, Self::File];

    /// The word users read and write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::App => "app",
            Self::File => "file",
        }
    }

    /// The level a user wrote.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == word)
    }
}

/// How the result is cut into layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layers {
    /// One.
    Single,
    /// What the base image brought and stays, and everything else above it: images of which the
    /// same base files stay share that layer. One layer where the base is not known.
    #[default]
    Split,
    /// One for each layer of the original, with what stays of it.
    Origin,
}

/// What to slim, and what is known about it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The image.
    pub subject: Subject<'a>,
    /// What runs of the original touched; empty where it was not run.
    pub observations: &'a Observations,
    /// How much stays beyond what has a reason.
    pub level: Level,
    /// Paths and globs (`*` stays within a directory, `**` does not) that stay whatever else is
    /// said; a directory stays with all that is in it.
    pub include: &'a [String],
    /// Paths and globs that go whatever else is said, with all that is below them.
    pub exclude: &'a [String],
    /// Names and globs of packages that stay whole, with all that their files need.
    pub keep_packages: &'a [String],
    /// What was prepared in advance, and by whom: it stays.
    pub baked: &'a [(ImagePath, String)],
    /// How the result is cut into layers.
    pub layers: Layers,
    /// What was learned of this image so far: plans that share it need not read everything again. It
    /// changes no plan.
    pub known: Option<&'a Known<'a>>,
}
