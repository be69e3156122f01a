//! The distributions whose releases are known, one file each.

mod alpine;
mod debian;
mod ubuntu;

use jiff::civil::Date;

/// The distributions, in the order of their names.
pub static DISTRIBUTIONS: &[&Distribution] = &[
    &alpine::DISTRIBUTION,
    &debian::DISTRIBUTION,
    &ubuntu::DISTRIBUTION,
];

/// One distribution and its releases.
#[derive(Debug)]
pub struct Distribution {
    /// The `ID` of its os-release.
    pub id: &'static str,
    /// Its name for a person.
    pub name: &'static str,
    /// Where the dates are published.
    pub source: &'static str,
    /// The day the table was compared with its source. A release that is younger is not in it.
    pub as_of: Date,
    /// Which release a `VERSION_ID` means: the key in [`Self::releases`], or why it means none.
    pub release_of: fn(version_id: &str) -> Result<&str, &'static str>,
    /// Who pays for, or takes on, the support after the regular one ends; `""` where there is none.
    pub long_term: &'static str,
    /// The releases, oldest first.
    pub releases: &'static [Release],
    /// The file of this row, for the test of the table.
    pub file: &'static str,
}

/// How long one release is looked after. All days are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// The version users write: `12`, `24.04`, `3.20`.
    pub version: &'static str,
    /// The name of the release; empty where it has none.
    pub codename: &'static str,
    /// The day it came out.
    pub released: Date,
    /// The last day of regular support.
    pub until: Date,
    /// The last day of long-term support that is free for everybody, where there is one.
    pub long_term_until: Option<Date>,
}
