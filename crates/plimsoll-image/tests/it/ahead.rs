//! Uncompressed layers that are looked at before they are verified.

use plimsoll_image::{Error, Opened, Options, open};
use plimsoll_model::{Kind, Waste};

use crate::make::{Layout, Tar, config, digest, gzip, tree};

/// A layer of two megabytes, with a file that is there twice and a program.
fn plain(seed: u8) -> Vec<u8> {
    let body = |seed: u8| -> Vec<u8> { (0..700_000_u32).map(|at| (at / 7) as u8 ^ seed).collect() };
    Tar::default()
        .file("one", body(seed))
        .file("two", body(seed))
        .file("three", body(seed.wrapping_add(1)))
        .file("four", "text")
        .done()
}

fn look(name: &str, ahead: bool) -> Result<Opened, Error> {
    let options = Options {
        ahead,
        ..Options::default()
    };
    open(name, &options)
}

fn prints(opened: &Opened) -> Vec<Option<u64>> {
    let files = opened.rootfs.tree.files();
    let print = files.filter_map(|(_, node)| match node.kind {
        Kind::File { size, at } => Some(opened.rootfs.contents.fingerprint(at, size)),
        _ => None,
    });
    print.collect()
}

#[test]
fn what_is_looked_at_ahead_is_what_it_is() {
    let layers = [plain(1), plain(1), plain(2)];
    let mut layout = Layout::new();
    let stored = [layers[0].clone(), gzip(&layers[1]), layers[2].clone()];
    let plain: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let entry = layout.image(&config(&plain), &stored);
    layout.list(entry, None);
    let name = layout.done();
    let at_once = look(&name, false).unwrap_or_else(|error| panic!("{error}"));
    let mut ahead = look(&name, true).unwrap_or_else(|error| panic!("{error}"));
    std::mem::take(&mut ahead.pending)
        .wait()
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(tree(&ahead), tree(&at_once));
    assert_eq!(prints(&ahead), prints(&at_once));
    assert!(prints(&ahead).iter().all(Option::is_some));
    let waste = Waste::of(&ahead.rootfs);
    assert_eq!(waste, Waste::of(&at_once.rootfs));
    assert_eq!((waste.duplicate, waste.again), (700_000, 2_100_008));
    for (one, other) in ahead.image.layers.iter().zip(&at_once.image.layers) {
        assert_eq!(one.blob.descriptor.digest, other.blob.descriptor.digest);
        assert_eq!(one.diff_id, other.diff_id);
        assert_eq!(one.uncompressed_size, other.uncompressed_size);
    }
}

#[test]
fn a_layer_that_is_not_what_was_promised_is_refused_in_the_same_words() {
    for change in [0, 300_000, 2_100_000] {
        let layers = [plain(1), plain(2)];
        let mut layout = Layout::new();
        let plain: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
        let entry = layout.image(&config(&plain), &layers);
        layout.list(entry, None);
        let name = layout.done();
        let path = layout.blob_path(&digest(&layers[1]));
        let mut bad = layers[1].clone();
        bad[change] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        let Err(wanted) = look(&name, false) else {
            panic!("a changed layer was believed")
        };
        // What cannot be looked at is read, and refused, at once.
        let found = look(&name, true).and_then(|opened| opened.pending.wait());
        let found = found.expect_err("a changed layer was believed");
        assert_eq!(found.to_string(), wanted.to_string(), "{change}");
        // Cut off behind the last entry and in the middle of one.
        for length in [layers[1].len() - 512, 1_500_000] {
            std::fs::write(&path, &layers[1][..length]).unwrap();
            let wanted = look(&name, false).err().map(|error| error.to_string());
            let found = look(&name, true).and_then(|opened| opened.pending.wait());
            assert_eq!(
                found.err().map(|error| error.to_string()),
                wanted,
                "{length}"
            );
            assert!(wanted.is_some());
        }
    }
}
