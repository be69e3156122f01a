//! Every path of an image as the container sees it, and how layers become that tree.
//!
//! [`Builder`] merges the entries of layers by the rules of the OCI image specification
//! (`layer.md`: additions, modifications, whiteouts, opaque directories, hard links), and keeps
//! exact account of the bytes that later layers hide.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use crate::ImagePath;

/// Where the bytes of a file lie: which layer, and the offset of the body in its uncompressed tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extent {
    /// Index of the layer, lowest 0.
    pub layer: u32,
    /// Bytes from the start of the uncompressed layer.
    pub offset: u64,
}

/// Owner, mode, time and extended attributes of a path, as the layer's header gives them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metadata {
    /// The twelve permission bits, set-uid, set-gid and sticky included (`0o7777`).
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Modification time: seconds since 1970.
    pub mtime: i64,
    /// Its fraction, in nanoseconds.
    pub mtime_nanos: u32,
    /// Extended attributes (`security.capability`, `user.*`); `None` where there are none.
    pub xattrs: Option<Arc<BTreeMap<Vec<u8>, Vec<u8>>>>,
}

impl Metadata {
    /// Root's, of time 0, with this mode.
    pub fn with_mode(mode: u32) -> Self {
        Self {
            mode,
            uid: 0,
            gid: 0,
            mtime: 0,
            mtime_nanos: 0,
            xattrs: None,
        }
    }
}

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Dir,
    /// A regular file.
    File {
        /// Its bytes.
        size: u64,
        /// Where they lie.
        at: Extent,
    },
    /// A symbolic link, with its target as written.
    Symlink(Box<[u8]>),
    /// A device node.
    Device {
        /// A block device; otherwise a character device.
        block: bool,
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

/// One path of the merged tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Owner, mode, time, attributes.
    pub meta: Metadata,
    /// The layer that wrote it last.
    pub layer: u32,
    /// Paths with the same number are hard links to one file.
    pub inode: u32,
}

impl Node {
    /// Bytes of a regular file; 0 for everything else.
    pub fn size(&self) -> u64 {
        match self.kind {
            Kind::File { size, .. } => size,
            _ => 0,
        }
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Dir)
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File { .. })
    }

    /// Whether it is a regular file that somebody may execute.
    pub fn is_executable(&self) -> bool {
        self.is_file() && self.meta.mode & 0o111 != 0
    }
}

/// One entry of a layer, before merging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path it is about; for a whiteout the path that goes, for an opaque marker the directory.
    pub path: ImagePath,
    /// What it says.
    pub kind: EntryKind,
    /// Owner, mode, time, attributes; of no meaning for whiteouts and hard links.
    pub meta: Metadata,
}

/// What an entry of a layer says about its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// It is this.
    Node(Kind),
    /// It is another name of the file at this path.
    Hardlink(ImagePath),
    /// It goes, with everything below it that lower layers wrote.
    Whiteout,
    /// What lower layers wrote below this directory goes.
    Opaque,
}

/// What the name of an entry says, before anything else about it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// An ordinary path.
    Ordinary,
    /// `.wh.NAME`: this path goes.
    Whiteout(ImagePath),
    /// `.wh..wh..opq`: this directory is opaque.
    Opaque(ImagePath),
    /// Another `.wh..wh.*` name: bookkeeping of AUFS, no part of the image.
    Ignored,
}

impl Naming {
    /// What the name of `path` says.
    pub fn of(path: &ImagePath) -> Self {
        let name = path.file_name();
        let Some(rest) = name.strip_prefix(b".wh.") else {
            return Self::Ordinary;
        };
        let parent = path.parent().unwrap_or_else(ImagePath::root);
        match rest {
            b".wh..opq" => Self::Opaque(parent),
            _ if rest.starts_with(b".wh.") => Self::Ignored,
            b"" | b"." | b".." => Self::Ignored,
            rest => Self::Whiteout(parent.join(rest)),
        }
    }
}

/// Bytes that are in the image's layers but in no container: hidden by a later entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// The path under which the bytes were last visible.
    pub path: ImagePath,
    /// How many.
    pub size: u64,
    /// The layer that holds them.
    pub layer: u32,
    /// The layer that hides them.
    pub hidden_by: u32,
    /// Whether the path was removed; otherwise it was written again.
    pub removed: bool,
}

/// What one layer brought, counted while it was merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerFacts {
    /// Regular files.
    pub files: u64,
    /// Bytes of regular files.
    pub bytes: u64,
    /// Entries of any kind.
    pub entries: u64,
    /// Whiteouts and opaque markers.
    pub whiteouts: u64,
}

/// Every path of an image as the container sees it.
#[derive(Debug, Clone)]
pub struct FileTree {
    nodes: BTreeMap<ImagePath, Node>,
    /// The bytes no container sees, in the order they were hidden.
    pub dead: Vec<Dead>,
    /// What each layer brought, lowest first.
    pub layers: Vec<LayerFacts>,
    next_inode: u32,
}

impl Default for FileTree {
    /// The root directory alone.
    fn default() -> Self {
        let root = Node {
            kind: Kind::Dir,
            meta: Metadata::with_mode(0o755),
            layer: 0,
            inode: 0,
        };
        Self {
            nodes: BTreeMap::from([(ImagePath::root(), root)]),
            dead: Vec::new(),
            layers: Vec::new(),
            next_inode: 1,
        }
    }
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The path without symbolic links.
    pub path: ImagePath,
    /// Every symbolic link that was walked, in order.
    pub links: Vec<ImagePath>,
}

/// Why a path leads nowhere, with the symbolic links that were walked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveError {
    /// What stopped the walk.
    pub why: Stopped,
    /// The symbolic links walked until then.
    pub links: Vec<ImagePath>,
}

/// What stopped a walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// This path (links followed) does not exist; it need not be the last component.
    Missing(ImagePath),
    /// This path is no directory, but the walk had to go on below it.
    NotADirectory(ImagePath),
    /// More than [`MAX_LINKS`] symbolic links: a ring, or as good as one.
    Loop,
}

/// Linux gives up after 40 symbolic links (`path_resolution(7)`).
pub const MAX_LINKS: usize = 40;

impl FileTree {
    /// The node at exactly this path; no link is followed.
    pub fn get(&self, path: impl AsRef<[u8]>) -> Option<&Node> {
        self.nodes.get(path.as_ref())
    }

    /// Whether there is a node at exactly this path.
    pub fn contains(&self, path: impl AsRef<[u8]>) -> bool {
        self.nodes.contains_key(path.as_ref())
    }

    /// Every path, the root first, in the order of the bytes.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&ImagePath, &Node)> {
        self.nodes.iter()
    }

    /// How many paths there are, the root included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing but the root.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// Everything below `directory`, itself not included.
    pub fn subtree(&self, directory: &ImagePath) -> impl Iterator<Item = (&ImagePath, &Node)> {
        let (from, to) = below(directory);
        self.nodes
            .range::<[u8], _>((Bound::Excluded(&*from), Bound::Excluded(&*to)))
    }

    /// What lies directly in `directory`.
    pub fn children(&self, directory: &ImagePath) -> impl Iterator<Item = (&ImagePath, &Node)> {
        let depth = directory.depth() + 1;
        let (from, to) = below(directory);
        let mut at = Bound::Excluded(from);
        std::iter::from_fn(move || {
            loop {
                let bounds = (at.as_ref().map(|key| &**key), Bound::Excluded(&*to));
                let (path, node) = self.nodes.range::<[u8], _>(bounds).next()?;
                if path.depth() == depth {
                    at = Bound::Excluded(path.as_bytes().to_vec());
                    return Some((path, node));
                }
                // Below a child: go past all of it.
                let end = nth_slash(path.as_bytes(), depth);
                let mut past = path.as_bytes()[..end].to_vec();
                past.push(b'/' + 1);
                at = Bound::Included(past);
            }
        })
    }

    /// Follows `path` to what it names, through every symbolic link, inside the image.
    ///
    /// # Errors
    /// When something on the way is missing or no directory, or the links form a ring.
    pub fn resolve(&self, path: &ImagePath) -> Result<Resolved, ResolveError> {
        self.walk(&ImagePath::root(), path.as_bytes(), true)
    }

    /// As [`Self::resolve`], but a symbolic link in the last component is not followed.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn resolve_parent(&self, path: &ImagePath) -> Result<Resolved, ResolveError> {
        self.walk(&ImagePath::root(), path.as_bytes(), false)
    }

    /// Follows `path` as the kernel would for a process whose working directory is `from` (which
    /// must be free of links): component by component, `..` meaning the directory above the one
    /// that was reached.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn walk(
        &self,
        from: &ImagePath,
        path: &[u8],
        follow_last: bool,
    ) -> Result<Resolved, ResolveError> {
        let mut at: Vec<u8> = if path.first() == Some(&b'/') || from.is_root() {
            Vec::new()
        } else {
            from.as_bytes().to_vec()
        };
        let mut todo: VecDeque<Box<[u8]>> = components(path).collect();
        let mut links = Vec::new();
        while let Some(part) = todo.pop_front() {
            if &*part == b".." {
                let slash = at.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                at.truncate(slash);
                continue;
            }
            let above = at.len();
            at.push(b'/');
            at.extend_from_slice(&part);
            match self.nodes.get(&*at).map(|node| &node.kind) {
                None => {
                    let why = Stopped::Missing(ImagePath::new(&at));
                    return Err(ResolveError { why, links });
                }
                Some(Kind::Symlink(target)) if follow_last || !todo.is_empty() => {
                    if links.len() == MAX_LINKS {
                        return Err(ResolveError {
                            why: Stopped::Loop,
                            links,
                        });
                    }
                    links.push(ImagePath::new(&at));
                    at.truncate(if target.first() == Some(&b'/') {
                        0
                    } else {
                        above
                    });
                    for part in components(target).collect::<Vec<_>>().into_iter().rev() {
                        todo.push_front(part);
                    }
                }
                Some(Kind::Dir) => {}
                Some(_) if todo.is_empty() => {}
                Some(_) => {
                    let why = Stopped::NotADirectory(ImagePath::new(&at));
                    return Err(ResolveError { why, links });
                }
            }
        }
        Ok(Resolved {
            path: ImagePath::new(&at),
            links,
        })
    }

    /// The paths that are hard links to one file with others, grouped by [`Node::inode`].
    pub fn hard_links(&self) -> BTreeMap<u32, Vec<&ImagePath>> {
        let mut groups: BTreeMap<u32, Vec<&ImagePath>> = BTreeMap::new();
        for (path, node) in &self.nodes {
            if !node.is_dir() {
                groups.entry(node.inode).or_default().push(path);
            }
        }
        groups.retain(|_, paths| paths.len() > 1);
        groups
    }

    /// Bytes of all regular files, a file with several names counted once.
    pub fn live_bytes(&self) -> u64 {
        let mut counted = BTreeSet::new();
        self.nodes
            .values()
            .filter(|node| node.is_file() && counted.insert(node.inode))
            .map(Node::size)
            .sum()
    }

    /// Bytes that are in layers but in no container.
    pub fn dead_bytes(&self) -> u64 {
        self.dead.iter().map(|dead| dead.size).sum()
    }

    /// Regular files, a file with several names counted once.
    pub fn file_count(&self) -> u64 {
        let mut counted = BTreeSet::new();
        self.nodes
            .values()
            .filter(|node| node.is_file() && counted.insert(node.inode))
            .count() as u64
    }

    /// Puts a node at `path`, replacing what is there, making missing parents (root's, 0755).
    ///
    /// For trees that are made, not read: no account is kept of what is replaced. An inode of 0
    /// means a new file of its own.
    pub fn insert(&mut self, path: ImagePath, mut node: Node) {
        if !path.is_root() {
            self.make_parents(&path, node.layer);
        }
        if node.inode == 0 {
            node.inode = self.new_inode();
        }
        self.nodes.insert(path, node);
    }

    /// Removes the node at `path` and everything below it.
    pub fn remove(&mut self, path: &ImagePath) {
        let (from, to) = below(path);
        let doomed: Vec<ImagePath> = self
            .nodes
            .range::<[u8], _>((Bound::Excluded(&*from), Bound::Excluded(&*to)))
            .map(|(path, _)| path.clone())
            .collect();
        for path in doomed {
            self.nodes.remove(&path);
        }
        if !path.is_root() {
            self.nodes.remove(path);
        }
    }

    /// Keeps only the paths for which `keep` says so (the root always stays).
    pub fn retain(&mut self, mut keep: impl FnMut(&ImagePath, &Node) -> bool) {
        self.nodes
            .retain(|path, node| path.is_root() || keep(path, node));
    }

    fn new_inode(&mut self) -> u32 {
        let inode = self.next_inode;
        self.next_inode += 1;
        inode
    }

    fn make_parents(&mut self, path: &ImagePath, layer: u32) {
        let missing: Vec<ImagePath> = path
            .ancestors()
            .take_while(|parent| !self.nodes.contains_key(parent))
            .collect();
        for parent in missing {
            let inode = self.new_inode();
            let meta = Metadata::with_mode(0o755);
            self.nodes.insert(
                parent,
                Node {
                    kind: Kind::Dir,
                    meta,
                    layer,
                    inode,
                },
            );
        }
    }
}

/// The bounds, both excluded, between which lies everything below `directory`.
fn below(directory: &ImagePath) -> (Vec<u8>, Vec<u8>) {
    let mut from = if directory.is_root() {
        Vec::new()
    } else {
        directory.as_bytes().to_vec()
    };
    let mut to = from.clone();
    from.push(b'/');
    to.push(b'/' + 1);
    (from, to)
}

/// The index of the slash that ends the first `depth` components of an absolute path.
fn nth_slash(path: &[u8], depth: usize) -> usize {
    let mut slashes = path
        .iter()
        .enumerate()
        .skip(1)
        .filter(|&(_, &byte)| byte == b'/');
    slashes
        .nth(depth - 1)
        .map_or(path.len(), |(index, _)| index)
}

fn components(path: &[u8]) -> impl Iterator<Item = Box<[u8]>> + '_ {
    path.split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(Box::from)
}

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

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Stopped::Missing(path) => write!(f, "leads to {path}, which is not there"),
            Stopped::NotADirectory(path) => {
                write!(f, "leads through {path}, which is no directory")
            }
            Stopped::Loop => write!(f, "leads through more than {MAX_LINKS} symbolic links"),
        }
    }
}

impl std::error::Error for ResolveError {}

/// Merges layers, lowest first, into a [`FileTree`].
#[derive(Default)]
pub struct Builder {
    tree: FileTree,
    /// How many live names each file has; absent means one.
    names: BTreeMap<u32, u32>,
    /// Directory as named in the layer → where it really is: the entries of a layer come in runs.
    last_parent: Option<(ImagePath, ImagePath)>,
}

impl Builder {
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
                    return Ok(());
                }
                self.replace(&path, layer);
                let inode = self.tree.new_inode();
                self.tree.nodes.insert(
                    path,
                    Node {
                        kind,
                        meta: entry.meta,
                        layer,
                        inode,
                    },
                );
            }
        }
        Ok(())
    }

    /// The tree as it is now.
    pub fn tree(&self) -> &FileTree {
        &self.tree
    }

    /// The merged tree.
    pub fn finish(self) -> FileTree {
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
            return Ok(real.join(path.file_name()));
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
                        self.tree.make_parents(&found.path.join("x"), layer);
                    }
                    real = found.path;
                }
                Err(ResolveError {
                    why: Stopped::Missing(missing),
                    ..
                }) if make => {
                    self.tree.make_parents(&missing.join("x"), layer);
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
        let placed = real.join(path.file_name());
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
                .range::<[u8], _>(bounds)
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
        for (below, node) in self.tree.nodes.range::<[u8], _>(bounds) {
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
                hidden_by,
                removed,
            });
        }
    }
}

#[cfg(test)]
mod tests;
