//! A report as text for a person, as JSON for a program, and as what other tools read.
//!
//! A format is a row of [`FORMATS`] and a file of its own.
//!
//! **Invariant:** a format prints what a [`plimsoll_model::Report`] holds and computes nothing that
//! is not in it. [`html`] also draws the files of an image, which no report holds: it is handed a
//! [`plimsoll_model::Census`] of each. What a stranger wrote never reaches the output with a control character in it.

mod before_after;
pub mod formats;
pub mod html;
mod place;
mod sbom;
mod vulnerabilities;

use std::io::{self, Write};

pub use formats::FORMATS;
use plimsoll_model::Report;
pub use vulnerabilities::as_findings;

/// One way to write a report down.
pub struct Format {
    /// What users write to choose it; equal to the name of its file.
    pub id: &'static str,
    /// The ending of a file in this format, without a dot.
    pub extension: &'static str,
    /// What it is good for, in a few words.
    pub help: &'static str,
    /// What a report must have for it to say anything; without that it would say that there is nothing.
    pub needs: Needs,
    /// Writes a whole report. Fails only when the writer does.
    pub write: fn(&Report, &mut dyn Write) -> io::Result<()>,
    /// The file of the row, for the test of the table.
    pub file: &'static str,
}

/// What a format is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Whatever a report has.
    Anything,
    /// What is installed in one image ([`Report::inventory`]).
    Inventory,
    /// What is known of an image's packages ([`Report::scans`]).
    Scan,
}

/// The format of this name.
pub fn by_id(id: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.id == id)
}
