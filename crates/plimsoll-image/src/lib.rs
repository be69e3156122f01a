//! Bytes to image and back: sources, layers, merged tree, lineage, writers, validation, unpacking.
//!
//! The only room that reads or writes the bytes of an image. It starts no process, opens no socket,
//! and reads neither clock nor environment.

mod codec;
mod config;
mod contents;
mod documents;
mod error;
mod kept;
mod layer;
mod limits;
mod lineage;
mod open;
mod part;
mod platform;
mod select;
mod sources;
mod spool;
mod store;
mod stream;
mod tar_file;
mod tarball;
mod unpack;
mod validate;
mod write;

pub use error::Error;
pub use limits::Limits;
pub use lineage::lineage;
pub use open::{Opened, Options, open, open_within};
pub use platform::{ParsePlatformError, Platform};
pub use sources::{SOURCES, Source};
pub use spool::FileSpool;
pub use unpack::{Ownership, Unpacked, unpack};
pub use validate::{Violation, validate};
pub use write::{Compression, Sink, WriteOptions, Written, WrittenLayer, write};
