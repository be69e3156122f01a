//! How a run came to its server: which programs were executed on the way, and what they prepared.

use std::collections::BTreeMap;

use crate::{ImagePath, Observations};

/// Everything that happened before the last program that process 1 became.
///
/// An entry script does its work and then becomes the server by `exec`. [`Startup::stages`] are the
/// programs process 1 was, [`Startup::prepared`] is what differs in the file system between the
/// moments at which the first and the last of them began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Startup {
    /// What process 1 was, first to last; the last is the server.
    pub stages: Vec<Stage>,
    /// Every program that another process became before the last stage, in order, each command once.
    pub helpers: Vec<Command>,
    /// What was made, changed or removed, by path without links.
    pub prepared: BTreeMap<ImagePath, Prepared>,
    /// What was touched before the last stage; the server's own doings are not in it.
    pub touched: Observations,
    /// Programs that still ran beside process 1 when the last stage began.
    pub beside: Vec<String>,
    /// What could not be seen of all this, as sentences.
    pub blind: Vec<String>,
}

impl Startup {
    /// The last thing process 1 became.
    pub fn server(&self) -> Option<&Stage> {
        self.stages.last()
    }
}

/// A program that was executed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Command {
    /// Its path as spelt, seen from the root.
    pub program: Vec<u8>,
    /// What it was given, its own name first.
    pub arguments: Vec<Vec<u8>>,
}

/// Something process 1 was, as it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The program.
    pub command: Command,
    /// `NAME=value`, as handed over.
    pub environment: Vec<Vec<u8>>,
    /// The working directory, without links.
    pub directory: Vec<u8>,
    /// Whom it ran as.
    pub who: Who,
    /// What else a program inherits, by name: the file mode mask, limits, signals that are ignored,
    /// where its streams lead, other open descriptors.
    pub inherited: BTreeMap<String, String>,
}

/// The identity of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// Real, effective, saved and file system user.
    pub users: [u32; 4],
    /// The same of groups.
    pub groups: [u32; 4],
    /// Supplementary groups, sorted.
    pub others: Vec<u32>,
}

/// A path that was prepared, as it was when the server began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// What it was.
    pub what: What,
    /// The twelve permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
    /// The script it was the work of; empty if that is not known.
    pub by: String,
}

/// What was prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Removed.
    Gone,
    /// A directory; `fresh` if nothing the image had below it is still there.
    Directory {
        /// Whether what the image had below it is gone.
        fresh: bool,
    },
    /// A regular file, with its bytes.
    File(Vec<u8>),
    /// A symbolic link, with its target.
    Link(Vec<u8>),
    /// The image's own, with another owner.
    Owner,
    /// Something that cannot be told or cannot be put into an image: why.
    Other(String),
}
