//! What was prepared, as nodes of the tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_model::rootfs::{Contents, Overlaid};
use plimsoll_model::startup::{Prepared, What};
use plimsoll_model::{FileTree, ImagePath, Kind, Metadata, Node, Rootfs, Startup};

use super::{Baked, Direct, Starts, differ};

/// What differs in the tree between an image and what its server found.
///
/// A path that was merely copied (its bytes, mode and owner are the image's) does not. Times are not
/// the run's: what was changed has the time of the script that came first, so that the same image
/// gives the same bytes.
pub(super) fn plan(
    starts: &Starts<'_>,
    first: &Startup,
) -> Result<BTreeMap<ImagePath, Baked>, Vec<String>> {
    let rootfs = starts.subject.rootfs;
    let (mut baked, mut against) = (BTreeMap::new(), Vec::new());
    let time = time(starts, first);
    for (path, prepared) in &first.prepared {
        if differ::is_supplied(path) {
            continue;
        }
        let old = rootfs.tree.get(path);
        match node(rootfs, path, old, prepared, time) {
            Ok(None) => {}
            Ok(Some(one)) => {
                baked.insert(path.clone(), one);
            }
            Err(why) => {
                let by = match &*prepared.by {
                    "" => String::new(),
                    by => format!(", the work of {by},"),
                };
                against.push(format!("{path}{by} cannot be baked: {why}"));
            }
        }
    }
    if against.is_empty() {
        Ok(baked)
    } else {
        Err(against)
    }
}

/// The time of the first script.
fn time(starts: &Starts<'_>, first: &Startup) -> (i64, u32) {
    let tree = &starts.subject.rootfs.tree;
    let program = first
        .stages
        .first()
        .map(|stage| ImagePath::new(&stage.command.program));
    let found = program.and_then(|program| tree.resolve(&program).ok());
    let node = found.and_then(|found| tree.get(found.path));
    node.map_or((0, 0), |node| (node.meta.mtime, node.meta.mtime_nanos))
}

/// The new node of a path; `None` if it is the old one.
fn node(
    rootfs: &Rootfs,
    path: &ImagePath,
    old: Option<&Node>,
    prepared: &Prepared,
    time: (i64, u32),
) -> Result<Option<Baked>, String> {
    let by = match &*prepared.by {
        "" => "the entry",
        by => by,
    };
    let mut meta = Metadata {
        mode: prepared.mode,
        uid: prepared.owner.0,
        gid: prepared.owner.1,
        mtime: time.0,
        mtime_nanos: time.1,
        xattrs: old.and_then(|old| old.meta.xattrs.clone()),
    };
    let mut bytes = None;
    let kind = match &prepared.what {
        What::Other(why) => return Err(why.clone()),
        What::Gone => {
            return Ok(old.map(|_| Baked {
                node: None,
                bytes: None,
                why: format!("removed by {by} at start"),
            }));
        }
        What::Directory { fresh } => {
            if *fresh && old.is_some_and(|old| !old.is_dir()) {
                return Err("it was another kind of file".to_owned());
            }
            if *fresh && rootfs.tree.subtree(path).next().is_some() {
                return Err("it was removed with all that was in it, and made anew".to_owned());
            }
            Kind::Dir
        }
        What::Link(target) => Kind::Symlink(target.clone().into_boxed_slice()),
        What::Owner => {
            let old = old.ok_or("it got an owner and is not there")?;
            meta.mode = old.meta.mode;
            old.kind.clone()
        }
        What::File(now) => {
            let same = old.is_some_and(|old| old.size() == now.len() as u64 && old.is_file())
                && rootfs
                    .read(path, now.len() as u64)
                    .is_ok_and(|before| before == *now);
            match old {
                Some(old) if same => old.kind.clone(),
                _ => {
                    bytes = Some(now.clone());
                    // Where it lies is known once it is put there.
                    let at = plimsoll_model::Extent {
                        layer: Overlaid::BENEATH,
                        offset: 0,
                    };
                    Kind::File {
                        size: now.len() as u64,
                        at,
                    }
                }
            }
        }
    };
    if let Some(old) = old
        && old.kind == kind
    {
        let same = (meta.mode, meta.uid, meta.gid) == (old.meta.mode, old.meta.uid, old.meta.gid);
        if same {
            return Ok(None);
        }
        (meta.mtime, meta.mtime_nanos) = (old.meta.mtime, old.meta.mtime_nanos);
    }
    let what = match (old, &bytes) {
        (None, _) | (_, Some(_)) => "written",
        (Some(_), None) => "changed",
    };
    let node = Node {
        kind,
        meta,
        layer: old.map_or(u32::MAX, |old| old.layer),
        inode: 0,
    };
    Ok(Some(Baked {
        node: Some(node),
        bytes,
        why: format!("{what} by {by} at start"),
    }))
}

/// The tree with what was prepared in it.
pub fn bake(rootfs: &Rootfs, direct: &Direct) -> Rootfs {
    let added = Overlaid::beneath(Arc::clone(&rootfs.contents));
    let mut tree: FileTree = rootfs.tree.clone();
    // What is new was brought by the last layer.
    let last = rootfs.tree.layers.len().saturating_sub(1) as u32;
    for (path, baked) in &direct.baked {
        let Some(node) = &baked.node else {
            tree.remove(path);
            continue;
        };
        let mut node = node.clone();
        node.layer = last;
        if let (Kind::File { at, .. }, Some(bytes)) = (&mut node.kind, &baked.bytes) {
            *at = added.add(bytes.clone());
        }
        if !node.is_dir() {
            tree.remove(path);
        }
        tree.insert(path.clone(), node);
    }
    let contents: Arc<dyn Contents> = Arc::new(added);
    Rootfs { tree, contents }
}
