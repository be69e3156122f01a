//! What is known about what is in an image: the vulnerabilities of its packages, and how long its
//! distribution release is looked after.
//!
//! Advisories are read from the feeds their vendors publish ([`FEEDS`]) and compiled into a
//! [`Slice`] for each distribution release and ecosystem. Some facts are tables compiled in, each
//! with the day it was made: useful with no download at all, and honest about what it cannot know.

mod advisory;
mod databases;
mod distributions;
mod explain;
pub mod feeds;
mod ignore;
mod marks;
mod matching;
pub mod officials;
mod scope;
mod slice;
mod support;
mod vex;

pub use advisory::{Advisory, PackageKind, Range, Status, Until, severity};
pub use databases::is_database;
pub use explain::explain;
pub use feeds::FEEDS;
pub use ignore::{Ignore, IgnoreError, Ignores};
pub use marks::{Cve, Epss, Kev, Marks};
pub use matching::{Data, ScanRequest, asked, outdated, scan, wanted};
pub use scope::Scope;
pub use slice::{Builder, Meta, Origin, Slice, SliceError, Texts};

pub use distributions::{DISTRIBUTIONS, Distribution, Release};
pub use jiff::civil::Date;
pub use support::{Support, support};
pub use vex::{ImageNames, Vex, VexError};
