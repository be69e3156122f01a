//! What every verb begins with: the image is opened, its tree merged, its packages listed.

use std::path::{Path, PathBuf};

use plimsoll_model::{Image, Inventory, Lineage, Problem, Rootfs, Subject};

use crate::failure::{Failure, Result};
use crate::interrupt::Leftovers;
use crate::progress::Progress;

/// What the verbs share: where the cache is, and what is shown meanwhile.
pub(crate) struct Context {
    /// Directory for what is fetched and for plans.
    pub(crate) cache: PathBuf,
    /// What is shown.
    pub(crate) progress: Progress,
    /// What an interrupted process takes away.
    pub(crate) leftovers: Leftovers,
}

/// An image, read.
pub(crate) struct Opened {
    /// The image.
    pub(crate) image: Image,
    /// Its tree.
    pub(crate) rootfs: Rootfs,
    /// What is installed.
    pub(crate) inventory: Inventory,
    /// What it was made from.
    pub(crate) lineage: Lineage,
    /// What could not be read.
    pub(crate) problems: Vec<Problem>,
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

/// The same, for what the user has no name for.
pub(crate) fn read(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    spool: Option<&Path>,
) -> Result<Opened> {
    let platform = match platform {
        Some(text) => Some(plimsoll_image::Platform::parse(text).map_err(|error| {
            Failure::because(
                format_args!("cannot understand the platform {text}"),
                &error,
            )
            .hint("write it as os/architecture, such as linux/arm64")
        })?),
        None => None,
    };
    let progress = context.progress.clone();
    let on_bytes = move |done, total| progress.bytes(done, total);
    let options = plimsoll_image::Options {
        platform,
        spool,
        progress: Some(&on_bytes),
        interest: Some(&plimsoll_packages::databases::Wanted),
    };
    let opened = plimsoll_image::open(name, &options)
        .map_err(|error| Failure::because(format_args!("cannot read {name}"), &error))?;
    let inventory = plimsoll_packages::databases::inventory(&opened.rootfs);
    let mut problems = opened.problems;
    problems.extend(inventory.problems.iter().cloned());
    context.progress.done();
    Ok(Opened {
        image: opened.image,
        rootfs: opened.rootfs,
        lineage: opened.lineage,
        inventory,
        problems,
    })
}
