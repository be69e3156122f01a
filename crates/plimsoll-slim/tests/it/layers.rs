//! The result cut into layers: together what one layer would be, and the base on its own.

use std::collections::BTreeMap;

use plimsoll_model::{Draft, FileTree, ImagePath, Kind, Metadata, Node};
use plimsoll_slim::{Layers, Request};

use crate::world::World;

pub(crate) const BASE: &str = "ENTRYPOINT /usr/bin/server
    PACKAGE libc 1 libs
    PACKAGE libc owns /lib/libc.so
    PACKAGE libc owns /lib/libgone.so
    SEEN opened /etc/both
    SEEN opened /data/one
    INCLUDE /data/two
    /lib/libc.so        0644 elf
    /lib/libgone.so     0644 elf
    /etc/both           0644 \"old\"
    /etc/passwd         0644 \"root:x:0:0::/:\\n\"
    /data/one           0640 \"same\" 5:6
    /var/lib/dpkg/status 0644 \"Package: libc\\n\"
    /var/spool/         dir 0700 7:8
    --- layer
    /etc/               dir 0750
    /etc/both           0600 \"new\"
    /data/two           = /data/one
    /usr/bin/server     0755 elf needed=libc.so";

fn draft(text: &str, layers: Layers) -> Draft {
    let world = World::new(text);
    let request = Request {
        baked: &[],
        layers,
        ..world.request()
    };
    plimsoll_slim::draft(&request, &plimsoll_slim::plan(&request))
}

/// What a runtime sees that lays the layers over each other.
fn stacked(draft: &Draft) -> BTreeMap<ImagePath, (Kind, Metadata)> {
    let mut seen = BTreeMap::new();
    for layer in &draft.layers {
        for (path, node) in layer.rootfs.tree.iter() {
            let Node { kind, meta, .. } = node.clone();
            // A root of the common kind is not written.
            if !path.is_root() || meta != Metadata::with_mode(0o755) {
                seen.insert(path.clone(), (kind, meta));
            }
        }
    }
    seen
}

fn files(tree: &FileTree) -> Vec<String> {
    let files = tree.iter().filter(|(_, node)| !node.is_dir());
    files.map(|(path, _)| path.to_string()).collect()
}

#[test]
fn however_it_is_cut_a_container_sees_the_same() {
    let single = stacked(&draft(BASE, Layers::Single));
    assert!(single.len() > 10, "{single:?}");
    for layers in [Layers::Split, Layers::Origin] {
        let cut = draft(BASE, layers);
        assert_eq!(cut.layers.len(), 2);
        assert_eq!(stacked(&cut), single, "{layers:?}");
    }
}

#[test]
fn no_path_but_a_directory_is_in_two_layers() {
    for layers in [Layers::Split, Layers::Origin] {
        let cut = draft(BASE, layers);
        let [lower, upper] = [0, 1].map(|index| files(&cut.layers[index].rootfs.tree));
        assert_eq!(lower, ["/etc/passwd", "/lib/libc.so"], "{layers:?}");
        assert!(
            upper.iter().all(|path| !lower.contains(path)),
            "{layers:?}: {upper:?}"
        );
        // Names of one file lie together, and so does what was made for the result.
        let together = [
            "/data/one",
            "/data/two",
            "/etc/both",
            "/var/lib/dpkg/status.d/libc",
        ];
        assert!(
            together.iter().all(|path| upper.contains(&(*path).into())),
            "{upper:?}"
        );
    }
}

#[test]
fn two_images_of_one_base_share_the_layer_of_the_base_files_both_keep() {
    let one = draft(BASE, Layers::Split);
    // Another application, which also wrote another directory of the base again.
    let other = BASE
        .replace("/etc/               dir 0750", "/lib/ dir 0750 3:3")
        .replace("/usr/bin/server", "/usr/bin/other");
    let other = draft(&other, Layers::Split);
    let [one, other] = [&one, &other].map(|draft| &draft.layers[0].rootfs.tree);
    let content = |tree: &FileTree| {
        let nodes = tree.iter();
        nodes
            .map(|(path, node)| (path.clone(), node.kind.clone(), node.meta.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(content(one), content(other));
    assert!(!one.is_empty());
}

#[test]
fn where_no_base_is_known_there_is_one_layer() {
    let mut world = World::new(BASE);
    for ancestor in &mut world.fixture.lineage.ancestors {
        ancestor.layers = None;
    }
    let request = Request {
        baked: &[],
        layers: Layers::Split,
        ..world.request()
    };
    let draft = plimsoll_slim::draft(&request, &plimsoll_slim::plan(&request));
    assert_eq!(draft.layers.len(), 1);
}

#[test]
fn the_labels_say_what_was_done_and_nothing_else_changes() {
    let world = World::new(BASE);
    let request = world.request();
    let config = draft(BASE, Layers::Split).config;
    let digest = world.fixture.image.digest.to_string();
    let mut expected = world.fixture.image.config.clone();
    for (name, value) in [
        ("org.opencontainers.image.base.digest", digest.as_str()),
        ("org.plimsoll.level", request.level.name()),
        ("org.plimsoll.source.digest", digest.as_str()),
        ("org.plimsoll.version", env!("CARGO_PKG_VERSION")),
    ] {
        expected.labels.insert(name.into(), value.into());
    }
    expected.history.clear();
    assert_eq!(config, expected);

    let mut world = World::new(BASE);
    let annotation = ("org.opencontainers.image.base.digest", "sha256:abc");
    world
        .fixture
        .image
        .annotations
        .insert(annotation.0.into(), annotation.1.into());
    let request = world.request();
    let config = plimsoll_slim::draft(&request, &world.plan()).config;
    assert_eq!(config.labels[annotation.0], annotation.1);
}
