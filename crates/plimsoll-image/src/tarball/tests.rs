//! What the tar writer writes, read again.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_model::fixture::Fixture;
use plimsoll_model::tar::{Archive, Member, Type};
use plimsoll_model::{Extent, MemoryContents};

use super::*;

fn packed(rootfs: &Rootfs) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_layer(rootfs, &mut bytes, &mut |_| {}).unwrap();
    bytes
}

fn members(bytes: &[u8]) -> Vec<(Member, Vec<u8>)> {
    let mut archive = Archive::new(bytes);
    let mut members = Vec::new();
    while let Some(member) = archive.next_member().unwrap() {
        let mut body = Vec::new();
        archive.read_to_end(&mut body).unwrap();
        members.push((member, body));
    }
    members
}

/// A tree of one node called `name`.
fn one(name: &[u8], kind: Kind, meta: Metadata) -> Rootfs {
    let mut rootfs = Rootfs::empty();
    let node = Node {
        kind,
        meta,
        layer: 0,
        inode: 0,
    };
    rootfs.tree.insert(ImagePath::new(name), node);
    rootfs
}

#[test]
fn parents_come_first_and_hard_links_follow_their_file() {
    let fixture = Fixture::bare(
        "/usr/bin/a 0755 \"x\"\n/usr/bin/z = /usr/bin/a\n/usr/b -> bin\n/usr/bin.d/ dir 0700",
    );
    let bytes = packed(&fixture.rootfs);
    let names: Vec<String> = members(&bytes)
        .iter()
        .map(|(member, _)| {
            let name = String::from_utf8(member.name.clone()).unwrap();
            match member.kind {
                Type::Hardlink | Type::Symlink => {
                    format!(
                        "{name} > {}",
                        String::from_utf8(member.link.clone()).unwrap()
                    )
                }
                _ => name,
            }
        })
        .collect();
    let expected = [
        "usr",
        "usr/b > bin",
        "usr/bin",
        "usr/bin.d",
        "usr/bin/a",
        "usr/bin/z > usr/bin/a",
    ];
    assert_eq!(names, expected);
    assert_eq!(bytes.len() % 512, 0);
    assert_eq!(packed(&fixture.rootfs), bytes);
}

#[test]
fn everything_a_header_can_say_comes_back() {
    let long = [b"d/".repeat(60), b"n".repeat(150)].concat();
    let xattrs = BTreeMap::from([
        (b"security.capability".to_vec(), vec![1, 0, 0, 2, b'\n', 0]),
        (b"user.x".to_vec(), Vec::new()),
    ]);
    let names: [&[u8]; 6] = [
        b"short",
        &long,
        "\u{e9}t\u{e9}".as_bytes(),
        b"not-text-\xfd",
        &[b"\xfd".repeat(200)].concat(),
        &b"p/".repeat(80)[..159],
    ];
    let metas = [
        Metadata::with_mode(0o6755),
        Metadata {
            uid: 0o777_7777,
            gid: 0o1000_0000,
            mtime: -2,
            mtime_nanos: 500_000_000,
            ..Metadata::with_mode(0o1777)
        },
        Metadata {
            uid: u32::MAX,
            mtime: 0o777_7777_7777 + 1,
            xattrs: Some(Arc::new(xattrs)),
            ..Metadata::with_mode(0)
        },
        Metadata {
            mtime: 1_700_000_000,
            mtime_nanos: 1,
            ..Metadata::with_mode(0o644)
        },
    ];
    let targets: [&[u8]; 4] = [b"t", &[b't'; 101], b"\xff", "\u{fc}".as_bytes()];
    for name in names {
        for meta in &metas {
            let mut kinds = vec![
                Kind::Dir,
                Kind::Fifo,
                Kind::Device {
                    block: true,
                    major: 0o777_7777,
                    minor: 3,
                },
            ];
            kinds.extend(targets.map(|target| Kind::Symlink(target.into())));
            for kind in kinds {
                let rootfs = one(name, kind.clone(), meta.clone());
                let members = members(&packed(&rootfs));
                let (member, _) = members.last().unwrap();
                assert_eq!(member.name, ImagePath::new(name).relative());
                assert_eq!(member.meta, *meta);
                match kind {
                    Kind::Symlink(target) => assert_eq!(member.link, *target),
                    Kind::Device { major, minor, .. } => assert_eq!(member.device, (major, minor)),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn a_plain_header_needs_no_pax() {
    let rootfs = one(b"etc", Kind::Dir, Metadata::with_mode(0o755));
    assert_eq!(packed(&rootfs).len(), 3 * 512);
}

#[test]
fn the_length_of_a_pax_record_counts_its_own_digits() {
    for length in 0..1100 {
        let mut pax = Vec::new();
        record(&mut pax, b"k", &vec![b'v'; length]);
        let text = String::from_utf8(pax.clone()).unwrap();
        let (said, _) = text.split_once(' ').unwrap();
        assert_eq!(said, pax.len().to_string());
    }
}

#[test]
fn a_root_of_its_own_is_written_and_a_common_one_is_not() {
    let mut rootfs = Rootfs::empty();
    assert_eq!(packed(&rootfs).len(), 1024);
    let root = Node {
        kind: Kind::Dir,
        meta: Metadata::with_mode(0o700),
        layer: 0,
        inode: 0,
    };
    rootfs.tree.insert(ImagePath::root(), root);
    let members = members(&packed(&rootfs));
    assert_eq!(ImagePath::new(&members[0].0.name), ImagePath::root());
    assert_eq!(members[0].0.meta.mode, 0o700);
}

#[test]
fn a_tree_that_no_layer_can_hold_is_refused() {
    let mut below_link = one(
        b"lib",
        Kind::Symlink((*b"usr/lib").into()),
        Metadata::with_mode(0o777),
    );
    let node = Node {
        kind: Kind::Dir,
        meta: Metadata::with_mode(0o755),
        layer: 0,
        inode: 0,
    };
    below_link.tree.insert(ImagePath::new("/lib/x"), node);
    let deletion = one(b".wh.etc", Kind::Dir, Metadata::with_mode(0o755));
    let xattrs = BTreeMap::from([(b"user.a=b".to_vec(), Vec::new())]);
    let meta = Metadata {
        xattrs: Some(Arc::new(xattrs)),
        ..Metadata::with_mode(0o755)
    };
    let attribute = one(b"x", Kind::Dir, meta);
    let nowhere = one(
        b"x",
        Kind::Symlink((*b"").into()),
        Metadata::with_mode(0o777),
    );
    for rootfs in [below_link, deletion, attribute, nowhere] {
        let result = write_layer(&rootfs, &mut Vec::new(), &mut |_| {});
        assert!(matches!(result, Err(Error::Draft(_))), "{result:?}");
    }
}

#[test]
fn a_file_shorter_than_the_tree_says_is_an_error() {
    let contents = MemoryContents::default();
    let at = contents.add(&b"four"[..]);
    let kind = Kind::File {
        size: 5,
        at: Extent { ..at },
    };
    let mut rootfs = one(b"x", kind, Metadata::with_mode(0o644));
    rootfs.contents = Arc::new(contents);
    let result = write_layer(&rootfs, &mut Vec::new(), &mut |_| {});
    assert!(matches!(result, Err(Error::Io { .. })), "{result:?}");
}

#[test]
fn a_blob_beyond_eight_gibibytes_still_has_one_block_of_header() {
    let size = 9 << 30;
    let header = file_header("blobs/sha256/x", size);
    let member = Archive::new(&header[..]).next_member().unwrap().unwrap();
    assert_eq!(member.size, size);
}
