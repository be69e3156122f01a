//! Unpacking: everything inside, nothing outside, or nothing at all.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::Arc;

use plimsoll_image::{Error, Ownership, unpack};
use plimsoll_model::fixture::Fixture;
use plimsoll_model::{Contents, Extent, Kind, Metadata, Node};

use crate::make::{Stored, Tar, gzip, listing, opened, tree};

const TREE: &str = "/app 04755 \"hello\" 7:8
/bin/a = /app
/bin/link -> ../app
/dev/null char 1 3
/etc/locked/ dir 0500
/etc/locked/file 0600 \"x\"
/etc/readonly/ dir 0
/etc/readonly/file 0 \"y\"
/out -> ../../../../tmp
/tmp/ dir 01777";

fn mode(path: &std::path::Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_tree_is_unpacked_for_a_plain_user() {
    let fixture = Fixture::bare(TREE);
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let unpacked = unpack(&fixture.rootfs, &root, Ownership::Mine).unwrap();
    assert_eq!(unpacked.files, 3);
    assert_eq!(unpacked.hardlinks, 1);
    assert_eq!(unpacked.symlinks, 2);
    assert_eq!(unpacked.bytes, 7);
    assert_eq!(std::fs::read(root.join("bin/a")).unwrap(), b"hello");
    let inode = |path: &str| root.join(path).metadata().unwrap().ino();
    assert_eq!(inode("app"), inode("bin/a"));
    assert_eq!(mode(&root.join("app")), 0o755);
    assert_eq!(mode(&root.join("etc/locked")), 0o700);
    assert_eq!(mode(&root.join("etc/readonly")), 0o700);
    assert_eq!(mode(&root.join("etc/locked/file")), 0o600);
    assert_eq!(mode(&root.join("tmp")), 0o1777);
    assert_eq!(root.join("app").metadata().unwrap().mtime(), 0);
    assert_eq!(root.join("etc").metadata().unwrap().mtime(), 0);
    assert!(!root.join("dev/null").exists());
    let out = std::fs::read_link(root.join("out")).unwrap();
    assert_eq!(out.to_str(), Some("../../../../tmp"));
    let problems: Vec<String> = unpacked.problems.iter().map(ToString::to_string).collect();
    for words in [
        "/dev/null: a device node",
        "/app: its owner",
        "/app: its set-uid",
    ] {
        assert!(
            problems.iter().any(|problem| problem.contains(words)),
            "{problems:?}"
        );
    }
}

#[test]
fn root_gets_owners_and_modes_as_they_are() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: changing owners needs root");
        return;
    }
    let fixture = Fixture::bare(TREE);
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    unpack(&fixture.rootfs, &root, Ownership::Real).unwrap();
    let app = root.join("app").metadata().unwrap();
    assert_eq!((app.uid(), app.gid()), (7, 8));
    assert_eq!(mode(&root.join("app")), 0o4755);
    assert_eq!(mode(&root.join("etc/readonly")), 0);
}

#[test]
fn nothing_is_written_through_a_link() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().display().to_string();
    let up = format!("{}{}", "../".repeat(20), target.trim_start_matches('/'));
    for link in [target.as_str(), up.as_str()] {
        let layer = Tar::default()
            .symlink("trampoline", link)
            .file("trampoline/poc", "evil")
            .symlink("d", link)
            .file("../../../../../../../../tmp/plimsoll-image-poc", "evil")
            .hardlink("passwd", "../../../../etc/passwd");
        for bytes in [layer.clone().done(), gzip(&layer.done())] {
            let stored = Stored::new(&bytes);
            let opened = opened(&format!("tar:{}", stored.name()));
            let root = stored.dir.path().join("root");
            unpack(&opened.rootfs, &root, Ownership::Mine).unwrap();
            assert_eq!(listing(outside.path()), [""; 0]);
            assert_eq!(listing(stored.dir.path()).len(), 2 + listing(&root).len());
            assert!(root.join("trampoline").is_symlink());
        }
    }
    assert!(!std::path::Path::new("/tmp/plimsoll-image-poc").exists());
}

#[test]
fn a_place_that_is_not_empty_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("precious"), "x").unwrap();
    std::os::unix::fs::symlink("/tmp", dir.path().join("link")).unwrap();
    let fixture = Fixture::bare(TREE);
    for path in [
        dir.path().to_owned(),
        dir.path().join("link"),
        dir.path().join("precious"),
    ] {
        let error = unpack(&fixture.rootfs, &path, Ownership::Mine).unwrap_err();
        assert!(matches!(error, Error::Target { .. }), "{error}");
    }
    assert_eq!(listing(dir.path()), ["link", "precious"]);
}

#[test]
fn what_fails_leaves_nothing() {
    struct Broken;
    impl Contents for Broken {
        fn open(&self, _: Extent, _: u64) -> std::io::Result<Box<dyn std::io::Read + Send + '_>> {
            Err(std::io::Error::other("gone"))
        }
    }
    let mut rootfs = Fixture::bare(TREE).rootfs;
    rootfs.contents = Arc::new(Broken);
    let dir = tempfile::tempdir().unwrap();
    let new = dir.path().join("new");
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for path in [&new, &empty] {
        let error = unpack(&rootfs, path, Ownership::Mine).unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
    }
    assert_eq!(listing(dir.path()), ["empty"]);
}

#[test]
fn a_path_below_a_link_is_no_tree() {
    let mut rootfs = Fixture::bare("/lib -> /tmp").rootfs;
    let node = Node {
        kind: Kind::Dir,
        meta: Metadata::with_mode(0o755),
        layer: 0,
        inode: 0,
    };
    rootfs.tree.insert("/lib/x".into(), node);
    let dir = tempfile::tempdir().unwrap();
    let error = unpack(&rootfs, &dir.path().join("x"), Ownership::Mine).unwrap_err();
    assert!(matches!(error, Error::Draft(_)), "{error}");
    assert_eq!(listing(dir.path()), [""; 0]);
}

#[test]
fn many_files_of_several_layers_arrive_whole() {
    let mut tar = Tar::default();
    for number in 0..500_usize {
        // Sorted otherwise in the layer than in the tree, some too large for the queue.
        let name = format!("d{}/{}", number % 7, 1000 - number);
        let size = if number % 50 == 0 { 300_000 } else { number };
        tar = tar.file(&name, vec![number as u8; size]);
    }
    let stored = Stored::new(&gzip(&tar.done()));
    let opened = opened(&format!("tar:{}", stored.name()));
    let root = stored.dir.path().join("root");
    unpack(&opened.rootfs, &root, Ownership::Mine).unwrap();
    for number in 0..500_usize {
        let size = if number % 50 == 0 { 300_000 } else { number };
        let body = std::fs::read(root.join(format!("d{}/{}", number % 7, 1000 - number)));
        assert!(body.unwrap() == vec![number as u8; size]);
    }
    assert_eq!(tree(&opened).len(), listing(&root).len());
}
