//! Which layer brought a package.

use std::collections::BTreeMap;

use plimsoll_model::{FileTree, Package};

/// How many files of a package are asked.
const ASKED: usize = 64;

/// The layer most of the package's files lie in; that of the file it is known by where it has none.
///
/// Not the layer that wrote its record: every later installation writes the whole database anew.
pub(super) fn layer(tree: &FileTree, package: &Package) -> Option<u32> {
    let mut votes: BTreeMap<u32, usize> = BTreeMap::new();
    let files = package.files.iter().filter_map(|path| {
        let found = tree.resolve(path).ok()?;
        tree.get(&found.path).filter(|node| !node.is_dir())
    });
    for node in files.take(ASKED) {
        *votes.entry(node.layer).or_default() += 1;
    }
    let most = votes.into_iter().max_by_key(|&(_, votes)| votes);
    most.map(|(layer, _)| layer).or_else(|| {
        let found = tree.resolve(package.database.as_ref()?).ok()?;
        Some(tree.get(&found.path)?.layer)
    })
}
