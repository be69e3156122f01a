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
        let print = |at: Extent, size: u64| Some((size, rootfs.contents.fingerprint(at, size)?));
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

/// Files whose fingerprints are asked for together.
const BATCH: usize = 1 << 16;

/// Bytes of files whose content another file of the tree has.
fn duplicate(rootfs: &Rootfs) -> u64 {
    let count = rootfs.tree.len();
    let files = || {
        let files = rootfs.tree.files();
        files.filter_map(|(_, node)| match node.kind {
            Kind::File { size, at } if size > 0 => Some((size, at)),
            _ => None,
        })
    };
    let sizes = several(files().map(|(size, _)| size), count);
    let mut alike = files().filter(|(size, _)| sizes.binary_search(size).is_ok());
    let mut prints: Vec<(u64, u64)> = Vec::new();
    loop {
        // In the order in which they lie: some have to be read for it.
        let mut some: Vec<(u64, Extent)> = alike.by_ref().take(BATCH).collect();
        if some.is_empty() {
            break;
        }
        some.sort_unstable_by_key(|&(_, at)| (at.layer, at.offset));
        let counted = some.into_iter();
        prints.extend(counted.filter_map(|(size, at)| {
            let print = rootfs.contents.fingerprint(at, size)?;
            Some((size, print))
        }));
    }
    prints.sort_unstable();
    let again = prints.chunk_by(|one, other| one == other);
    again.fold(0, |sum, alike| {
        let each = alike.first().map_or(0, |&(size, _)| size);
        let more = alike.len().saturating_sub(1) as u64;
        sum.saturating_add(each.saturating_mul(more))
    })
}

/// The numbers (sizes, fingerprints) that come more than once, each once and in order, of about `count`: of
/// a million files hardly one is there twice, and only of those more need be remembered.
pub fn several(numbers: impl Iterator<Item = u64>, count: usize) -> Vec<u64> {
    let mut all = Vec::with_capacity(count);
    all.extend(numbers);
    all.sort_unstable();
    let alike = all.chunk_by(|one, other| one == other);
    let several = alike.filter(|alike| alike.len() > 1);
    several.filter_map(|alike| alike.first().copied()).collect()
}
