//! dpkg's own database.

use std::collections::BTreeMap;

use plimsoll_model::{ImagePath, Kind, Package, Problem, Rootfs, State};

use super::{Reading, database};
use crate::dpkg::{self, MAX_LIST, MAX_STATUS, Record, Status};

database! {
    /// The database of dpkg, as Debian, Ubuntu and their kin install it: one record a package in
    /// `status`, and the files of each in `info/NAME.list` (with the architecture behind the name
    /// for packages that can be installed for several at once).
    ///
    /// A package counts as installed when its files are there: also one that is unpacked and not yet
    /// configured. One that was removed and left its configuration behind does not: it is listed apart. Files that
    /// another package diverted are listed where they really lie.
    ///
    /// ## Example
    ///
    /// ```image
    /// /var/lib/dpkg/status 0644 "Package: dash\nStatus: install ok installed\nVersion: 0.5.12-2\nArchitecture: amd64\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
    /// /var/lib/dpkg/info/dash.list 0644 "/.\n/bin\n/bin/dash\n"
    /// /bin/dash 0755 1k
    /// ```
    ///
    /// ```packages
    /// dash 0.5.12-2 /bin/dash
    /// ```
    id: "dpkg",
    ecosystem: "deb",
    wants: &[
        "var/lib/dpkg/status",
        "var/lib/dpkg/updates/*",
        "var/lib/dpkg/diversions",
        "var/lib/dpkg/info/*.list",
        "var/lib/dpkg/info/*.md5sums",
    ],
    read: read,
    link: Some(dpkg::link),
}

fn read(reading: &mut Reading<'_>) {
    let (rootfs, inventory) = (reading.rootfs, &mut *reading.inventory);
    let directory = ImagePath::new("/var/lib/dpkg");
    let status = directory.join("status");
    let mut problems = Vec::new();
    let mut records: BTreeMap<(String, String), Record> = BTreeMap::new();
    for path in [vec![status.clone()], updates(rootfs, &directory)].concat() {
        let Some(bytes) = dpkg::read(rootfs, &path, MAX_STATUS, &mut problems) else {
            continue;
        };
        let mut seen = Vec::new();
        for record in dpkg::records(&path, &bytes, &Status::Told, &mut problems) {
            let package = &record.package;
            let key = (package.name.clone(), package.architecture.clone());
            seen.push(key.clone());
            // The journal is read in its order; what is written later counts.
            records.insert(key, record);
        }
        seen.sort();
        for pair in seen.windows(2).filter(|pair| pair[0] == pair[1]) {
            let (name, architecture) = &pair[0];
            let message = format!("{name} ({architecture}) is recorded twice; the last one counts");
            problems.push(Problem::at(&path, message));
        }
        inventory.databases.push(path);
    }
    let diversions = Diversions::read(rootfs, &directory.join("diversions"), &mut problems);
    let mut without = Vec::new();
    for record in records.into_values() {
        let mut package = record.package;
        match record.state {
            None => continue,
            Some(State::ConfigFiles) => {
                inventory.removed.push(package);
                continue;
            }
            Some(_) => {}
        }
        let named = |end: &str| {
            let plain = directory.join(format!("info/{}.{end}", package.name));
            let full = format!("info/{}:{}.{end}", package.name, package.architecture);
            let full = directory.join(full);
            if record.same {
                [full, plain]
            } else {
                [plain, full]
            }
        };
        let mut find = |end: &str| {
            let paths = named(end);
            let mut read = |path| dpkg::read(rootfs, path, MAX_LIST, &mut problems);
            read(&paths[0]).or_else(|| read(&paths[1]))
        };
        let (list, sums) = (find("list"), find("md5sums"));
        match &list {
            Some(list) => package.files = dpkg::listed(rootfs, list),
            None if sums.is_some() => package.files = package.conffiles.clone(),
            None => without.push(package.name.clone()),
        }
        if let Some(sums) = sums {
            dpkg::add_sums(&mut package, &sums, list.is_some());
        }
        diversions.apply(&mut package);
        inventory.packages.push(package);
    }
    problems.extend(dpkg::without_files(&status, &without));
    inventory.problems.append(&mut problems);
}

/// The journal of changes that dpkg did not yet write into `status`, oldest first.
fn updates(rootfs: &Rootfs, directory: &ImagePath) -> Vec<ImagePath> {
    let Ok(found) = rootfs.tree.resolve(&directory.join("updates")) else {
        return Vec::new();
    };
    let mut paths: Vec<ImagePath> = rootfs
        .tree
        .children(&found.path)
        .filter(|(path, node)| {
            let name = path.file_name();
            matches!(node.kind, Kind::File { .. }) && name.iter().all(u8::is_ascii_digit)
        })
        .map(|(path, _)| path.clone())
        .collect();
    // The names are numbers with leading zeros.
    paths.sort();
    paths
}

/// Which files lie elsewhere than their packages say (`dpkg-divert(1)`).
#[derive(Default)]
struct Diversions {
    /// The path as packaged → where it lies, and the package that is not affected; empty for a
    /// diversion by the administrator, which affects all.
    moved: BTreeMap<ImagePath, (ImagePath, String)>,
}

impl Diversions {
    /// Three lines each: from, to, package (`:` for the administrator).
    fn read(rootfs: &Rootfs, path: &ImagePath, problems: &mut Vec<Problem>) -> Self {
        let mut moved = BTreeMap::new();
        let bytes = dpkg::read(rootfs, path, MAX_LIST, problems).unwrap_or_default();
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        if text.is_empty() {
            return Self::default();
        }
        let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
        for three in lines.chunks(3) {
            let [from, to, package] = three else {
                problems.push(Problem::at(path, "ends in the middle of a diversion"));
                break;
            };
            let package = match *package {
                b":" => String::new(),
                name => String::from_utf8_lossy(name).into_owned(),
            };
            moved.insert(ImagePath::new(from), (ImagePath::new(to), package));
        }
        Self { moved }
    }

    fn apply(&self, package: &mut Package) {
        if self.moved.is_empty() {
            return;
        }
        let name = package.name.clone();
        let place = |path: ImagePath| match self.moved.get(&path) {
            Some((to, spared)) if *spared != name => to.clone(),
            _ => path,
        };
        package.files = std::mem::take(&mut package.files)
            .into_iter()
            .map(place)
            .collect();
        package.files.sort();
        package.files.dedup();
        package.digests = std::mem::take(&mut package.digests)
            .into_iter()
            .map(|(path, digest)| (place(path), digest))
            .collect();
    }
}

#[cfg(test)]
mod tests;
