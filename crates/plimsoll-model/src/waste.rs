//! Bytes that an image stores and need not, told apart by how they came to be wasted.

use std::collections::BTreeMap;

use crate::{Extent, ImagePath, Kind, Rootfs};

/// Bytes that an image stores and need not. The first three are dead, in layers and in no container,
/// and add up to [`crate::FileTree::dead_bytes`]; the last is seen by containers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waste {
    /// Removed by a later layer.
    pub deleted: u64,
    /// Written again by a later layer, with another content (or as something that is no file).
    pub overwritten: u64,
    /// Written again by a later layer with the same content: its owner, mode or time was changed.
    pub again: u64,
    /// The same content in several files of the tree: all of them but one. Hard links are one file.
    pub duplicate: u64,
}

impl Waste {
    /// Counts an image. Contents are compared by their length and [`crate::Contents::fingerprint`];
    /// where there is none, they count as different.
    pub fn of(rootfs: &Rootfs) -> Self {
        let tree = &rootfs.tree;
        let print = |at: Extent, size: u64| Some((size, rootfs.contents.fingerprint(at)?));
        // What each layer wrote where something was hidden, whether it is still there or not.
        let overwritten = tree.dead.iter().filter(|dead| !dead.removed);
        let mut written: BTreeMap<(&ImagePath, u32), (Extent, u64)> = BTreeMap::new();
        for dead in overwritten.clone() {
            if let Some(node) = tree.get(&dead.path)
                && let Kind::File { size, at } = node.kind
            {
                written.insert((&dead.path, at.layer), (at, size));
            }
        }
        for dead in &tree.dead {
            written.insert((&dead.path, dead.layer), (dead.at, dead.size));
        }
        let mut waste = Self::default();
        for dead in &tree.dead {
            let by = written.get(&(&dead.path, dead.hidden_by));
            let same = || {
                let by = by.and_then(|&(at, size)| print(at, size));
                by.is_some() && by == print(dead.at, dead.size)
            };
            let sum = if dead.removed {
                &mut waste.deleted
            } else if same() {
                &mut waste.again
            } else {
                &mut waste.overwritten
            };
            *sum = sum.saturating_add(dead.size);
        }
        waste.duplicate = duplicate(rootfs);
        waste
    }

    /// Bytes that no container sees.
    pub fn dead(&self) -> u64 {
        let dead = self.deleted.saturating_add(self.overwritten);
        dead.saturating_add(self.again)
    }
}

/// Bytes of files whose content another file of the tree has.
fn duplicate(rootfs: &Rootfs) -> u64 {
    let mut contents = Vec::new();
    for (_, node) in rootfs.tree.files() {
        if let Kind::File { size, at } = node.kind
            && size > 0
            && let Some(print) = rootfs.contents.fingerprint(at)
        {
            contents.push((size, print));
        }
    }
    contents.sort_unstable();
    let pairs = contents.windows(2);
    let again = pairs.filter(|pair| pair.first() == pair.last());
    let sizes = again.filter_map(|pair| pair.first().map(|(size, _)| *size));
    sizes.fold(0, u64::saturating_add)
}
