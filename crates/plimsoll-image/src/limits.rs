//! What plimsoll is willing to read of an image a stranger made.

use crate::Error;

/// The explicit limits of reading. Each is far above what real images need, and an image that hits
/// one is refused with the limit's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one JSON document: an index, a manifest, a configuration. (Registries refuse
    /// manifests above 4 MiB.)
    pub document: u64,
    /// Layers of one image. (Runtimes stop at 127.)
    pub layers: u64,
    /// Entries of all layers together, and paths of the merged tree.
    pub entries: u64,
    /// Bytes of names, link targets and extended attributes kept in memory, all layers together.
    pub names: u64,
    /// Bytes of one uncompressed layer that are believed whatever its compressed size is.
    pub layer_floor: u64,
    /// Above [`Self::layer_floor`]: uncompressed bytes for each compressed byte of a layer.
    pub layer_ratio: u64,
    /// Bytes of all layers, uncompressed.
    pub uncompressed: u64,
    /// Bytes of file contents held in memory because they will be asked for again.
    pub captured: u64,
    /// Bytes of larger files kept in a temporary file, because they will be asked for again.
    pub kept: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document: 8 << 20,
            layers: 1000,
            entries: 5_000_000,
            names: 1 << 30,
            layer_floor: 1 << 30,
            layer_ratio: 200,
            uncompressed: 1 << 40,
            captured: 48 << 20,
            kept: 4 << 30,
        }
    }
}

impl Limits {
    /// The bytes that `compressed` bytes may become.
    pub(crate) fn uncompressed_of(&self, compressed: u64) -> u64 {
        self.layer_floor
            .max(compressed.saturating_mul(self.layer_ratio))
            .min(self.uncompressed)
    }

    /// The error for more bytes than [`Self::uncompressed_of`].
    pub(crate) fn too_large(&self, what: &str, compressed: u64) -> Error {
        let limit = self.uncompressed_of(compressed);
        let name = if limit == self.uncompressed {
            "uncompressed"
        } else if limit == self.layer_floor {
            "layer_floor"
        } else {
            "layer_ratio"
        };
        Error::Limit {
            what: format!("{what} ({compressed} bytes compressed)"),
            name,
            limit,
            unit: "bytes uncompressed",
        }
    }

    /// Refuses a document of more bytes than one may have.
    pub(crate) fn document(&self, what: &str, size: u64) -> Result<(), Error> {
        if size <= self.document {
            return Ok(());
        }
        Err(Error::Limit {
            what: what.to_owned(),
            name: "document",
            limit: self.document,
            unit: "bytes",
        })
    }

    /// Refuses a `count` above the limit called `name`.
    pub(crate) fn check(&self, what: &str, name: &'static str, count: u64) -> Result<(), Error> {
        let (limit, unit) = match name {
            "layers" => (self.layers, "layers"),
            "entries" => (self.entries, "entries"),
            "names" => (self.names, "bytes of names and attributes"),
            _ => (self.uncompressed, "bytes uncompressed"),
        };
        if count <= limit {
            return Ok(());
        }
        Err(Error::Limit {
            what: what.to_owned(),
            name,
            limit,
            unit,
        })
    }
}
