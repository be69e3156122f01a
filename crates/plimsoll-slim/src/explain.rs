//! Why a path stays or goes, what had to stay, and what became of the packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use plimsoll_model::package::ecosystem;
use plimsoll_model::report::{PackageFate, PackageShare};
use plimsoll_model::{
    FileTree, ImagePath, Inventory, Node, PackageId, Plan, Reason, Subject, text,
};

use crate::glob;
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

/// What stays of many paths and what does not, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// By the rule that brought them: the regular files and links that stay.
    pub kept: BTreeMap<String, Sum>,
    /// By the package that owns them, the unowned ones under the empty name: those left ashore.
    pub ashore: BTreeMap<String, Sum>,
}

/// Files that are summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub files: u64,
    /// Their bytes, as far as the image at hand has them.
    pub bytes: u64,
    /// The first of them.
    pub first: Option<ImagePath>,
}

impl Sum {
    fn add(&mut self, path: &ImagePath, tree: &FileTree) {
        self.files += 1;
        self.bytes += tree.get(path).map_or(0, Node::size);
        self.first.get_or_insert_with(|| path.clone());
    }
}

/// What stays and what does not of all below `directory` (free of links), directories aside.
/// `ashore` is everything the plan leaves behind, with the package that owns it.
pub fn summary(
    plan: &Plan,
    tree: &FileTree,
    ashore: &BTreeMap<ImagePath, Option<String>>,
    directory: &ImagePath,
) -> Summary {
    sum_up(plan, tree, ashore, |path| path.starts_with(directory))
}

/// The same of the paths that `pattern`, a glob, names, with all below them.
pub fn summary_of(
    plan: &Plan,
    tree: &FileTree,
    ashore: &BTreeMap<ImagePath, Option<String>>,
    pattern: &str,
) -> Summary {
    sum_up(plan, tree, ashore, |path| glob::covers(pattern, path))
}

fn sum_up(
    plan: &Plan,
    tree: &FileTree,
    ashore: &BTreeMap<ImagePath, Option<String>>,
    covers: impl Fn(&ImagePath) -> bool,
) -> Summary {
    let is_asked = |path: &ImagePath| !tree.get(path).is_some_and(Node::is_dir) && covers(path);
    let mut summary = Summary::default();
    for (path, reasons) in plan.keep.iter().filter(|(path, _)| is_asked(path)) {
        let rule = reasons.first().map_or("", |reason| reason.rule);
        let sum = summary.kept.entry(rule.to_owned()).or_default();
        sum.add(path, tree);
    }
    for (path, owner) in ashore.iter().filter(|(path, _)| is_asked(path)) {
        let owner = owner.clone().unwrap_or_default();
        summary.ashore.entry(owner).or_default().add(path, tree);
    }
    summary
}

/// The paths that `pattern` names, kept or not, sorted; the first `limit` of them, and how many
/// there are.
pub fn matching(
    plan: &Plan,
    ashore: &BTreeMap<ImagePath, Option<String>>,
    pattern: &str,
    limit: usize,
) -> (Vec<ImagePath>, usize) {
    let all = plan.keep.keys().chain(ashore.keys());
    let all: BTreeSet<&ImagePath> = all.filter(|path| glob::is(pattern, path)).collect();
    let count = all.len();
    (all.into_iter().take(limit).cloned().collect(), count)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = |sums: &BTreeMap<String, Sum>| {
            let files: u64 = sums.values().map(|sum| sum.files).sum();
            let bytes: u64 = sums.values().map(|sum| sum.bytes).sum();
            shown(files, bytes)
        };
        write!(
            f,
            "{} stay, {} are left ashore",
            total(&self.kept),
            total(&self.ashore)
        )?;
        for (rule, sum) in largest(&self.kept) {
            write!(f, "\n  {rule}: {}", sum.of())?;
        }
        for (owner, sum) in largest(&self.ashore) {
            match owner.as_str() {
                "" => write!(f, "\n  ashore, of no package: {}", sum.of())?,
                owner => {
                    let owner = text::printable(owner.as_bytes());
                    write!(f, "\n  ashore, of {owner}: {}", sum.of())?;
                }
            }
        }
        Ok(())
    }
}

impl Sum {
    fn of(&self) -> String {
        let first = self.first.as_ref();
        let first = first.map(|path| format!(", such as {path}"));
        shown(self.files, self.bytes) + &first.unwrap_or_default()
    }
}

/// `1 file (3 kB)`; sizes that are not known are not shown.
fn shown(files: u64, bytes: u64) -> String {
    let word = if files == 1 { "file" } else { "files" };
    let size = match bytes {
        0 => String::new(),
        bytes => format!(" ({})", text::bytes(bytes)),
    };
    format!("{} {word}{size}", text::count(files))
}

/// The largest first, by bytes and then by files.
fn largest(sums: &BTreeMap<String, Sum>) -> Vec<(&String, &Sum)> {
    let mut rows: Vec<(&String, &Sum)> = sums.iter().collect();
    rows.sort_by_key(|(_, sum)| std::cmp::Reverse((sum.bytes, sum.files)));
    rows
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
    let sizes = sizes(tree, &owners, plan);
    let packages = &subject.inventory.packages;
    let mut fate = PackageFate::default();
    for (id, package) in subject.inventory.iter() {
        // Languages' modules are files of the application; only a distribution's packages are judged.
        if !ecosystem::is_distribution(package.ecosystem) {
            continue;
        }
        let share = shares.get(&id).copied().unwrap_or_default();
        let (word, names) = match share.kept {
            0 => ("gone", &mut fate.gone),
            kept if kept == share.total => ("whole", &mut fate.whole),
            _ => ("partial", &mut fate.partial),
        };
        let name = label(packages, package);
        names.push(name.clone());
        let size = sizes.get(&id).copied().unwrap_or_default();
        fate.table.push(PackageShare {
            name,
            version: package.version.clone(),
            fate: word,
            files: size.files,
            bytes: size.bytes,
            kept_files: size.kept_files,
            kept_bytes: size.kept_bytes,
        });
    }
    for names in [&mut fate.whole, &mut fate.partial, &mut fate.gone] {
        names.sort();
    }
    fate.table.sort_by(|one, other| {
        let weight = |row: &PackageShare| (row.fate != "gone", row.kept_bytes, row.bytes);
        weight(other)
            .cmp(&weight(one))
            .then_with(|| one.name.cmp(&other.name))
    });
    fate
}

/// The regular files of a package before and after; of several names of one file one has its bytes.
#[derive(Clone, Copy, Default)]
struct Size {
    files: u64,
    bytes: u64,
    kept_files: u64,
    kept_bytes: u64,
}

fn sizes(tree: &FileTree, owners: &Owners, plan: &Plan) -> BTreeMap<PackageId, Size> {
    let mut sizes: BTreeMap<PackageId, Size> = BTreeMap::new();
    let (mut counted, mut counted_kept) = (BTreeSet::new(), BTreeSet::new());
    for (path, id) in owners.iter() {
        let Some(node) = tree.get(path).filter(|node| node.is_file()) else {
            continue;
        };
        let size = sizes.entry(id).or_default();
        size.files += 1;
        if counted.insert(node.inode) {
            size.bytes += node.size();
        }
        if plan.keeps(path) {
            size.kept_files += 1;
            if counted_kept.insert(node.inode) {
                size.kept_bytes += node.size();
            }
        }
    }
    sizes
}
