//! An image: an immutable view of a config and its layers.

use std::sync::Arc;

use crate::{Config, Digest, Open};

/// What a manifest says of a blob: its kind, digest and size (OCI `descriptor.md`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Media type as written; empty where the manifest names none.
    pub media_type: String,
    /// The digest of the bytes as stored (compressed, for a layer).
    pub digest: Digest,
    /// The number of bytes as stored.
    pub size: u64,
}

/// Bytes that can be opened again and again, and what they were promised to be.
#[derive(Clone)]
pub struct Blob {
    /// The promise.
    pub descriptor: Descriptor,
    /// The bytes, not verified until somebody reads them.
    pub bytes: Arc<dyn Open>,
}

/// One layer of an image, lowest first in [`Image::layers`].
#[derive(Clone)]
pub struct Layer {
    /// The layer as it is stored.
    pub blob: Blob,
    /// The digest of the uncompressed tar.
    pub diff_id: Digest,
    /// The number of bytes of the uncompressed tar; 0 until it was read.
    pub uncompressed_size: u64,
    /// The instruction that made it, where the history says so.
    pub created_by: Option<String>,
}

/// An image as it lies somewhere. It never changes: a changed image is a new `Image`.
#[derive(Clone)]
pub struct Image {
    /// The name as the user wrote it, or the one found beside the image.
    pub name: String,
    /// The digest of the manifest; of the config, for an archive that has no manifest of its own.
    pub digest: Digest,
    /// The configuration.
    pub config: Config,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
    /// The annotations of the manifest.
    pub annotations: std::collections::BTreeMap<String, String>,
}

impl Image {
    /// The bytes of all layers as stored: what a pull moves.
    pub fn compressed_size(&self) -> u64 {
        self.layers
            .iter()
            .map(|layer| layer.blob.descriptor.size)
            .sum()
    }
}
