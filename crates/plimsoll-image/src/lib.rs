//! Bytes to image and back: sources, layers, merged tree, lineage, writers, validation, unpacking.
//!
//! The only room that reads or writes the bytes of an image. It starts no process, opens no socket,
//! and reads neither clock nor environment.

mod asked;
mod codec;
mod config;
mod contents;
mod documents;
mod error;
mod kept;
mod layer;
mod limits;
mod lineage;
mod one_layer;
mod open;
mod outline;
mod part;
mod pending;
mod platform;
mod reference;
mod remote;
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
pub use one_layer::{OneLayer, open_layer};
pub use open::{Opened, Options, glance, open, open_within};
pub use outline::{Outline, Promise};
pub use pending::Pending;
pub use platform::{ParsePlatformError, Platform};
pub use reference::{Reference, is_loopback};
pub use remote::{ContainerStorage, Engine, Pushed, Remotes, Repository, Wanted};
pub use sources::{SOURCES, Source, called, is_one_stored, replaces};
pub use spool::FileSpool;
pub use tarball::write_tar;
pub use unpack::{Ownership, Unpacked, unpack};
pub use validate::{Violation, validate};
pub use write::{
    Compression, Copied, Sink, WriteOptions, Written, WrittenLayer, copy, may_write, write,
};
