//! What is installed, as the databases in an image tell it.

use std::collections::BTreeMap;

use crate::{FileTree, ImagePath, Problem};

/// The index of a package in [`Inventory::packages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub u32);

/// One installed package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// The kind of package in package-URL words: `deb`, `apk`, `rpm`, `pypi`.
    pub ecosystem: &'static str,
    /// Name.
    pub name: String,
    /// Version, in the ecosystem's own writing.
    pub version: String,
    /// Architecture, in the ecosystem's words; empty where it has none.
    pub architecture: String,
    /// Source package, where it differs from the name.
    pub source: Option<String>,
    /// Version of the source package, where it differs from the version.
    pub source_version: Option<String>,
    /// Section, in the distribution's words (`libs`, `httpd`); empty where it has none.
    pub section: String,
    /// Priority, in the distribution's words (`required`, `optional`); empty where it has none.
    pub priority: String,
    /// The distribution calls it essential (Debian policy 3.8).
    pub essential: bool,
    /// What it occupies by its own account, in bytes; 0 where it does not say.
    pub installed_size: u64,
    /// The paths it owns, as the database lists them (links in parents not followed, but dpkg's
    /// diversions applied; see [`Inventory::owners`] for where they really lie), directories
    /// left out where the database tells them apart.
    pub files: Vec<ImagePath>,
    /// Of those, the configuration files an administrator may change (Debian policy 10.7).
    pub conffiles: Vec<ImagePath>,
    /// Other packages it requires that are installed.
    pub requires: Vec<PackageId>,
    /// The record as the database holds it, for writing an honest one later.
    pub record: String,
    /// The file the record came from.
    pub database: Option<ImagePath>,
}

/// What is installed, and what we could not read.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// In the order of ecosystem and name.
    pub packages: Vec<Package>,
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

    /// Which package each file of the tree belongs to, by its real path.
    ///
    /// A database lists a file under the path it was packaged with (`/bin/x`), which may lead
    /// through links to where it lies (`/usr/bin/x`); a link in the last component is the file
    /// itself. Directories have no owner; what a database lists and the tree does not have is left
    /// out; of several owners the first counts.
    pub fn owners(&self, tree: &FileTree) -> BTreeMap<ImagePath, PackageId> {
        let mut owners = BTreeMap::new();
        // Files come in runs of one directory, and resolving is the costly part.
        let mut real_parents: BTreeMap<ImagePath, Option<ImagePath>> = BTreeMap::new();
        for (id, package) in self.iter() {
            for path in &package.files {
                let Some(parent) = path.parent() else {
                    continue;
                };
                let real = real_parents
                    .entry(parent)
                    .or_insert_with_key(|parent| tree.resolve(parent).ok().map(|found| found.path));
                let Some(real) = real.as_ref().map(|parent| parent.join(path.file_name())) else {
                    continue;
                };
                if tree.get(&real).is_some_and(|node| !node.is_dir()) {
                    owners.entry(real).or_insert(id);
                }
            }
        }
        owners
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
}
