//! Databases that other programs made, against what those programs say is in them. The files lie
//! beside the checkout and nowhere else; without them the tests say so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_model::tree::Builder;
use plimsoll_model::{
    Entry, EntryKind, ImagePath, Inventory, Kind, MemoryContents, Metadata, Rootfs,
};
use plimsoll_packages::databases::inventory;

/// A path beside the checkout; `None`, said aloud, where it is not there.
#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: there is no {}", path.display());
    None
}

/// A tree of one file with these bytes.
fn tree(path: &str, bytes: Vec<u8>) -> Rootfs {
    let contents = MemoryContents::default();
    let mut builder = Builder::default();
    builder.begin_layer();
    let size = bytes.len() as u64;
    let at = contents.add(bytes);
    let kind = EntryKind::Node(Kind::File { size, at });
    let path = ImagePath::new(path);
    builder
        .apply(Entry {
            path,
            kind,
            meta: Metadata::with_mode(0o644),
        })
        .expect("a sound entry");
    Rootfs {
        tree: builder.finish(),
        contents: Arc::new(contents),
    }
}

fn read(path: &str, file: &Path) -> Inventory {
    inventory(&tree(
        path,
        std::fs::read(file).expect("a file beside the checkout"),
    ))
}

/// Name, epoch, version and release, architecture: as the lists of truth have them.
fn rows(inventory: &Inventory) -> Vec<String> {
    let mut rows: Vec<String> = inventory
        .packages
        .iter()
        .map(|package| {
            let (epoch, version) = package
                .version
                .split_once(':')
                .unwrap_or(("", &package.version));
            let (version, release) = version.rsplit_once('-').expect("a release");
            format!(
                "{}\t{epoch}\t{version}\t{release}\t{}",
                package.name, package.architecture
            )
        })
        .collect();
    rows.sort();
    rows
}

fn expected(list: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(list).expect("a list of truth");
    let mut rows: Vec<String> = text
        .lines()
        .map(|line| {
            let mut fields: Vec<&str> = line.split('\t').collect();
            // Rows that name an epoch of 0 mean none.
            if fields.get(1) == Some(&"0") {
                fields[1] = "";
            }
            fields.join("\t")
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn rpm_databases_of_three_forms_hold_what_rpm_says() {
    let Some(directory) = shared("data/rpmdb") else {
        return;
    };
    for (file, list) in [
        ("rpmdb.sqlite", "rpmdb.sqlite.tsv"),
        ("Packages.db", "Packages.db.tsv"),
    ] {
        let inventory = read(&format!("/var/lib/rpm/{file}"), &directory.join(file));
        assert_eq!(inventory.problems, [], "{file}");
        assert_eq!(rows(&inventory), expected(&directory.join(list)), "{file}");
        let files = inventory.packages.iter().map(|package| package.files.len());
        assert!(files.sum::<usize>() > 100, "{file}: files are known");
    }
    let inventory = read(
        "/usr/lib/sysimage/rpm/Packages",
        &directory.join("Packages"),
    );
    assert_eq!(inventory.problems, []);
    let [package] = &inventory.packages[..] else {
        panic!("{:?}", inventory.packages.len());
    };
    assert_eq!(
        (&*package.name, &*package.version),
        ("libuuid", "2.32.1-42.el8_8")
    );
    assert_eq!(
        (&*package.architecture, &*package.vendor),
        ("x86_64", "Red Hat, Inc.")
    );
    assert_eq!(package.source.as_deref(), Some("util-linux"));
    assert!(
        package
            .files
            .contains(&ImagePath::new("/usr/lib64/libuuid.so.1.3.0"))
    );
    assert!(!package.digests.is_empty());
}

#[test]
fn a_database_of_rpm_that_is_cut_off_is_a_problem_wherever_it_is_cut() {
    let Some(directory) = shared("data/rpmdb") else {
        return;
    };
    for file in ["rpmdb.sqlite", "Packages.db", "Packages"] {
        let whole = std::fs::read(directory.join(file)).unwrap();
        for part in [0, 10, 100, 600, 5000, whole.len() / 2, whole.len() - 5000] {
            let tree = tree(&format!("/var/lib/rpm/{file}"), whole[..part].to_vec());
            let inventory = inventory(&tree);
            assert!(!inventory.problems.is_empty(), "{file}, {part} bytes");
        }
        // Bytes in the middle overwritten: whatever is found, nothing panics.
        for start in (0..whole.len()).step_by(whole.len() / 40) {
            let mut broken = whole.clone();
            let end = (start + 64).min(whole.len());
            broken[start..end].fill(0xa5);
            inventory(&tree(&format!("/var/lib/rpm/{file}"), broken));
        }
    }
}

#[test]
fn dpkg_and_apk_databases_of_others_are_read() {
    let Some(directory) = shared("fixtures") else {
        return;
    };
    for (file, count) in [
        ("texlive", 357),
        ("source-version", 3),
        ("vcpkg", 15),
        ("conffiles", 1),
    ] {
        let path = directory.join(format!("dpkg/{file}.status"));
        // Of vcpkg's 24 records 9 are about features of a package that has one already.
        let inventory = read("/var/lib/dpkg/status", &path);
        assert_eq!(inventory.packages.len(), count, "{file}");
    }
    for (file, count) in [
        ("installed-alpine", 14),
        ("installed-wolfi-base", 15),
        ("installed-redis-operator", 16),
        ("installed-bad-perms", 1),
    ] {
        let inventory = read("/lib/apk/db/installed", &directory.join("apk").join(file));
        assert_eq!(inventory.packages.len(), count, "{file}");
        assert_eq!(inventory.problems, [], "{file}");
    }
}
