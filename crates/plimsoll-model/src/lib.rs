//! Plain data and small traits of plimsoll: what an image, a tree, a package, a finding, a plan and
//! a report are.
//!
//! This is the ground floor. It opens no file, no socket and no process and reads no clock;
//! whatever needs bytes gets them through [`Open`], [`Contents`] or [`Fetch`].

pub mod answer;
pub mod census;
pub mod config;
pub mod digest;
pub mod directories;
pub mod draft;
pub mod fetch;
pub mod finding;
#[cfg(feature = "fixture")]
pub mod fixture;
pub mod image;
pub mod interest;
pub mod inventory;
pub mod lineage;
pub mod observation;
pub mod os_release;
pub mod package;
pub mod path;
pub mod plan;
mod purl;
pub mod report;
pub mod rootfs;
pub mod startup;
pub mod subject;
pub mod tar;
pub mod text;
pub mod tree;
pub mod vulnerability;
pub mod waste;

pub use answer::Answer;
pub use census::Census;
pub use config::Config;
pub use digest::Digest;
pub use directories::DirectoryRow;
pub use draft::{Draft, DraftLayer};
pub use fetch::{Fetch, FetchError};
pub use finding::{Evidence, Finding, Problem, Rule, Severity, Source};
pub use image::{Blob, Descriptor, Image, Layer};
pub use interest::{Interest, Keep, Seen};
pub use inventory::{Inventory, Prune, Strangers};
pub use lineage::{Ancestor, Lineage};
pub use observation::{Access, Observations};
pub use os_release::OsRelease;
pub use package::{FileDigest, KnownBy, Package, PackageId, State};
pub use path::ImagePath;
pub use plan::{Plan, Reason};
pub use report::Report;
pub use rootfs::{Contents, MemoryContents, Open, Rootfs, Spool};
pub use startup::Startup;
pub use subject::Subject;
pub use tree::{Entry, EntryKind, Extent, FileTree, Kind, Metadata, Node};
pub use vulnerability::{ScanFacts, Vulnerability};
pub use waste::Waste;
