//! From a name to an image, its tree and its lineage.

use std::path::Path;

use plimsoll_model::{Image, Lineage, Problem, Rootfs};

use crate::{Error, Limits, Platform};

/// Where to look and what to choose.
#[derive(Default, Clone)]
pub struct Options<'a> {
    /// The platform to choose from an image for several. Asked for explicitly, an image for another
    /// platform is refused; `None` prefers Linux on this machine's architecture and takes what is
    /// there where there is no choice.
    pub platform: Option<Platform>,
    /// A directory for unlinked temporary files with the uncompressed layers: random access to
    /// every file. Without it small files of interest are kept in memory from the first pass, and
    /// the rest is read by decompressing its layer again.
    pub spool: Option<&'a Path>,
    /// Told now and then how many bytes of compressed layers were read, and how many there are.
    /// Called from several threads.
    pub progress: Option<&'a (dyn Fn(u64, u64) + Sync)>,
}

/// An image, opened: every digest verified, every layer merged.
pub struct Opened {
    /// The image.
    pub image: Image,
    /// Its merged tree and the means to read its files.
    pub rootfs: Rootfs,
    /// What it was made from.
    pub lineage: Lineage,
    /// Entries that were left out of the tree, and why.
    pub problems: Vec<Problem>,
}

/// Opens the image `name` means.
///
/// # Errors
/// See [`Error`]; nothing usable is handed out when a digest does not agree or a layer ends early.
pub fn open(name: &str, options: &Options<'_>) -> Result<Opened, Error> {
    open_within(name, options, &Limits::default())
}

/// As [`open`], with other limits.
///
/// # Errors
/// As [`open`].
pub fn open_within(name: &str, _options: &Options<'_>, _limits: &Limits) -> Result<Opened, Error> {
    Err(Error::unsupported(name, "not readable yet"))
}
