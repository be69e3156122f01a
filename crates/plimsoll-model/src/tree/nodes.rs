//! The nodes of a tree by path, in the order of the bytes, with little beside them in memory.
//!
//! A million files are nothing unusual, and a node is five times the size of the number that stands for
//! it here. A B-tree that is filled in order (as layers fill it) leaves half of each of its own nodes
//! empty: better of numbers than of nodes, which lie in blocks that are full.

use std::borrow::Borrow;
use std::collections::{BTreeMap, btree_map};
use std::ops::Bound;

use super::Node;
use crate::ImagePath;

/// Nodes that are allocated together.
const BLOCK: usize = 512;

/// A map of paths to nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    paths: BTreeMap<ImagePath, u32>,
    blocks: Blocks,
}

impl Nodes {
    pub(super) fn get(&self, path: &(impl AsBytes + ?Sized)) -> Option<&Node> {
        self.blocks.get(*self.paths.get(path.bytes())?)
    }

    pub(super) fn get_mut(&mut self, path: &ImagePath) -> Option<&mut Node> {
        self.blocks.get_mut(*self.paths.get(path)?)
    }

    pub(super) fn contains_key(&self, path: &(impl AsBytes + ?Sized)) -> bool {
        self.paths.contains_key(path.bytes())
    }

    pub(super) fn insert(&mut self, path: ImagePath, node: Node) {
        match self.paths.entry(path) {
            btree_map::Entry::Occupied(place) => {
                if let Some(old) = self.blocks.get_mut(*place.get()) {
                    *old = node;
                }
            }
            btree_map::Entry::Vacant(place) => {
                place.insert(self.blocks.put(node));
            }
        }
    }

    pub(super) fn remove(&mut self, path: &ImagePath) -> Option<Node> {
        let number = self.paths.remove(path)?;
        self.blocks.take(number)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&ImagePath, &Node) -> bool) {
        let blocks = &mut self.blocks;
        self.paths.retain(|path, number| {
            let stays = blocks.get(*number).is_some_and(|node| keep(path, node));
            if !stays {
                blocks.take(*number);
            }
            stays
        });
    }

    /// Fills the half empty nodes of the B-tree, which nothing will be put into any more.
    pub(super) fn compact(&mut self) {
        // `append` builds a map of full nodes, unless one of the two is empty.
        let Some((path, number)) = self.paths.pop_first() else {
            return;
        };
        let mut full = BTreeMap::from([(path, number)]);
        full.append(&mut self.paths);
        self.paths = full;
    }

    pub(super) fn len(&self) -> usize {
        self.paths.len()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&ImagePath, &Node)> {
        let found = self.paths.iter();
        found.filter_map(|(path, number)| Some((path, self.blocks.get(*number)?)))
    }

    pub(super) fn range<'a>(
        &'a self,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl DoubleEndedIterator<Item = (&'a ImagePath, &'a Node)> + use<'a> {
        let found = self.paths.range::<[u8], _>(bounds);
        found.filter_map(|(path, number)| Some((path, self.blocks.get(*number)?)))
    }
}

/// Nodes by number, in blocks; what is free is given out again.
#[derive(Debug, Clone, Default)]
struct Blocks {
    blocks: Vec<Vec<Option<Node>>>,
    free: Vec<u32>,
}

impl Blocks {
    fn get(&self, number: u32) -> Option<&Node> {
        let number = number as usize;
        self.blocks
            .get(number / BLOCK)?
            .get(number % BLOCK)?
            .as_ref()
    }

    fn place(&mut self, number: u32) -> Option<&mut Option<Node>> {
        let number = number as usize;
        self.blocks.get_mut(number / BLOCK)?.get_mut(number % BLOCK)
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut Node> {
        self.place(number)?.as_mut()
    }

    fn put(&mut self, node: Node) -> u32 {
        if let Some(number) = self.free.pop()
            && let Some(place) = self.place(number)
        {
            *place = Some(node);
            return number;
        }
        match self.blocks.last_mut() {
            Some(last) if last.len() < BLOCK => last.push(Some(node)),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(Some(node));
                self.blocks.push(block);
            }
        }
        let last = self.blocks.last().map_or(0, Vec::len);
        ((self.blocks.len() - 1) * BLOCK + last - 1) as u32
    }

    fn take(&mut self, number: u32) -> Option<Node> {
        let node = self.place(number)?.take();
        self.free.push(number);
        node
    }
}

/// What a path can be looked up by.
pub(super) trait AsBytes {
    fn bytes(&self) -> &[u8];
}

impl AsBytes for [u8] {
    fn bytes(&self) -> &[u8] {
        self
    }
}

impl AsBytes for ImagePath {
    fn bytes(&self) -> &[u8] {
        self.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Metadata};
    use super::*;

    fn node(inode: u32) -> Node {
        Node {
            kind: Kind::Fifo,
            meta: Metadata::with_mode(0o644),
            layer: 0,
            inode,
        }
    }

    #[test]
    fn a_node_is_small() {
        // Of a million files each byte counts a megabyte.
        assert!(
            size_of::<Option<Node>>() <= 64,
            "{}",
            size_of::<Option<Node>>()
        );
    }

    #[test]
    fn it_is_the_map_it_stands_for() {
        let mut nodes = Nodes::default();
        let mut map = BTreeMap::new();
        let mut state = 7_u32;
        for step in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let path = ImagePath::new(format!("/{}/{}", state >> 29, (state >> 16) % 700));
            match state >> 14 & 3 {
                0 => assert_eq!(nodes.remove(&path), map.remove(&path)),
                1 => assert_eq!(nodes.get(&path), map.get(&path)),
                _ => {
                    nodes.insert(path.clone(), node(step));
                    map.insert(path, node(step));
                }
            }
        }
        assert!(nodes.iter().eq(map.iter()));
        assert_eq!(nodes.len(), map.len());
        // What was freed was used again.
        assert!(nodes.blocks.blocks.len() <= 8 * 700 / BLOCK + 1);
        nodes.compact();
        assert!(nodes.iter().eq(map.iter()));
        let odd = |node: &Node| node.inode % 2 == 1;
        nodes.retain(|_, node| odd(node));
        map.retain(|_, node| odd(node));
        assert!(nodes.iter().rev().eq(map.iter().rev()));
    }
}
