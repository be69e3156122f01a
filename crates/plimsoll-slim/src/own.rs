//! The application's own scripts: those beside one that is known to run.
//!
//! Frameworks load them by convention (a model by the name of its class, a page by its address), so
//! that no text names them; and what they ask for in turn must be there when they are.

use plimsoll_model::{ImagePath, Reason};

use crate::keep::{Keep, Pull};
use crate::owners::base_layers;
use crate::scene::Scene;
use crate::valve;

/// More scripts than this are not taken from one directory.
const LIMIT: usize = 5_000;

/// Keeps the scripts in the application's directory, if `path` is one of the application's own: no
/// package's, of no base, in no directory of installed modules.
///
/// Its directory is the image's working directory if it lies there, else the one it is in.
pub(crate) fn scripts(
    scene: &Scene<'_>,
    path: &ImagePath,
    rule: &'static str,
    is_script: fn(&Scene<'_>, &ImagePath) -> bool,
    keep: &mut Keep<'_>,
) {
    if !is_own(scene, path) {
        return;
    }
    let working = ImagePath::root().join(&scene.config().working_dir);
    let parent = path.parent().unwrap_or_else(ImagePath::root);
    let homes = [working, parent];
    let fits = |home: &&ImagePath| path.starts_with(home.as_bytes()) && !valve::is_generic(home);
    let Some(home) = homes.iter().find(fits) else {
        return;
    };
    if !keep.is_new_home(rule, home) {
        return;
    }
    let files = scene.tree().subtree(home).map(|(file, _)| file);
    let files = files.filter(|file| is_own(scene, file) && is_script(scene, file));
    let mut files: Vec<ImagePath> = files.take(LIMIT + 1).cloned().collect();
    if files.len() > LIMIT {
        files.truncate(LIMIT);
        keep.problem(
            home,
            format!("has more than {LIMIT} scripts; the rest was not followed"),
        );
    }
    for file in files {
        keep.path(&file, Pull::Named, Reason::by(rule, path, "beside it"));
    }
}

fn is_own(scene: &Scene<'_>, path: &ImagePath) -> bool {
    const INSTALLED: &[&[u8]] = &[b"node_modules", b"gems", b"vendor", b"bower_components"];
    let base = base_layers(scene.subject().lineage).unwrap_or(0);
    let is_above = scene
        .tree()
        .get(path)
        .is_some_and(|node| node.is_file() && node.layer as usize >= base);
    is_above
        && scene.owners().owner(path).is_none()
        && !valve::is_ballast(path)
        && !path.components().any(|part| INSTALLED.contains(&part))
}
