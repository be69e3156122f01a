//! Root file systems as directories and tars, and names that open nothing.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use plimsoll_image::{Error, SOURCES};

use crate::make::{Stored, Tar, gzip, opened, problems, refused, tree};

#[test]
fn a_directory_is_an_image_of_one_layer() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    std::fs::create_dir_all(root.join("etc/empty")).unwrap();
    std::fs::write(root.join("etc/passwd"), "root").unwrap();
    std::fs::hard_link(root.join("etc/passwd"), root.join("etc/other")).unwrap();
    symlink("../../../etc/shadow", root.join("etc/shadow")).unwrap();
    let mode = std::fs::Permissions::from_mode(0o6711);
    std::fs::set_permissions(root.join("etc/passwd"), mode).unwrap();
    let expected = [
        "/etc/",
        "/etc/empty/",
        "/etc/other root",
        "/etc/passwd root",
        "/etc/shadow -> ../../../etc/shadow",
    ];
    let path = root.display().to_string();
    let opened1 = opened(&path);
    assert_eq!(tree(&opened1), expected);
    let files = &opened1.rootfs.tree;
    let node = files.get("/etc/passwd").unwrap();
    assert_eq!(node.meta.mode, 0o6711);
    assert_eq!(node.inode, files.get("/etc/other").unwrap().inode);
    assert_eq!(files.file_count(), 1);
    // The layer it would have can be read, and is the tree again.
    let layer = &opened1.image.layers[0];
    let mut bytes = Vec::new();
    layer
        .blob
        .bytes
        .open()
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    assert_eq!(crate::make::digest(&bytes), layer.diff_id);
    let stored = Stored::new(&bytes);
    let opened2 = opened(&format!("tar:{}", stored.name()));
    assert_eq!(tree(&opened2), expected);
    assert_eq!(opened2.image.digest, opened1.image.digest);
    assert_eq!(problems(&opened1), [""; 0]);
}

#[test]
fn a_file_that_became_a_link_since_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("etc")).unwrap();
    std::fs::write(dir.path().join("etc/a"), "inside").unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let opened = opened(&format!("dir:{}", dir.path().display()));
    std::fs::remove_file(dir.path().join("etc/a")).unwrap();
    symlink(&secret, dir.path().join("etc/a")).unwrap();
    assert!(opened.rootfs.read(&"/etc/a".into(), 100).is_err());
}

#[test]
fn what_an_image_cannot_hold_is_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("etc")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("etc/s")).unwrap();
    let opened = opened(&dir.path().display().to_string());
    assert_eq!(tree(&opened), ["/etc/"]);
    assert!(problems(&opened)[0].contains("a socket"));
}

#[test]
fn a_tar_of_a_root_file_system_is_told_from_other_tars() {
    let plain = Tar::default().dir("etc").file("etc/passwd", "root").done();
    for bytes in [plain.clone(), gzip(&plain)] {
        let stored = Stored::new(&bytes);
        assert_eq!(tree(&opened(&stored.name())), ["/etc/", "/etc/passwd root"]);
    }
    for tar in [Tar::default(), Tar::default().file("README.md", "x")] {
        let stored = Stored::new(&tar.done());
        let error = refused(&stored.name());
        assert!(matches!(error, Error::NotAnImage { .. }), "{error}");
    }
}

#[test]
fn what_is_no_image_says_what_it_is() {
    let mut sif = b"#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0".to_vec();
    sif.resize(4096, 0);
    for (bytes, words) in [
        (&b""[..], "is not an image"),
        (b"hello, world", "is not an image"),
        (&sif, "a Singularity image"),
        (b"\x7fELF...", "a program"),
        (b"PK\x03\x04", "a zip file"),
        (b"\xfd7zXZ\0", "compressed with xz"),
    ] {
        let stored = Stored::new(bytes);
        let error = refused(&stored.name()).to_string();
        assert!(error.contains(words), "{error}");
    }
    let empty = tempfile::tempdir().unwrap();
    let error = refused(&empty.path().display().to_string());
    assert!(matches!(error, Error::NotAnImage { .. }), "{error}");
}

#[test]
fn a_name_that_opens_nothing_lists_the_forms() {
    for name in [
        "docker://Httpd",
        "https://docker.io/httpd",
        "./httpd",
        "httpd.tar",
        "Httpd",
        "oci:/nowhere/at/all:tag",
        "",
        ":",
        "oci:",
    ] {
        let error = refused(name);
        assert!(matches!(error, Error::Name { .. }), "{error}");
        let text = error.to_string();
        for source in SOURCES {
            assert!(text.contains(source.form), "{text}");
        }
    }
}

#[test]
fn what_lies_elsewhere_needs_a_way_there() {
    for name in [
        "httpd:2.4",
        "docker.io/library/httpd",
        "docker://httpd",
        "docker-daemon:httpd",
        "podman:httpd",
        "containers-storage:httpd",
    ] {
        let error = refused(name);
        assert!(matches!(error, Error::Remote { .. }), "{error}");
    }
}

#[test]
fn the_table_of_sources_is_sorted_and_says_what_each_is() {
    assert!(SOURCES.is_sorted_by_key(|source| source.scheme));
    for source in SOURCES {
        assert!(source.form.starts_with(&format!("{}:", source.scheme)));
        assert!(!source.help.is_empty());
    }
}
