//! What languages write down about their modules: kept for the modules that stay, and no others.
//!
//! A scanner knows a Python distribution by `NAME.dist-info/METADATA` (PyPA, *Recording installed
//! projects*), a Node package by its `package.json`, a Ruby gem by its specification; the languages
//! themselves ask there for versions and entry points.

use std::collections::BTreeSet;

use plimsoll_model::{ImagePath, Node, Reason};

use crate::keep::Keep;
use crate::scene::Scene;
use crate::valve;

/// Larger lists of files are not read: then only the names of modules tell.
const LIST_LIMIT: u64 = 16 << 20;

/// Keeps the metadata of the modules of which something stays.
pub(crate) fn add(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    let mut found: BTreeSet<ImagePath> = BTreeSet::new();
    for (path, node) in scene.tree().iter() {
        let name = path.file_name();
        if node.is_dir() && (name.ends_with(b".dist-info") || name.ends_with(b".egg-info")) {
            if python(scene, keep, path) {
                found.extend(described_by(scene, path));
            }
        } else if node.is_file() && name.ends_with(b".gemspec") {
            let stays = gem(path).is_some_and(|gem| something_stays(scene, keep, &gem));
            found.extend(stays.then(|| path.clone()));
        }
    }
    found.extend(node_packages(scene, keep));
    for path in found {
        if !keep.keeps(&path) {
            let module = path.parent().unwrap_or_else(ImagePath::root);
            let detail = String::from_utf8_lossy(module.file_name()).into_owned();
            keep.carry(
                &path,
                Reason {
                    detail,
                    ..Reason::rule("metadata")
                },
            );
        }
    }
}

/// Whether a module of the Python distribution described in `directory` stays.
fn python(scene: &Scene<'_>, keep: &Keep<'_>, directory: &ImagePath) -> bool {
    let Some(site) = directory.parent() else {
        return false;
    };
    let read = |name: &str| {
        let bytes = scene
            .rootfs()
            .read(&directory.join(name), LIST_LIMIT)
            .ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    if let Some(list) = read("RECORD") {
        // `path,digest,size`, a path with a comma in quotes; beside the directory unless absolute.
        let paths = list.lines().filter_map(|line| {
            let quoted = line.strip_prefix('"').and_then(|rest| rest.split_once('"'));
            match quoted {
                Some((path, _)) => Some(path),
                None => line.split(',').next(),
            }
        });
        return paths.filter(|path| !path.is_empty()).any(|path| {
            let path = site.join(path);
            !path.starts_with(directory) && keep.keeps(&path) && is_file(scene, &path)
        });
    }
    let named = read("top_level.txt").unwrap_or_else(|| {
        let name = String::from_utf8_lossy(directory.file_name()).into_owned();
        name.split(['-', '.'])
            .next()
            .unwrap_or_default()
            .to_lowercase()
    });
    named.split_whitespace().any(|module| {
        let path = site.join(module);
        something_stays(scene, keep, &path) || keep.keeps(&site.join(format!("{module}.py")))
    })
}

/// What in a directory of metadata says what the module is: no lists of files, of which many are
/// gone, and no installer's notes.
fn described_by(scene: &Scene<'_>, directory: &ImagePath) -> Vec<ImagePath> {
    const SAYS: &[&[u8]] = &[
        b"METADATA",
        b"PKG-INFO",
        b"entry_points.txt",
        b"top_level.txt",
    ];
    let files = scene.tree().subtree(directory);
    let files = files.filter(|(path, node)| {
        let name = path.file_name();
        let upper = name.to_ascii_uppercase();
        let is_licence = [&b"LICEN"[..], b"COPYING", b"NOTICE"]
            .iter()
            .any(|start| upper.starts_with(start));
        node.is_file() && (SAYS.contains(&name) || is_licence)
    });
    files.map(|(path, _)| path.clone()).collect()
}

/// Where the gem lies that a specification is about: `specifications/NAME-VERSION.gemspec` is about
/// `gems/NAME-VERSION`, that of a default gem about files of Ruby's own library.
fn gem(specification: &ImagePath) -> Option<ImagePath> {
    let directory = specification.parent()?;
    let stem = specification.file_name().strip_suffix(b".gemspec")?;
    let is_ours = directory.file_name() == b"specifications";
    is_ours.then_some(directory.parent()?.join("gems").join(stem))
}

/// The `package.json` that Node finds for each module that stays: the nearest one above it.
fn node_packages(scene: &Scene<'_>, keep: &Keep<'_>) -> BTreeSet<ImagePath> {
    const MODULES: &[&[u8]] = &[b".js", b".mjs", b".cjs", b".node", b".wasm"];
    let kept = keep.plan().keep.keys().filter(|path| {
        let name = path.file_name();
        MODULES.iter().any(|end| name.ends_with(end)) && !valve::is_ballast(path)
    });
    let directories: BTreeSet<ImagePath> = kept.filter_map(ImagePath::parent).collect();
    let nearest = directories.iter().filter_map(|directory| {
        std::iter::once(directory.clone())
            .chain(directory.ancestors())
            .map(|directory| directory.join("package.json"))
            .find(|path| is_file(scene, path))
    });
    nearest.collect()
}

fn something_stays(scene: &Scene<'_>, keep: &Keep<'_>, directory: &ImagePath) -> bool {
    let mut inside = scene.tree().subtree(directory);
    inside.any(|(path, node)| node.is_file() && keep.keeps(path))
}

fn is_file(scene: &Scene<'_>, path: &ImagePath) -> bool {
    scene.tree().get(path).is_some_and(Node::is_file)
}
