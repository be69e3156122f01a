//! What is installed in a tree, as everything in it that tells of packages says: one row per kind of
//! database, and the products no package knows.
//!
//! The tree is walked once; each row is handed the files it wants. What it does not want it does not
//! see, and what it wants is kept from the pass over the layers (see [`Wanted`]).

use std::io;

use plimsoll_model::package::ecosystem;
use plimsoll_model::{ImagePath, Inventory, OsRelease, Package, Problem, Rootfs};

pub(crate) use self::wanted::Found;
pub use self::wanted::Wanted;
use crate::products;

mod apk;
mod cargo_auditable;
mod composer;
mod dotnet;
mod dpkg;
mod dpkg_status_d;
mod gem;
mod go_build_info;
mod java;
mod npm;
mod python;
mod rpm;
mod rpm_manifest;
mod wanted;

/// A kind of package database.
pub struct Database {
    /// Its name, kebab-case, that of its file.
    pub id: &'static str,
    /// The kind of package it holds, in package-URL words.
    pub ecosystem: &'static str,
    /// The paths it is read from, as globs relative to the root.
    pub wants: &'static [&'static str],
    /// For what is inside programs: of the files it wants only those with one of these words in them.
    pub needles: &'static [&'static [u8]],
    /// What a user should know about it, with an example: the doc comment of the row, whose lines
    /// begin with a blank.
    pub page: &'static str,
    /// Adds what the tree's database says to the inventory; nothing where there is none.
    pub read: fn(&mut Reading<'_>),
    /// Fills [`plimsoll_model::Package::requires`], once every database was read and the packages
    /// have their final numbers. One row of an ecosystem does it for all.
    pub link: Option<fn(&mut Inventory)>,
}

/// What a row is given.
pub struct Reading<'a> {
    /// The tree.
    pub rootfs: &'a Rootfs,
    /// The regular files that the row wants, in order.
    pub found: &'a [ImagePath],
    /// Where it adds what it finds.
    pub inventory: &'a mut Inventory,
}

impl Reading<'_> {
    /// The whole file at `path`; a problem where it cannot be read or is larger than `limit` bytes.
    fn file(&mut self, path: &ImagePath, limit: u64) -> Option<Vec<u8>> {
        match self.rootfs.read(path, limit) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.problem(path, format!("cannot be read: {error}"));
                None
            }
        }
    }

    /// The same where it may be missing.
    fn optional(&mut self, path: &ImagePath, limit: u64) -> Option<Vec<u8>> {
        match self.rootfs.read(path, limit) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.problem(path, format!("cannot be read: {error}"));
                None
            }
            Ok(bytes) => Some(bytes),
        }
    }

    fn problem(&mut self, path: &ImagePath, message: impl Into<String>) {
        self.inventory
            .problems
            .push(Problem::at(path, message.into()));
    }

    fn add(&mut self, package: Package) {
        self.inventory.packages.push(package);
    }

    /// The files below `directory`, those below a directory that is `another`'s left out.
    fn below(&self, directory: &ImagePath, another: impl Fn(&ImagePath) -> bool) -> Vec<ImagePath> {
        let nodes = self.rootfs.tree.subtree(directory);
        let files = nodes.filter(|(path, node)| !node.is_dir() && !another(path));
        files.map(|(path, _)| path.clone()).collect()
    }
}

/// Every database plimsoll reads, in the order of their names.
pub static DATABASES: &[&Database] = &[
    &apk::DATABASE,
    &cargo_auditable::DATABASE,
    &composer::DATABASE,
    &dotnet::DATABASE,
    &dpkg::DATABASE,
    &dpkg_status_d::DATABASE,
    &gem::DATABASE,
    &go_build_info::DATABASE,
    &java::DATABASE,
    &npm::DATABASE,
    &python::DATABASE,
    &rpm::DATABASE,
    &rpm_manifest::DATABASE,
];

/// What is installed in the tree, by every database in it, and what could not be read.
///
/// The distribution's packages come first; each kind in the order of name, architecture, version
/// and place.
pub fn inventory(rootfs: &Rootfs) -> Inventory {
    let mut inventory = Inventory {
        release: OsRelease::of(rootfs).0.map(|(release, _)| release),
        ..Inventory::default()
    };
    let found = wanted::found(rootfs);
    for (database, found) in DATABASES.iter().zip(&found.databases) {
        (database.read)(&mut Reading {
            rootfs,
            found,
            inventory: &mut inventory,
        });
    }
    sort(&mut inventory.packages);
    // What a program says about itself counts only where no package answers for it.
    products::read(rootfs, &found, &mut inventory);
    sort(&mut inventory.packages);
    sort(&mut inventory.removed);
    inventory.databases.sort();
    inventory.databases.dedup();
    belong(rootfs, &mut inventory);
    for link in DATABASES.iter().filter_map(|database| database.link) {
        link(&mut inventory);
    }
    inventory
}

/// What one row says of the tree, in its own order.
pub fn inventory_by(row: &Database, rootfs: &Rootfs) -> Inventory {
    let mut inventory = Inventory::default();
    let found = wanted::found(rootfs);
    for (database, found) in DATABASES.iter().zip(&found.databases) {
        if database.id == row.id {
            (database.read)(&mut Reading {
                rootfs,
                found,
                inventory: &mut inventory,
            });
        }
    }
    inventory
}

fn sort(packages: &mut Vec<Package>) {
    packages.sort_by(|a, b| {
        let rank = |package: &Package| !ecosystem::is_distribution(package.ecosystem);
        (rank(a).cmp(&rank(b)))
            .then_with(|| a.ecosystem.cmp(b.ecosystem))
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.architecture.cmp(&b.architecture))
            .then_with(|| a.version.cmp(&b.version))
            .then_with(|| a.database.cmp(&b.database))
            .then_with(|| a.inside.cmp(&b.inside))
    });
    packages.dedup();
}

/// Tells which packages came with one of the distribution.
fn belong(rootfs: &Rootfs, inventory: &mut Inventory) {
    if inventory
        .packages
        .iter()
        .all(|package| ecosystem::is_distribution(package.ecosystem))
    {
        return;
    }
    let owners = inventory.owners(&rootfs.tree);
    for package in &mut inventory.packages {
        if !ecosystem::is_distribution(package.ecosystem) {
            let place = package.database.as_ref();
            package.part_of = place.and_then(|place| owners.get(place).copied());
        }
    }
}

/// A row whose page is its doc comment.
macro_rules! database {
    (
        $(#[doc = $line:literal])+
        id: $id:literal,
        ecosystem: $ecosystem:expr,
        wants: $wants:expr,
        $(needles: $needles:expr,)?
        read: $read:path,
        link: $link:expr $(,)?
    ) => {
        $(#[doc = $line])+
        pub(super) static DATABASE: $crate::databases::Database = $crate::databases::Database {
            id: $id,
            ecosystem: $ecosystem,
            wants: $wants,
            needles: database!(@needles $($needles)?),
            page: concat!($($line, "\n"),+),
            read: $read,
            link: $link,
        };
    };
    (@needles) => { &[] };
    (@needles $needles:expr) => { $needles };
}
use database;
