//! apk's database: one file for all packages of an Alpine Linux.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plimsoll_model::package::ecosystem;
use plimsoll_model::{FileDigest, ImagePath, Inventory, Package, PackageId, Problem};

use super::{Reading, database};
use crate::dpkg::{self, MAX_STATUS};

database! {
    /// The database of apk, as Alpine Linux and its kin install it: `installed`, a record a package
    /// with its files, in `/lib/apk/db` (since apk 3 in `/usr/lib/apk/db`).
    ///
    /// A record is lines of a letter, a colon and a value, and ends with an empty line: `P` name, `V`
    /// version, `A` architecture, `I` installed size, `o` source package, `D` what it needs, `p` what
    /// it provides; `F` is a directory, and `R` a file in the directory named last.
    ///
    /// ## Example
    ///
    /// ```image
    /// /lib/apk/db/installed 0644 "C:Q1x=\nP:busybox\nV:1.36.1-r29\nA:x86_64\no:busybox\nF:bin\nR:busybox\na:0:0:755\nZ:Q1y=\nF:etc\nR:securetty\n\n"
    /// /bin/busybox 0755 1k
    /// /etc/securetty 0644 1k
    /// ```
    ///
    /// ```packages
    /// busybox 1.36.1-r29 /bin/busybox /etc/securetty
    /// ```
    id: "apk",
    ecosystem: "apk",
    wants: &["lib/apk/db/installed", "usr/lib/apk/db/installed"],
    read: read,
    link: Some(link),
}

fn read(reading: &mut Reading<'_>) {
    let (rootfs, inventory) = (reading.rootfs, &mut *reading.inventory);
    let mut read: Vec<ImagePath> = Vec::new();
    for place in ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"] {
        // Where `/lib` is a link the two are one.
        let Ok(found) = rootfs.tree.resolve(&ImagePath::new(place)) else {
            continue;
        };
        let path = found.path;
        let is_file = rootfs.tree.get(&path).is_some_and(|node| node.is_file());
        if !is_file || read.contains(&path) {
            continue;
        }
        let problems = &mut inventory.problems;
        let Some(bytes) = dpkg::read(rootfs, &path, MAX_STATUS, problems) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        for (index, record) in text.split("\n\n").enumerate() {
            let record = record.trim_matches('\n');
            if record.is_empty() {
                continue;
            }
            match package(record, &path) {
                Some(package) => inventory.packages.push(package),
                None => {
                    let number = index + 1;
                    let message = format!("record {number} has no name or no version");
                    inventory.problems.push(Problem::at(&path, message));
                }
            }
        }
        inventory.databases.push(path.clone());
        read.push(path);
    }
}

/// The package a record is about; `None` where it has no name or no version.
fn package(record: &str, database: &ImagePath) -> Option<Package> {
    let mut package = Package {
        ecosystem: ecosystem::APK,
        record: record.to_owned(),
        database: Some(database.clone()),
        ..Package::default()
    };
    let mut directory = ImagePath::root();
    for (letter, value) in lines(record) {
        let text = || value.to_owned();
        match letter {
            "P" => package.name = text(),
            "V" => package.version = text(),
            "A" => package.architecture = text(),
            "I" => package.installed_size = value.parse().unwrap_or(0),
            "o" => package.source = Some(text()),
            "F" => directory = ImagePath::new(value),
            "L" => package.licences = vec![text()],
            "m" => package.vendor = text(),
            "R" => package.files.push(directory.join(value)),
            "Z" => {
                let digest = checksum(value);
                let file = package.files.last().cloned();
                package.digests.extend(file.zip(digest));
            }
            _ => {}
        }
    }
    package.source.take_if(|source| *source == package.name);
    package.files.sort();
    package.files.dedup();
    (!package.name.is_empty() && !package.version.is_empty()).then_some(package)
}

/// `Q1` and a SHA-1 in base64 (`apk-package(5)`).
fn checksum(value: &str) -> Option<FileDigest> {
    let digest = STANDARD.decode(value.strip_prefix("Q1")?).ok()?;
    FileDigest::from_bytes(&digest)
}

fn lines(record: &str) -> impl Iterator<Item = (&str, &str)> {
    record.lines().filter_map(|line| line.split_once(':'))
}

/// What packages need, resolved to installed ones by name and by what those provide (`apk-package(5)`:
/// `so:libz.so.1`, `cmd:sh`, a path). Versions are not compared: what is installed together was
/// resolved by apk.
fn link(inventory: &mut Inventory) {
    let mut provided: BTreeMap<String, PackageId> = BTreeMap::new();
    let mut requires: Vec<(PackageId, Vec<PackageId>)> = Vec::new();
    for (id, package) in inventory.iter().filter(|(_, p)| p.ecosystem == "apk") {
        provided.insert(package.name.clone(), id);
    }
    for (id, package) in inventory.iter().filter(|(_, p)| p.ecosystem == "apk") {
        let names = lines(&package.record).filter(|(letter, _)| *letter == "p");
        for word in names.flat_map(|(_, value)| value.split_whitespace()) {
            provided.entry(name(word).to_owned()).or_insert(id);
        }
        for path in &package.files {
            provided.entry(path.to_string()).or_insert(id);
        }
    }
    for (id, package) in inventory.iter().filter(|(_, p)| p.ecosystem == "apk") {
        let needs = lines(&package.record).filter(|(letter, _)| *letter == "D");
        let needs = needs.flat_map(|(_, value)| value.split_whitespace());
        // `!name` is what must not be there.
        let found = needs.filter_map(|word| provided.get(name(word)).copied());
        let mut found: Vec<PackageId> = found.filter(|found| *found != id).collect();
        found.sort();
        found.dedup();
        requires.push((id, found));
    }
    for (id, found) in requires {
        if let Some(package) = inventory.packages.get_mut(id.0 as usize) {
            package.requires = found;
        }
    }
}

/// A dependency or provision without the version behind it.
fn name(word: &str) -> &str {
    word.split(['=', '<', '>', '~']).next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;

    #[test]
    fn packages_need_what_others_are_called_or_provide() {
        let fixture = Fixture::bare(
            "/usr/lib/apk/db/installed 0644 \"P:app\\nV:1\\nA:x86_64\\nI:4096\\no:app\\nD:so:libz.so.1 /bin/sh !bad busybox>1\\n\\nP:zlib\\nV:1.3-r0\\no:z\\np:so:libz.so.1=1.3\\nF:lib\\nR:libz.so.1\\n\\nP:busybox\\nV:2\\nF:bin\\nR:busybox\\nR:sh\\n\\nP:bad\\n\\n\"
             /lib -> usr/lib",
        );
        let inventory = crate::databases::inventory(&fixture.rootfs);
        let names = |id: u32| inventory.packages[id as usize].name.as_str();
        let names: Vec<&str> = (0..inventory.packages.len() as u32).map(names).collect();
        assert_eq!(names, ["app", "busybox", "zlib"], "read once, in order");
        let app = &inventory.packages[0];
        let needs: Vec<u32> = app.requires.iter().map(|id| id.0).collect();
        assert_eq!(needs, [1, 2]);
        assert_eq!((app.installed_size, &app.source), (4096, &None));
        assert_eq!(inventory.packages[2].source.as_deref(), Some("z"));
        assert_eq!(inventory.problems.len(), 1, "{:?}", inventory.problems);
    }
}
