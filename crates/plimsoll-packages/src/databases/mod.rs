//! What is installed in a tree, as the package databases in it tell: one row per database.

use plimsoll_model::{Inventory, Rootfs};

mod apk;
mod dpkg;
mod dpkg_status_d;

/// A kind of package database.
pub struct Database {
    /// Its name, kebab-case, that of its file.
    pub id: &'static str,
    /// The kind of package it holds, in package-URL words.
    pub ecosystem: &'static str,
    /// The paths it is read from, as globs relative to the root.
    pub wants: &'static [&'static str],
    /// What a user should know about it, with an example: the doc comment of the row, whose lines
    /// begin with a blank.
    pub page: &'static str,
    /// Adds what the tree's database says to the inventory; nothing where there is none.
    pub read: fn(&Rootfs, &mut Inventory),
    /// Fills [`plimsoll_model::Package::requires`], once every database was read and the packages
    /// have their final numbers. One row of an ecosystem does it for all.
    pub link: Option<fn(&mut Inventory)>,
}

/// Every database plimsoll reads, in the order of their names.
pub static DATABASES: &[&Database] = &[&apk::DATABASE, &dpkg::DATABASE, &dpkg_status_d::DATABASE];

/// What is installed in the tree, by every database in it, and what could not be read.
///
/// Packages are in the order of ecosystem, name, architecture and version.
pub fn inventory(rootfs: &Rootfs) -> Inventory {
    let mut inventory = Inventory::default();
    for database in DATABASES {
        (database.read)(rootfs, &mut inventory);
    }
    inventory.packages.sort_by(|a, b| {
        (a.ecosystem.cmp(b.ecosystem))
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.architecture.cmp(&b.architecture))
            .then_with(|| a.version.cmp(&b.version))
    });
    for link in DATABASES.iter().filter_map(|database| database.link) {
        link(&mut inventory);
    }
    inventory
}

/// A row whose page is its doc comment.
macro_rules! database {
    (
        $(#[doc = $line:literal])+
        id: $id:literal,
        ecosystem: $ecosystem:literal,
        wants: $wants:expr,
        read: $read:path,
        link: $link:expr $(,)?
    ) => {
        $(#[doc = $line])+
        pub(super) static DATABASE: $crate::databases::Database = $crate::databases::Database {
            id: $id,
            ecosystem: $ecosystem,
            wants: $wants,
            page: concat!($($line, "\n"),+),
            read: $read,
            link: $link,
        };
    };
}
use database;
