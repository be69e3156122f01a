//! Directories of which all stays.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{FileTree, ImagePath, Plan};

use super::pattern::MATCH_LIMIT;
use super::{Folded, Pattern};
use crate::valve;

/// Fewer named paths below a directory are written down one by one.
const FEWEST: usize = 4;
/// The names of more files than this are only counted.
const MOST_NAMED: usize = 512;

/// Which directories may be written as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Those in which everything is kept for a reason of its own.
    Reached,
    /// Those in which everything was touched by a run.
    Touched,
    /// None.
    Nothing,
}

/// The topmost directories that may be written as a whole, of those the `named` paths lie in.
pub(super) fn fold(
    tree: &FileTree,
    plan: &Plan,
    named: &BTreeSet<ImagePath>,
    rule: Rule,
) -> Vec<ImagePath> {
    #[derive(Default)]
    struct Count {
        all: usize,
        whole: usize,
        named: usize,
    }
    if rule == Rule::Nothing {
        return Vec::new();
    }
    let mut counts: BTreeMap<ImagePath, Count> = BTreeMap::new();
    let mut tops: BTreeSet<ImagePath> = named.iter().flat_map(ImagePath::ancestors).collect();
    tops.retain(|directory| !valve::is_generic(directory));
    for (path, _) in tree.iter().filter(|(_, node)| !node.is_dir()) {
        let is_named = named.contains(path);
        let is_whole = is_named || rule == Rule::Reached && is_reached(plan, path);
        for directory in path.ancestors() {
            if !tops.contains(&directory) {
                continue;
            }
            let count = counts.entry(directory).or_default();
            count.all += 1;
            count.whole += usize::from(is_whole);
            count.named += usize::from(is_named);
        }
    }
    let mut folded: Vec<ImagePath> = Vec::new();
    // Parents come before what is in them.
    for (directory, count) in counts {
        let is_inside = folded.last().is_some_and(|top| directory.starts_with(top));
        let fits = count.named >= FEWEST && count.all <= MATCH_LIMIT;
        if !is_inside && count.whole == count.all && fits {
            folded.push(directory);
        }
    }
    folded
}

/// Whether the path stays for a reason of its own, and not because something else brought it along.
pub(super) fn is_reached(plan: &Plan, path: &ImagePath) -> bool {
    let reasons = plan.keep.get(path).into_iter().flatten();
    let mut rules = reasons.map(|reason| reason.rule);
    rules.any(|rule| {
        !matches!(
            rule,
            "application" | "copyright" | "inventory" | "metadata" | "package" | "skeleton"
        )
    })
}

/// What is known of a directory of which all stays, to tell later what is new in it.
pub(super) fn seal(pattern: &Pattern, paths: &[ImagePath]) -> Folded {
    let mut names: Vec<u16> = match paths.len() {
        0..=MOST_NAMED => paths.iter().map(|path| short(pattern, path)).collect(),
        _ => Vec::new(),
    };
    names.sort_unstable();
    Folded {
        files: paths.len() as u64,
        names,
    }
}

/// A short hash (FNV-1a, folded) of a path seen from the directory the pattern means all of, so that
/// a version in the directory's own name makes no difference. One new name in a hundred of a
/// directory with 512 is taken for an old one.
pub(super) fn short(pattern: &Pattern, path: &ImagePath) -> u16 {
    let depth = pattern
        .as_bytes()
        .split(|&byte| byte == b'/')
        .count()
        .saturating_sub(2);
    let name = path.components().skip(depth);
    let mut hash: u32 = 0x811c_9dc5;
    for byte in name.flat_map(|part| part.iter().chain(b"/")) {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    (hash >> 16) as u16 ^ hash as u16
}
