//! Why a path stays or goes, what had to stay, and what became of the packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use plimsoll_model::report::PackageFate;
use plimsoll_model::{FileTree, ImagePath, Inventory, Plan, Reason, Subject, text};

use crate::inventory::{label, shares};
use crate::owners::Owners;

/// Why a path stays or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It stays: the path, the reason that brought it, the path that gave the reason, and so on up
    /// to a root.
    Kept(Vec<(ImagePath, Reason)>),
    /// It is left ashore: nothing that is kept asked for it.
    Ashore {
        /// The path, links in its parents followed.
        path: ImagePath,
        /// The package that owns it.
        owner: Option<String>,
        /// A file of the same package that stays, and why, where there is one.
        nearest: Option<(ImagePath, Reason)>,
    },
    /// The image has no such path.
    NoSuchPath,
}

/// Why `path` stays, or why not.
pub fn why(plan: &Plan, tree: &FileTree, inventory: &Inventory, path: &ImagePath) -> Why {
    let Ok(place) = tree.resolve_parent(path) else {
        return Why::NoSuchPath;
    };
    let path = place.path;
    if plan.keeps(&path) {
        return Why::Kept(plan.chain(&path));
    }
    let owners = Owners::of(inventory, tree);
    let id = owners.owner(&path);
    let packages = &inventory.packages;
    let owner = id.map(|id| label(packages, &packages[id.0 as usize]));
    let nearest = id.and_then(|id| {
        let siblings = owners.iter().filter(|(_, owner)| *owner == id);
        let kept = siblings.filter_map(|(path, _)| {
            let reason = plan.keep.get(path)?.first()?;
            Some((path.clone(), reason.clone()))
        });
        // A reason of its own says more than that the package came along.
        let said = kept.filter(|(_, reason)| !matches!(reason.rule, "copyright" | "skeleton"));
        said.min_by_key(|(_, reason)| reason.rule == "package")
    });
    Why::Ashore {
        path,
        owner,
        nearest,
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(chain) => f.write_str(&printed(chain)),
            Self::Ashore {
                path,
                owner,
                nearest,
            } => {
                write!(
                    f,
                    "{path} is left ashore: no run touched it and nothing kept asks for it"
                )?;
                match owner {
                    Some(owner) => write!(f, "; package {owner} owns it")?,
                    None => f.write_str("; no package owns it")?,
                }
                match nearest {
                    Some((path, reason)) => write!(f, ", of which {path} stays ({reason})"),
                    None if owner.is_some() => f.write_str(", of which nothing stays"),
                    None => Ok(()),
                }
            }
            Self::NoSuchPath => f.write_str("the image has no such path"),
        }
    }
}

/// A chain of reasons on one line, the path asked about first, the root last.
fn printed(chain: &[(ImagePath, Reason)]) -> String {
    let steps = chain.iter().map(|(path, reason)| {
        let detail = text::printable(reason.detail.as_bytes());
        match &*detail {
            "" => format!("{path} ({})", reason.rule),
            detail => format!("{path} ({}: {detail})", reason.rule),
        }
    });
    steps.collect::<Vec<_>>().join(" <- ")
}

/// Those of `unwanted` (shells, package managers, network clients: the names a check found) that
/// lead to a program that stays, each program with the chain of reasons that forces it, printed;
/// in the order of the paths.
pub fn forced(
    subject: &Subject<'_>,
    plan: &Plan,
    unwanted: &[ImagePath],
) -> Vec<(ImagePath, String)> {
    let tree = &subject.rootfs.tree;
    let kept = unwanted.iter().filter(|path| plan.keeps(path));
    let programs: BTreeSet<ImagePath> = kept
        .filter_map(|path| program(tree, path))
        .filter(|program| plan.keeps(program))
        .collect();
    let chained = programs.into_iter().map(|path| {
        let chain = printed(&plan.chain(&path));
        (path, chain)
    });
    chained.collect()
}

/// The executable file `path` leads to.
fn program(tree: &FileTree, path: &ImagePath) -> Option<ImagePath> {
    let found = tree.resolve(path).ok()?.path;
    let node = tree.get(&found)?;
    node.is_executable().then_some(found)
}

/// What became of the packages: every regular file of it that the original has is still there,
/// some are, or none is. Names in order, with the architecture where two of a name are installed.
pub fn fate(subject: &Subject<'_>, plan: &Plan) -> PackageFate {
    let tree = &subject.rootfs.tree;
    let owners = Owners::of(subject.inventory, tree);
    let shares = shares(tree, &owners, plan);
    let packages = &subject.inventory.packages;
    let mut fates: BTreeMap<u8, Vec<String>> = BTreeMap::new();
    for (id, package) in subject.inventory.iter() {
        let share = shares.get(&id).copied().unwrap_or_default();
        let fate = match share.kept {
            0 => 2,
            kept if kept == share.total => 0,
            _ => 1,
        };
        fates
            .entry(fate)
            .or_default()
            .push(label(packages, package));
    }
    let mut of = |fate| {
        let mut names = fates.remove(&fate).unwrap_or_default();
        names.sort();
        names
    };
    PackageFate {
        whole: of(0),
        partial: of(1),
        gone: of(2),
    }
}
