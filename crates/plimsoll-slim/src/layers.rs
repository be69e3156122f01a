//! The tree of the slim image cut into layers, none of which takes away what a lower one has.

use std::collections::BTreeMap;

use plimsoll_model::{FileTree, ImagePath, Kind, Metadata, Node};

use crate::owners::base_layers;
use crate::{Layers, Request};

/// The layer number of what the original does not have: the package database made for the result.
pub(crate) const MADE: u32 = u32::MAX;

/// A layer in the making: what it writes, and what it is.
pub(crate) struct Part {
    pub(crate) tree: FileTree,
    pub(crate) created_by: String,
}

/// Cuts the tree as the request says, the lowest layer first.
pub(crate) fn cut(request: &Request<'_>, tree: FileTree) -> Vec<Part> {
    let image = request.subject.image;
    let by = format!(
        "plimsoll slim --level {} ({})",
        request.level.name(),
        image.digest
    );
    let base = base_layers(request.subject.lineage).unwrap_or(0);
    match request.layers {
        Layers::Split if base > 0 => split(&tree, base)
            .into_iter()
            .zip(["base", "application"])
            .map(|(tree, name)| Part {
                tree,
                created_by: format!("{by}, {name}"),
            })
            .filter(|part| !part.tree.is_empty())
            .collect(),
        Layers::Origin if !image.layers.is_empty() => {
            let made_by = image.layers.iter().map(|layer| layer.created_by.clone());
            origin(&tree, image.layers.len())
                .into_iter()
                .zip(made_by)
                .map(|(tree, original)| Part {
                    tree,
                    created_by: original.unwrap_or_else(|| by.clone()),
                })
                .collect()
        }
        _ => vec![Part {
            tree,
            created_by: by,
        }],
    }
}

/// What the lowest `base` layers brought, and the rest.
///
/// Directories are all written by the upper layer. An application's layers write the directories
/// on the way to their files again, with other times, so the base layer has plain ones: it depends
/// on nothing but the base files that stay.
fn split(tree: &FileTree, base: usize) -> [FileTree; 2] {
    let place = |node: &Node| usize::from(node.layer as usize >= base);
    let of = placed(tree, place);
    let (mut lower, mut upper) = (FileTree::default(), FileTree::default());
    for (path, node) in tree.iter() {
        if node.is_dir() || of.get(&node.inode) != Some(&0) {
            upper.insert(path.clone(), node.clone());
            continue;
        }
        add(&mut lower, tree, path, node, |parent| Node {
            meta: Metadata::with_mode(0o755),
            ..parent.clone()
        });
    }
    [lower, upper]
}

/// What each of the `count` original layers brought; what was made for the result is in the last.
fn origin(tree: &FileTree, count: usize) -> Vec<FileTree> {
    let place = |node: &Node| (node.layer as usize).min(count - 1);
    let of = placed(tree, place);
    let mut layers = vec![FileTree::default(); count];
    for (path, node) in tree.iter() {
        let layer = match node.is_dir() {
            true => place(node),
            false => of.get(&node.inode).copied().unwrap_or(count - 1),
        };
        if let Some(layer) = layers.get_mut(layer) {
            // A directory on the way has the final owner and times in every layer.
            add(layer, tree, path, node, Node::clone);
        }
    }
    layers
}

/// The layer of every file: of several names of one file the highest counts for all, so that no
/// hard link points down into another layer.
fn placed(tree: &FileTree, place: impl Fn(&Node) -> usize) -> BTreeMap<u32, usize> {
    let mut of: BTreeMap<u32, usize> = BTreeMap::new();
    for (_, node) in tree.iter().filter(|(_, node)| !node.is_dir()) {
        let highest = of.entry(node.inode).or_default();
        *highest = (*highest).max(place(node));
    }
    of
}

/// Puts a node into a layer, with the directories on the way.
fn add(
    layer: &mut FileTree,
    tree: &FileTree,
    path: &ImagePath,
    node: &Node,
    directory: impl Fn(&Node) -> Node,
) {
    let missing: Vec<ImagePath> = path
        .ancestors()
        .take_while(|parent| parent.is_root() || !layer.contains(parent))
        .collect();
    for parent in missing.into_iter().rev() {
        if let Some(node) = tree.get(&parent).filter(|node| node.kind == Kind::Dir) {
            layer.insert(parent, directory(node));
        }
    }
    layer.insert(path.clone(), node.clone());
}
