//! Many files, summed up by a directory above them.

use std::collections::BTreeMap;

use plimsoll_model::{Evidence, ImagePath, Node, text};

/// The largest heaps that a finding lists.
pub(crate) const LISTED: usize = 100;

/// Files summed up.
#[derive(Default)]
pub(crate) struct Heaps {
    heaps: BTreeMap<ImagePath, Heap>,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// How many they are.
    pub(crate) files: u64,
}

struct Heap {
    bytes: u64,
    layer: u32,
}

impl Heaps {
    /// One more path, counted at `at`; a directory is no file and has no bytes.
    pub(crate) fn add(&mut self, at: ImagePath, node: &Node) {
        self.add_bytes(at, node.layer, node.size());
        self.files -= u64::from(node.is_dir());
    }

    /// One more file, of which so many bytes count.
    pub(crate) fn add_bytes(&mut self, at: ImagePath, layer: u32, bytes: u64) {
        let heap = self.heaps.entry(at).or_insert(Heap { bytes: 0, layer });
        heap.bytes = heap.bytes.saturating_add(bytes);
        self.bytes = self.bytes.saturating_add(bytes);
        self.files += 1;
    }

    /// One more file that is smaller than all that are listed.
    pub(crate) fn count(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.files += 1;
    }

    /// What a message about many files ends with, where not all are listed.
    pub(crate) fn cut(&self) -> String {
        match self.heaps.len() > LISTED {
            true => format!(" (the {LISTED} largest are listed)"),
            false => String::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heaps.is_empty()
    }

    /// `40 files (12.3 MB)`.
    pub(crate) fn amount(&self) -> String {
        let bytes = text::bytes(self.bytes);
        match self.files {
            1 => format!("1 file ({bytes})"),
            files => format!("{} files ({bytes})", text::count(files)),
        }
    }

    /// The heaps, the largest first.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        let mut heaps: Vec<(&ImagePath, &Heap)> = self.heaps.iter().collect();
        heaps.sort_by_key(|(path, heap)| (std::cmp::Reverse(heap.bytes), *path));
        let evidence = heaps.into_iter().take(LISTED);
        let evidence = evidence.map(|(path, heap)| Evidence::Path {
            path: path.clone(),
            layer: heap.layer,
            size: heap.bytes,
        });
        evidence.collect()
    }
}
