//! Layers of an image: tar archives, merged.

use std::io;

use plimsoll_model::tar::{Archive, Type};
use plimsoll_model::tree::{Builder, Naming};
use plimsoll_model::{Entry, EntryKind, Extent, ImagePath, Kind};

use crate::Target;
use crate::make::{BETWEEN, parts, tar};

pub(crate) static TARGET: Target = Target {
    id: "layers",
    summary: "layers of an image: tar archives, merged",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    let lower = tar(&[("/a/b", b"1"), ("/a/c", b"2"), ("/long", &[7; 1000])]);
    let upper = tar(&[
        ("/a/.wh.b", b""),
        ("/x/.wh..wh..opq", b""),
        ("/a/c/d", b"3"),
    ]);
    let deep = format!("/{}", "d/".repeat(120));
    vec![
        [&*lower, BETWEEN, &*upper].concat(),
        tar(&[(&deep, b"x"), ("/name-with-\u{e9}", b"y")]),
    ]
}

fn run(data: &[u8]) {
    let mut builder = Builder::default();
    for layer in parts(data) {
        let number = builder.begin_layer();
        let mut archive = Archive::new(layer);
        while let Ok(Some(member)) = archive.next_member() {
            // A body that is not there must not be believed.
            let Ok(found) = io::copy(&mut archive, &mut io::sink()) else {
                break;
            };
            assert!(found <= layer.len() as u64);
            if member.climbs() {
                continue;
            }
            let path = ImagePath::new(&member.name);
            let at = Extent {
                layer: number,
                offset: member.offset,
            };
            let size = member.size;
            let (path, kind) = match (Naming::of(&path), member.kind) {
                (Naming::Whiteout(path), _) => (path, EntryKind::Whiteout),
                (Naming::Opaque(path), _) => (path, EntryKind::Opaque),
                (Naming::Ignored, _) => continue,
                (_, Type::Hardlink) => (path, EntryKind::Hardlink(ImagePath::new(&member.link))),
                (_, Type::Dir) => (path, EntryKind::Node(Kind::Dir)),
                (_, Type::Symlink) => {
                    let target = member.link.clone().into();
                    (path, EntryKind::Node(Kind::Symlink(target)))
                }
                _ => (path, EntryKind::Node(Kind::File { size, at })),
            };
            let meta = member.meta;
            let _ = builder.apply(Entry { path, kind, meta });
        }
    }
    let tree = builder.finish();
    for (path, node) in tree.iter() {
        let parent = path.parent();
        // Nothing hangs in the air, and nothing is below what is no directory.
        assert!(
            parent.is_none_or(|parent| tree.get(&parent).is_some_and(plimsoll_model::Node::is_dir)),
            "{path:?}"
        );
        if let Ok(found) = tree.resolve(path) {
            std::hint::black_box(found);
        }
        std::hint::black_box(node.size());
    }
    // The names of a file have its bytes once.
    let files: u64 = tree.files().map(|(_, node)| node.size()).sum();
    assert!(tree.live_bytes() <= files);
}
