//! `diff`: what differs between the files of two images, by directory and by package.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use plimsoll_model::report::{Comparison, DiffRow, ImageDiff, PackageDiff};
use plimsoll_model::{FileTree, ImagePath, Kind, Node, Package, Problem, Report, Subject};

use crate::cli;
use crate::failure::{Exit, Result};
use crate::print::{self, Has};
use crate::session::{self, Context, Opened};
use crate::work;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Diff) -> Result<Exit> {
    print::able("diff", Has::Two, &arguments.format, arguments.json)?;
    let scratch = work::on_disk(&context.leftovers)?;
    let platform = arguments.platform.as_deref();
    let open = |name| session::open(context, name, platform, Some(scratch.path()));
    let (before, after) = (open(&arguments.before)?, open(&arguments.after)?);
    let mut problems = before.problems.clone();
    problems.extend(after.problems.iter().cloned());
    context.progress.step("comparing files");
    let (comparison, diff) = compare(&before, &after, &mut problems);
    context.progress.done();
    let report = Report {
        verb: "diff",
        problems,
        diff: Some(diff),
        comparison: Some(comparison),
        ..Report::default()
    };
    print::report(&report, &arguments.format, arguments.json)?;
    Ok(print::verdict(&report))
}

/// The numbers of two images side by side, and what differs between their files; what cannot be
/// compared is added to the problems.
pub(crate) fn compare(
    before: &Opened,
    after: &Opened,
    problems: &mut Vec<Problem>,
) -> (Comparison, ImageDiff) {
    let (one, two) = (before.subject(), after.subject());
    let comparison = Comparison {
        before_name: one.image.name.clone(),
        after_name: two.image.name.clone(),
        before: plimsoll_checks::footprint(&one),
        after: plimsoll_checks::footprint(&two),
        ..Comparison::default()
    };
    (comparison, difference(&one, &two, problems))
}

/// What a package is told by: ecosystem, name, architecture.
type Key<'a> = (&'a str, &'a str, &'a str);

fn key(package: &Package) -> Key<'_> {
    (package.ecosystem, &package.name, &package.architecture)
}

/// What differs; a file that cannot be read counts as changed, and is a problem.
fn difference(before: &Subject<'_>, after: &Subject<'_>, problems: &mut Vec<Problem>) -> ImageDiff {
    let sides = [Side::of(before), Side::of(after)];
    let mut total = DiffRow::default();
    let mut directories: BTreeMap<String, DiffRow> = BTreeMap::new();
    let mut packages: BTreeMap<Option<Key<'_>>, DiffRow> = BTreeMap::new();
    // Packages of which a regular file stays as it is: a link alone is no package.
    let mut staying: BTreeSet<Key<'_>> = BTreeSet::new();
    let paths: BTreeSet<&ImagePath> = sides.iter().flat_map(Side::paths).collect();
    for path in paths {
        let [one, two] = sides.each_ref().map(|side| side.file(path));
        let change = match (one, two) {
            (Some(one), Some(two)) => {
                let same = same(before, after, path, one, two).unwrap_or_else(|why| {
                    problems.push(Problem::at(path, why));
                    false
                });
                if same { Change::None } else { Change::Changed }
            }
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
        };
        // Who owned it before, owns it: what is left of a package is measured by what it was.
        let owner = sides.iter().find_map(|side| side.owner(path));
        if let (Change::None, Some(owner), Some(true)) = (change, owner, one.map(Node::is_file)) {
            staying.insert(owner);
        }
        let rows = [
            &mut total,
            directories.entry(top(path)).or_default(),
            packages.entry(owner).or_default(),
        ];
        for row in rows {
            count(row, &sides, path, change);
        }
    }
    let unowned = packages.remove(&None).unwrap_or_default();
    let (packages, same_packages) = fates(&sides, packages, &staying);
    let mut directories: Vec<DiffRow> = directories
        .into_iter()
        .filter(|(_, row)| !row.is_same())
        .map(|(name, row)| DiffRow { name, ..row })
        .collect();
    directories.sort_by_key(|row| std::cmp::Reverse(weight(row)));
    ImageDiff {
        total,
        directories,
        packages,
        same_packages,
        unowned,
    }
}

/// How much differs: bytes gained or lost, then files.
fn weight(row: &DiffRow) -> (u64, u64) {
    let bytes = row.before_bytes.abs_diff(row.after_bytes);
    (bytes, row.added + row.removed + row.changed)
}

#[derive(Clone, Copy, PartialEq)]
enum Change {
    None,
    Added,
    Removed,
    Changed,
}

fn count(row: &mut DiffRow, [one, two]: &[Side<'_>; 2], path: &ImagePath, change: Change) {
    if let Some(bytes) = one.bytes(path) {
        row.before_files += 1;
        row.before_bytes += bytes;
    }
    if let Some(bytes) = two.bytes(path) {
        row.after_files += 1;
        row.after_bytes += bytes;
    }
    match change {
        Change::None => {}
        Change::Added => row.added += 1,
        Change::Removed => row.removed += 1,
        Change::Changed => row.changed += 1,
    }
}

/// One image: its files, whose they are, and which names of a file have its bytes.
struct Side<'a> {
    tree: &'a FileTree,
    packages: BTreeMap<Key<'a>, &'a Package>,
    owners: BTreeMap<ImagePath, Key<'a>>,
    first_names: BTreeSet<&'a ImagePath>,
}

impl<'a> Side<'a> {
    fn of(subject: &Subject<'a>) -> Self {
        let tree = &subject.rootfs.tree;
        let inventory = subject.inventory;
        let owners = inventory.owners(tree).into_iter();
        let owners = owners.filter_map(|(path, id)| Some((path, key(inventory.get(id)?))));
        let mut seen = BTreeSet::new();
        let files = tree.iter().filter(|(_, node)| !node.is_dir());
        let first = files.filter(|(_, node)| seen.insert(node.inode));
        let first_names = first.map(|(path, _)| path).collect();
        let packages = inventory.packages.iter();
        Self {
            tree,
            packages: packages.map(|package| (key(package), package)).collect(),
            owners: owners.collect(),
            first_names,
        }
    }

    fn paths(&self) -> impl Iterator<Item = &'a ImagePath> {
        let files = self.tree.iter().filter(|(_, node)| !node.is_dir());
        files.map(|(path, _)| path)
    }

    fn file(&self, path: &ImagePath) -> Option<&'a Node> {
        self.tree.get(path).filter(|node| !node.is_dir())
    }

    fn owner(&self, path: &ImagePath) -> Option<Key<'a>> {
        self.owners.get(path).copied()
    }

    fn bytes(&self, path: &ImagePath) -> Option<u64> {
        let node = self.file(path)?;
        let counts = self.first_names.contains(path);
        Some(if counts { node.size() } else { 0 })
    }
}

/// What became of each package, and how many are the same.
fn fates<'a>(
    [before, after]: &[Side<'a>; 2],
    mut rows: BTreeMap<Option<Key<'a>>, DiffRow>,
    staying: &BTreeSet<Key<'a>>,
) -> (Vec<PackageDiff>, u64) {
    let keys: BTreeSet<Key<'_>> = before
        .packages
        .keys()
        .chain(after.packages.keys())
        .copied()
        .collect();
    let mut same = 0;
    let mut diffs = Vec::new();
    for key in keys {
        let row = rows.remove(&Some(key)).unwrap_or_default();
        let version = |side: &Side<'_>| side.packages.get(&key).map(|it| it.version.clone());
        let (old, new) = (version(before), version(after));
        let fate = if old.is_none() {
            "added"
        } else if new.is_none() && !staying.contains(&key) {
            "removed"
        } else if new.is_some() && new != old || row.changed + row.added > 0 {
            "changed"
        } else if row.removed > 0 {
            "partial"
        } else if new.is_none() {
            // All its files are there and no database says so any more.
            "changed"
        } else {
            same += 1;
            continue;
        };
        diffs.push(PackageDiff {
            fate,
            before: old,
            after: new,
            files: DiffRow {
                name: key.1.to_owned(),
                ..row
            },
        });
    }
    diffs.sort_by_key(|diff| std::cmp::Reverse(weight(&diff.files)));
    (diffs, same)
}

/// The directory a path is counted in: the first below the root, below `/usr` and `/var` the
/// second.
fn top(path: &ImagePath) -> String {
    let parts: Vec<&[u8]> = path.components().collect();
    let depth = match parts.first() {
        Some(&(b"usr" | b"var")) => 2,
        _ => 1,
    };
    let directory = parts.len().saturating_sub(1).min(depth);
    ImagePath::new(parts[..directory].join(&b'/')).to_string()
}

/// Whether two files are the same but for their times.
fn same(
    before: &Subject<'_>,
    after: &Subject<'_>,
    path: &ImagePath,
    one: &Node,
    two: &Node,
) -> std::result::Result<bool, String> {
    let (a, b) = (&one.meta, &two.meta);
    if (a.mode, a.uid, a.gid, &a.xattrs) != (b.mode, b.uid, b.gid, &b.xattrs) {
        return Ok(false);
    }
    match (&one.kind, &two.kind) {
        (
            &Kind::File { size, at },
            &Kind::File {
                size: other,
                at: to,
            },
        ) => {
            if size != other {
                return Ok(false);
            }
            let one = before.rootfs.contents.open(at, size);
            let two = after.rootfs.contents.open(to, other);
            let equal = one.and_then(|one| Ok((one, two?)));
            let equal = equal.and_then(|(mut one, mut two)| equal_bytes(&mut one, &mut two));
            equal.map_err(|error| format!("{path} cannot be read in both images: {error}"))
        }
        (one, two) => Ok(one == two),
    }
}

fn equal_bytes(one: &mut dyn Read, two: &mut dyn Read) -> std::io::Result<bool> {
    let mut buffers = [vec![0; 64 << 10], vec![0; 64 << 10]];
    loop {
        let [a, b] = &mut buffers;
        let (read, other) = (fill(one, a)?, fill(two, b)?);
        if a[..read] != b[..other] {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the end is reached.
fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
