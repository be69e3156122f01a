//! `package.json`: what of it decides which files are loaded.

use std::collections::BTreeSet;
use std::sync::Arc;

use plimsoll_model::ImagePath;

use super::fields::{Fields, Target};
use crate::scene::Scene;

/// More ways than this for one name are not followed.
const TARGET_LIMIT: usize = 256;

/// A `package.json`; where there is none, or it is no object, as if it were empty.
pub(crate) struct Manifest(Arc<Fields>);

impl Manifest {
    /// The manifest of the package at `home`.
    pub(crate) fn read(scene: &Scene<'_>, home: &ImagePath) -> Self {
        Self(scene.package_json(&home.join("package.json")))
    }

    /// Its name.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// What `main` (and `module`, which bundlers put beside it) call the entry.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &str> {
        let Fields { main, module, .. } = &*self.0;
        main.as_deref().into_iter().chain(module.as_deref())
    }

    /// The names of the packages it needs when it runs, found or not.
    pub(crate) fn dependencies(&self) -> BTreeSet<&str> {
        let lists = self.0.dependencies.iter();
        lists.flatten().map(|name| &**name).collect()
    }

    /// Whether it is built for one platform: such a package holds what its parent loads by a
    /// computed name.
    pub(crate) fn is_for_a_platform(&self) -> bool {
        self.0.is_for_a_platform
    }

    /// Whether it says more than is kept of it.
    pub(crate) fn is_cut(&self) -> bool {
        self.0.is_cut
    }

    /// The files `exports` gives for what is `inside` the package (nothing: the package itself).
    pub(crate) fn exports(&self, inside: &str) -> BTreeSet<String> {
        let exports = &self.0.exports;
        let key = if inside.is_empty() {
            ".".to_owned()
        } else {
            format!("./{inside}")
        };
        let has_paths = match exports {
            Target::Named(map) => map.iter().any(|(key, _)| key.starts_with('.')),
            _ => false,
        };
        if has_paths {
            subpath(exports, &key)
        } else {
            let mut found = BTreeSet::new();
            if inside.is_empty() {
                collect(exports, "", &mut found);
            }
            found
        }
    }

    /// What `imports` gives for a name that begins with `#`.
    pub(crate) fn imports(&self, name: &str) -> BTreeSet<String> {
        subpath(&self.0.imports, name)
    }
}

/// The targets of a key, or of the pattern with the longest part before its `*` that fits it.
fn subpath(map: &Target, key: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Target::Named(map) = map else {
        return found;
    };
    if let Some((_, target)) = map.iter().find(|(name, _)| &**name == key) {
        collect(target, "", &mut found);
        return found;
    }
    let fits = map.iter().filter_map(|(pattern, target)| {
        // `./dir/` is the form before patterns.
        let (before, after) = match pattern.split_once('*') {
            Some(parts) => parts,
            None => (pattern.strip_suffix('/').map(|_| &**pattern)?, ""),
        };
        let middle = key.strip_prefix(before)?.strip_suffix(after)?;
        Some((before.len(), middle, target))
    });
    if let Some((_, middle, target)) = fits.max_by_key(|(length, ..)| *length) {
        collect(target, middle, &mut found);
    }
    found
}

/// Every target below conditions and alternatives, `*` filled in.
fn collect(target: &Target, middle: &str, found: &mut BTreeSet<String>) {
    if found.len() > TARGET_LIMIT {
        return;
    }
    match target {
        Target::Nothing => {}
        Target::File(text) if text.ends_with('/') => {
            found.insert(format!("{text}{middle}"));
        }
        Target::File(text) => {
            found.insert(text.replace('*', middle));
        }
        Target::Ways(ways) => {
            for way in ways {
                collect(way, middle, found);
            }
        }
        Target::Named(conditions) => {
            for (_, way) in conditions {
                collect(way, middle, found);
            }
        }
    }
}
