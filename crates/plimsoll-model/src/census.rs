//! Whose every byte of an image is, file by file.

use std::collections::{BTreeMap, BTreeSet};

use crate::package::ecosystem;
use crate::tree::Dead;
use crate::{ImagePath, KnownBy, Package, PackageId, Subject};

/// Whose a byte is, in the four kinds that sums are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerKind {
    /// A package of the distribution.
    Package,
    /// A package of a language: a Python distribution, a gem, a Java archive.
    LanguagePackage,
    /// What was built or copied in without a package, above the base image.
    Application,
    /// Nobody's: caches, logs, temporary files, the package databases, and what was made while
    /// the base was installed.
    #[default]
    Nobody,
}

impl OwnerKind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 4] = [
        Self::Package,
        Self::LanguagePackage,
        Self::Application,
        Self::Nobody,
    ];

    /// One word for programs: `package`, `language-package`, `application`, `nobody`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::LanguagePackage => "language-package",
            Self::Application => "application",
            Self::Nobody => "nobody",
        }
    }

    /// Words for a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Package => "distribution packages",
            Self::LanguagePackage => "language packages",
            Self::Application => "the application",
            Self::Nobody => "nobody",
        }
    }
}

/// One owner of files.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its kind.
    pub kind: OwnerKind,
    /// The package, or what the files are in a few words.
    pub name: String,
    /// The version of the package; empty for what is none.
    pub version: String,
}

/// One regular file, under the first of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The path.
    pub path: ImagePath,
    /// Its bytes.
    pub bytes: u64,
    /// The layer that wrote it, lowest 0.
    pub layer: u32,
    /// The index of its owner in [`Census::owners`].
    pub owner: u32,
}

/// Whose every byte of an image is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Every owner of a file.
    pub owners: Vec<Owner>,
    /// Every regular file, sorted by path; a file with several names counts once.
    pub files: Vec<Counted>,
    /// Bytes that are in layers and in no container.
    pub dead: Vec<Dead>,
}

/// Bytes and files of one kind of owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OwnerSum {
    /// The kind.
    pub kind: OwnerKind,
    /// Bytes of its files.
    pub bytes: u64,
    /// How many.
    pub files: u64,
}

impl Census {
    /// Counts an image. Sums over the files are those of its footprint.
    pub fn of(subject: &Subject<'_>) -> Self {
        let tree = &subject.rootfs.tree;
        let packages = subject.inventory.all_owners(tree);
        let databases: BTreeSet<&ImagePath> = subject.inventory.databases.iter().collect();
        let base = subject.lineage.base_layers().unwrap_or(0);
        let mut owners = Owners::default();
        let mut files = Vec::new();
        for (path, node) in tree.files() {
            let package = packages.get(path);
            // What Python compiled belongs to what it was compiled from, though nobody lists it.
            let package = package.or_else(|| packages.get(&source(path)?)).copied();
            let package = package.and_then(|id| Some((id, subject.inventory.get(id)?)));
            let owner = match package {
                Some((id, package)) => owners.package(id, package),
                None if databases.contains(path) => owners.named(OwnerKind::Nobody, DATABASES),
                None => {
                    let (kind, name) = without_package(path, (node.layer as usize) < base);
                    owners.named(kind, name)
                }
            };
            files.push(Counted {
                path: path.clone(),
                bytes: node.size(),
                layer: node.layer,
                owner,
            });
        }
        Self {
            owners: owners.list,
            files,
            dead: tree.dead.clone(),
        }
    }

    /// Bytes and files by kind of owner, in the order of [`OwnerKind::ALL`].
    pub fn sums(&self) -> [OwnerSum; 4] {
        let mut sums = OwnerKind::ALL.map(|kind| OwnerSum {
            kind,
            ..OwnerSum::default()
        });
        for file in &self.files {
            let kind = self.owner(file.owner).kind;
            for sum in sums.iter_mut().filter(|sum| sum.kind == kind) {
                sum.bytes = sum.bytes.saturating_add(file.bytes);
                sum.files += 1;
            }
        }
        sums
    }

    /// The owner with this index.
    fn owner(&self, index: u32) -> Owner {
        let owner = self.owners.get(index as usize);
        owner.cloned().unwrap_or_default()
    }
}

const DATABASES: &str = "package databases";
const CACHES: &str = "caches, logs, temporary files";

/// What the files below these directories are, whoever wrote them (the Filesystem Hierarchy
/// Standard, and where the package managers keep their databases).
const PLACES: &[(&str, &str)] = &[
    ("/lib/apk/db", DATABASES),
    ("/root/.cache", CACHES),
    ("/run", CACHES),
    ("/tmp", CACHES),
    ("/usr/lib/apk/db", DATABASES),
    ("/usr/lib/sysimage/rpm", DATABASES),
    ("/var/cache", CACHES),
    ("/var/lib/apt", CACHES),
    ("/var/lib/dpkg", DATABASES),
    ("/var/lib/rpm", DATABASES),
    ("/var/log", CACHES),
    ("/var/tmp", CACHES),
];

/// Whose a file without a package is, and what it is called.
fn without_package(path: &ImagePath, in_base: bool) -> (OwnerKind, &'static str) {
    let place = PLACES.iter().find(|(place, _)| path.starts_with(place));
    match place {
        Some((_, name)) => (OwnerKind::Nobody, name),
        None if in_base => (OwnerKind::Nobody, "made while the base was installed"),
        None => (OwnerKind::Application, "application, of no package"),
    }
}

/// The Python source of a compiled module: `x/__pycache__/y.cpython-311.pyc` is of `x/y.py` (PEP 3147).
fn source(path: &ImagePath) -> Option<ImagePath> {
    let cache = path
        .parent()
        .filter(|_| path.file_name().ends_with(b".pyc"))?;
    let directory = cache
        .parent()
        .filter(|_| cache.file_name() == b"__pycache__")?;
    let stem = path.file_name().split(|&byte| byte == b'.').next()?;
    Some(directory.join([stem, b".py"].concat()))
}

/// The owners met so far.
#[derive(Default)]
struct Owners {
    list: Vec<Owner>,
    packages: BTreeMap<PackageId, u32>,
    names: BTreeMap<&'static str, u32>,
}

impl Owners {
    fn package(&mut self, id: PackageId, package: &Package) -> u32 {
        // Modules that a compiler wrote into a program do not own it: the program is somebody's.
        if matches!(package.known_by, KnownBy::BuildInfo) {
            return self.named(OwnerKind::Application, "application, of no package");
        }
        let next = self.list.len() as u32;
        let index = *self.packages.entry(id).or_insert(next);
        if index == next {
            let kind = if ecosystem::is_distribution(package.ecosystem) {
                OwnerKind::Package
            } else if package.ecosystem == ecosystem::GENERIC {
                OwnerKind::Application
            } else {
                OwnerKind::LanguagePackage
            };
            self.list.push(Owner {
                kind,
                name: package.name.clone(),
                version: package.version.clone(),
            });
        }
        index
    }

    fn named(&mut self, kind: OwnerKind, name: &'static str) -> u32 {
        let next = self.list.len() as u32;
        let index = *self.names.entry(name).or_insert(next);
        if index == next {
            self.list.push(Owner {
                kind,
                name: name.to_owned(),
                version: String::new(),
            });
        }
        index
    }
}

#[cfg(all(test, feature = "fixture"))]
mod tests {
    use super::*;
    use crate::Ancestor;
    use crate::fixture::Fixture;

    fn fixture() -> Fixture {
        let mut fixture = Fixture::bare(
            "/usr/bin/dash 0755 10k
             /usr/bin/sh = /usr/bin/dash
             /etc/made 0644 1k
             /var/lib/dpkg/status 0644 2k
             --- layer
             /srv/app/main.py 0644 3k
             /srv/lib/flask/x.py 0644 3k
             /srv/lib/flask/__pycache__/x.cpython-311.pyc 0644 1k
             /var/cache/apt/x 0644 5k
             /etc/old 0644 6k
             --- layer
             /etc/old removed
             PACKAGE dash 0.5
             PACKAGE dash owns /usr/bin/dash
             PACKAGE dash owns /usr/bin/sh
             PACKAGE flask 3
             PACKAGE flask owns /srv/lib/flask/x.py",
        );
        for package in &mut fixture.inventory.packages {
            package.ecosystem = match &*package.name {
                "flask" => ecosystem::PYPI,
                _ => ecosystem::DEB,
            };
        }
        let base = Ancestor {
            name: "base".into(),
            layers: Some(1),
            evidence: "the test says so".into(),
        };
        fixture.lineage.ancestors.insert(0, base);
        fixture
    }

    #[test]
    fn every_byte_has_one_owner() {
        let fixture = fixture();
        let census = Census::of(&fixture.subject());
        let sums = census.sums().map(|sum| (sum.kind, sum.bytes, sum.files));
        assert_eq!(
            sums,
            [
                (OwnerKind::Package, 10 * 1024, 1),
                (OwnerKind::LanguagePackage, 4 * 1024, 2),
                (OwnerKind::Application, 3 * 1024, 1),
                (OwnerKind::Nobody, 8 * 1024, 3),
            ]
        );
        let total: u64 = census.files.iter().map(|file| file.bytes).sum();
        assert_eq!(total, fixture.rootfs.tree.live_bytes());
        assert_eq!(census.files.len() as u64, fixture.rootfs.tree.file_count());
        assert_eq!(census.dead.len(), 1);
    }

    #[test]
    fn a_module_in_a_program_does_not_own_the_program() {
        let mut fixture = fixture();
        for package in &mut fixture.inventory.packages {
            package.known_by = KnownBy::BuildInfo;
        }
        let sums = Census::of(&fixture.subject()).sums();
        assert_eq!(sums[1].bytes, 0);
        assert_eq!(sums[2].bytes, (3 + 4) * 1024 + 10 * 1024);
    }
}
