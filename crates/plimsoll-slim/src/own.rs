//! The application's own files: those beside a script that is known to run.
//!
//! Frameworks load them by convention (a model by the name of its class, a page by its address, a
//! template by the name of a view), so that no text names them; and what scripts ask for in turn
//! must be there when they are.

use plimsoll_model::{ImagePath, Reason};

use crate::Level;
use crate::keep::{Keep, Pull};
use crate::owners::base_layers;
use crate::scene::{Look, Scene};
use crate::valve::{self, Cap};

/// More files than this are not taken from one directory.
const LIMIT: usize = 5_000;

/// Keeps the scripts in the application's directory, and its data as far as that is small, if `path` is one of the application's own: no
/// package's, of no base, in no directory of installed modules.
///
/// Its directory is the image's working directory if it lies there, else the one it is in, or the one
/// above where that is a part of it by its name.
pub(crate) fn home(
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
    let home = &whole_of(home);
    if !keep.is_new_home(rule, home) {
        return;
    }
    let files = scene.tree().subtree(home).map(|(file, _)| file);
    let files = files.filter(|file| is_own(scene, file)).take(LIMIT + 1);
    let mut files: Vec<ImagePath> = files.cloned().collect();
    if files.len() > LIMIT {
        files.truncate(LIMIT);
        keep.problem(
            home,
            format!("has more than {LIMIT} files; the rest was not followed"),
        );
    }
    let (scripts, data): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| is_script(scene, file));
    for file in scripts {
        keep.path(&file, Pull::Named, Reason::by(rule, path, "beside it"));
    }
    let reason = Reason::by(rule, path, "data beside it");
    keep_data(scene, data, &reason, keep);
}

/// The directory of the application that `home` is a part of: what a server gives away (`public`) and
/// what is written (`src`) lie beside templates and translations by convention.
fn whole_of(home: &ImagePath) -> ImagePath {
    const PARTS: &[&[u8]] = &[
        b"cgi-bin",
        b"dist",
        b"htdocs",
        b"pub",
        b"public",
        b"public_html",
        b"src",
        b"web",
        b"webroot",
        b"www",
    ];
    match home.parent() {
        Some(above) if PARTS.contains(&home.file_name()) && !valve::is_generic(&above) => above,
        _ => home.clone(),
    }
}

/// Keeps the application's own data in the image's working directory, as far as that is small: a
/// program that is started there may read it by a name relative to it.
pub(crate) fn working_directory(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    let home = ImagePath::root().join(&scene.config().working_dir);
    let Ok(found) = scene.tree().resolve(&home) else {
        return;
    };
    if valve::is_generic(&found.path) {
        return;
    }
    let files = scene.tree().subtree(&found.path).map(|(file, _)| file);
    let files = files.filter(|file| is_own(scene, file)).take(LIMIT);
    let files = files.cloned().collect();
    keep_data(scene, files, &Reason::rule("workdir"), keep);
}

/// Keeps those of the files that are neither programs nor libraries nor secrets, if they are few; at
/// the other levels all that is the application's own comes along anyway.
fn keep_data(scene: &Scene<'_>, files: Vec<ImagePath>, reason: &Reason, keep: &mut Keep<'_>) {
    if scene.level() != Level::File {
        return;
    }
    let is_data = |file: &ImagePath| matches!(&*scene.look(file), Look::Other);
    let data: Vec<ImagePath> = files.into_iter().filter(is_data).collect();
    let size = |file| scene.tree().get(file).map_or(0, plimsoll_model::Node::size);
    let Cap { files, bytes } = Cap::NAMED;
    if data.len() > files || data.iter().map(size).sum::<u64>() > bytes {
        return;
    }
    for file in data {
        if !keep.leaves_secret(&file) {
            keep.path(&file, Pull::Named, reason.clone());
        }
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
