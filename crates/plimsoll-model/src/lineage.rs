//! Parent, base, scratch: what an image was made from, and how we know.

/// One step down towards scratch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestor {
    /// What it is: `debian 12 (bookworm)`, `scratch`.
    pub name: String,
    /// How many of the image's layers, from the lowest, are this ancestor's; 0 for scratch,
    /// `None` where that is not known.
    pub layers: Option<usize>,
    /// The evidence, as a phrase: `/etc/os-release`, `annotation org.opencontainers.image.base.name`.
    pub evidence: String,
}

/// The chain from the image's parent down to scratch, nearest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The ancestors; the last is scratch.
    pub ancestors: Vec<Ancestor>,
}

impl Lineage {
    /// How many layers, from the lowest, are the base's and not the application's, where known.
    pub fn base_layers(&self) -> Option<usize> {
        self.ancestors
            .iter()
            .find_map(|ancestor| ancestor.layers.filter(|&layers| layers > 0))
    }
}
