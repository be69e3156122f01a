//! Layers: compression, digests, merging, and how their files are read.

use std::io::Read as _;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_image::{Error, Options, open};
use plimsoll_model::Kind;

use crate::make::{
    Layout, Stored, Tar, config, digest, gzip, opened, problems, refused, tree, zstd,
};

/// Bytes that no compression makes much smaller.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn every_compression_is_told_by_its_first_bytes() {
    let plain = Tar::default().file("a", "one").done();
    let (head, tail) = plain.split_at(700);
    for stored in [
        plain.clone(),
        gzip(&plain),
        zstd(&plain),
        [gzip(head), gzip(tail)].concat(),
        [zstd(head), zstd(tail)].concat(),
    ] {
        let mut layout = Layout::new();
        let entry = layout.image(&config(&[&plain]), std::slice::from_ref(&stored));
        layout.list(entry, None);
        let opened = opened(&layout.done());
        assert_eq!(tree(&opened), ["/a one"]);
        let layer = &opened.image.layers[0];
        assert_eq!(layer.blob.descriptor.digest, digest(&stored));
        assert_eq!(layer.blob.descriptor.size, stored.len() as u64);
        assert_eq!(layer.diff_id, digest(&plain));
        assert_eq!(layer.uncompressed_size, plain.len() as u64);
    }
    let mut layout = Layout::new();
    let entry = layout.image(&config(&[&plain]), &[b"\xfd7zXZ\0".to_vec()]);
    layout.list(entry, None);
    assert!(matches!(refused(&layout.done()), Error::Unsupported { .. }));
}

#[test]
fn later_layers_hide_what_earlier_ones_wrote() {
    let layers = [
        Tar::default()
            .dir("d")
            .file("d/a", "1")
            .file("d/b", "22")
            .file("e/x", "333")
            .file("e/y", "4444")
            .file("f", "55555")
            .done(),
        Tar::default()
            .file("d/.wh.a", "")
            .file("e/.wh..wh..opq", "")
            .file("e/z", "z")
            .file("f", "new")
            .file(".wh..wh.plnk/1.2", "bookkeeping")
            .done(),
    ];
    let mut layout = Layout::new();
    let entry = layout.plain(&layers);
    layout.list(entry, None);
    let opened = opened(&layout.done());
    assert_eq!(tree(&opened), ["/d/", "/d/b 22", "/e/", "/e/z z", "/f new"]);
    assert_eq!(opened.rootfs.tree.dead_bytes(), 1 + 3 + 4 + 5);
    assert_eq!(problems(&opened), [""; 0]);
}

#[test]
fn archives_in_a_row_and_archives_without_an_end_are_read_whole() {
    let first = Tar::default().dir("./").symlink("run", "../x").unended();
    let second = Tar::default()
        .dir("./")
        .dir("run")
        .file("run/a", "1")
        .unended();
    let stored = Stored::new(&[first, second].concat());
    let opened = opened(&format!("tar:{}", stored.name()));
    assert_eq!(tree(&opened), ["/run/", "/run/a 1"]);
}

#[test]
fn a_layer_that_is_not_what_was_promised_is_refused() {
    let plain = Tar::default().file("a", noise(1, 5_000_000)).done();
    let stored = gzip(&plain);
    let promise = |stored: &[u8]| {
        let mut layout = Layout::new();
        let entry = layout.image(&config(&[&plain]), &[stored.to_vec()]);
        layout.list(entry, None);
        layout
    };
    let swap = |layout: &Layout, bytes: &[u8]| {
        std::fs::write(layout.blob_path(&digest(&stored)), bytes).unwrap();
    };
    // Shorter than the manifest says.
    let layout = promise(&stored);
    swap(&layout, &stored[..stored.len() / 2]);
    let error = refused(&layout.done());
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    assert!(error.to_string().contains("size"), "{error}");
    // As long, but other bytes.
    let layout = promise(&stored);
    let mut other = stored.clone();
    let at = other.len() - 6;
    other[at] ^= 1;
    swap(&layout, &other);
    let error = refused(&layout.done());
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    assert!(
        error.to_string().contains(&digest(&other).to_string()),
        "{error}"
    );
    // The digest is right, but the stream ends early, is damaged, or holds half a tar.
    for (bytes, words) in [
        (stored[..stored.len() - 9].to_vec(), "ends early"),
        (other, "damaged"),
        (gzip(&plain[..plain.len() / 2]), "ends in the middle"),
        (
            gzip(b"no tar at all, but long enough to be looked at"),
            "ends in the middle",
        ),
        (gzip(&[b'x'; 2048]), "not a tar header"),
        (zstd(&plain)[..1000].to_vec(), "ends early"),
    ] {
        let error = refused(&promise(&bytes).done());
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    // A good layer, but another one than the configuration says.
    let changed = gzip(&Tar::default().file("a", "other").done());
    let error = refused(&promise(&changed).done());
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    assert!(error.to_string().contains("diff id"), "{error}");
}

#[test]
fn of_several_bad_layers_the_lowest_is_reported() {
    let plain: Vec<Vec<u8>> = (0..6)
        .map(|number| Tar::default().file("a", number.to_string()).done())
        .collect();
    let slices: Vec<&[u8]> = plain.iter().map(Vec::as_slice).collect();
    let bad: Vec<Vec<u8>> = (0..6_u8)
        .map(|number| gzip(&[b'x'; 2048][usize::from(number)..]))
        .collect();
    let mut layout = Layout::new();
    let entry = layout.image(&config(&slices), &bad);
    layout.list(entry, None);
    for _ in 0..5 {
        let error = refused(&layout.done()).to_string();
        assert!(error.starts_with("layer 0 "), "{error}");
    }
}

/// Files in an order in which nobody reads them.
fn scattered() -> Layout {
    let mut layers = Vec::new();
    for layer in 0..2 {
        let mut tar = Tar::default();
        for number in (0..20).rev() {
            let body = noise(number + 100 * layer, 90_000 + number as usize);
            tar = tar.file(&format!("opt/{layer}-{number:02}"), body);
        }
        layers.push(tar.done());
    }
    let plain: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let stored = [gzip(&layers[0]), zstd(&layers[1])];
    let mut layout = Layout::new();
    let entry = layout.image(&config(&plain), &stored);
    layout.list(entry, None);
    layout
}

#[test]
fn files_are_read_at_random_with_and_without_a_spool() {
    let layout = scattered();
    let name = layout.done();
    let spool = tempfile::tempdir().unwrap();
    for spool in [None, Some(spool.path())] {
        let options = Options {
            spool,
            ..Options::default()
        };
        let opened = open(&name, &options).unwrap_or_else(|error| panic!("{error}"));
        let read_all = || {
            for (path, node) in opened.rootfs.tree.iter() {
                let Kind::File { size, .. } = node.kind else {
                    continue;
                };
                let text = path.to_string();
                let (layer, number) = text.strip_prefix("/opt/").unwrap().split_once('-').unwrap();
                let (layer, number): (u32, u32) = (layer.parse().unwrap(), number.parse().unwrap());
                let body = opened.rootfs.read(path, size).unwrap();
                assert!(body == noise(number + 100 * layer, body.len()), "{path}");
                // Also a file that nobody reads to the end.
                assert_eq!(opened.rootfs.read_head(path, 10).unwrap(), body[..10]);
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(read_all);
            scope.spawn(read_all);
        });
    }
    // The spool's files have no names.
    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 0);
}

#[test]
fn a_layer_that_changes_after_it_was_verified_is_not_believed() {
    let layout = scattered();
    let opened = opened(&layout.done());
    let blob = opened.image.layers[0].blob.descriptor.digest;
    std::fs::write(layout.blob_path(&blob), gzip(b"short")).unwrap();
    let path = "/opt/0-03".into();
    let error = opened.rootfs.read(&path, 1 << 20).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn package_databases_are_at_hand_after_the_first_pass() {
    let plain = Tar::default()
        .file("var/lib/dpkg/status", "Package: a\n")
        .file("etc/passwd", "root")
        .file("usr/bin/x", "binary")
        .done();
    let mut layout = Layout::new();
    let stored = gzip(&plain);
    let entry = layout.image(&config(&[&plain]), std::slice::from_ref(&stored));
    layout.list(entry, None);
    let opened = opened(&layout.done());
    std::fs::remove_file(layout.blob_path(&digest(&stored))).unwrap();
    let read = |path: &str| opened.rootfs.read(&path.into(), 1000);
    assert_eq!(read("/var/lib/dpkg/status").unwrap(), b"Package: a\n");
    assert_eq!(read("/etc/passwd").unwrap(), b"root");
    assert!(read("/usr/bin/x").is_err());
}

#[test]
fn progress_counts_every_byte_of_the_layers_once() {
    let layout = scattered();
    let (most, total) = (AtomicU64::new(0), AtomicU64::new(0));
    let tell = |done, all| {
        most.fetch_max(done, Ordering::Relaxed);
        total.store(all, Ordering::Relaxed);
    };
    let options = Options {
        progress: Some(&tell),
        ..Options::default()
    };
    let opened = open(&layout.done(), &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(total.into_inner(), opened.image.compressed_size());
    assert_eq!(most.into_inner(), opened.image.compressed_size());
}

#[test]
fn a_blob_can_be_read_again_as_it_is_stored() {
    let layout = scattered();
    let opened = opened(&layout.done());
    for layer in &opened.image.layers {
        let mut bytes = Vec::new();
        layer
            .blob
            .bytes
            .open()
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        assert_eq!(digest(&bytes), layer.blob.descriptor.digest);
    }
}
