//! What an image was made from, down to scratch, each step with its evidence.

use plimsoll_model::{Image, Lineage, Rootfs};

/// The chain from the image's parent down to scratch, by the evidence the image carries itself.
pub fn lineage(_image: &Image, _rootfs: &Rootfs) -> Lineage {
    Lineage::default()
}
