//! What is scanned: an image, or a list of packages that stands for one.

use std::io::Read as _;
use std::path::Path;

use plimsoll_model::{FileTree, Inventory, OsRelease, Problem, Rootfs};
use plimsoll_packages::listing;

use crate::failure::{Failure, Result};
use crate::session::{self, Context};

/// A larger file is no list of packages.
const LIMIT: u64 = 64 << 20;

/// What is scanned.
pub(crate) struct Subject {
    /// As the user wrote it; of a list the name of its file.
    pub(crate) name: String,
    /// The digest of the manifest; empty for a list.
    pub(crate) digest: String,
    pub(crate) inventory: Inventory,
    rootfs: Option<Rootfs>,
    /// How many layers are the base's, where that is known.
    pub(crate) base_layers: Option<usize>,
    /// What could not be read.
    pub(crate) problems: Vec<Problem>,
}

impl Subject {
    /// Its files, where it has some.
    pub(crate) fn tree(&self) -> Option<&FileTree> {
        self.rootfs.as_ref().map(|rootfs| &rootfs.tree)
    }
}

/// Opens what the user named: a list of packages, or an image.
pub(crate) fn open(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    distribution: Option<&str>,
) -> Result<Subject> {
    let mut subject = match list(name) {
        Some(listing) => Subject {
            // Where it lies is of no interest beside another.
            name: name.rsplit('/').next().unwrap_or(name).to_owned(),
            digest: String::new(),
            problems: listing.inventory.problems.clone(),
            inventory: listing.inventory,
            rootfs: None,
            base_layers: None,
        },
        None => image(session::inventory_of(context, name, platform)?),
    };
    if let Some(text) = distribution {
        let release = listing::distribution(text).ok_or_else(|| {
            Failure::new(format!("`{text}` is no distribution release"))
                .hint("write it as debian:12")
        })?;
        subject.inventory.release = Some(release);
    }
    Ok(subject)
}

/// An image that is open already.
fn image(opened: session::Opened) -> Subject {
    let mut inventory = opened.inventory;
    if inventory.release.is_none() {
        inventory.release = OsRelease::of(&opened.rootfs).0.map(|(release, _)| release);
    }
    Subject {
        name: opened.image.name.clone(),
        digest: opened.image.digest.to_string(),
        base_layers: opened.lineage.base_layers(),
        inventory,
        rootfs: Some(opened.rootfs),
        problems: opened.problems,
    }
}

/// The list of packages in the file of this name; nothing where it is none.
fn list(name: &str) -> Option<listing::Listing> {
    let path = Path::new(name);
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LIMIT {
        return None;
    }
    let mut file = std::fs::File::open(path).ok()?.take(LIMIT);
    // An archive is told by its first bytes: no text has a zero among them, nor begins as these do.
    let mut head = [0; 512];
    let count = file.read(&mut head).ok()?;
    let mut bytes = head[..count].to_vec();
    if bytes.contains(&0) || bytes.starts_with(&[0x1f, 0x8b]) {
        return None;
    }
    file.read_to_end(&mut bytes).ok()?;
    listing::read(&String::from_utf8(bytes).ok()?)
}
