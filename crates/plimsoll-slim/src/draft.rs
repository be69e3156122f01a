//! The slim image in the making: the kept part of the tree, the honest database, the config as it
//! was.

use std::io::{self, Read as _};
use std::sync::Arc;

use plimsoll_model::rootfs::{Contents, Overlaid};
use plimsoll_model::{Draft, DraftLayer, FileTree, ImagePath, Kind, Metadata, Node, Plan, Rootfs};

use crate::scene::Scene;
use crate::{Request, inventory, layers};

/// The label for the digest of the image another was made from.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// The slim image, in the layers the request asks for.
///
/// The configuration is untouched but for labels that say what was done: `org.plimsoll.level`,
/// `org.plimsoll.source.digest` (the original's manifest), `org.plimsoll.version`, and
/// `org.opencontainers.image.base.digest` (OCI image specification, `annotations.md`): what the
/// original says of its own base, or the original. The creation time is the original's, so that
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
    for (path, content) in inventory::files(&Scene::new(request), plan) {
        let size = content.len() as u64;
        let kind = Kind::File {
            size,
            at: added.add(content),
        };
        let meta = Metadata {
            mtime,
            ..Metadata::with_mode(0o644)
        };
        let parent = path.parent().unwrap_or_else(ImagePath::root);
        let place = directory(&mut tree, &parent, mtime).join(path.file_name());
        tree.remove(&place);
        tree.insert(place, node(kind, meta));
    }
    let mut config = subject.image.config.clone();
    let level = request.level.name();
    let digest = subject.image.digest;
    let base = subject.image.annotations.get(BASE_DIGEST).cloned();
    let base = base.unwrap_or_else(|| digest.to_string());
    config.labels.entry(BASE_DIGEST.to_owned()).or_insert(base);
    let labels = [
        ("org.plimsoll.level", level.to_owned()),
        ("org.plimsoll.source.digest", digest.to_string()),
        ("org.plimsoll.version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    config
        .labels
        .extend(labels.map(|(name, value)| (name.to_owned(), value)));
    config.history.clear();
    let contents: Arc<dyn Contents> = Arc::new(added);
    let layers = layers::cut(request, tree)
        .into_iter()
        .map(|part| DraftLayer {
            rootfs: Rootfs {
                tree: part.tree,
                contents: Arc::clone(&contents),
            },
            created_by: part.created_by,
        });
    Draft {
        config,
        layers: layers.collect(),
        annotations: subject.image.annotations.clone(),
    }
}

/// Whether two drafts of one request's image are the same: what is written of them is, byte for byte.
pub fn is_same(one: &Draft, other: &Draft) -> bool {
    let is_same = |one: &DraftLayer, other: &DraftLayer| {
        one.created_by == other.created_by
            && one.rootfs.tree.iter().eq(other.rootfs.tree.iter())
            && is_same_made(&one.rootfs, &other.rootfs)
    };
    one.config == other.config
        && one.annotations == other.annotations
        && one.layers.len() == other.layers.len()
        && one
            .layers
            .iter()
            .zip(&other.layers)
            .all(|(one, other)| is_same(one, other))
}

/// Whether the files that were made for them are the same; those of the original lie where they lay.
fn is_same_made(one: &Rootfs, other: &Rootfs) -> bool {
    let made = |rootfs: &Rootfs| {
        let files = rootfs.tree.iter().filter_map(|(_, node)| match node.kind {
            Kind::File { at, size } if at.layer == Overlaid::ADDED => Some((at, size)),
            _ => None,
        });
        let contents = files.map(|(at, size)| {
            let mut bytes = Vec::new();
            rootfs.contents.open(at, size)?.read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        contents.collect::<io::Result<Vec<_>>>()
    };
    matches!((made(one), made(other)), (Ok(one), Ok(other)) if one == other)
}

/// Makes sure that `path` is a directory; answers where it really is.
///
/// Links to directories are followed, inside the tree; what a stranger put in the way and is none
/// is taken away, because the database is ours now.
fn directory(tree: &mut FileTree, path: &ImagePath, mtime: i64) -> ImagePath {
    let mut at = ImagePath::root();
    for part in path.components() {
        let next = at.join(part);
        let found = tree.resolve(&next).ok();
        let found = found.filter(|found| tree.get(&found.path).is_some_and(Node::is_dir));
        at = match found {
            Some(found) => found.path,
            None => {
                tree.remove(&next);
                let meta = Metadata {
                    mtime,
                    ..Metadata::with_mode(0o755)
                };
                tree.insert(next.clone(), node(Kind::Dir, meta));
                next
            }
        };
    }
    at
}

fn node(kind: Kind, meta: Metadata) -> Node {
    Node {
        kind,
        meta,
        layer: layers::MADE,
        inode: 0,
    }
}

/// When the original's database was written last; the epoch where it has none.
fn database_time(original: &Rootfs) -> i64 {
    [
        "/var/lib/dpkg/status",
        "/var/lib/dpkg/status.d",
        "/var/lib/dpkg",
        "/lib/apk/db/installed",
        "/usr/lib/apk/db/installed",
    ]
    .iter()
    .find_map(|path| {
        let found = original.tree.resolve(&ImagePath::new(path)).ok()?;
        original.tree.get(found.path)
    })
    .map_or(0, |node| node.meta.mtime)
}
