//! Which package a path belongs to.

use std::collections::BTreeMap;

use plimsoll_model::{FileTree, ImagePath, Inventory, Lineage, Node, Package, PackageId, Subject};

/// The owner of every path that a package database lists and the tree holds.
pub(crate) struct Owners {
    owners: BTreeMap<ImagePath, PackageId>,
    files: BTreeMap<PackageId, usize>,
}

impl Owners {
    pub(crate) fn of(inventory: &Inventory, tree: &FileTree) -> Self {
        let owners = inventory.owners(tree);
        let mut files = BTreeMap::new();
        for (path, &id) in &owners {
            if tree.get(path).is_some_and(Node::is_file) {
                *files.entry(id).or_default() += usize::from(!is_copyright(path));
            }
        }
        Self { owners, files }
    }

    /// The owner of the path (free of links in its parents).
    pub(crate) fn owner(&self, path: &ImagePath) -> Option<PackageId> {
        self.owners.get(path).copied()
    }

    /// Every owned path, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ImagePath, PackageId)> {
        self.owners.iter().map(|(path, id)| (path, *id))
    }

    /// How many regular files the tree holds of each package of which it holds any, copyright files
    /// aside.
    pub(crate) fn files(&self) -> impl Iterator<Item = (PackageId, usize)> {
        self.files.iter().map(|(&id, &count)| (id, count))
    }
}

/// Whether the path is that of a package's copyright file (Debian policy 12.5).
pub(crate) fn is_copyright(path: &ImagePath) -> bool {
    path.starts_with("/usr/share/doc") && path.file_name() == b"copyright"
}

/// Real places of listed paths; a database lists directories in runs, so they are remembered.
#[derive(Default)]
pub(crate) struct Places(BTreeMap<ImagePath, Option<ImagePath>>);

impl Places {
    /// The path with the links in its parents followed; `None` where the way is barred.
    pub(crate) fn of(&mut self, tree: &FileTree, path: &ImagePath) -> Option<ImagePath> {
        let parent = path.parent()?;
        let real = self
            .0
            .entry(parent)
            .or_insert_with_key(|parent| tree.resolve(parent).ok().map(|resolved| resolved.path));
        Some(real.as_ref()?.join(path.file_name()))
    }
}

/// Whether the package came with the base image rather than with the application: its files lie in
/// the base's layers, or the distribution calls it indispensable (Debian policy 2.5, 3.8).
pub(crate) fn is_base(subject: &Subject<'_>, package: &Package) -> bool {
    if package.essential || matches!(&*package.priority, "required" | "important") {
        return true;
    }
    let Some(base) = base_layers(subject.lineage) else {
        return false;
    };
    let tree = &subject.rootfs.tree;
    let node = package.files.iter().find_map(|path| {
        let path = tree.resolve_parent(path).ok()?.path;
        tree.get(&path).filter(|node| !node.is_dir())
    });
    node.is_some_and(|node| (node.layer as usize) < base)
}

/// How many layers, from the lowest, are the distribution's, where that is known.
///
/// The deepest ancestor counts and not the nearest: what a parent image put on top of its
/// distribution (a Python in `/usr/local`, an Apache compiled from source) is as much part of the
/// application as what was put on top of the parent.
pub(crate) fn base_layers(lineage: &Lineage) -> Option<usize> {
    let ancestors = lineage.ancestors.iter().rev();
    ancestors
        .filter_map(|ancestor| ancestor.layers)
        .find(|&layers| layers > 0)
}
