//! What every verb begins with: the image is opened, its tree merged, its packages listed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_checks::Abandoned;
use plimsoll_model::report::Upkeep;
use plimsoll_model::{Image, Inventory, Lineage, Problem, Rootfs, Subject};

use crate::document;
use crate::failure::{Failure, Result};
use crate::interrupt::Leftovers;
use crate::officials::Officials;
use crate::progress::Progress;
use crate::registry::Registries;

/// What the verbs share: where the cache is, and what is shown meanwhile. Clones share all of it.
#[derive(Clone)]
pub(crate) struct Context {
    /// Directory for what is fetched and for plans.
    pub(crate) cache: PathBuf,
    /// The ways to registries and engines.
    pub(crate) registries: Arc<Registries>,
    /// What is shown.
    pub(crate) progress: Progress,
    /// What an interrupted process takes away.
    pub(crate) leftovers: Leftovers,
}

/// An image, read.
pub(crate) struct Opened {
    /// The image.
    pub(crate) image: Image,
    /// Whether its digest is an image's: of a document that stands for one and does not name it, it
    /// is the document's own.
    pub(crate) is_named: bool,
    /// Whether it is a document that stands for an image: what is installed is known, and no more.
    pub(crate) is_document: bool,
    /// Its tree.
    pub(crate) rootfs: Rootfs,
    /// What is installed.
    pub(crate) inventory: Inventory,
    /// What it was made from.
    pub(crate) lineage: Lineage,
    /// What could not be read.
    pub(crate) problems: Vec<Problem>,
    /// Bytes of layers that were not fetched; only [`glance`] leaves any.
    pub(crate) unread: u64,
    /// The images it was made from that are known not to be rebuilt any more.
    pub(crate) abandoned: Vec<Abandoned>,
    /// What is known of the official images it was made from.
    pub(crate) upkeep: Vec<Upkeep>,
}

impl Opened {
    /// What a check or a plan may look at.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            image: &self.image,
            rootfs: &self.rootfs,
            inventory: &self.inventory,
            lineage: &self.lineage,
        }
    }
}

/// Opens the image called `name`. With a `spool` directory every file can be read at random (its
/// layers are kept there uncompressed, in a file without a name); without one memory is enough.
pub(crate) fn open(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    spool: Option<&Path>,
) -> Result<Opened> {
    context.progress.step(&format!("reading {name}"));
    read(context, name, platform, spool)
}

/// What is installed in the image called `name`, or in the one a document of that name stands for: for
/// whoever needs no more of an image. The tree of a document is empty.
pub(crate) fn inventory_of(
    context: &Context,
    name: &str,
    platform: Option<&str>,
) -> Result<Opened> {
    match document::open(name)? {
        Some(opened) => Ok(opened),
        None => open(context, name, platform, None),
    }
}

/// The same, but uncompressed layers may still be verified meanwhile: what [`plimsoll_image::Pending`] is
/// waited for with [`verified`], before anything is told.
pub(crate) fn open_ahead(
    context: &Context,
    name: &str,
    platform: Option<&str>,
) -> Result<(Opened, plimsoll_image::Pending)> {
    context.progress.step(&format!("reading {name}"));
    let open = |name: &str, options: &plimsoll_image::Options<'_>| {
        let options = plimsoll_image::Options {
            ahead: true,
            ..options.clone()
        };
        plimsoll_image::open(name, &options)
    };
    let mut opened = image(context, name, platform, None, open)?;
    let pending = std::mem::take(&mut opened.pending);
    Ok((listed(context, opened), pending))
}

/// Waits until an image that was opened ahead is verified.
pub(crate) fn verified(name: &str, pending: plimsoll_image::Pending) -> Result<()> {
    let verified = pending.wait();
    verified.map_err(|error| Failure::of_image(format_args!("cannot read {name}"), &error))
}

/// The same, for what the user has no name for.
pub(crate) fn read(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    spool: Option<&Path>,
) -> Result<Opened> {
    let opened = image(context, name, platform, spool, plimsoll_image::open)?;
    Ok(listed(context, opened))
}

/// The same, but layers that lie elsewhere are not fetched for it; with what the name meant in a registry,
/// where it was found in one.
pub(crate) fn glance(
    context: &Context,
    name: &str,
    platform: Option<&str>,
) -> Result<(Opened, Option<plimsoll_image::Reference>)> {
    context.progress.step(&format!("reading {name}"));
    let mut opened = image(context, name, platform, None, plimsoll_image::glance)?;
    let reference = opened.reference.take();
    Ok((listed(context, opened), reference))
}

/// With what is installed.
fn listed(context: &Context, opened: plimsoll_image::Opened) -> Opened {
    let inventory = plimsoll_packages::databases::inventory(&opened.rootfs);
    let mut problems = opened.problems;
    problems.extend(inventory.problems.iter().cloned());
    context.progress.done();
    let officials = Officials::of(&context.cache);
    if let Some(problem) = &officials.problem {
        context.progress.note(&format!("problem: {problem}"));
    }
    Opened {
        abandoned: officials.abandoned_of(&opened.lineage),
        upkeep: officials.upkeep(&opened.lineage),
        image: opened.image,
        is_named: true,
        is_document: false,
        rootfs: opened.rootfs,
        lineage: opened.lineage,
        inventory,
        problems,
        unread: opened.unread,
    }
}

/// The image alone, or what else `open` makes of its name and options.
pub(crate) fn image<T>(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    spool: Option<&Path>,
    open: impl FnOnce(
        &str,
        &plimsoll_image::Options<'_>,
    ) -> std::result::Result<T, plimsoll_image::Error>,
) -> Result<T> {
    let progress = context.progress.clone();
    let on_bytes = move |done, total| progress.bytes(done, total);
    let options = plimsoll_image::Options {
        platform: parsed(platform)?,
        spool,
        progress: Some(&on_bytes),
        interest: Some(&crate::wanted::Wanted),
        remotes: Some(&*context.registries),
        outline: None,
        changes: false,
        ahead: false,
    };
    open(name, &options).map_err(|error| match document::kind(name) {
        Some(kind) => Failure::new(format!(
            "{name} is {kind}, which says what is installed and holds no files"
        ))
        .hint("scan, sbom, inspect and check need no files"),
        None => Failure::of_image(format_args!("cannot read {name}"), &error),
    })
}

/// The platform the user named.
pub(crate) fn parsed(platform: Option<&str>) -> Result<Option<plimsoll_image::Platform>> {
    let Some(text) = platform else {
        return Ok(None);
    };
    let platform = plimsoll_image::Platform::parse(text).map_err(|error| {
        Failure::because(
            format_args!("cannot understand the platform {text}"),
            &error,
        )
        .hint("write it as os/architecture, such as linux/arm64")
    })?;
    Ok(Some(platform))
}
