//! What each level leaves ashore of the packages it touches: the risk, as counts with evidence.
//!
//! A file nobody asks for while an image is watched may be asked for later: a module imported at
//! the first odd request, a plug-in a setting names, the words of another language. Those lie where
//! something else was needed; so what is counted are the files ashore of packages of which
//! something stays, and of the application's own.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::report::{Ashore, LevelRisk};
use plimsoll_model::{FileTree, ImagePath, Node, PackageId, Plan};

use crate::level::{own_files, owner};
use crate::plan::{complete, reach, repairs};
use crate::scene::Scene;
use crate::{Level, Request, packages, valve};

/// So many paths are named as evidence of each count.
const EXAMPLES: usize = 3;

/// What kind of file it is that might be asked for later, the likeliest trouble first.
const KINDS: [&str; 6] = [
    "modules",
    "plug-ins",
    "libraries",
    "locale files",
    "programs",
    "other files",
];

/// What every level would keep of the image, and leave ashore of what it touches; the most careful
/// level first. `plan` is the one that was made of the request, with its repairs.
pub fn risks(request: &Request<'_>, plan: &Plan) -> Vec<LevelRisk> {
    let repairs = repairs(plan);
    // `package` and `app` differ in what comes along with what was reached, `file` reaches less.
    let of = |levels: &[Level]| -> Vec<LevelRisk> {
        let scene = Scene::new(request);
        if let Some(&last) = levels.last() {
            scene.set_level(last);
        }
        let reached = reach(&scene, &repairs);
        let risks = levels.iter().map(|&level| {
            scene.set_level(level);
            let mut keep = reached.clone();
            complete(&scene, &mut keep, level);
            risk(&scene, keep.plan(), level)
        });
        risks.collect()
    };
    std::thread::scope(|scope| {
        let file = scope.spawn(|| of(&[Level::File]));
        let mut risks = of(&[Level::Package, Level::App]);
        match file.join() {
            Ok(file) => risks.extend(file),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        risks
    })
}

fn risk(scene: &Scene<'_>, plan: &Plan, level: Level) -> LevelRisk {
    let (files, bytes) = kept(scene.tree(), plan);
    let touched = packages::touched(scene, plan);
    let own: BTreeSet<ImagePath> = own_files(scene).collect();
    let mut rows: BTreeMap<usize, (Ashore, BTreeSet<PackageId>)> = BTreeMap::new();
    for (path, node) in scene.tree().iter().filter(|(_, node)| node.is_file()) {
        if plan.keeps(path) {
            continue;
        }
        let id = owner(scene, path);
        let is_touched = match id {
            Some(id) => touched.contains_key(&id),
            None => own.contains(path),
        };
        let Some(kind) = kind(scene, path).filter(|_| is_touched) else {
            continue;
        };
        let (row, packages) = rows.entry(kind).or_default();
        row.what = KINDS[kind];
        row.files += 1;
        row.bytes += node.size();
        packages.extend(id);
        if row.examples.len() < EXAMPLES {
            row.examples.push(path.clone());
        }
    }
    let ashore = rows.into_values().map(|(row, packages)| Ashore {
        packages: packages.len() as u64,
        ..row
    });
    LevelRisk {
        level: level.name(),
        files,
        bytes,
        ashore: ashore.collect(),
    }
}

/// Regular files that stay and their bytes, a file with several names counted once.
fn kept(tree: &FileTree, plan: &Plan) -> (u64, u64) {
    let kept = tree
        .iter()
        .filter(|(path, node)| node.is_file() && plan.keeps(path));
    let distinct: BTreeMap<u32, &Node> = kept.map(|(_, node)| (node.inode, node)).collect();
    let bytes = distinct.values().map(|node| node.size()).sum();
    (distinct.len() as u64, bytes)
}

/// The place in [`KINDS`]; `None` for what nothing asks for at run time: documents, headers, and
/// what is compiled from a source beside it.
fn kind(scene: &Scene<'_>, path: &ImagePath) -> Option<usize> {
    let name = path.file_name();
    let is_locale = path
        .components()
        .any(|part| matches!(part, b"locale" | b"locales" | b"i18n" | b"gconv"));
    if is_locale {
        return Some(3);
    }
    if valve::is_ballast(path) || valve::is_for_a_machine(path) {
        return None;
    }
    if path.components().any(|part| part == b"__pycache__") {
        return None;
    }
    if scene.is_program(path) {
        return Some(4);
    }
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end.as_bytes()));
    const MODULES: &[&str] = &[
        ".py", ".pm", ".rb", ".js", ".mjs", ".cjs", ".php", ".lua", ".jar", ".class", ".tcl",
    ];
    if ends(MODULES) {
        return Some(0);
    }
    let is_object = ends(&[".so", ".node"]) || name.windows(4).any(|part| part == b".so.");
    if is_object {
        let parent = path.parent().unwrap_or_else(ImagePath::root);
        let is_library = name.starts_with(b"lib")
            && (valve::is_system(&parent) || parent.file_name().starts_with(b"lib"));
        return Some(if is_library { 2 } else { 1 });
    }
    Some(5)
}
