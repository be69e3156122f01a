//! The package database of the slim image: what is still there, and nothing else.
//!
//! A database left as it was lists packages whose files are gone; none at all makes scanners blind.
//! So each package of which a file stays is written to `var/lib/dpkg/status.d/NAME`, with the sums
//! of the files that stay in `NAME.md5sums`: the convention of distroless images, which scanners
//! read. Packages of which nothing stays are not listed. apk's database is written anew in its own
//! place and form, rpm's in its place in the form of today (SQLite).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use plimsoll_model::{FileTree, ImagePath, Node, Package, PackageId, Plan, Reason};

use crate::keep::Keep;
use crate::owners::{Owners, Places, is_copyright};
use crate::scene::Scene;
use crate::{apk, metadata};

/// Larger lists of sums are not read.
const SUMS_LIMIT: u64 = 64 << 20;
/// Bytes of all lists of sums together that are held; those of later packages are read whenever they
/// are asked for.
const HELD: usize = 64 << 20;

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
    let all = owners.files();
    let mut shares: BTreeMap<PackageId, Share> = all
        .map(|(id, total)| (id, Share { kept: 0, total }))
        .collect();
    for path in plan.keep.keys() {
        if let Some(id) = owners.owner(path)
            && tree.get(path).is_some_and(Node::is_file)
            && !is_copyright(path)
        {
            shares.entry(id).or_default().kept += 1;
        }
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
        && let Err(why) = rpm(scene, keep.plan())
    {
        let database = inventory.databases.first().cloned();
        keep.problem(
            &database.unwrap_or_else(ImagePath::root),
            format!("no database of rpm is in the result: {why}"),
        );
    }
}

/// The databases of rpm, pruned.
fn rpm(scene: &Scene<'_>, plan: &Plan) -> Result<BTreeMap<ImagePath, Vec<u8>>, String> {
    let (subject, tree) = (scene.subject(), scene.tree());
    let Some(prune) = subject.inventory.prune else {
        return Ok(BTreeMap::new());
    };
    let shares = shares(tree, scene.owners(), plan);
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
    // Only where they lie: what is in them is made for whoever writes them.
    let mut written = BTreeSet::new();
    each(scene, keep.plan(), &mut |path, _| {
        written.insert(path);
    });
    for path in written {
        let reason = Reason {
            detail: "what is still installed, written anew".to_owned(),
            ..Reason::rule("inventory")
        };
        keep.hold(&place(scene.tree(), &path), reason);
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
pub(crate) fn files(scene: &Scene<'_>, plan: &Plan) -> BTreeMap<ImagePath, Vec<u8>> {
    let mut files = BTreeMap::new();
    each(scene, plan, &mut |path, content| {
        files.insert(path, content());
    });
    files
}

/// How the content of a file is made; once.
type Content<'a> = &'a mut dyn FnMut() -> Vec<u8>;

/// Tells of every file of the honest database, and how its content is made; of two of one path the
/// later one counts.
fn each(scene: &Scene<'_>, plan: &Plan, tell: &mut dyn FnMut(ImagePath, Content<'_>)) {
    let (subject, tree) = (scene.subject(), scene.tree());
    let shares = shares(tree, scene.owners(), plan);
    let staying: Vec<(PackageId, &Package)> = subject
        .inventory
        .iter()
        .filter(|(id, package)| {
            is_deb(package) && shares.get(id).is_some_and(|share| share.kept > 0)
        })
        .collect();
    let directory = ImagePath::new("/var/lib/dpkg/status.d");
    for &(id, package) in &staying {
        let file = directory.join(label(&subject.inventory.packages, package));
        let mut sums_file = file.as_bytes().to_vec();
        sums_file.extend_from_slice(b".md5sums");
        tell(file, &mut || {
            let mut record = package.record.trim_end().to_owned();
            record.push('\n');
            record.into_bytes()
        });
        tell(ImagePath::new(sums_file), &mut || {
            scene.sums().staying(scene, id, plan)
        });
    }
    let mut made = apk::files(subject, &shares, plan);
    // What cannot be read was told when the plan was made.
    made.extend(rpm(scene, plan).unwrap_or_default());
    for (path, mut content) in made {
        tell(path, &mut || std::mem::take(&mut content));
    }
    // Where a run read the classic database it must be there, and tell the same.
    let status = ImagePath::new("/var/lib/dpkg/status");
    if plan.keeps(&status) {
        tell(status, &mut || {
            let records = staying.iter().map(|(_, package)| package.record.trim_end());
            let mut text = records.collect::<Vec<_>>().join("\n\n");
            text.push('\n');
            text.into_bytes()
        });
    }
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

/// The lists of sums of an image's packages, each line with where its file really lies: they are the
/// same whatever stays of the image.
pub(crate) struct Sums(BTreeMap<PackageId, List>);

/// The list of one package; empty where the image has none.
#[derive(Default)]
struct List {
    text: Vec<u8>,
    /// Of each line the place of its file, and where the line is in the text. Those whose file
    /// cannot lie anywhere are left out.
    lines: Vec<(ImagePath, Range<usize>)>,
}

impl Sums {
    pub(crate) fn of(scene: &Scene<'_>) -> Self {
        let mut places = Places::default();
        let mut left = HELD;
        let mut lists = BTreeMap::new();
        for (id, package) in scene.subject().inventory.iter() {
            if !is_deb(package) {
                continue;
            }
            let list = List::of(scene, package, &mut places);
            left = match left.checked_sub(list.weight()) {
                Some(left) => left,
                None => break,
            };
            lists.insert(id, list);
        }
        Self(lists)
    }

    /// The lines of a package's list whose file stays; none where it has no list.
    fn staying(&self, scene: &Scene<'_>, id: PackageId, plan: &Plan) -> Vec<u8> {
        let afresh = || {
            let package = scene.subject().inventory.get(id)?;
            Some(List::of(scene, package, &mut Places::default()))
        };
        match self.0.get(&id) {
            Some(list) => list.staying(plan),
            None => afresh().unwrap_or_default().staying(plan),
        }
    }
}

impl List {
    fn of(scene: &Scene<'_>, package: &Package, places: &mut Places) -> Self {
        let Package {
            name, architecture, ..
        } = package;
        let files = [
            format!("/var/lib/dpkg/info/{name}.md5sums"),
            format!("/var/lib/dpkg/info/{name}:{architecture}.md5sums"),
            format!("/var/lib/dpkg/status.d/{name}.md5sums"),
        ];
        let rootfs = scene.rootfs();
        let text = files
            .iter()
            .find_map(|file| rootfs.read(&ImagePath::new(file), SUMS_LIMIT).ok())
            .unwrap_or_default();
        let mut lines = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            let range = start..start + line.len();
            start = range.end;
            // `<32 hexadecimal digits>  <path without the leading slash>`
            let path = line.get(34..).unwrap_or_default();
            let path = path.strip_suffix(b"\n").unwrap_or(path);
            if !path.is_empty()
                && let Some(place) = places.of(scene.tree(), &ImagePath::new(path))
            {
                lines.push((place, range));
            }
        }
        Self { text, lines }
    }

    /// The bytes of memory it takes, about.
    fn weight(&self) -> usize {
        /// Of a line beyond its text and its path.
        const PLACE: usize = 80;
        let lines = self.lines.iter();
        let lines: usize = lines.map(|(path, _)| path.as_bytes().len() + PLACE).sum();
        self.text.len() + lines
    }

    fn staying(&self, plan: &Plan) -> Vec<u8> {
        let stay = self.lines.iter().filter(|(place, _)| plan.keeps(place));
        let lines = stay.filter_map(|(_, range)| self.text.get(range.clone()));
        lines.flatten().copied().collect()
    }
}
