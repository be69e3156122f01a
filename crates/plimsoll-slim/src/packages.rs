//! Packages as wholes: those the user keeps, and those of which something was reached.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{ImagePath, PackageId, Plan, Reason};

use crate::glob;
use crate::keep::{Keep, Pull};
use crate::scene::Scene;

/// Keeps every file of the packages the user named, as if each program of them were started.
pub(crate) fn keep_whole(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    let inventory = scene.subject().inventory;
    let mut named: BTreeMap<PackageId, &str> = BTreeMap::new();
    for pattern in scene.request().keep_packages {
        let matches = inventory.iter().filter(|(_, package)| {
            package.name == *pattern || glob::names(pattern, package.name.as_bytes())
        });
        let before = named.len();
        let mut is_known = false;
        for (id, _) in matches {
            is_known = true;
            named.entry(id).or_insert(pattern);
        }
        if !is_known && named.len() == before {
            let message = format!("--keep-package {pattern}: no package of this name is installed");
            keep.problem(&ImagePath::root(), message);
        }
    }
    if named.is_empty() {
        return;
    }
    for (path, id) in scene.owners().iter() {
        if !named.contains_key(&id) {
            continue;
        }
        let reason = Reason {
            detail: inventory.packages[id.0 as usize].name.clone(),
            ..Reason::rule("keep-package")
        };
        let node = scene.tree().get(path);
        let pull = match node {
            Some(node) if node.is_executable() => Pull::Executed,
            _ => Pull::Opened,
        };
        if keep.path(path, pull, reason.clone()).is_none() {
            keep.place(path.as_bytes(), reason);
        }
    }
}

/// The packages of which something was reached for its own sake, each with the kept path that
/// shows it. What every container gets (its release, its users) and what only fills the shape of
/// the tree touches nothing.
pub(crate) fn touched(scene: &Scene<'_>, plan: &Plan) -> BTreeMap<PackageId, ImagePath> {
    let mut touched = BTreeMap::new();
    for (path, reasons) in &plan.keep {
        let is_asked = reasons.iter().any(|reason| {
            !matches!(
                reason.rule,
                "always" | "copyright" | "skeleton" | "inventory"
            )
        });
        if is_asked && let Some(id) = scene.owners().owner(path) {
            touched.entry(id).or_insert_with(|| path.clone());
        }
    }
    touched
}

/// The packages one of whose programs is started: only these bring their other programs. What
/// reads a library's configuration has no use for the tools packed beside it.
pub(crate) fn started(scene: &Scene<'_>, keep: &Keep<'_>) -> BTreeSet<PackageId> {
    let kept = keep.plan().keep.keys();
    let programs = kept.filter(|path| keep.is_executed(path) && scene.is_program(path));
    programs
        .filter_map(|path| scene.owners().owner(path))
        .collect()
}
