//! The tree in the making: what packages, emulations and the recipe write to.
//!
//! Paths are followed inside the tree, as a process in the image would follow them. File bodies go
//! to the spool at once; what is kept in memory is the tree alone.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;

use plimsoll_model::{Contents, FileTree, ImagePath, Kind, Metadata, Node, Rootfs, Spool};

/// Largest file an emulation reads whole, in bytes.
pub(crate) const MAX_READ: u64 = 64 << 20;

/// The tree in the making.
pub(crate) struct Stage {
    tree: FileTree,
    spool: Arc<dyn Spool>,
    /// The layer that is written now.
    layer: u32,
    /// The time of what we make ourselves, in seconds since 1970.
    pub(crate) time: i64,
    /// Paths of lower layers that are gone in this one.
    gone: BTreeSet<ImagePath>,
    /// What the spool said when it failed: scripts would take it for an answer of theirs.
    failure: RefCell<Option<io::Error>>,
}

impl Stage {
    /// An empty tree; `time` is the modification time of what is made.
    pub(crate) fn new(spool: Arc<dyn Spool>, time: i64) -> Self {
        let mut stage = Self {
            tree: FileTree::default(),
            spool,
            layer: 0,
            time,
            gone: BTreeSet::new(),
            failure: RefCell::new(None),
        };
        let root = Node {
            kind: Kind::Dir,
            meta: stage.meta(0o755),
            layer: 0,
            inode: 0,
        };
        stage.tree.insert(ImagePath::root(), root);
        stage
    }

    /// The tree as it is now.
    pub(crate) fn tree(&self) -> &FileTree {
        &self.tree
    }

    /// Root's metadata of our own time.
    pub(crate) fn meta(&self, mode: u32) -> Metadata {
        Metadata {
            mtime: self.time,
            ..Metadata::with_mode(mode)
        }
    }

    /// Ends the layer: answers what it wrote, with the directories on the way, and begins the next.
    pub(crate) fn end_layer(&mut self) -> Rootfs {
        let empty = self.spool_bytes(b"").ok();
        let mut needed = BTreeSet::new();
        for (path, node) in self.tree.iter() {
            if node.layer == self.layer {
                needed.extend(path.ancestors());
            }
        }
        needed.extend(self.gone.iter().filter_map(ImagePath::parent));
        let layer = self.layer;
        let mut tree = self.tree.clone();
        tree.retain(|path, node| node.layer == layer || needed.contains(path));
        for path in std::mem::take(&mut self.gone) {
            let Some((parent, kind)) = path.parent().zip(empty.clone()) else {
                continue;
            };
            let name = [b".wh.", path.file_name()].concat();
            let meta = self.meta(0o644);
            let node = Node {
                kind,
                meta,
                layer,
                inode: 0,
            };
            tree.insert(parent.join(name), node);
        }
        self.layer += 1;
        let contents: Arc<dyn Contents> = self.spool.clone();
        Rootfs { tree, contents }
    }

    /// Where `path` really is, every link followed; `None` where it leads nowhere.
    pub(crate) fn real(&self, path: &ImagePath) -> Option<ImagePath> {
        self.tree.resolve(path).ok().map(|found| found.path)
    }

    /// Where `path` itself is: the links of its parents followed, its own not.
    pub(crate) fn real_parent(&self, path: &ImagePath) -> Option<ImagePath> {
        self.tree.resolve_parent(path).ok().map(|found| found.path)
    }

    /// What `path` leads to, every link followed.
    pub(crate) fn node(&self, path: &ImagePath) -> Option<&Node> {
        self.tree.get(self.real(path)?)
    }

    /// What `path` itself is; a link is not followed.
    pub(crate) fn node_itself(&self, path: &ImagePath) -> Option<&Node> {
        self.tree.get(self.real_parent(path)?)
    }

    /// Whether `path` leads to a directory.
    pub(crate) fn is_dir(&self, path: &ImagePath) -> bool {
        self.node(path).is_some_and(Node::is_dir)
    }

    /// Whether `path` leads to a regular file.
    pub(crate) fn is_file(&self, path: &ImagePath) -> bool {
        self.node(path).is_some_and(Node::is_file)
    }

    /// The target of the link at `path`.
    pub(crate) fn link(&self, path: &ImagePath) -> Option<&[u8]> {
        match &self.node_itself(path)?.kind {
            Kind::Symlink(target) => Some(target),
            _ => None,
        }
    }

    /// The names directly in a directory, links in its way followed.
    pub(crate) fn list(&self, directory: &ImagePath) -> Vec<ImagePath> {
        let Some(real) = self.real(directory) else {
            return Vec::new();
        };
        let children = self.tree.children(&real);
        children.map(|(path, _)| path.clone()).collect()
    }

    /// The whole regular file `path` leads to.
    pub(crate) fn read(&self, path: &ImagePath) -> io::Result<Vec<u8>> {
        let not_found = || io::Error::new(io::ErrorKind::NotFound, format!("{path} is not there"));
        match self.node(path).ok_or_else(not_found)?.kind {
            Kind::File { size, at } if size <= MAX_READ => {
                let mut bytes = Vec::new();
                self.spool.open(at, size)?.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Kind::File { size, .. } => {
                let text = format!("{path} has {size} bytes, more than the limit of {MAX_READ}");
                Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
            }
            _ => Err(not_found()),
        }
    }

    /// The file as text; empty where there is none.
    pub(crate) fn read_text(&self, path: &ImagePath) -> String {
        let bytes = self.read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The node for these bytes.
    fn spool_bytes(&self, bytes: &[u8]) -> io::Result<Kind> {
        match self.spool.store(&mut &*bytes) {
            Ok((at, size)) => Ok(Kind::File { size, at }),
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                *self.failure.borrow_mut() = Some(error);
                Err(told)
            }
        }
    }

    /// What the spool said, if it ever failed.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Writes a whole file: a file that is there keeps its owner and mode, a new one is root's.
    pub(crate) fn write(&mut self, path: &ImagePath, bytes: &[u8], mode: u32) -> io::Result<()> {
        let target = self.target(path)?;
        let mut meta = match self.tree.get(&target) {
            Some(node) if node.is_file() => node.meta.clone(),
            Some(node) if node.is_dir() => return Err(refused(path, "is a directory")),
            _ => self.meta(mode),
        };
        meta.mtime = self.time;
        meta.mtime_nanos = 0;
        let kind = self.spool_bytes(bytes)?;
        self.put(target, kind, meta, 0);
        Ok(())
    }

    /// Puts a node at `path` itself, through the links of its parents, with missing parents.
    /// Answers where it really went.
    pub(crate) fn place(
        &mut self,
        path: &ImagePath,
        kind: Kind,
        meta: Metadata,
    ) -> io::Result<ImagePath> {
        let target = self.make_way(path)?;
        if self.tree.get(&target).is_some_and(Node::is_dir) && !matches!(kind, Kind::Dir) {
            self.remove(&target);
        }
        self.put(target.clone(), kind, meta, 0);
        Ok(target)
    }

    /// Makes `path` another name of the file at `existing`.
    pub(crate) fn hard_link(&mut self, path: &ImagePath, existing: &ImagePath) -> io::Result<()> {
        let node = self.node_itself(existing).filter(|node| !node.is_dir());
        let node = node.ok_or_else(|| refused(existing, "is no file to link to"))?;
        let (kind, meta, inode) = (node.kind.clone(), node.meta.clone(), node.inode);
        let target = self.make_way(path)?;
        self.put(target, kind, meta, inode);
        Ok(())
    }

    /// Makes a directory with its parents; one that is there stays as it is.
    pub(crate) fn make_dir(&mut self, path: &ImagePath, mode: u32) -> io::Result<()> {
        if self.is_dir(path) {
            return Ok(());
        }
        if path.is_root() {
            return Ok(());
        }
        let target = self.make_way(path)?;
        if self.tree.contains(&target) {
            return Err(refused(path, "is there and is no directory"));
        }
        let meta = self.meta(mode);
        self.put(target, Kind::Dir, meta, 0);
        Ok(())
    }

    /// Makes a symbolic link, in place of anything but a directory.
    pub(crate) fn symlink(&mut self, path: &ImagePath, target: &[u8]) -> io::Result<()> {
        let meta = self.meta(0o777);
        if self.node_itself(path).is_some_and(Node::is_dir) {
            return Err(refused(path, "is a directory"));
        }
        self.place(path, Kind::Symlink(target.into()), meta)?;
        Ok(())
    }

    /// Removes what is at `path` itself, and everything below it. Whether something was there.
    pub(crate) fn remove(&mut self, path: &ImagePath) -> bool {
        let Some(real) = self.real_parent(path) else {
            return false;
        };
        let below: Vec<ImagePath> = self.tree.subtree(&real).map(|(p, _)| p.clone()).collect();
        let older = |node: &Node| node.layer < self.layer;
        if self.tree.get(&real).is_some_and(older) {
            self.gone.insert(real.clone());
        }
        let found = self.tree.contains(&real);
        let survivors = below.iter().filter(|p| self.tree.get(p).is_some_and(older));
        // A whiteout of a directory takes all below it with it; only loose ones are named.
        let loose: Vec<ImagePath> = survivors
            .filter(|p| !p.ancestors().any(|parent| self.gone.contains(&parent)))
            .cloned()
            .collect();
        self.gone.extend(loose);
        self.tree.remove(&real);
        found
    }

    /// Moves what is at `from` itself, with everything below it.
    pub(crate) fn rename(&mut self, from: &ImagePath, to: &ImagePath) -> io::Result<()> {
        let real = self
            .real_parent(from)
            .filter(|real| self.tree.contains(real));
        let real = real.ok_or_else(|| refused(from, "is not there"))?;
        let target = self.make_way(to)?;
        if target.starts_with(&real) {
            return Err(refused(from, "cannot move below itself"));
        }
        let mut moved = vec![(target.clone(), self.tree.get(&real).cloned())];
        for (path, node) in self.tree.subtree(&real) {
            let rest = &path.as_bytes()[real.as_bytes().len() + 1..];
            moved.push((target.join(rest), Some(node.clone())));
        }
        self.remove(&real);
        for (path, node) in moved {
            if let Some(node) = node {
                self.put(path, node.kind, node.meta, node.inode);
            }
        }
        Ok(())
    }

    /// Changes the metadata of what `path` leads to (or of the link itself), all names of a file
    /// alike.
    pub(crate) fn change(
        &mut self,
        path: &ImagePath,
        follow: bool,
        change: impl Fn(&mut Metadata),
    ) -> io::Result<()> {
        let real = if follow {
            self.real(path)
        } else {
            self.real_parent(path)
        };
        let real = real.filter(|real| self.tree.contains(real));
        let real = real.ok_or_else(|| refused(path, "is not there"))?;
        let Some(node) = self.tree.get(&real) else {
            return Ok(());
        };
        let mut meta = node.meta.clone();
        change(&mut meta);
        if meta == node.meta {
            return Ok(());
        }
        let (inode, is_dir) = (node.inode, node.is_dir());
        let mut names = vec![real];
        if !is_dir {
            let same = self.tree.iter().filter(|(_, node)| node.inode == inode);
            names = same.map(|(path, _)| path.clone()).collect();
        }
        for name in names {
            if let Some(node) = self.tree.get(&name) {
                let kind = node.kind.clone();
                self.put(name, kind, meta.clone(), inode);
            }
        }
        Ok(())
    }

    /// Where a write to `path` goes: a link is followed as far as it leads.
    fn target(&mut self, path: &ImagePath) -> io::Result<ImagePath> {
        let mut path = path.clone();
        for _ in 0..plimsoll_model::tree::MAX_LINKS {
            let target = self.make_way(&path)?;
            match self.tree.get(&target).map(|node| &node.kind) {
                Some(Kind::Symlink(link)) => {
                    let parent = target.parent().unwrap_or_else(ImagePath::root);
                    path = parent.join(&**link);
                }
                _ => return Ok(target),
            }
        }
        Err(refused(&path, "leads through too many links"))
    }

    /// Where `path` itself goes, its parents followed and made.
    fn make_way(&mut self, path: &ImagePath) -> io::Result<ImagePath> {
        let Some(parent) = path.parent() else {
            return Ok(path.clone());
        };
        let mut real = ImagePath::root();
        for part in parent.components() {
            // A link may lead to a directory nobody made yet: as many rounds as links may be.
            let step = real.join(part);
            let mut at = step.clone();
            let mut rounds = 0;
            loop {
                match self.tree.resolve(&at) {
                    Ok(found) => {
                        real = found.path;
                        break;
                    }
                    Err(error) => {
                        use plimsoll_model::tree::Stopped;
                        let Stopped::Missing(missing) = error.why else {
                            return Err(refused(path, "has a way that is barred"));
                        };
                        rounds += 1;
                        if rounds > plimsoll_model::tree::MAX_LINKS {
                            return Err(refused(path, "has a way without end"));
                        }
                        let meta = self.meta(0o755);
                        self.put(missing, Kind::Dir, meta, 0);
                        at = step.clone();
                    }
                }
            }
            if !self.tree.get(&real).is_some_and(Node::is_dir) {
                return Err(refused(&real, "is no directory"));
            }
        }
        Ok(real.join(path.file_name()))
    }

    fn put(&mut self, path: ImagePath, kind: Kind, meta: Metadata, inode: u32) {
        self.gone.remove(&path);
        let layer = self.layer;
        let node = Node {
            kind,
            meta,
            layer,
            inode,
        };
        self.tree.insert(path, node);
    }
}

fn refused(path: &ImagePath, why: &str) -> io::Error {
    io::Error::other(format!("{path} {why}"))
}

#[cfg(test)]
mod tests;
