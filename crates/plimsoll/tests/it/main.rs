//! The house as a whole: its floors, its command line, and the binary on images made here.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what helps a test fails as a test does, and says why one is skipped"
)]

mod ahead;
mod archive;
mod bills;
mod broken;
mod check;
mod command_line;
mod copies;
mod db;
mod diff;
mod direct;
mod engine;
mod explore;
mod files;
mod floors;
mod headers;
mod hostile;
mod images;
mod inspect;
mod killed;
mod lint;
mod officials;
mod output;
mod page;
mod pages;
mod places;
mod profile;
mod registry;
mod scan;
mod slim;
