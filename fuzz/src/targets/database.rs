//! A package database, or a file that a language's packages are read from.

use crate::Target;
use crate::make::{BETWEEN, choosing, chosen, parts, tree};

pub(crate) static TARGET: Target = Target {
    id: "database",
    summary: "a package database of a distribution or a language",
    seeds,
    run,
};

/// Where the databases lie; an input in parts fills the places that follow too.
const PLACES: [&str; 22] = [
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/info/a.list",
    "/var/lib/dpkg/info/a.md5sums",
    "/var/lib/dpkg/status.d/a",
    "/var/lib/dpkg/status.d/a.md5sums",
    "/var/lib/dpkg/diversions",
    "/lib/apk/db/installed",
    "/var/lib/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages.db",
    "/var/lib/rpm/Packages",
    "/var/lib/rpmmanifest/container-manifest-2",
    "/usr/lib/python3/a.dist-info/METADATA",
    "/usr/lib/python3/a.dist-info/RECORD",
    "/usr/lib/python3/b.egg-info",
    "/app/node_modules/a/package.json",
    "/usr/lib/ruby/specifications/a-1.gemspec",
    "/app/vendor/composer/installed.json",
    "/app/a.deps.json",
    "/app/a.jar",
    "/usr/bin/program",
    "/etc/os-release",
    "/app/b.egg",
];

fn seeds() -> Vec<Vec<u8>> {
    let status = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nSource: b (2)\n";
    let list = "/.\n/usr\n/usr/bin/program\n";
    let both = [status.as_bytes(), BETWEEN, list.as_bytes()].concat();
    let manifest = "Manifest-Version: 1.0\nImplementation-Title: a\nImplementation-Version: 1.2\n";
    vec![
        choosing(0, both),
        choosing(3, status),
        choosing(5, "/a\n/b\na\n"),
        choosing(
            6,
            "P:musl\nV:1.2-r0\nA:x86_64\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\nZ:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n",
        ),
        choosing(7, b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20"),
        choosing(8, b"RpmP\0\0\0\0\0\0\0\0\x01\0\0\0"),
        choosing(
            9,
            b"\0\0\0\0\0\0\0\0\0\0\0\0\x61\x15\x06\0\x09\0\0\0\0\x10\0\0",
        ),
        choosing(
            10,
            "a\t1-1\t1\t2\tvendor\t(none)\t10\tx86_64\t0\ta-1-1.src.rpm\n",
        ),
        choosing(
            11,
            "Metadata-Version: 2.1\nName: a\nVersion: 1.0\nRequires-Dist: b (>=1) ; extra == 'c'\n",
        ),
        choosing(
            12,
            "a/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n",
        ),
        choosing(13, "Metadata-Version: 1.0\nName: b\nVersion: 2\n"),
        choosing(
            14,
            r#"{"name":"a","version":"1.0.0","license":"MIT","dependencies":{"b":"^1"}}"#,
        ),
        choosing(
            15,
            "Gem::Specification.new do |s|\n  s.name = \"a\".freeze\n  s.version = \"1\"\nend\n",
        ),
        choosing(
            16,
            r#"{"packages":[{"name":"a/b","version":"1.0.0","install-path":"../a/b"}]}"#,
        ),
        choosing(
            17,
            r#"{"libraries":{"a/1.0.0":{"type":"package"}},"targets":{}}"#,
        ),
        choosing(
            18,
            zip(&[
                ("META-INF/MANIFEST.MF", manifest.as_bytes()),
                (
                    "META-INF/maven/g/a/pom.properties",
                    b"groupId=g\nartifactId=a\nversion=1\n",
                ),
            ]),
        ),
        choosing(19, crate::targets::follow::program()),
        choosing(
            19,
            b"\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07go1.20.1\x40",
        ),
        choosing(20, "ID=debian\nVERSION_ID=\"12\"\n"),
    ]
}

fn run(data: &[u8]) {
    let Some((first, bytes)) = chosen(&PLACES, data) else {
        return;
    };
    let from = PLACES.iter().position(|place| place == first).unwrap_or(0);
    let places = PLACES.iter().cycle().skip(from);
    let mut files: Vec<(&str, &[u8])> = vec![("/usr/bin/other", b"#!/bin/sh\n")];
    files.extend(places.copied().zip(parts(bytes)).take(PLACES.len()));
    let rootfs = tree(&files);
    let inventory = plimsoll_packages::databases::inventory(&rootfs);
    for (id, _) in inventory.iter() {
        assert!(inventory.get(id).is_some());
    }
    let owners = inventory.all_owners(&rootfs.tree);
    assert!(owners.keys().all(|path| rootfs.tree.contains(path)));
    std::hint::black_box((
        inventory.phantoms(&rootfs.tree).len(),
        inventory.strangers(&rootfs.tree).len(),
    ));
}

/// A zip archive whose members are stored as they are (PKWARE's APPNOTE 4.3).
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let offset = archive.len() as u32;
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut common = Vec::new();
        // Version, flags, method, time, date, checksum, both sizes, the length of the name, no more.
        common.extend_from_slice(&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        common.extend_from_slice(&crc.sum().to_le_bytes());
        common.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        common.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        common.extend_from_slice(&(name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend_from_slice(&common);
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(bytes);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (start, size) = (archive.len() as u32, directory.len() as u32);
    let count = (members.len() as u16).to_le_bytes();
    archive.extend_from_slice(&directory);
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&size.to_le_bytes());
    archive.extend_from_slice(&start.to_le_bytes());
    archive.extend_from_slice(&[0, 0]);
    archive
}
