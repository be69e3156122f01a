//! Shell patterns over the paths of a tree.

use plimsoll_model::{FileTree, ImagePath};

/// More matches than this are cut off: a stranger wrote the pattern and the tree.
pub(crate) const MATCH_LIMIT: usize = 10_000;

/// Whether `text` is a pattern (`*`, `?`, `[`, `{`) and not just a name.
pub fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| b"*?[{".contains(byte))
}

/// Whether `path` is what `pattern` says, or lies below it.
pub(crate) fn covers(pattern: &str, path: &ImagePath) -> bool {
    if !is_pattern(pattern.as_bytes()) {
        return path.starts_with(ImagePath::new(pattern));
    }
    let pattern = absolute(pattern);
    std::iter::once(path.clone())
        .chain(path.ancestors())
        .any(|path| fast_glob::glob_match(&pattern, path.as_bytes()))
}

/// Whether `path` is exactly what `pattern` (absolute, or seen from the root) says.
pub(crate) fn is(pattern: &str, path: &ImagePath) -> bool {
    fast_glob::glob_match(absolute(pattern), path.as_bytes())
}

/// Whether the name (no path) is what `pattern` says.
pub(crate) fn names(pattern: &str, name: &[u8]) -> bool {
    fast_glob::glob_match(pattern, name)
}

/// The paths of the tree that `pattern` (absolute, or seen from the root) names; all of them, for it
/// is the user's own.
pub(crate) fn matching(tree: &FileTree, pattern: &str) -> Vec<ImagePath> {
    let pattern = absolute(pattern);
    tree.iter()
        .map(|(path, _)| path)
        .filter(|path| fast_glob::glob_match(&pattern, path.as_bytes()))
        .cloned()
        .collect()
}

/// Whether `pattern` (absolute, or seen from the root) names anything in the tree, also through
/// links in the directories in front of its first sign.
pub(crate) fn names_any(tree: &FileTree, pattern: &str) -> bool {
    if !is_pattern(pattern.as_bytes()) {
        let walked = tree.walk(
            &ImagePath::root(),
            ImagePath::new(pattern).as_bytes(),
            false,
        );
        return walked.is_ok_and(|found| tree.contains(found.path));
    }
    let pattern = absolute(pattern);
    let plain = pattern.find(['*', '?', '[', '{', '\\']);
    let (head, _) = pattern.split_at(plain.unwrap_or(pattern.len()));
    let (top, _) = head.rsplit_once('/').unwrap_or_default();
    let top = ImagePath::new(top);
    let real = tree
        .resolve(&top)
        .map_or_else(|_| top.clone(), |found| found.path);
    tree.iter().any(|(path, _)| {
        let is_it = |path: &[u8]| fast_glob::glob_match(&pattern, path);
        // The same path as it is called on the way through the link.
        let inside = path.as_bytes().strip_prefix(real.as_bytes());
        let inside = inside.filter(|inside| real != top && inside.starts_with(b"/"));
        is_it(path.as_bytes())
            || inside.is_some_and(|inside| is_it(&[top.as_bytes(), inside].concat()))
    })
}

/// What a configuration file's pattern names, as `glob(3)` would expand it: links in directories
/// are followed, a name that begins with a dot is matched by a dot only. Sorted. Answers also whether
/// there were more than [`MATCH_LIMIT`].
pub(crate) fn expand(tree: &FileTree, pattern: &ImagePath) -> (Vec<ImagePath>, bool) {
    let mut found = vec![ImagePath::root()];
    let mut is_cut = false;
    for part in pattern.components() {
        let mut next = Vec::new();
        for at in &found {
            if !is_pattern(part) {
                let path = at.join(part);
                if tree.resolve_parent(&path).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let Ok(directory) = tree.resolve(at) else {
                continue;
            };
            let children = tree.children(&directory.path);
            let names = children.map(|(path, _)| path.file_name()).filter(|name| {
                (name[0] != b'.' || part[0] == b'.') && fast_glob::glob_match(part, name)
            });
            next.extend(names.map(|name| at.join(name)));
        }
        is_cut |= next.len() > MATCH_LIMIT;
        next.truncate(MATCH_LIMIT);
        found = next;
    }
    (found, is_cut)
}

fn absolute(pattern: &str) -> String {
    if pattern.starts_with('/') || pattern.starts_with("**") {
        pattern.to_owned()
    } else {
        format!("/{pattern}")
    }
}
