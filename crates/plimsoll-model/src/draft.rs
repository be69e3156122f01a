//! A tree and a config about to become an image; slim and build both end here.

use std::collections::BTreeMap;

use crate::{Config, Rootfs};

/// One layer of an image in the making.
#[derive(Clone)]
pub struct DraftLayer {
    /// What the layer writes. For a layer above others: only what it adds or changes, with the
    /// directories on the way.
    pub rootfs: Rootfs,
    /// What made it, for the history.
    pub created_by: String,
}

/// An image in the making.
#[derive(Clone)]
pub struct Draft {
    /// The configuration. If it has a [`Config::raw`] document, unknown fields are taken from
    /// there; `rootfs` and `history` are always the writer's.
    pub config: Config,
    /// The layers, lowest first.
    pub layers: Vec<DraftLayer>,
    /// Annotations for the manifest.
    pub annotations: BTreeMap<String, String>,
}
