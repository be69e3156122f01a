//! dpkg records without dpkg: one file a package, as distroless images have them.

use plimsoll_model::{ImagePath, Kind, State};

use super::{Reading, database};
use crate::dpkg::{self, MAX_LIST, MAX_STATUS, Status};

database! {
    /// The records of images that were put together from Debian packages without running dpkg
    /// (distroless): one file a package in `status.d`, whose name means nothing (some builders encode
    /// it), and beside it the digests of its files as `NAME.md5sums`, or their paths as `NAME.list`.
    ///
    /// What is recorded is there, whether the record has a `Status` or not. The digests do not tell
    /// of symbolic links, so these have no owner.
    ///
    /// ## Example
    ///
    /// ```image
    /// /var/lib/dpkg/status.d/libc6 0644 "Package: libc6\nSource: glibc\nVersion: 2.36-9\nArchitecture: amd64\n"
    /// /var/lib/dpkg/status.d/libc6.md5sums 0644 "d41d8cd98f00b204e9800998ecf8427e  lib/libc.so.6\n"
    /// /lib/libc.so.6 0755 1k
    /// ```
    ///
    /// ```packages
    /// libc6 2.36-9 /lib/libc.so.6
    /// ```
    id: "dpkg-status-d",
    ecosystem: "deb",
    wants: &["var/lib/dpkg/status.d/*"],
    read: read,
    // The row of dpkg links all packages of the ecosystem.
    link: None,
}

fn read(reading: &mut Reading<'_>) {
    let (rootfs, inventory) = (reading.rootfs, &mut *reading.inventory);
    let directory = ImagePath::new("/var/lib/dpkg/status.d");
    let Ok(found) = rootfs.tree.resolve(&directory) else {
        return;
    };
    let mut problems = Vec::new();
    let mut without = Vec::new();
    let files = rootfs
        .tree
        .children(&found.path)
        .filter(|(_, node)| matches!(node.kind, Kind::File { .. } | Kind::Symlink(_)))
        .map(|(path, _)| path);
    for path in files {
        let name = path.file_name();
        if name.ends_with(b".md5sums") || name.ends_with(b".list") {
            continue;
        }
        let Some(bytes) = dpkg::read(rootfs, path, MAX_STATUS, &mut problems) else {
            continue;
        };
        let beside = |end: &[u8]| found.path.join([name, end].concat());
        let (list, sums) = (beside(b".list"), beside(b".md5sums"));
        let list = dpkg::read(rootfs, &list, MAX_LIST, &mut problems);
        let sums = dpkg::read(rootfs, &sums, MAX_LIST, &mut problems);
        let records = dpkg::records(path, &bytes, &Status::Implied, &mut problems);
        for record in records {
            let mut package = record.package;
            if !matches!(record.state, Some(State::Installed | State::HalfInstalled)) {
                continue;
            }
            match (&list, &sums) {
                (Some(list), _) => package.files = dpkg::listed(rootfs, list),
                (None, Some(_)) => {}
                (None, None) => without.push(package.name.clone()),
            }
            if let Some(sums) = &sums {
                dpkg::add_sums(&mut package, sums, list.is_some());
            }
            inventory.packages.push(package);
        }
        inventory.databases.push(path.clone());
    }
    problems.extend(dpkg::without_files(&directory, &without));
    inventory.problems.append(&mut problems);
}

#[cfg(test)]
mod tests;
