//! The things slim must follow: one row each, in the order of their names.
//!
//! A follower looks at one kept path and keeps what that path needs. Rows know nothing of each
//! other; whatever one keeps, all the others look at in turn, until nothing new comes. A new one is
//! a file here, `mod` and a row below; the examples on its page are executed by the tests.

use plimsoll_model::ImagePath;

use crate::keep::Keep;
use crate::scene::Scene;

mod apache;
mod dlopen;
mod elf;
mod elf_path;
mod glibc;
mod jvm;
mod login;
mod nginx;
mod node;
mod pam;
mod perl;
mod php;
mod plug_ins;
mod postfix;
mod python;
mod ruby;
mod server;
mod shebang;
mod shell_command;
mod time_zones;
mod tls;
mod written_path;

/// A thing slim must follow.
pub struct Follower {
    /// Its name, and the rule of the reasons it gives; equal to the file name, in kebab-case.
    pub id: &'static str,
    /// Markdown: what it follows and why, with examples that are executed by the tests.
    pub page: &'static str,
    /// Looks at a path that is kept (free of links) and keeps what it needs.
    pub follow: fn(&Scene<'_>, &ImagePath, &mut Keep<'_>),
}

/// Every follower, in the order of the names.
pub static FOLLOWERS: &[&Follower] = &[
    &apache::FOLLOWER,
    &dlopen::FOLLOWER,
    &elf::FOLLOWER,
    &elf_path::FOLLOWER,
    &glibc::FOLLOWER,
    &jvm::FOLLOWER,
    &login::FOLLOWER,
    &nginx::FOLLOWER,
    &node::FOLLOWER,
    &pam::FOLLOWER,
    &perl::FOLLOWER,
    &php::FOLLOWER,
    &plug_ins::FOLLOWER,
    &postfix::FOLLOWER,
    &python::FOLLOWER,
    &ruby::FOLLOWER,
    &server::FOLLOWER,
    &shebang::FOLLOWER,
    &shell_command::FOLLOWER,
    &time_zones::FOLLOWER,
    &tls::FOLLOWER,
    &written_path::FOLLOWER,
];

/// Declares a follower; the doc comment above it is its page.
macro_rules! follower {
    (
        $(#[doc = $page:expr])+
        id: $id:literal,
        follow: $follow:path $(,)?
    ) => {
        $(#[doc = $page])+
        pub(super) static FOLLOWER: $crate::Follower = $crate::Follower {
            id: $id,
            page: concat!($($page, "\n",)+),
            follow: $follow,
        };
    };
}
use follower;

pub(crate) use python::standard_needs;
