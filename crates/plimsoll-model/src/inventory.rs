//! What is installed, as everything in an image that tells of packages says together.

use std::collections::{BTreeMap, BTreeSet};

use crate::package::ecosystem;
use crate::{FileTree, ImagePath, OsRelease, Package, PackageId, Problem, Rootfs};

/// How databases whose form only their reader knows are written anew: which packages live, which
/// paths stay. Gives path and content of each, or says which one failed.
pub type Prune = fn(
    &Rootfs,
    &Inventory,
    &mut dyn FnMut(PackageId) -> bool,
    &mut dyn FnMut(&ImagePath) -> bool,
) -> Result<BTreeMap<ImagePath, Vec<u8>>, String>;

/// What is installed, and what we could not read.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// What is there: the distribution's packages first, then in the order of ecosystem and name.
    pub packages: Vec<Package>,
    /// What was removed and left its configuration behind (`dpkg-query -W` lists it too).
    pub removed: Vec<Package>,
    /// The distribution it is, for the package URLs; `None` where the image does not say.
    pub release: Option<OsRelease>,
    /// How the databases of rpm are pruned; set where there are some.
    pub prune: Option<Prune>,
    /// The database files that were read.
    pub databases: Vec<ImagePath>,
    /// Records and files that could not be understood.
    pub problems: Vec<Problem>,
}

impl Inventory {
    /// The package with this number.
    pub fn get(&self, id: PackageId) -> Option<&Package> {
        self.packages.get(id.0 as usize)
    }

    /// Every package with its number.
    pub fn iter(&self) -> impl Iterator<Item = (PackageId, &Package)> {
        self.packages
            .iter()
            .enumerate()
            .map(|(index, package)| (PackageId(index as u32), package))
    }

    /// The first package of this name, of any ecosystem.
    pub fn by_name(&self, name: &str) -> Option<(PackageId, &Package)> {
        self.iter().find(|(_, package)| package.name == name)
    }

    /// Which package of the distribution each file of the tree belongs to, by its real path.
    ///
    /// A database lists a file under the path it was packaged with (`/bin/x`), which may lead
    /// through links to where it lies (`/usr/bin/x`); a link in the last component is the file
    /// itself. Directories have no owner; what a database lists and the tree does not have is left
    /// out; of several owners the first counts.
    pub fn owners(&self, tree: &FileTree) -> BTreeMap<ImagePath, PackageId> {
        self.owners_among(tree, |package| {
            ecosystem::is_distribution(package.ecosystem)
        })
    }

    /// As [`Self::owners`], by packages of every kind: what no package of the distribution owns may
    /// be a Python module's, a gem's, a program's that was recognised.
    pub fn all_owners(&self, tree: &FileTree) -> BTreeMap<ImagePath, PackageId> {
        // The distribution's come first, and the first one counts.
        self.owners_among(tree, |_| true)
    }

    fn owners_among(
        &self,
        tree: &FileTree,
        counts: impl Fn(&Package) -> bool,
    ) -> BTreeMap<ImagePath, PackageId> {
        let mut owners = BTreeMap::new();
        // Files come in runs of one directory, and resolving is the costly part.
        let mut places = Places::default();
        for (id, package) in self.iter().filter(|(_, package)| counts(package)) {
            for path in &package.files {
                if let Some(real) = places.of(tree, path)
                    && tree.get(&real).is_some_and(|node| !node.is_dir())
                {
                    owners.entry(real).or_insert(id);
                }
            }
        }
        owners
    }

    /// The packages that a database lists and none of whose files is there: somebody deleted them
    /// behind its back. Documentation and translations are left out of many images on purpose, so
    /// a package that has nothing else is no phantom, nor is one that never had a file.
    pub fn phantoms(&self, tree: &FileTree) -> Vec<PackageId> {
        let mut places = Places::default();
        let mut phantoms = Vec::new();
        for (id, package) in self.iter() {
            if !ecosystem::is_distribution(package.ecosystem) {
                continue;
            }
            let mut matter = package.files.iter().filter(|path| !is_left_out(path));
            let mut seen = false;
            let is_there = matter.any(|path| {
                seen = true;
                let real = places.of(tree, path);
                real.is_some_and(|real| tree.contains(&real))
            });
            if seen && !is_there {
                phantoms.push(id);
            }
        }
        phantoms
    }

    /// The files that no package of any kind owns, by directory: the bytes and the number of those
    /// below it, each file counted in one directory only and once for all its names. A directory
    /// with no owned file in it stands for all below it. Heaviest first.
    pub fn strangers(&self, tree: &FileTree) -> Vec<Strangers> {
        let owners = self.all_owners(tree);
        let metadata: BTreeSet<&ImagePath> = self.databases.iter().collect();
        let is_ours = |path: &ImagePath| owners.contains_key(path) || metadata.contains(path);
        // Directories in which something is owned cannot stand for what is below them.
        let mut mixed: BTreeSet<ImagePath> = BTreeSet::from([ImagePath::root()]);
        for (path, _) in tree.iter().filter(|(path, _)| is_ours(path)) {
            let mut above = path.parent();
            while let Some(directory) = above {
                above = directory.parent();
                if !mixed.insert(directory) {
                    break;
                }
            }
        }
        let links = tree.hard_links();
        let mut inodes = BTreeSet::new();
        let mut found: BTreeMap<ImagePath, Strangers> = BTreeMap::new();
        for (path, node) in tree.iter().filter(|(_, node)| node.is_file()) {
            let is_link = links.contains_key(&node.inode);
            if is_ours(path) || is_link && !inodes.insert(node.inode) {
                continue;
            }
            let Some(parent) = path.parent() else {
                continue;
            };
            // The highest directory that is all strangers', but not one directly below the root.
            let clean = path
                .ancestors()
                .take_while(|directory| !mixed.contains(directory));
            let top = clean.filter(|directory| directory.depth() > 1).last();
            let directory = top.unwrap_or(parent);
            let row = found.entry(directory).or_default();
            row.bytes = row.bytes.saturating_add(node.size());
            row.files += 1;
        }
        let mut rows: Vec<Strangers> = found
            .into_iter()
            .map(|(directory, row)| Strangers { directory, ..row })
            .collect();
        rows.sort_by(|a, b| {
            b.bytes
                .cmp(&a.bytes)
                .then_with(|| a.directory.cmp(&b.directory))
        });
        rows
    }
}

/// Files of one directory that no package owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strangers {
    /// The directory.
    pub directory: ImagePath,
    /// Bytes of the files.
    pub bytes: u64,
    /// How many files.
    pub files: u64,
}

impl Default for Strangers {
    fn default() -> Self {
        Self {
            directory: ImagePath::root(),
            bytes: 0,
            files: 0,
        }
    }
}

/// Whether images commonly leave this path of a package out when they install it.
fn is_left_out(path: &ImagePath) -> bool {
    const LEFT_OUT: &[&str] = &[
        "/usr/share/doc",
        "/usr/share/info",
        "/usr/share/licenses",
        "/usr/share/lintian",
        "/usr/share/locale",
        "/usr/share/man",
        "/usr/lib/.build-id",
    ];
    LEFT_OUT.iter().any(|directory| path.starts_with(directory))
}

/// Real places of listed paths, the links in their parents followed.
#[derive(Default)]
struct Places(BTreeMap<ImagePath, Option<ImagePath>>);

impl Places {
    fn of(&mut self, tree: &FileTree, path: &ImagePath) -> Option<ImagePath> {
        let parent = path.parent()?;
        let real = self
            .0
            .entry(parent)
            .or_insert_with_key(|parent| tree.resolve(parent).ok().map(|found| found.path));
        Some(real.as_ref()?.join(path.file_name()))
    }
}

#[cfg(all(test, feature = "fixture"))]
mod tests {
    use crate::fixture::Fixture;

    #[test]
    fn a_file_has_an_owner_where_it_really_lies() {
        let fixture = Fixture::bare(
            "/usr/bin/dash 0755 1k
             /usr/bin/sh -> dash
             /bin -> usr/bin
             /usr/share/doc/dash/ dir 0755
             /usr/share/doc/shared 0644 1k
             PACKAGE dash 0.5
             PACKAGE dash owns /bin/dash
             PACKAGE dash owns /bin/sh
             PACKAGE dash owns /usr/share/doc/dash
             PACKAGE dash owns /usr/share/doc/shared
             PACKAGE dash owns /gone/away
             PACKAGE dash owns /usr/bin/gone
             PACKAGE other 1
             PACKAGE other owns /usr/share/doc/shared",
        );
        let owners = fixture.inventory.owners(&fixture.rootfs.tree);
        let owners: Vec<_> = owners
            .iter()
            .map(|(path, id)| (path.as_str().unwrap(), id.0))
            .collect();
        assert_eq!(
            owners,
            [
                ("/usr/bin/dash", 0),
                ("/usr/bin/sh", 0),
                ("/usr/share/doc/shared", 0)
            ]
        );
    }

    #[test]
    fn a_package_without_its_files_is_a_phantom() {
        let fixture = Fixture::bare(
            "/usr/bin/there 0755 1k
             /usr/share/doc/gone/copyright 0644 1k
             PACKAGE there 1
             PACKAGE there owns /usr/bin/there
             PACKAGE there owns /usr/bin/lost
             PACKAGE gone 1
             PACKAGE gone owns /usr/bin/gone
             PACKAGE gone owns /usr/share/doc/gone/copyright
             PACKAGE documentation 1
             PACKAGE documentation owns /usr/share/doc/documentation/x
             PACKAGE nothing 1",
        );
        let phantoms = fixture.inventory.phantoms(&fixture.rootfs.tree);
        let names: Vec<&str> = phantoms
            .iter()
            .map(|id| fixture.inventory.get(*id).unwrap().name.as_str())
            .collect();
        assert_eq!(names, ["gone"]);
    }

    #[test]
    fn strangers_are_counted_where_they_are_among_themselves() {
        let fixture = Fixture::bare(
            "/usr/bin/there 0755 1k
             /usr/bin/mine 0755 2k
             /opt/app/bin/run 0755 3k
             /opt/app/bin/same = /opt/app/bin/run
             /opt/app/data/x 0644 4k
             /srv/x 0644 1k
             PACKAGE there 1
             PACKAGE there owns /usr/bin/there",
        );
        let rows = fixture.inventory.strangers(&fixture.rootfs.tree);
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (row.directory.to_string(), row.bytes, row.files))
            .collect();
        assert_eq!(
            rows,
            [
                ("/opt/app".to_owned(), 7 * 1024, 2),
                ("/usr/bin".to_owned(), 2 * 1024, 1),
                ("/srv".to_owned(), 1024, 1),
            ]
        );
    }
}
