//! Docker's official images: which of their tags are still rebuilt.
//!
//! An image that is not rebuilt gets no fix of its base any more, whatever is found there. Three things are
//! known: a small table of how long the lines of common images live (compiled in, made by hand); how
//! long the release of the distribution lives that a tag names (`slim-buster`); and, where somebody
//! fetched them, the lists of tags from which the images are built ([`Listed`]).

mod library;
mod lines;
mod listed;
mod releases;
mod table;

use jiff::civil::Date;

pub use library::{LibraryFile, read};
pub use listed::{FRESH_DAYS, Listed, ListedError};
pub use releases::suite;
pub use table::{Line, OFFICIALS, Official, Officials};

/// Whether a tag of an official image is still rebuilt. Days are inclusive.
///
/// [`Rebuilt::Unknown`] is an answer of its own: never take it for a good one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebuilt {
    /// It is.
    Yes {
        /// How that is known, as a phrase.
        why: String,
    },
    /// It is not.
    No {
        /// Since when, where that is known.
        since: Option<Date>,
        /// How that is known, as a phrase.
        why: String,
        /// What to use in its place, where that is known.
        instead: Option<String>,
    },
    /// It cannot be judged.
    Unknown {
        /// Why, as a phrase.
        why: String,
    },
}

/// The name and tag of an official image that a reference or the name of an ancestor means:
/// `docker.io/library/python:3.12`, `python:3.12`. `None` for images of others, and for digests
/// without a tag.
pub fn official(reference: &str) -> Option<(&str, &str)> {
    let (named, digest) = match reference.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (reference, None),
    };
    let hub = ["docker.io/", "index.docker.io/"];
    let short = hub.iter().find_map(|hub| named.strip_prefix(hub));
    let short = short.unwrap_or(named);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let (name, tag) = match (short.split_once(':'), digest) {
        (Some((name, tag)), _) => (name, tag),
        (None, Some(_)) => return None,
        (None, None) => (short, "latest"),
    };
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let is_good = !name.is_empty() && name.chars().all(is_name) && library::is_tag(tag);
    (is_good && name != "scratch").then_some((name, tag))
}

/// An answer, and what gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The answer.
    pub rebuilt: Rebuilt,
    /// What gave it.
    pub by: By,
}

/// What an answer was taken from, with the day it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Lists that somebody fetched.
    Lists(Date),
    /// Our table of the lines of images.
    Lines(Date),
    /// Our table of the releases of this distribution.
    Releases(&'static str, Date),
}

/// Whether `tag` of the official image `name` is still rebuilt on the day `today`. `listed` is what was
/// fetched, where something was; lists that are too old ([`Listed::is_fresh`]) are passed over.
pub fn rebuilt(name: &str, tag: &str, today: Date, listed: Option<&Listed>) -> Judged {
    let known = by_tables(name, tag, today);
    let Some(listed) = listed.filter(|listed| listed.is_fresh(today)) else {
        return known;
    };
    let on = listed.date;
    let by = By::Lists(on);
    let tags = listed.tags(name);
    if tags.is_some_and(|tags| tags.contains(tag)) {
        let why = format!("among the tags that were built on {on}");
        let rebuilt = Rebuilt::Yes { why };
        return Judged { rebuilt, by };
    }
    if tags.is_none() && !listed.complete {
        return known;
    }
    let why = match tags.map_or(0, std::collections::BTreeSet::len) {
        0 => format!("there was no official image `{name}` on {on}"),
        count => format!("not among the {count} tags of {name} that were built on {on}"),
    };
    let (since, instead) = match known.rebuilt {
        Rebuilt::No { since, instead, .. } => (since, instead),
        Rebuilt::Yes { .. } | Rebuilt::Unknown { .. } => (None, None),
    };
    let rebuilt = Rebuilt::No {
        since,
        why,
        instead,
    };
    Judged { rebuilt, by }
}

/// The same for the release of a program, as a variable of its image tells it (`8.4.6-1.el9`), or of a
/// distribution (`3.20.3`). That is no tag: its line alone is judged.
pub fn rebuilt_version(name: &str, version: &str, today: Date) -> Judged {
    let epoch = |(epoch, rest)| is_number(epoch).then_some(rest);
    let version = version.split_once(':').and_then(epoch).unwrap_or(version);
    // What follows is the package's own number.
    let version = version.split(['-', '+', '~']).next().unwrap_or(version);
    by_tables(name, version, today)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What our tables say.
fn by_tables(name: &str, tag: &str, today: Date) -> Judged {
    let by_lines = OFFICIALS.find(name).map(|official| Judged {
        rebuilt: lines::judge(official, tag, today),
        by: By::Lines(OFFICIALS.as_of()),
    });
    let by_release = releases::judge(name, tag, today);
    let is_no = |judged: &Judged| matches!(judged.rebuilt, Rebuilt::No { .. });
    match (by_lines, by_release) {
        (Some(judged), other) if is_no(&judged) || !other.as_ref().is_some_and(is_no) => judged,
        (_, Some(judged)) => judged,
        (_, None) => Judged {
            rebuilt: Rebuilt::Unknown {
                why: format!("`{name}` is not in our table"),
            },
            by: By::Lines(OFFICIALS.as_of()),
        },
    }
}

impl std::fmt::Display for Rebuilt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Yes { why } => write!(f, "still rebuilt: {why}"),
            Self::No { why, instead, .. } => {
                write!(f, "no longer rebuilt: {why}")?;
                match instead {
                    Some(instead) => write!(f, "; in its place: {instead}"),
                    None => Ok(()),
                }
            }
            Self::Unknown { why } => write!(f, "whether it is still rebuilt is not known: {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
