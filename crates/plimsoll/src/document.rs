//! Documents that stand for an image: bills of materials, and lists of packages.

use std::fs;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use plimsoll_model::{Config, Digest, Image, Inventory, Lineage, Rootfs};
use plimsoll_packages::{listing, sbom};
use sha2::Digest as _;

use crate::failure::{Failure, Result};
use crate::session::Opened;

/// Bytes by which a document is told.
const HEAD: u64 = 64 << 10;
/// A larger file is no document.
const LIMIT: u64 = 512 << 20;
/// A larger file is no list of packages.
const LIST: u64 = 64 << 20;

/// The image the document of this name stands for; `None` where the name is no document's. What
/// follows `sbom:` must be one.
///
/// # Errors
/// What is wrong with the document.
pub(crate) fn open(name: &str) -> Result<Option<Opened>> {
    let (path, must) = match name.strip_prefix("sbom:") {
        Some(path) => (path, true),
        None => (name, false),
    };
    let path = Path::new(path);
    if !must && !fs::metadata(path).is_ok_and(|facts| facts.is_file()) {
        return Ok(None);
    }
    let cannot =
        |error: &std::io::Error| Failure::because(format_args!("cannot read {name}"), error);
    let mut file = fs::File::open(path).map_err(|error| cannot(&error))?;
    let mut head = Vec::new();
    let read = (&mut file).take(HEAD).read_to_end(&mut head);
    read.map_err(|error| cannot(&error))?;
    let is_sbom = must || sbom::kind(&head).is_some();
    // An archive is told by its first bytes: no text has a zero among them, nor begins as these do.
    if !is_sbom && (head.contains(&0) || head.starts_with(&[0x1f, 0x8b])) {
        return Ok(None);
    }
    let limit = if is_sbom { LIMIT } else { LIST };
    let mut bytes = Vec::new();
    let read = file
        .rewind()
        .and_then(|()| file.take(limit + 1).read_to_end(&mut bytes));
    read.map_err(|error| cannot(&error))?;
    if bytes.len() as u64 > limit {
        return match is_sbom {
            true => Err(Failure::new(format!(
                "cannot read {name}: it has more than {limit} bytes"
            ))),
            false => Ok(None),
        };
    }
    if is_sbom {
        return bill(name, &bytes).map(Some);
    }
    let list = std::str::from_utf8(&bytes).ok().and_then(listing::read);
    // Where it lies is of no interest beside another.
    let file = name.rsplit('/').next().unwrap_or(name);
    Ok(list.map(|list| standing_in(file, None, Config::default(), list.inventory, &bytes)))
}

/// What kind of bill of materials the file of this name is, as a phrase; `None` where it is none.
pub(crate) fn kind(name: &str) -> Option<&'static str> {
    let path = Path::new(name.strip_prefix("sbom:").unwrap_or(name));
    if !fs::metadata(path).is_ok_and(|facts| facts.is_file()) {
        return None;
    }
    let mut head = Vec::new();
    let file = fs::File::open(path).ok()?;
    file.take(HEAD).read_to_end(&mut head).ok()?;
    sbom::kind(&head)
}

/// A bill of materials.
fn bill(name: &str, bytes: &[u8]) -> Result<Opened> {
    let sbom =
        sbom::read(bytes).map_err(|why| Failure::new(format!("cannot read {name}: {why}")))?;
    let config = Config {
        created: sbom.created.clone(),
        ..Config::default()
    };
    let name = match &*sbom.name {
        "" => name,
        own => own,
    };
    let digest = Digest::parse(&sbom.version).ok();
    Ok(standing_in(name, digest, config, sbom.inventory, bytes))
}

/// An image of which no more is known than what is installed in it.
fn standing_in(
    name: &str,
    digest: Option<Digest>,
    config: Config,
    inventory: Inventory,
    bytes: &[u8],
) -> Opened {
    let own: [u8; 32] = sha2::Sha256::digest(bytes).into();
    Opened {
        image: Image {
            name: name.to_owned(),
            digest: digest.unwrap_or_else(|| Digest::from_bytes(own)),
            config,
            layers: Vec::new(),
            annotations: Default::default(),
        },
        is_named: digest.is_some(),
        is_document: true,
        abandoned: Vec::new(),
        upkeep: Vec::new(),
        rootfs: Rootfs::empty(),
        lineage: Lineage::default(),
        problems: inventory.problems.clone(),
        inventory,
        unread: 0,
    }
}
