//! The feeds advisories are read from: one row per kind of data, one file per row.
//!
//! A row recognises its data by what is in them, so that a directory of feeds can be read without a
//! word about each file. What a row reads goes into a [`Compiler`], which makes the slices.

mod address;
mod alpine;
mod bitnami;
mod compile;
mod csv;
mod debian;
mod debian_list;
mod epss;
mod exchange;
pub(crate) mod grype_report;
pub(crate) mod id;
pub(crate) mod json;
mod kev;
mod osv;
mod osv_ecosystem;
pub(crate) mod trivy_report;
mod unpack;

use std::fmt;

pub use address::{Address, addresses};
pub(crate) use compile::Left;
pub use compile::{Compiled, Compiler, Counts, is_data};

/// A kind of data about vulnerabilities.
pub struct Feed {
    /// Its name, kebab-case, that of its file.
    pub id: &'static str,
    /// What a user should know about it: the doc comment of the row, whose lines begin with a blank.
    pub page: &'static str,
    /// Whether it lists flaws that are not fixed too. Where it does not, an unfixed flaw is not in it.
    pub lists_unfixed: bool,
    /// Whether this is such data.
    recognise: fn(&Document<'_>) -> bool,
    /// Adds what it says.
    read: fn(&Document<'_>, &mut Compiler) -> Result<(), String>,
}

/// Every kind of data plimsoll reads as a document, in the order of their names.
///
/// Each recognises only its own, so the order does not matter. Databases of other scanners are read
/// from files, by [`Compiler::database`].
pub static FEEDS: &[&Feed] = &[
    &alpine::FEED,
    &bitnami::FEED,
    &debian::FEED,
    &debian_list::FEED,
    &epss::FEED,
    &exchange::FEED,
    &grype_report::FEED,
    &kev::FEED,
    &osv::FEED,
    &trivy_report::FEED,
];

/// One document of a feed: a file, an entry of an archive.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Its name, with the directories below the feed's root: some layouts say there what they are
    /// about.
    pub name: &'a str,
    /// What is in it, unpacked.
    pub bytes: &'a [u8],
}

impl<'a> Document<'a> {
    /// Whether the text occurs in the first megabyte: enough to tell formats apart by their keys.
    fn holds(&self, text: &str) -> bool {
        let head = &self.bytes[..self.bytes.len().min(1 << 20)];
        memchr::memmem::find(head, text.as_bytes()).is_some()
    }

    /// The first byte that is no blank.
    fn first(&self) -> Option<u8> {
        self.bytes.trim_ascii_start().first().copied()
    }

    /// Its name without directories and without what follows the first dot behind them.
    fn stem(&self) -> &'a str {
        let name = self.name.rsplit('/').next().unwrap_or(self.name);
        name.split_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// Why a document of a feed cannot be used. Nothing of it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedError {
    /// The document, by name.
    pub document: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.document, self.why)
    }
}

impl std::error::Error for FeedError {}

/// A row whose page is its doc comment.
macro_rules! feed {
    (
        $(#[doc = $line:literal])+
        id: $id:literal,
        lists_unfixed: $lists_unfixed:literal,
        recognise: $recognise:expr,
        read: $read:path $(,)?
    ) => {
        $(#[doc = $line])+
        pub(super) static FEED: $crate::feeds::Feed = $crate::feeds::Feed {
            id: $id,
            page: concat!($($line, "\n"),+),
            lists_unfixed: $lists_unfixed,
            recognise: $recognise,
            read: $read,
        };
    };
}
use feed;

#[cfg(test)]
mod tests;
