//! All a check or a plan may look at.

use crate::{Image, Inventory, Lineage, Rootfs};

/// All a check or a plan may look at: the image, its tree, what is installed, where it comes from.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The image.
    pub image: &'a Image,
    /// Its merged tree.
    pub rootfs: &'a Rootfs,
    /// What is installed.
    pub inventory: &'a Inventory,
    /// What it was made from.
    pub lineage: &'a Lineage,
}
