//! Docker's official images: which of their tags are still rebuilt.
//!
//! An image that is not rebuilt gets no fix of its base any more, whatever is found there. Three things are
//! known: a small table of how long the lines of common images live (compiled in, made by hand); how
//! long the release of the distribution lives that a tag names (`slim-buster`); and, where somebody
//! fetched them, the lists of tags from which the images are built ([`Listed`]).

mod library;
mod listed;
mod table;

use jiff::civil::Date;

pub use library::{LibraryFile, read};
pub use listed::{Listed, ListedError};
pub use table::{Line, OFFICIALS, Official, Officials};

use crate::{DISTRIBUTIONS, Distribution, Release};

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

/// Whether `tag` of the official image `name` is still rebuilt on the day `today`. `listed` is what was
/// fetched, where something was.
pub fn rebuilt(name: &str, tag: &str, today: Date, listed: Option<&Listed>) -> Rebuilt {
    let known = OFFICIALS.find(name);
    let by_table = known.map(|official| of_table(official, tag, today));
    if let Some(listed) = listed {
        let on = listed.date;
        match listed.tags(name) {
            Some(tags) if tags.contains(tag) => {
                let why = format!("among the tags that were built on {on}");
                return Rebuilt::Yes { why };
            }
            tags => {
                let count = tags.map_or(0, std::collections::BTreeSet::len);
                if tags.is_some() || listed.complete {
                    let why = match count {
                        0 => format!("there was no official image `{name}` on {on}"),
                        _ => {
                            format!("not among the {count} tags of {name} that were built on {on}")
                        }
                    };
                    let (since, instead) = match by_table {
                        Some(Rebuilt::No { since, instead, .. }) => (since, instead),
                        _ => (None, None),
                    };
                    return Rebuilt::No {
                        since,
                        why,
                        instead,
                    };
                }
            }
        }
    }
    let by_suite = of_suite(name, tag, today);
    match (by_table, by_suite) {
        (Some(no @ Rebuilt::No { .. }), _) | (_, Some(no @ Rebuilt::No { .. })) => no,
        (Some(answer @ Rebuilt::Yes { .. }), _) | (_, Some(answer @ Rebuilt::Yes { .. })) => answer,
        (Some(answer), _) | (None, Some(answer)) => answer,
        (None, None) => Rebuilt::Unknown {
            why: format!("`{name}` is not in our table of {}", OFFICIALS.as_of()),
        },
    }
}

/// What the table of lines says.
fn of_table(official: &Official, tag: &str, today: Date) -> Rebuilt {
    let as_of = OFFICIALS.as_of();
    let name = &official.name;
    if let Some(since) = official.gone {
        let why = match since {
            Some(day) => format!("`{name}` was given up on {day}"),
            None => format!("`{name}` was given up"),
        };
        return Rebuilt::No {
            since,
            why,
            instead: official.instead.clone(),
        };
    }
    let alive = |line: &Line| line.until.is_none_or(|until| today <= until);
    let newest = official.lines.iter().rev().find(|line| alive(line));
    let instead = || match (&official.instead, newest) {
        (Some(instead), _) => Some(instead.clone()),
        (None, newest) => newest.map(|line| format!("{name}:{}", line.version)),
    };
    if let Some(line) = official.line_of(tag) {
        return match line.until {
            Some(until) if today > until => Rebuilt::No {
                since: Some(until),
                why: format!("{name} {} gets no fixes since {until}", line.version),
                instead: instead(),
            },
            Some(until) => Rebuilt::Yes {
                why: format!("{name} {} gets fixes until {until}", line.version),
            },
            None => Rebuilt::Yes {
                why: format!("{name} {} got fixes on {as_of}", line.version),
            },
        };
    }
    // A tag that moves from line to line: `3`, `latest`, `slim`.
    let version = tag.split('-').next().unwrap_or(tag);
    let moves_among = |line: &&Line| {
        let rest = line.version.strip_prefix(version);
        MOVING.contains(&version) || rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let lines: Vec<&Line> = official.lines.iter().filter(moves_among).collect();
    match lines.iter().rev().find(|line| alive(line)) {
        Some(line) => Rebuilt::Yes {
            why: format!(
                "it moves with the releases of {name}, of which {} is alive",
                line.version
            ),
        },
        None => match lines.iter().filter_map(|line| line.until).max() {
            Some(until) if !MOVING.contains(&version) => Rebuilt::No {
                since: Some(until),
                why: format!("no {name} {version} gets fixes since {until}"),
                instead: instead(),
            },
            _ => Rebuilt::Unknown {
                why: format!("no line of {name} in our table of {as_of} fits `{tag}`"),
            },
        },
    }
}

/// Tags without a version that are the newest release, in whatever form.
const MOVING: &[&str] = &[
    "alpine", "current", "latest", "lts", "mainline", "slim", "stable",
];

/// What is known of the release of a distribution that the tag names, in whole or behind a hyphen.
fn of_suite(name: &str, tag: &str, today: Date) -> Option<Rebuilt> {
    let (distribution, release) = suite(name, tag)?;
    let last = release.long_term_until.unwrap_or(release.until);
    let shown = match release.codename {
        "" => format!("{} {}", distribution.name, release.version),
        codename => format!("{} {} ({codename})", distribution.name, release.version),
    };
    if today > last {
        let newest = distribution.releases.iter().rev();
        let newest = newest.clone().find(|release| today <= release.until);
        let instead = newest.map(|newest| match (name == distribution.id, newest.codename) {
            (true, _) => format!("{name}:{}", newest.version),
            (false, "") => format!(
                "a tag of {name} on {} {}",
                distribution.name, newest.version
            ),
            (false, codename) => format!("a tag of {name} on {codename}"),
        });
        return Some(Rebuilt::No {
            since: Some(last),
            why: format!("{shown} gets no fixes since {last}"),
            instead,
        });
    }
    // That its base lives says nothing of an application's line.
    (name == distribution.id).then(|| Rebuilt::Yes {
        why: format!("{shown} gets fixes until {last}"),
    })
}

/// The release of a distribution that a tag names: `3.12-slim-bookworm`, `8-alpine3.20`, `jammy`; for a
/// distribution's own image also its version.
pub fn suite(name: &str, tag: &str) -> Option<(&'static Distribution, &'static Release)> {
    let own = DISTRIBUTIONS.iter().find(|known| known.id == name);
    if let Some(distribution) = own {
        let first = tag.split('-').next().unwrap_or(tag);
        let of = (distribution.release_of)(first).ok();
        let is_it = |release: &&Release| {
            Some(release.version) == of || !release.codename.is_empty() && release.codename == first
        };
        return Some((distribution, distribution.releases.iter().find(is_it)?));
    }
    for part in tag.split('-') {
        for distribution in DISTRIBUTIONS {
            let version = part.strip_prefix(distribution.id).unwrap_or_default();
            let is_it = |release: &&Release| {
                !release.codename.is_empty() && release.codename == part
                    || !version.is_empty() && release.version == version
            };
            if let Some(release) = distribution.releases.iter().find(is_it) {
                return Some((distribution, release));
            }
        }
    }
    None
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
