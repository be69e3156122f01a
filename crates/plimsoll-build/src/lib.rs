//! Recipe to lock to draft: images from distribution packages.
//!
//! [`Recipe::parse`] reads what the user asks for, [`resolve`] chooses the packages from signed
//! indexes and pins every archive in a [`Lock`], [`compose`] unpacks them into a tree in memory and
//! makes a draft of it, without root and without running anything of the packages: what their
//! maintainer scripts would do is followed step by step on the tree ([`EMULATIONS`]), and what
//! cannot be followed is reported by package, script and line.
//!
//! This room sees the network through `Fetch` alone, keeps file bodies in a `Spool`, and reads no
//! clock.

mod accounts;
mod compose;
mod dpkg;
mod emulations;
mod error;
mod ldcache;
mod lock;
mod order;
pub mod recipe;
mod repository;
mod resolve;
mod shell;
mod solve;
mod stage;
mod unpack;
mod world;

pub use compose::{Composed, compose};
pub use emulations::{EMULATIONS, Emulation};
pub use error::Error;
pub use lock::{Lock, LockError, LockedArchive, LockedRelease};
pub use recipe::{Recipe, RecipeError};
pub use repository::{Repository, offered};
pub use resolve::{Resolution, resolve};
pub use shell::Unemulated;

/// The recipe of the demonstration: an Apache httpd with the whole of what a distribution brings
/// along, in two layers.
pub const HTTPD: &str = include_str!("../recipes/httpd.toml");

/// Told while a build is at work, from any thread.
pub type Progress<'a> = dyn Fn(Event<'_>) + Sync + 'a;

/// What a build is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// An index is fetched.
    Index {
        /// Its address.
        url: &'a str,
    },
    /// The packages are chosen.
    Solving,
    /// An archive was fetched and taken apart.
    Unpacked {
        /// Name of the package.
        package: &'a str,
        /// How many are done.
        done: usize,
        /// How many there are.
        count: usize,
    },
    /// A layer is put together.
    Layer {
        /// Its name.
        name: &'a str,
    },
}
