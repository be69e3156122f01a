//! What manifest and configuration say of an image, for whoever wants to show it before its layers are read.

use plimsoll_model::{Config, Digest};

use crate::open::steps;
use crate::sources::{Described, Found};

/// An image of which no layer was read yet. Manifest and configuration are verified; what they say of layers
/// is a promise.
#[derive(Debug, Clone)]
pub struct Outline {
    /// Operating system, architecture, history and the rest.
    pub config: Config,
    /// The layers, lowest first.
    pub layers: Vec<Promise>,
}

/// A layer, as the manifest promises it.
#[derive(Debug, Clone)]
pub struct Promise {
    /// Digest of the bytes as stored, or of the plain layer where only that is written down.
    pub digest: Option<Digest>,
    /// Number of bytes as stored.
    pub size: u64,
    /// The instruction that made it, where the history says so.
    pub created_by: Option<String>,
}

impl Outline {
    /// What is known of an image that was found; nothing of a root file system, which has no documents.
    pub(crate) fn of(found: &Found) -> Option<Self> {
        let (config, layers): (&Config, Vec<(Option<Digest>, u64)>) = match found {
            Found::Described(described) => (&described.config, promised(described)),
            Found::Layered(layered) => {
                let layers = layered.layers.iter();
                let layers = layers.map(|layer| {
                    let size = layer.size.unwrap_or(layer.part.size);
                    (layer.digest.or(layer.diff_id), size)
                });
                (&layered.config, layers.collect())
            }
            Found::Tree { .. } => return None,
        };
        let mut created_by = steps(config).into_iter();
        let layers = layers.into_iter().map(|(digest, size)| Promise {
            digest,
            size,
            created_by: created_by.next().flatten(),
        });
        Some(Self {
            config: config.clone(),
            layers: layers.collect(),
        })
    }
}

fn promised(described: &Described) -> Vec<(Option<Digest>, u64)> {
    let layers = described.layers.iter();
    let layers = layers.map(|(entry, digest, _)| (Some(*digest), entry.size.unwrap_or(0)));
    layers.collect()
}
