//! How Node finds modules, followed on the tree of the image.
//!
//! Source: Node's documentation, "Modules: CommonJS modules" (All together), "Modules: ECMAScript
//! modules" (Resolution Algorithm Specification) and "Modules: Packages" (Conditional exports,
//! Subpath patterns). Where Node takes the first of several ways, all that exist are answered:
//! which conditions hold is decided by who asks, and that is not known here.

mod fields;
mod manifest;
mod scan;

use std::collections::BTreeSet;

use plimsoll_model::ImagePath;

pub(crate) use fields::Fields;
pub(crate) use manifest::Manifest;
pub(crate) use scan::{Asked, scan};

use crate::scene::Scene;

/// Longer scripts are not read: the largest bundles of real applications are of a few megabytes.
pub(crate) const SCRIPT_LIMIT: u64 = 16 << 20;

/// Where Debian's Node looks beyond `node_modules` (its README.Debian).
const GLOBAL: &[&str] = &[
    "/usr/local/lib/nodejs",
    "/usr/lib/nodejs",
    "/usr/share/nodejs",
];

/// The files a module asks for by `name`, free of links; none where it is built in or not there.
pub(crate) fn resolve(scene: &Scene<'_>, from: &ImagePath, name: &str) -> BTreeSet<ImagePath> {
    let mut found = BTreeSet::new();
    let directory = from.parent().unwrap_or_else(ImagePath::root);
    let name = name.strip_prefix("file://").unwrap_or(name);
    // A query (`./x.js?inline`) is the module's own business.
    let name = match name.split_once('?') {
        Some((plain, _)) if name.starts_with('.') => plain,
        _ => name,
    };
    if name.starts_with("./") || name.starts_with("../") || matches!(name, "." | "..") {
        file_or_directory(scene, &directory.join(name), &mut found);
    } else if name.starts_with('/') {
        file_or_directory(scene, &ImagePath::new(name), &mut found);
    } else if name.starts_with('#') {
        if let Some(home) = home(scene, from) {
            let manifest = Manifest::read(scene, &home);
            targets(scene, &home, &manifest.imports(name), &mut found);
        }
    } else if let Some((package, inside)) = split(name) {
        for home in packages(scene, from, package) {
            enter(scene, &home, inside, &mut found);
        }
    }
    found
}

/// The directories of the package `name` that a file at `from` would find: the nearest in each of
/// the ways modules are searched; and the package it is in itself, if that bears the name.
pub(crate) fn packages(scene: &Scene<'_>, from: &ImagePath, name: &str) -> Vec<ImagePath> {
    let mut found = Vec::new();
    let is_there = |place: &ImagePath| {
        let found = scene.tree().resolve(place).ok()?.path;
        scene.tree().get(&found)?.is_dir().then_some(found)
    };
    let above = from
        .ancestors()
        .filter(|above| above.file_name() != b"node_modules");
    found.extend(
        above
            .map(|above| above.join("node_modules").join(name))
            .find_map(|place| is_there(&place)),
    );
    if found.is_empty() {
        let variable = scene.config().env("NODE_PATH").unwrap_or_default();
        let listed = variable.split(':').filter(|text| text.starts_with('/'));
        let mut places = listed.chain(GLOBAL.iter().copied());
        found.extend(places.find_map(|place| is_there(&ImagePath::new(place).join(name))));
    }
    if let Some(home) = home(scene, from)
        && Manifest::read(scene, &home).name() == Some(name)
    {
        found.push(home);
    }
    found
}

/// The directory of the package a file is in: the nearest above with a `package.json`.
pub(crate) fn home(scene: &Scene<'_>, path: &ImagePath) -> Option<ImagePath> {
    let mut above = path
        .ancestors()
        .take_while(|above| above.file_name() != b"node_modules");
    above.find(|above| {
        let place = above.join("package.json");
        scene.tree().get(place).is_some_and(|node| node.is_file())
    })
}

/// The files that loading the package at `home`, or `inside` of it, starts with.
pub(crate) fn enter(
    scene: &Scene<'_>,
    home: &ImagePath,
    inside: &str,
    found: &mut BTreeSet<ImagePath>,
) {
    let manifest = Manifest::read(scene, home);
    let exported = manifest.exports(inside);
    targets(scene, home, &exported, found);
    // Tools that bundle, and old Nodes, know no `exports`; a package has both for them.
    if inside.is_empty() {
        directory(scene, home, found);
    } else {
        file_or_directory(scene, &home.join(inside), found);
    }
}

fn targets(
    scene: &Scene<'_>,
    home: &ImagePath,
    targets: &BTreeSet<String>,
    found: &mut BTreeSet<ImagePath>,
) {
    for target in targets {
        if target.starts_with("./") {
            found.extend(file(scene, &home.join(target)));
        } else if let Some((package, inside)) = split(target) {
            // `imports` may name another package; its own may name no third.
            for other in packages(scene, &home.join("package.json"), package) {
                if &other != home {
                    directory(scene, &other, found);
                    found.extend(file(scene, &other.join(inside)));
                }
            }
        }
    }
}

fn file(scene: &Scene<'_>, place: &ImagePath) -> Option<ImagePath> {
    let found = scene.tree().resolve(place).ok()?.path;
    scene.tree().get(&found)?.is_file().then_some(found)
}

/// LOAD_AS_FILE, then LOAD_AS_DIRECTORY.
fn file_or_directory(scene: &Scene<'_>, place: &ImagePath, found: &mut BTreeSet<ImagePath>) {
    if let Some(found_file) = load_as_file(scene, place) {
        found.insert(found_file);
    } else {
        directory(scene, place, found);
    }
}

fn load_as_file(scene: &Scene<'_>, place: &ImagePath) -> Option<ImagePath> {
    file(scene, place).or_else(|| {
        let endings = ["js", "json", "node", "mjs", "cjs"];
        endings.into_iter().find_map(|ending| {
            let mut name = place.as_bytes().to_vec();
            name.push(b'.');
            name.extend_from_slice(ending.as_bytes());
            file(scene, &ImagePath::new(name))
        })
    })
}

/// What `package.json` calls the entry, else the index.
fn directory(scene: &Scene<'_>, place: &ImagePath, found: &mut BTreeSet<ImagePath>) {
    for entry in Manifest::read(scene, place).entries() {
        let entry = place.join(entry);
        let found_file =
            load_as_file(scene, &entry).or_else(|| load_as_file(scene, &entry.join("index")));
        found.extend(found_file);
    }
    if found.is_empty() {
        found.extend(load_as_file(scene, &place.join("index")));
    }
}

/// `@scope/name/inside` as package and what is asked of it; `None` if it can be no package's name.
fn split(name: &str) -> Option<(&str, &str)> {
    let mut ends = name.match_indices('/').map(|(at, _)| at);
    let end = if name.starts_with('@') {
        ends.next()?;
        ends.next()
    } else {
        ends.next()
    };
    let (package, inside) = match end {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => (name, ""),
    };
    let is_name =
        !package.is_empty() && !package.starts_with('.') && !package.contains([':', '\\']);
    is_name.then_some((package, inside))
}
