//! Every kept byte has a reason, whatever the image, the level and the cut.

use plimsoll_slim::{Layers, Level, Request};

use crate::samples::samples;
use crate::world::World;

#[test]
fn no_kept_byte_is_without_a_reason() {
    let mut bytes = 0;
    for text in samples() {
        let world = World::new(&text);
        for (level, layers) in [
            (Level::Package, Layers::Single),
            (Level::App, Layers::Split),
            (Level::File, Layers::Origin),
        ] {
            let request = Request {
                level,
                baked: &[],
                layers,
                ..world.request()
            };
            let plan = plimsoll_slim::plan(&request);
            let draft = plimsoll_slim::draft(&request, &plan);
            for layer in &draft.layers {
                for (path, node) in layer.rootfs.tree.iter().filter(|(_, node)| !node.is_dir()) {
                    let reasons = plan.keep.get(path).map_or(0, Vec::len);
                    assert!(reasons > 0, "{path} at {} of\n{text}", level.name());
                    let root = plan.chain(path).pop();
                    let is_root = root.is_some_and(|(_, reason)| {
                        // Who was asked for by a path goes back to something nobody asked for,
                        // or in a ring that began with one of its other reasons.
                        reason.by.is_none_or(|by| plan.keeps(&by))
                    });
                    assert!(is_root, "{path}: {:?}", plan.chain(path));
                    bytes += node.size();
                }
            }
        }
    }
    assert!(bytes > 10_000, "the fixtures hold bytes: {bytes}");
}
