//! The nodes of a tree by path, in the order of the bytes, with little beside them in memory.
//!
//! A million files are nothing unusual. A B-tree that is filled in order (as layers fill it) leaves half
//! of each of its own nodes empty; the runs here are full then. A node is three times the size of
//! what stands for it in a run, and lies in a block that is full.

use std::ops::Bound;

use super::Node;
use crate::ImagePath;

/// Nodes that are allocated together.
const BLOCK: usize = 512;
/// Paths of a run: enough that their list is short, few enough that one is put between them at once.
const RUN: usize = 512;

/// A map of paths to nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    /// None of them is empty, and all paths of one come before all of the next.
    runs: Vec<Run>,
    blocks: Blocks,
    len: usize,
}

/// Neighbours, in order, each with the number of its node.
#[derive(Debug, Clone, Default)]
struct Run {
    paths: Vec<ImagePath>,
    numbers: Vec<u32>,
}

/// Which run, and where in it; behind its last path where the next run begins.
type Place = (usize, usize);

impl Nodes {
    pub(super) fn get(&self, path: impl AsRef<[u8]>) -> Option<&Node> {
        self.blocks.get(self.number(self.find(path.as_ref())?)?)
    }

    pub(super) fn get_mut(&mut self, path: &ImagePath) -> Option<&mut Node> {
        let number = self.number(self.find(path.as_bytes())?)?;
        self.blocks.get_mut(number)
    }

    pub(super) fn contains_key(&self, path: impl AsRef<[u8]>) -> bool {
        self.find(path.as_ref()).is_some()
    }

    pub(super) fn insert(&mut self, path: ImagePath, node: Node) {
        if let Some(old) = self.get_mut(&path) {
            *old = node;
            return;
        }
        let (mut run, mut at) = self.seek(path.as_bytes(), false);
        if self.runs.get(run).is_some_and(|run| run.len() >= RUN) {
            (run, at) = self.make_room(run, at);
        }
        let number = self.blocks.put(node);
        if run >= self.runs.len() {
            self.runs.push(Run::default());
        }
        if let Some(run) = self.runs.get_mut(run) {
            let at = at.min(run.len());
            run.paths.insert(at, path);
            run.numbers.insert(at, number);
            self.len += 1;
        }
    }

    /// Where to put what belongs to `at` of the run number `full`, which has no room.
    ///
    /// What comes in order leaves full runs behind. Otherwise no run is less than a quarter full but
    /// those between two full ones, so that a stranger cannot make many of them.
    fn make_room(&mut self, full: usize, at: usize) -> Place {
        let next = full + 1;
        let Some(run) = self.runs.get_mut(full) else {
            return (full, at);
        };
        if at < run.len() {
            let cut = at.clamp(RUN / 4, RUN - RUN / 4);
            let behind = Run {
                paths: run.paths.split_off(cut),
                numbers: run.numbers.split_off(cut),
            };
            self.runs.insert(next, behind);
            return match at.checked_sub(cut) {
                Some(at) if at > 0 => (next, at),
                _ => (full, at),
            };
        }
        if self.runs.get(next).is_none_or(|next| next.len() >= RUN) {
            let run = Run {
                paths: Vec::with_capacity(RUN),
                numbers: Vec::with_capacity(RUN),
            };
            self.runs.insert(next, run);
        }
        (next, 0)
    }

    pub(super) fn remove(&mut self, path: &ImagePath) -> Option<Node> {
        let (number, at) = self.find(path.as_bytes())?;
        let run = self.runs.get_mut(number)?;
        run.paths.remove(at);
        let node = run.numbers.remove(at);
        if run.paths.is_empty() {
            self.runs.remove(number);
        }
        self.len -= 1;
        self.blocks.take(node)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&ImagePath, &Node) -> bool) {
        let blocks = &mut self.blocks;
        for run in &mut self.runs {
            let paths = std::mem::take(&mut run.paths);
            let numbers = std::mem::take(&mut run.numbers);
            for (path, number) in paths.into_iter().zip(numbers) {
                if blocks.get(number).is_some_and(|node| keep(&path, node)) {
                    run.paths.push(path);
                    run.numbers.push(number);
                } else {
                    blocks.take(number);
                }
            }
        }
        self.runs.retain(|run| run.len() > 0);
        self.len = self.runs.iter().map(Run::len).sum();
    }

    /// Gives back the room in the runs, which nothing will be put into any more.
    pub(super) fn compact(&mut self) {
        for run in &mut self.runs {
            run.paths.shrink_to_fit();
            run.numbers.shrink_to_fit();
        }
        self.runs.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&ImagePath, &Node)> {
        self.range((Bound::Unbounded, Bound::Unbounded))
    }

    pub(super) fn range<'a>(
        &'a self,
        (from, to): (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl DoubleEndedIterator<Item = (&'a ImagePath, &'a Node)> + use<'a> {
        let from = match from {
            Bound::Included(path) => self.seek(path, false),
            Bound::Excluded(path) => self.seek(path, true),
            Bound::Unbounded => (0, 0),
        };
        let to = match to {
            Bound::Included(path) => self.seek(path, true),
            Bound::Excluded(path) => self.seek(path, false),
            Bound::Unbounded => (self.runs.len(), 0),
        };
        let runs = from.0..self.runs.len().min(to.0 + 1);
        let runs = self.runs.get(runs).unwrap_or_default();
        let found = runs.iter().enumerate().flat_map(move |(number, run)| {
            let start = if number == 0 { from.1 } else { 0 };
            let is_last = from.0 + number == to.0;
            let end = if is_last { to.1 } else { run.len() };
            let paths = run.paths.get(start..end).unwrap_or_default();
            let numbers = run.numbers.get(start..end).unwrap_or_default();
            paths.iter().zip(numbers)
        });
        found.filter_map(|(path, number)| Some((path, self.blocks.get(*number)?)))
    }

    /// The place of exactly this path.
    fn find(&self, path: &[u8]) -> Option<Place> {
        let (run, at) = self.seek(path, false);
        let found = self.runs.get(run)?.paths.get(at)?;
        (found.as_bytes() == path).then_some((run, at))
    }

    fn number(&self, (run, at): Place) -> Option<u32> {
        self.runs.get(run)?.numbers.get(at).copied()
    }

    /// The first place whose path does not come before `path`; with `past`, the first behind `path`.
    fn seek(&self, path: &[u8], past: bool) -> Place {
        let begins = |run: &Run| {
            run.paths
                .first()
                .is_some_and(|first| first.as_bytes() <= path)
        };
        let Some(run) = self.runs.partition_point(begins).checked_sub(1) else {
            return (0, 0);
        };
        let is_before = |other: &ImagePath| match past {
            true => other.as_bytes() <= path,
            false => other.as_bytes() < path,
        };
        let paths = self.runs.get(run).map(|run| &*run.paths);
        (run, paths.unwrap_or_default().partition_point(is_before))
    }
}

impl Run {
    fn len(&self) -> usize {
        self.paths.len()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
        for (from, to) in [
            ("/1", "/4/33"),
            ("/3/2", "/3/2"),
            ("/3/2/", "/3/20"),
            ("/9", "/:"),
        ] {
            for from in [
                Bound::Included(from.as_bytes()),
                Bound::Excluded(from.as_bytes()),
            ] {
                for to in [
                    Bound::Included(to.as_bytes()),
                    Bound::Excluded(b"/:"),
                    Bound::Unbounded,
                ] {
                    let wanted = map.range::<[u8], _>((from, to));
                    let found = nodes.range((from, to));
                    assert!(found.rev().eq(wanted.rev()), "{from:?} {to:?}");
                }
            }
        }
        // What was freed was used again.
        assert!(nodes.blocks.blocks.len() <= 8 * 700 / BLOCK + 1);
        nodes.compact();
        assert!(nodes.iter().eq(map.iter()));
        let odd = |node: &Node| node.inode % 2 == 1;
        nodes.retain(|_, node| odd(node));
        map.retain(|_, node| odd(node));
        assert!(nodes.iter().rev().eq(map.iter().rev()));
    }

    #[test]
    fn whatever_the_order_there_are_few_runs() {
        let count = 40 * RUN as u32;
        let names = |order: &dyn Fn(u32) -> u32| {
            let mut nodes = Nodes::default();
            for step in 0..count {
                nodes.insert(ImagePath::new(format!("/{:08}", order(step))), node(step));
            }
            let paths: Vec<_> = nodes.iter().map(|(path, _)| path).collect();
            assert!(paths.is_sorted() && paths.len() == count as usize);
            nodes.runs.len()
        };
        assert_eq!(names(&|step| step), 40);
        assert!(names(&|step| count - step) <= 54);
        assert!(names(&|step| step.wrapping_mul(2_654_435_761) >> 5) <= 80);
        // From both ends to the middle, and from the middle to both ends.
        let ends = |step: u32| {
            if step.is_multiple_of(2) {
                step
            } else {
                2 * count - step
            }
        };
        assert!(names(&ends) <= 80);
        assert!(names(&|step| ends(count - step)) <= 80);
    }
}
