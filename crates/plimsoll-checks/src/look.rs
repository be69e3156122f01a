//! What a check looks at: the image, what it is for, and what several checks need worked out once.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Deref;

use jiff::civil::Date;
use plimsoll_model::{ImagePath, PackageId, Subject};

/// What an image is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Environment {
    /// It serves: only what the application needs belongs in it.
    #[default]
    Production,
    /// It is worked with: tools are welcome, secrets are not.
    Development,
}

impl Environment {
    /// The word users read and write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// The environment a user wrote.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "production" | "prod" => Some(Self::Production),
            "development" | "dev" => Some(Self::Development),
            _ => None,
        }
    }
}

/// What a check is told of the world.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// What the image is for.
    pub environment: Environment,
    /// What day it is, where that is known.
    pub today: Option<Date>,
    /// How long the distribution in the image gets fixes, where that is known.
    pub lifetime: Option<Lifetime>,
    /// The bases of the image that are known not to be rebuilt any more.
    pub abandoned: Vec<Abandoned>,
}

/// A base that nobody builds any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// Its name: `python:3.8`.
    pub name: String,
    /// How that is known, as a phrase.
    pub why: String,
    /// What to use in its place, where that is known.
    pub instead: Option<String>,
}

/// How long a distribution release gets fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifetime {
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub release: String,
    /// Whether it still does.
    pub state: State,
}

/// Whether a distribution release still gets fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It does.
    Supported,
    /// For less, or by somebody else.
    LongTerm {
        /// Its last day.
        until: Date,
        /// Whose it is, and what of it is left.
        by: String,
    },
    /// It does not any more.
    Ended {
        /// The last day it did.
        on: Date,
    },
}

/// All a check may look at.
pub struct Look<'a> {
    subject: Subject<'a>,
    /// What it is told of the world.
    pub circumstances: &'a Circumstances,
    owners: OnceCell<BTreeMap<ImagePath, PackageId>>,
}

impl<'a> Look<'a> {
    /// A look at an image.
    pub fn new(subject: &Subject<'a>, circumstances: &'a Circumstances) -> Self {
        Self {
            subject: *subject,
            circumstances,
            owners: OnceCell::new(),
        }
    }

    /// A look at an image to serve with, on no day in particular.
    #[cfg(test)]
    pub(crate) fn plain(subject: &Subject<'a>) -> Self {
        const PLAIN: &Circumstances = &Circumstances {
            environment: Environment::Production,
            today: None,
            lifetime: None,
            abandoned: Vec::new(),
        };
        Self::new(subject, PLAIN)
    }

    /// Whether a package of the inventory brought the file at this path (links in parents
    /// followed).
    pub fn is_owned(&self, path: &ImagePath) -> bool {
        let owners = self.owners.get_or_init(|| {
            let tree = &self.subject.rootfs.tree;
            self.subject.inventory.owners(tree)
        });
        owners.contains_key(path)
    }
}

impl<'a> Deref for Look<'a> {
    type Target = Subject<'a>;

    fn deref(&self) -> &Subject<'a> {
        &self.subject
    }
}
