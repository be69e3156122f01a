//! Every path of an image as the container sees it, and how layers become that tree.
//!
//! [`Builder`] merges the entries of layers by the rules of the OCI image specification
//! (`layer.md`: additions, modifications, whiteouts, opaque directories, hard links), and keeps
//! exact account of the bytes that later layers hide.

mod builder;
mod entry;
mod nodes;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use crate::ImagePath;

use nodes::Nodes;

pub use builder::{Builder, Refused};
pub use entry::{Entry, EntryKind, Naming};

/// Where the bytes of a file lie: which layer, and the offset of the body in its uncompressed tar.
// Every file has one: without the padding a node is a ninth smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed(4))]
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

/// Bytes that are in the image's layers but in no container: hidden by a later entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// The path under which the bytes were last visible.
    pub path: ImagePath,
    /// How many.
    pub size: u64,
    /// The layer that holds them.
    pub layer: u32,
    /// Where they lie.
    pub at: Extent,
    /// The layer that hides them.
    pub hidden_by: u32,
    /// Whether the path was removed; otherwise it was written again.
    pub removed: bool,
}

/// What one layer did to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: ImagePath,
    /// The layer.
    pub layer: u32,
    /// What is there since; `None` if it went.
    pub node: Option<Node>,
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
    nodes: Nodes,
    /// The bytes no container sees, in the order they were hidden.
    pub dead: Vec<Dead>,
    /// What each layer brought, lowest first.
    pub layers: Vec<LayerFacts>,
    next_inode: u32,
    /// Whether all that lies above a path is known to be a directory: it was merged from layers, and
    /// nothing was put in or left out since.
    is_merged: bool,
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
        let mut nodes = Nodes::default();
        nodes.insert(ImagePath::root(), root);
        Self {
            nodes,
            dead: Vec::new(),
            layers: Vec::new(),
            next_inode: 1,
            is_merged: false,
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
            .range((Bound::Excluded(&*from), Bound::Excluded(&*to)))
    }

    /// What lies directly in `directory`.
    pub fn children(&self, directory: &ImagePath) -> impl Iterator<Item = (&ImagePath, &Node)> {
        let depth = directory.depth() + 1;
        let (from, to) = below(directory);
        let mut found = (self.nodes).range((Bound::Excluded(&*from), Bound::Excluded(&*to)));
        std::iter::from_fn(move || {
            loop {
                let (path, node) = found.next()?;
                if path.depth() == depth {
                    return Some((path, node));
                }
                // Below a child: go past all of it.
                let end = nth_slash(path.as_bytes(), depth);
                let mut past = path.as_bytes()[..end].to_vec();
                past.push(b'/' + 1);
                found = (self.nodes).range((Bound::Included(&*past), Bound::Excluded(&*to)));
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
        if let Some(path) = self.plain(path, follow_last) {
            let links = Vec::new();
            return Ok(Resolved { path, links });
        }
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

    /// `path` itself, where it is one of the tree and leads there by directories alone: most are and
    /// do, and it takes one look.
    fn plain(&self, path: &[u8], follow_last: bool) -> Option<ImagePath> {
        let mut parts = path.strip_prefix(b"/")?.split(|&byte| byte == b'/');
        let is_spelt_out = parts.all(|part| !matches!(part, b"" | b"." | b".."));
        let node = self
            .nodes
            .get(path)
            .filter(|_| self.is_merged && is_spelt_out)?;
        let leads_on = follow_last && matches!(node.kind, Kind::Symlink(_));
        (!leads_on).then(|| ImagePath::new(path))
    }

    /// The paths that are hard links to one file with others, grouped by [`Node::inode`].
    pub fn hard_links(&self) -> BTreeMap<u32, Vec<&ImagePath>> {
        // Nearly all files have one name, and need no list of it.
        let mut names = vec![0_u8; self.next_inode as usize];
        let files = || self.nodes.iter().filter(|(_, node)| !node.is_dir());
        for (_, node) in files() {
            let names = &mut names[node.inode as usize];
            *names = names.saturating_add(1);
        }
        let mut groups: BTreeMap<u32, Vec<&ImagePath>> = BTreeMap::new();
        for (path, node) in files().filter(|(_, node)| names[node.inode as usize] > 1) {
            groups.entry(node.inode).or_default().push(path);
        }
        groups
    }

    /// Bytes of all regular files, a file with several names counted once.
    pub fn live_bytes(&self) -> u64 {
        self.files().map(|(_, node)| node.size()).sum()
    }

    /// Bytes that are in layers but in no container.
    pub fn dead_bytes(&self) -> u64 {
        self.dead.iter().map(|dead| dead.size).sum()
    }

    /// Regular files, a file with several names counted once.
    pub fn file_count(&self) -> u64 {
        self.files().count() as u64
    }

    /// Regular files, each once, by its first name.
    pub fn files(&self) -> impl Iterator<Item = (&ImagePath, &Node)> {
        let mut counted = vec![false; self.next_inode as usize];
        self.nodes.iter().filter(move |(_, node)| {
            node.is_file() && !std::mem::replace(&mut counted[node.inode as usize], true)
        })
    }

    /// Puts a node at `path`, replacing what is there, making missing parents (root's, 0755).
    ///
    /// For trees that are made, not read: no account is kept of what is replaced. An inode of 0
    /// means a new file of its own.
    pub fn insert(&mut self, path: ImagePath, mut node: Node) {
        self.is_merged = false;
        if !path.is_root() {
            self.make_parents(&path, node.layer);
        }
        if node.inode == 0 {
            node.inode = self.new_inode();
        }
        // A number taken over from another tree must not be given to a new file of this one.
        self.next_inode = self.next_inode.max(node.inode + 1);
        self.nodes.insert(path, node);
    }

    /// Removes the node at `path` and everything below it.
    pub fn remove(&mut self, path: &ImagePath) {
        let (from, to) = below(path);
        let doomed: Vec<ImagePath> = self
            .nodes
            .range((Bound::Excluded(&*from), Bound::Excluded(&*to)))
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
        self.is_merged = false;
        self.nodes
            .retain(|path, node| path.is_root() || keep(path, node));
    }

    fn new_inode(&mut self) -> u32 {
        let inode = self.next_inode;
        self.next_inode += 1;
        inode
    }

    /// Makes the directories above `path` that are missing; answers which.
    fn make_parents(&mut self, path: &ImagePath, layer: u32) -> Vec<ImagePath> {
        let missing: Vec<ImagePath> = path
            .ancestors()
            .take_while(|parent| !self.nodes.contains_key(parent))
            .collect();
        for parent in &missing {
            let inode = self.new_inode();
            let meta = Metadata::with_mode(0o755);
            self.nodes.insert(
                parent.clone(),
                Node {
                    kind: Kind::Dir,
                    meta,
                    layer,
                    inode,
                },
            );
        }
        missing
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

#[cfg(test)]
mod tests;
