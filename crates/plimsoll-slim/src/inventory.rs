//! The package database of the slim image: what is still there, and nothing else.
//!
//! A database left as it was lists packages whose files are gone; none at all makes scanners blind.
//! So each package of which a file stays is written to `var/lib/dpkg/status.d/NAME`, with the sums
//! of the files that stay in `NAME.md5sums`: the convention of distroless images, which scanners
//! read. Packages of which nothing stays are not listed. apk's database is written anew in its own
//! place and form, rpm's in its place in the form of today (SQLite).

use std::collections::BTreeMap;

use plimsoll_model::{FileTree, ImagePath, Package, PackageId, Plan, Reason, Rootfs, Subject};

use crate::keep::Keep;
use crate::owners::{Owners, Places};
use crate::scene::Scene;
use crate::{apk, metadata};

/// Larger lists of sums are not read.
const SUMS_LIMIT: u64 = 64 << 20;

/// How much of a package stays: regular files and links with their own bytes aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// Regular files of it that stay, its copyright file aside.
    pub(crate) kept: usize,
    /// Regular files of it that the original has.
    pub(crate) total: usize,
}

/// How much of each package stays.
pub(crate) fn shares(tree: &FileTree, owners: &Owners, plan: &Plan) -> BTreeMap<PackageId, Share> {
    let mut shares: BTreeMap<PackageId, Share> = BTreeMap::new();
    for (path, id) in owners.iter() {
        if !tree.get(path).is_some_and(|node| node.is_file()) {
            continue;
        }
        let share = shares.entry(id).or_default();
        let is_copyright = path.starts_with("/usr/share/doc") && path.file_name() == b"copyright";
        if plan.keeps(path) {
            share.kept += usize::from(!is_copyright);
        } else if is_copyright {
            continue;
        }
        share.total += usize::from(!is_copyright);
    }
    shares
}

/// Keeps the copyright file of every package of which something stays (Debian policy 12.5 and 2.3:
/// who hands on a package hands on its copyright file), and the databases nobody here can prune.
pub(crate) fn add(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    let inventory = &scene.subject().inventory;
    let shares = shares(scene.tree(), scene.owners(), keep.plan());
    for (id, share) in shares {
        let Some(package) = inventory.get(id).filter(|_| share.kept > 0) else {
            continue;
        };
        let path = ImagePath::new(format!("/usr/share/doc/{}/copyright", package.name));
        let Ok(found) = scene.tree().resolve(&path) else {
            continue;
        };
        let reason = Reason {
            detail: package.name.clone(),
            ..Reason::rule("copyright")
        };
        for path in found.links.iter().chain([&found.path]) {
            keep.carry(path, reason.clone());
        }
    }
    metadata::add(scene, keep);
    if inventory.prune.is_some()
        && let Err(why) = rpm(scene.subject(), keep.plan())
    {
        let database = inventory.databases.first().cloned();
        keep.problem(
            &database.unwrap_or_else(ImagePath::root),
            format!("no database of rpm is in the result: {why}"),
        );
    }
}

/// The databases of rpm, pruned.
fn rpm(subject: &Subject<'_>, plan: &Plan) -> Result<BTreeMap<ImagePath, Vec<u8>>, String> {
    let Some(prune) = subject.inventory.prune else {
        return Ok(BTreeMap::new());
    };
    let tree = &subject.rootfs.tree;
    let owners = Owners::of(subject.inventory, tree);
    let shares = shares(tree, &owners, plan);
    let mut places = Places::default();
    prune(
        subject.rootfs,
        subject.inventory,
        &mut |id| shares.get(&id).is_some_and(|share| share.kept > 0),
        &mut |path| {
            let place = places.of(tree, path);
            place.is_some_and(|place| plan.keeps(&place))
        },
    )
}

fn is_deb(package: &Package) -> bool {
    package.ecosystem == "deb"
}

/// Gives the files that are written for the result their reason, where they will lie.
pub(crate) fn declare(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    let written = files(scene.subject(), keep.plan());
    for path in written.keys() {
        let reason = Reason {
            detail: "what is still installed, written anew".to_owned(),
            ..Reason::rule("inventory")
        };
        keep.hold(&place(scene.tree(), path), reason);
    }
}

/// Where a file that the tree may not have yet will lie: links in those directories above it that
/// are there are followed.
fn place(tree: &FileTree, path: &ImagePath) -> ImagePath {
    let above = path.ancestors().find_map(|above| {
        let rest = path.as_bytes().get(above.as_bytes().len()..)?;
        Some((tree.resolve(&above).ok()?.path, rest))
    });
    match above {
        Some((real, rest)) => real.join(rest.strip_prefix(b"/").unwrap_or(rest)),
        None => path.clone(),
    }
}

/// The files of the honest database: path and content, in the order of the paths.
pub(crate) fn files(subject: &Subject<'_>, plan: &Plan) -> BTreeMap<ImagePath, Vec<u8>> {
    let tree = &subject.rootfs.tree;
    let owners = Owners::of(subject.inventory, tree);
    let shares = shares(tree, &owners, plan);
    let staying: Vec<&Package> = subject
        .inventory
        .iter()
        .filter(|(id, package)| {
            is_deb(package) && shares.get(id).is_some_and(|share| share.kept > 0)
        })
        .map(|(_, package)| package)
        .collect();
    let mut files = BTreeMap::new();
    let mut places = Places::default();
    let directory = ImagePath::new("/var/lib/dpkg/status.d");
    for package in &staying {
        let file = directory.join(label(&subject.inventory.packages, package));
        let mut record = package.record.trim_end().to_owned();
        record.push('\n');
        let mut sums_file = file.as_bytes().to_vec();
        sums_file.extend_from_slice(b".md5sums");
        let sums = sums(subject.rootfs, package, |path| {
            let place = places.of(tree, path);
            place.is_some_and(|place| plan.keeps(&place))
        });
        files.insert(file, record.into_bytes());
        files.insert(ImagePath::new(sums_file), sums);
    }
    files.extend(apk::files(subject, &shares, plan));
    // What cannot be read was told when the plan was made.
    files.extend(rpm(subject, plan).unwrap_or_default());
    // Where a run read the classic database it must be there, and tell the same.
    let status = ImagePath::new("/var/lib/dpkg/status");
    if plan.keeps(&status) {
        let records = staying.iter().map(|package| package.record.trim_end());
        let mut text = records.collect::<Vec<_>>().join("\n\n");
        text.push('\n');
        files.insert(status, text.into_bytes());
    }
    files
}

/// The name of a package in lists: with its architecture where another of the name is installed.
pub(crate) fn label(packages: &[Package], package: &Package) -> String {
    let same = packages
        .iter()
        .filter(|other| (other.ecosystem, &other.name) == (package.ecosystem, &package.name));
    if same.count() > 1 && !package.architecture.is_empty() {
        format!("{}:{}", package.name, package.architecture)
    } else {
        package.name.clone()
    }
}

/// The lines of the package's list of sums whose file stays; none where it has no list.
fn sums(rootfs: &Rootfs, package: &Package, mut stays: impl FnMut(&ImagePath) -> bool) -> Vec<u8> {
    let Package {
        name, architecture, ..
    } = package;
    let places = [
        format!("/var/lib/dpkg/info/{name}.md5sums"),
        format!("/var/lib/dpkg/info/{name}:{architecture}.md5sums"),
        format!("/var/lib/dpkg/status.d/{name}.md5sums"),
    ];
    let list = places
        .iter()
        .find_map(|place| rootfs.read(&ImagePath::new(place), SUMS_LIMIT).ok());
    let mut sums = Vec::new();
    for line in list
        .unwrap_or_default()
        .split_inclusive(|&byte| byte == b'\n')
    {
        // `<32 hexadecimal digits>  <path without the leading slash>`
        let path = line.get(34..).unwrap_or_default();
        let path = path.strip_suffix(b"\n").unwrap_or(path);
        if !path.is_empty() && stays(&ImagePath::new(path)) {
            sums.extend_from_slice(line);
        }
    }
    sums
}
