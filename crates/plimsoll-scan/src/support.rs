//! Is anybody still fixing this distribution release?

use std::fmt;

use jiff::civil::Date;
use plimsoll_model::{OsRelease, text};

use crate::{DISTRIBUTIONS, Distribution};

/// Whether security fixes still come for a distribution release. Days are inclusive.
///
/// [`Support::Unknown`] is an answer of its own: never take it for support.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// Regular support.
    Supported {
        /// Its last day.
        until: Date,
    },
    /// Regular support is over; long-term support goes on, usually for less.
    LongTerm {
        /// Its last day.
        until: Date,
        /// Whose it is, and what of it is left.
        by: &'static str,
    },
    /// No more fixes.
    Ended {
        /// The last day on which there was any support.
        on: Date,
    },
    /// It cannot be judged.
    Unknown {
        /// Why, as a sentence without a full stop.
        why: String,
    },
}

/// Whether the release that `os` names still gets security fixes on the day `today`.
pub fn support(os: &OsRelease, today: Date) -> Support {
    let unknown = |why: String| Support::Unknown { why };
    if os.id.is_empty() {
        return unknown("os-release has no ID".to_owned());
    }
    let known = DISTRIBUTIONS.iter().find(|known| known.id == os.id);
    let Some(distribution) = known else {
        let id = text::printable(os.id.as_bytes());
        return unknown(format!("nothing is known about the distribution `{id}`"));
    };
    if os.version_id.is_empty() {
        let name = distribution.name;
        return unknown(format!(
            "os-release of {name} has no VERSION_ID: a release in the making, or a rolling one"
        ));
    }
    release(distribution, &os.version_id, today)
}

/// What says how long the releases of this distribution are fixed, as a phrase.
pub(crate) fn table(os: &OsRelease) -> String {
    let known = DISTRIBUTIONS.iter().find(|known| known.id == os.id);
    known.map_or(String::new(), |known| {
        format!("the table of {}'s releases of {}", known.name, known.as_of)
    })
}

fn release(distribution: &Distribution, version_id: &str, today: Date) -> Support {
    let name = distribution.name;
    let shown = text::printable(version_id.as_bytes());
    let version = match (distribution.release_of)(version_id) {
        Ok(version) => version,
        Err(why) => {
            let why = format!("{name} {shown}: {why}");
            return Support::Unknown { why };
        }
    };
    let mut releases = distribution.releases.iter();
    let Some(release) = releases.find(|release| release.version == version) else {
        let why = format!(
            "{name} {shown} is not in our table, which was made on {}",
            distribution.as_of
        );
        return Support::Unknown { why };
    };
    if today < release.released {
        let why = format!(
            "{name} {shown} came out on {}, after today",
            release.released
        );
        return Support::Unknown { why };
    }
    match release.long_term_until {
        _ if today <= release.until => Support::Supported {
            until: release.until,
        },
        Some(until) if today <= until => Support::LongTerm {
            until,
            by: distribution.long_term,
        },
        long_term => Support::Ended {
            on: long_term.unwrap_or(release.until),
        },
    }
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Supported { until } => write!(f, "supported until {until}"),
            Self::LongTerm { until, by } => {
                write!(f, "long-term support until {until} ({by})")
            }
            Self::Ended { on } => write!(f, "support ended on {on}"),
            Self::Unknown { why } => write!(f, "support is not known: {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
