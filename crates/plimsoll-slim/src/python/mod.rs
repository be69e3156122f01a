//! Python in an image: where modules lie, what a module imports, and what of it all is reached.

use std::collections::BTreeSet;

use plimsoll_model::{Access, ImagePath};

use crate::known::Learned;
use crate::scene::Scene;

mod imports;
mod native;
mod places;
mod reach;

pub(crate) use imports::{Import, Imports};
pub(crate) use native::Names;
pub(crate) use places::{Kind, Places};
pub(crate) use reach::{
    Distributions, Reach, distributions, is_for_builders, modules_of, required,
};

/// Whether a file is text, as a module's source is.
pub(crate) struct IsText(pub(crate) bool);

impl Learned for IsText {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }
}

/// The modules that a run loaded, by their sources: read as they are, or compiled.
pub(crate) fn loaded(scene: &Scene<'_>) -> BTreeSet<ImagePath> {
    let opened = scene.observations().seen.iter();
    opened
        .filter(|(_, seen)| seen.access.has(Access::OPENED))
        .filter_map(|(path, _)| scene.tree().walk(&ImagePath::root(), path, true).ok())
        .map(|found| source_of(&found.path).unwrap_or(found.path))
        .collect()
}

/// The source that a compiled file in `__pycache__` was made of.
pub(crate) fn source_of(path: &ImagePath) -> Option<ImagePath> {
    let cache = path
        .parent()
        .filter(|parent| parent.file_name() == b"__pycache__")?;
    let stem = path.file_name().split(|&byte| byte == b'.').next()?;
    path.file_name().ends_with(b".pyc").then_some(())?;
    Some(cache.parent()?.join([stem, b".py"].concat()))
}
