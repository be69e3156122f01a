//! What a run touched, and how much that says.
//!
//! What was executed, opened, written, listed or connected to was needed. What was only asked about
//! (stat, access) is kept too: Python stats every `.py` beside the `.pyc` it reads, and fails
//! without it. Two things that programs do say little, and are not believed:
//!
//! - a *sweep*: something listed a directory and asked about each entry without following links
//!   (`find`, `ls -l`, `chown -R`, `du`). An entry known from a sweep alone stays if it is small
//!   and nothing that runs, so that counts and names add up; a directory of programs or of large
//!   files does not come along because somebody looked at it;
//! - a *search*: a shell asks for a name in each directory of `PATH`. A program that was asked
//!   about and never executed stays ashore.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::observation::Seen;
use plimsoll_model::{Access, FileTree, ImagePath, Observations, Plan, Reason};

use crate::keep::{Keep, Pull};
use crate::scene::Scene;
use crate::valve;

/// An entry known from a sweep alone stays up to this size.
const SWEPT_LIMIT: u64 = 64 << 10;

/// The directories whose entries were read, free of links.
pub(crate) fn listed(tree: &FileTree, observations: &Observations) -> BTreeSet<ImagePath> {
    let listed = observations.seen.iter();
    listed
        .filter(|(_, seen)| seen.access.has(Access::LISTED))
        .filter_map(|(path, _)| Some(tree.walk(&ImagePath::root(), path, true).ok()?.path))
        .collect()
}

/// Keeps what the observations ask for, and the state they belong to.
pub(crate) fn add(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    state(scene, keep);
    for (path, seen) in &scene.observations().seen {
        let reason = || reason("observed", seen);
        match weigh(scene, path, seen) {
            Weight::Nothing => {}
            Weight::Link => {
                keep.place(path, reason());
            }
            Weight::Target(pull) => {
                keep.spelt(path, pull, reason());
            }
        }
    }
}

/// Keeps the whole of what an application has stored in the image: a run that wrote into one of its
/// files has shown where it keeps its state, and a query of another table reads the file beside it.
fn state(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    let is_stored = |path: &ImagePath| {
        let node = scene.tree().get(path);
        node.is_some_and(|node| node.is_file() && node.size() > 0)
            && scene.owners().owner(path).is_none()
            && !valve::is_ballast(path)
    };
    let mut homes = BTreeMap::new();
    for (path, seen) in &scene.observations().seen {
        let Ok(found) = scene.tree().walk(&ImagePath::root(), path, true) else {
            continue;
        };
        let home = found.path.parent().unwrap_or_else(ImagePath::root);
        let is_written = seen.access.has(Access::WRITTEN) && is_stored(&found.path);
        if is_written && !valve::is_generic(&home) {
            homes.entry(home).or_insert(found.path);
        }
    }
    for (home, written) in homes {
        let inside = scene.tree().subtree(&home).map(|(path, _)| path);
        let inside: Vec<ImagePath> = inside.filter(|path| is_stored(path)).cloned().collect();
        for path in inside {
            let reason = Reason::by("state", &written, "stored beside it, which a run wrote");
            keep.path(&path, Pull::Named, reason);
        }
    }
}

/// What an observation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Nothing: it leads nowhere, or says too little.
    Nothing,
    /// The link itself, and those on the way.
    Link,
    /// What the path leads to.
    Target(Pull),
}

/// What one sight of a path asks for.
pub(crate) fn weigh(scene: &Scene<'_>, path: &[u8], seen: &Seen) -> Weight {
    let access = seen.access;
    let follows = !access.has(Access::NOFOLLOW);
    let root = ImagePath::root();
    let Ok(found) = scene.tree().walk(&root, path, follows) else {
        return Weight::Nothing;
    };
    let Some(node) = scene.tree().get(&found.path) else {
        return Weight::Nothing;
    };
    if access.has(Access::EXECUTED) {
        return Weight::Target(Pull::Executed);
    }
    let touched = [
        Access::OPENED,
        Access::WRITTEN,
        Access::LISTED,
        Access::REMOVED,
        Access::SOCKET,
    ];
    if touched.into_iter().any(|touch| access.has(touch)) {
        return if follows {
            Weight::Target(Pull::Opened)
        } else {
            Weight::Link
        };
    }
    if node.is_file() {
        let parent = found.path.parent().unwrap_or_else(ImagePath::root);
        let swept = scene.was_listed(&parent) && (!follows || access.has(Access::CHANGED));
        if swept && (node.size() > SWEPT_LIMIT || node.is_executable()) {
            return Weight::Nothing;
        }
        if scene.is_program(&found.path) {
            return Weight::Nothing;
        }
    }
    if follows {
        Weight::Target(Pull::Opened)
    } else {
        Weight::Link
    }
}

/// The reason an observation gives: what was done, by whom, when.
pub(crate) fn reason(rule: &'static str, seen: &Seen) -> Reason {
    let mut detail = seen.access.to_string();
    if !seen.by.is_empty() {
        detail.push_str(" by ");
        detail.push_str(&seen.by);
    }
    if !seen.during.is_empty() {
        detail.push_str(" during ");
        detail.push_str(&seen.during);
    }
    Reason {
        detail,
        ..Reason::rule(rule)
    }
}

/// Whether nothing but runs asked for this path that stays, itself or as what a link leads to.
pub(crate) fn is_only_reason(plan: &Plan, path: &ImagePath) -> bool {
    /// Links in a row; more than this are none that a run can follow.
    const MOST: usize = 8;
    fn is_only(plan: &Plan, path: &ImagePath, depth: usize) -> bool {
        let Some(reasons) = plan.keep.get(path).filter(|_| depth < MOST) else {
            return false;
        };
        reasons
            .iter()
            .all(|reason| match (reason.rule, &reason.by) {
                ("observed", _) => true,
                ("symlink", Some(by)) => is_only(plan, by, depth + 1),
                _ => false,
            })
    }
    is_only(plan, path, 0)
}
