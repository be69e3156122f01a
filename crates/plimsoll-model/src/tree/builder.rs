//! Layers, lowest first, become one tree; what later layers hide goes on record.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::ops::Bound;

use super::{
    Change, Dead, Entry, EntryKind, FileTree, Kind, LayerFacts, Node, ResolveError, Stopped, below,
};
use crate::ImagePath;

/// Why an entry of a layer was left out of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A hard link to something that is not there.
    DanglingHardlink(ImagePath),
    /// A hard link to a directory.
    HardlinkToDirectory(ImagePath),
    /// The way to the entry leads through a ring of symbolic links or a file.
    NoWay(ImagePath),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DanglingHardlink(target) => {
                write!(f, "hard link to {target}, which is not there")
            }
            Self::HardlinkToDirectory(target) => write!(f, "hard link to the directory {target}"),
            Self::NoWay(at) => write!(f, "the way to it is barred at {at}"),
        }
    }
}

/// Merges layers, lowest first, into a [`FileTree`].
#[derive(Default)]
pub struct Builder {
    tree: FileTree,
    /// How many live names each file has; absent means one.
    names: BTreeMap<u32, u32>,
    /// Directory as named in the layer → where it really is: the entries of a layer come in runs.
    last_parent: Option<(ImagePath, ImagePath)>,
    /// What the layers did, for whoever asked.
    changes: Option<Vec<Change>>,
}

impl Builder {
    /// One that remembers what each layer did: see [`Self::take_changes`].
    pub fn remembering() -> Self {
        Self {
            changes: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Every change since the beginning, in the order they were made; nothing unless this is
    /// [`Self::remembering`]. A path that one layer takes away and writes again has several.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.changes
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Makes the directories above `path` that are missing.
    fn make_parents(&mut self, path: &ImagePath, layer: u32) {
        for made in self.tree.make_parents(path, layer) {
            let node = self.tree.nodes.get(&made);
            remember(&mut self.changes, &made, layer, node);
        }
    }

    /// The next layer begins; answers its number.
    pub fn begin_layer(&mut self) -> u32 {
        self.last_parent = None;
        self.tree.layers.push(LayerFacts::default());
        self.tree.layers.len() as u32 - 1
    }

    /// Merges one entry of the layer begun last.
    ///
    /// Parents that are symbolic links are followed inside the image, as containerd does; missing
    /// parents are made.
    ///
    /// # Errors
    /// When the entry means nothing here; it is left out and the rest of the layer still counts.
    pub fn apply(&mut self, entry: Entry) -> Result<(), Refused> {
        if self.tree.layers.is_empty() {
            self.begin_layer();
        }
        let layer = self.tree.layers.len() as u32 - 1;
        let facts = &mut self.tree.layers[layer as usize];
        facts.entries += 1;
        match entry.kind {
            EntryKind::Whiteout => {
                facts.whiteouts += 1;
                // A whiteout of something that is nowhere is harmless, also when its parent is not.
                if let Ok(path) = self.place(&entry.path, layer, false) {
                    self.kill(&path, layer, true);
                }
            }
            EntryKind::Opaque => {
                facts.whiteouts += 1;
                if let Ok(found) = self.tree.resolve(&entry.path) {
                    self.kill_below(&found.path, layer, true);
                }
            }
            EntryKind::Hardlink(target) => {
                let found = self.tree.resolve_parent(&target);
                let found = found
                    .map_err(|_| Refused::DanglingHardlink(target.clone()))?
                    .path;
                let mut node = match self.tree.nodes.get(&found) {
                    None => return Err(Refused::DanglingHardlink(target)),
                    Some(node) if node.is_dir() => {
                        return Err(Refused::HardlinkToDirectory(target));
                    }
                    Some(node) => node.clone(),
                };
                let path = self.place(&entry.path, layer, true)?;
                if path == found {
                    return Ok(());
                }
                node.layer = layer;
                // Counted before the old node goes, so that a link over another name of the same
                // file does not bury the bytes it keeps alive.
                *self.names.entry(node.inode).or_insert(1) += 1;
                self.replace(&path, layer);
                remember(&mut self.changes, &path, layer, Some(&node));
                self.tree.nodes.insert(path, node);
            }
            EntryKind::Node(kind) => {
                if let Kind::File { size, .. } = kind {
                    facts.files += 1;
                    facts.bytes += size;
                }
                if entry.path.is_root() {
                    if let (Kind::Dir, Some(root)) = (kind, self.tree.nodes.get_mut(&entry.path)) {
                        root.meta = entry.meta;
                        root.layer = layer;
                        remember(&mut self.changes, &entry.path, layer, Some(root));
                    }
                    return Ok(());
                }
                let path = self.place(&entry.path, layer, true)?;
                let existing = self.tree.nodes.get_mut(&path);
                if let (Kind::Dir, Some(node)) = (&kind, existing)
                    && node.is_dir()
                {
                    node.meta = entry.meta;
                    node.layer = layer;
                    remember(&mut self.changes, &path, layer, Some(node));
                    return Ok(());
                }
                self.replace(&path, layer);
                let inode = self.tree.new_inode();
                let meta = entry.meta;
                let node = Node {
                    kind,
                    meta,
                    layer,
                    inode,
                };
                remember(&mut self.changes, &path, layer, Some(&node));
                self.tree.nodes.insert(path, node);
            }
        }
        Ok(())
    }

    /// The tree as it is now.
    pub fn tree(&self) -> &FileTree {
        &self.tree
    }

    /// The merged tree.
    pub fn finish(mut self) -> FileTree {
        self.tree.nodes.compact();
        self.tree.is_merged = true;
        self.tree
    }

    /// Where `path` really is: its parents' links followed, and its parents made if `make`.
    fn place(&mut self, path: &ImagePath, layer: u32, make: bool) -> Result<ImagePath, Refused> {
        let Some(parent) = path.parent() else {
            return Ok(path.clone());
        };
        if let Some((named, real)) = &self.last_parent
            && *named == parent
            && self.tree.nodes.get(real).is_some_and(Node::is_dir)
        {
            return Ok(within(real, &parent, path));
        }
        let mut todo: VecDeque<Vec<u8>> = parent.components().map(<[u8]>::to_vec).collect();
        let mut real = ImagePath::root();
        // Each round walks one component; what is missing is made, links included in the walk.
        while let Some(part) = todo.pop_front() {
            match self.tree.walk(&real, &part, true) {
                Ok(found) => {
                    if !self.tree.nodes.get(&found.path).is_some_and(Node::is_dir) {
                        if !make {
                            return Err(Refused::NoWay(found.path));
                        }
                        // A file where the layer wants a directory: the layer is newer.
                        self.replace(&found.path, layer);
                        self.make_parents(&found.path.join("x"), layer);
                    }
                    real = found.path;
                }
                Err(ResolveError {
                    why: Stopped::Missing(missing),
                    ..
                }) if make => {
                    self.make_parents(&missing.join("x"), layer);
                    // A link whose target was missing: walk it again, one directory further.
                    todo.push_front(part);
                }
                Err(error) => {
                    let at = match error.why {
                        Stopped::Missing(at) | Stopped::NotADirectory(at) => at,
                        Stopped::Loop => real.join(&part),
                    };
                    return Err(Refused::NoWay(at));
                }
            }
        }
        let placed = within(&real, &parent, path);
        self.last_parent = Some((parent, real));
        Ok(placed)
    }

    /// Takes away whatever is at `path`, because this layer writes something else there.
    fn replace(&mut self, path: &ImagePath, layer: u32) {
        let Some(node) = self.tree.nodes.get(path) else {
            return;
        };
        if node.is_dir() {
            let (from, to) = below(path);
            let bounds = (Bound::Excluded(&*from), Bound::Excluded(&*to));
            let doomed: Vec<_> = self
                .tree
                .nodes
                .range(bounds)
                .map(|(path, _)| path.clone())
                .collect();
            for path in doomed {
                self.bury(&path, layer, false);
            }
        }
        self.bury(path, layer, false);
    }

    /// A whiteout: `path` and what is below it goes, as far as lower layers wrote it.
    fn kill(&mut self, path: &ImagePath, layer: u32, removed: bool) {
        let survivors = self.kill_below(path, layer, removed);
        if !survivors
            && self
                .tree
                .nodes
                .get(path)
                .is_some_and(|node| node.layer != layer)
        {
            self.bury(path, layer, removed);
        }
    }

    /// Takes away what lower layers wrote below `path`; answers whether anything of this layer
    /// is left there, for whose sake the directories above it stay.
    fn kill_below(&mut self, path: &ImagePath, layer: u32, removed: bool) -> bool {
        let (from, to) = below(path);
        let bounds = (Bound::Excluded(&*from), Bound::Excluded(&*to));
        let mut doomed = Vec::new();
        let mut needed: BTreeSet<ImagePath> = BTreeSet::new();
        for (below, node) in self.tree.nodes.range(bounds) {
            if node.layer == layer {
                for parent in below.ancestors().take_while(|parent| parent != path) {
                    if !needed.insert(parent) {
                        break;
                    }
                }
                needed.insert(below.clone());
            } else {
                doomed.push(below.clone());
            }
        }
        for path in doomed {
            if !needed.contains(&path) {
                self.bury(&path, layer, removed);
            }
        }
        !needed.is_empty()
    }

    /// Removes one name, and puts its bytes on record if it was the last name they had.
    fn bury(&mut self, path: &ImagePath, hidden_by: u32, removed: bool) {
        if path.is_root() {
            return;
        }
        let Some(node) = self.tree.nodes.remove(path) else {
            return;
        };
        remember(&mut self.changes, path, hidden_by, None);
        if let Some(names) = self.names.get_mut(&node.inode) {
            *names -= 1;
            if *names > 0 {
                return;
            }
            self.names.remove(&node.inode);
        }
        if let Kind::File { size, at } = node.kind
            && size > 0
        {
            let path = path.clone();
            self.tree.dead.push(Dead {
                path,
                size,
                layer: at.layer,
                at,
                hidden_by,
                removed,
            });
        }
    }
}

/// `path`, whose parent `named` really is `real`; nearly always it is named as it is.
fn within(real: &ImagePath, named: &ImagePath, path: &ImagePath) -> ImagePath {
    match real == named {
        true => path.clone(),
        false => real.join(path.file_name()),
    }
}

/// Remembers what is at `path` from now on, for whoever asked for it.
fn remember(changes: &mut Option<Vec<Change>>, path: &ImagePath, layer: u32, node: Option<&Node>) {
    if let Some(changes) = changes {
        changes.push(Change {
            path: path.clone(),
            layer,
            node: node.cloned(),
        });
    }
}
