//! The slim image in the making: the kept part of the tree, the honest database, the config as it
//! was.

use std::sync::Arc;

use plimsoll_model::rootfs::Overlaid;
use plimsoll_model::{Draft, DraftLayer, ImagePath, Kind, Metadata, Node, Plan, Rootfs};

use crate::{Request, inventory};

/// The slim image: one layer, the configuration untouched but for labels that say what was done
/// (`org.plimsoll.level`, `org.plimsoll.source.digest`), and the original's creation time, so that
/// the same image and plan give the same bytes.
pub fn draft(request: &Request<'_>, plan: &Plan) -> Draft {
    let subject = &request.subject;
    let original = subject.rootfs;
    let added = Overlaid::new(Arc::clone(&original.contents));
    let mut tree = original.tree.clone();
    tree.dead.clear();
    tree.layers.clear();
    tree.retain(|path, _| plan.keeps(path));
    let mtime = database_time(original);
    for (path, content) in inventory::files(subject, plan) {
        let size = content.len() as u64;
        let kind = Kind::File {
            size,
            at: added.add(content),
        };
        let meta = Metadata {
            mtime,
            ..Metadata::with_mode(0o644)
        };
        for parent in path.ancestors().collect::<Vec<_>>().into_iter().rev() {
            if !tree.contains(&parent) {
                let meta = Metadata {
                    mtime,
                    ..Metadata::with_mode(0o755)
                };
                tree.insert(parent, node(Kind::Dir, meta));
            }
        }
        // A stranger may have put a link or a directory there; the database is ours now.
        tree.remove(&path);
        tree.insert(path, node(kind, meta));
    }
    let mut config = subject.image.config.clone();
    let level = request.level.name();
    let digest = subject.image.digest;
    let labels = [
        ("org.plimsoll.level", level.to_owned()),
        ("org.plimsoll.source.digest", digest.to_string()),
    ];
    config
        .labels
        .extend(labels.map(|(name, value)| (name.to_owned(), value)));
    config.history.clear();
    Draft {
        config,
        layers: vec![DraftLayer {
            rootfs: Rootfs {
                tree,
                contents: Arc::new(added),
            },
            created_by: format!("plimsoll slim --level {level} ({digest})"),
        }],
        annotations: subject.image.annotations.clone(),
    }
}

fn node(kind: Kind, meta: Metadata) -> Node {
    Node {
        kind,
        meta,
        layer: 0,
        inode: 0,
    }
}

/// When the original's database was written last; the epoch where it has none.
fn database_time(original: &Rootfs) -> i64 {
    [
        "/var/lib/dpkg/status",
        "/var/lib/dpkg/status.d",
        "/var/lib/dpkg",
    ]
    .iter()
    .find_map(|path| original.tree.get(ImagePath::new(path)))
    .map_or(0, |node| node.meta.mtime)
}
