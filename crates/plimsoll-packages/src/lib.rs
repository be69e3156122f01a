//! Package databases, version order, repository indexes and package archives.
//!
//! This room knows distributions and nothing of images: it is handed bytes, or a tree with its
//! contents, and answers with plain data. It opens no socket, no file and reads no clock.

pub mod changelog;
pub mod databases;
pub mod deb;
pub mod deb822;
pub mod index;
pub mod listing;
pub mod products;
pub mod relation;
pub mod release;
pub mod sbom;
pub mod version;

mod compression;
mod dpkg;
mod elf;
mod mail;
mod rpm;
mod windows;
mod zip;
