//! `package.json`: what of it decides which files are loaded.

use std::collections::BTreeSet;
use std::rc::Rc;

use plimsoll_model::ImagePath;
use serde_json::Value;

use crate::scene::{Scene, TEXT_LIMIT};

/// More ways than this for one name are not followed.
const TARGET_LIMIT: usize = 256;
/// Deeper conditions are not followed.
const DEPTH_LIMIT: u32 = 16;

/// A `package.json`; where there is none, or it is no object, as if it were empty.
pub(crate) struct Manifest(Rc<Value>);

impl Manifest {
    /// The manifest of the package at `home`.
    pub(crate) fn read(scene: &Scene<'_>, home: &ImagePath) -> Self {
        let path = home.join("package.json");
        Self(scene.json(&path, TEXT_LIMIT))
    }

    /// Its name.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.get("name")?.as_str()
    }

    /// What `main` (and `module`, which bundlers put beside it) call the entry.
    pub(crate) fn entries(&self) -> Vec<&str> {
        let names = ["main", "module"].into_iter();
        names
            .filter_map(|field| self.0.get(field)?.as_str())
            .collect()
    }

    /// The names of the packages it needs when it runs, found or not.
    pub(crate) fn dependencies(&self) -> BTreeSet<&str> {
        let fields = ["dependencies", "optionalDependencies", "peerDependencies"];
        let lists = fields
            .into_iter()
            .filter_map(|field| self.0.get(field)?.as_object());
        lists
            .flat_map(|list| list.keys().map(String::as_str))
            .collect()
    }

    /// Whether it is built for one platform: such a package holds what its parent loads by a
    /// computed name.
    pub(crate) fn is_for_a_platform(&self) -> bool {
        self.0.get("os").is_some() || self.0.get("cpu").is_some() || self.0.get("libc").is_some()
    }

    /// The files `exports` gives for what is `inside` the package (nothing: the package itself).
    pub(crate) fn exports(&self, inside: &str) -> BTreeSet<String> {
        let Some(exports) = self.0.get("exports") else {
            return BTreeSet::new();
        };
        let key = if inside.is_empty() {
            ".".to_owned()
        } else {
            format!("./{inside}")
        };
        let has_paths = exports
            .as_object()
            .is_some_and(|map| map.keys().any(|key| key.starts_with('.')));
        if has_paths {
            subpath(exports, &key)
        } else if inside.is_empty() {
            let mut found = BTreeSet::new();
            collect(exports, "", 0, &mut found);
            found
        } else {
            BTreeSet::new()
        }
    }

    /// What `imports` gives for a name that begins with `#`.
    pub(crate) fn imports(&self, name: &str) -> BTreeSet<String> {
        match self.0.get("imports") {
            Some(imports) => subpath(imports, name),
            None => BTreeSet::new(),
        }
    }
}

/// The targets of a key, or of the pattern with the longest part before its `*` that fits it.
fn subpath(map: &Value, key: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Some(map) = map.as_object() else {
        return found;
    };
    if let Some(target) = map.get(key) {
        collect(target, "", 0, &mut found);
        return found;
    }
    let fits = map.iter().filter_map(|(pattern, target)| {
        // `./dir/` is the form before patterns.
        let (before, after) = match pattern.split_once('*') {
            Some(parts) => parts,
            None => (pattern.strip_suffix('/').map(|_| pattern.as_str())?, ""),
        };
        let middle = key.strip_prefix(before)?.strip_suffix(after)?;
        Some((before.len(), middle, target))
    });
    if let Some((_, middle, target)) = fits.max_by_key(|(length, ..)| *length) {
        collect(target, middle, 0, &mut found);
    }
    found
}

/// Every target below conditions and alternatives, `*` filled in; not those for browsers and
/// for compilers.
fn collect(target: &Value, middle: &str, depth: u32, found: &mut BTreeSet<String>) {
    if depth > DEPTH_LIMIT || found.len() > TARGET_LIMIT {
        return;
    }
    match target {
        Value::String(text) if text.ends_with('/') => {
            found.insert(format!("{text}{middle}"));
        }
        Value::String(text) => {
            found.insert(text.replace('*', middle));
        }
        Value::Array(ways) => {
            for way in ways {
                collect(way, middle, depth + 1, found);
            }
        }
        Value::Object(conditions) => {
            const ELSEWHERE: &[&str] = &[
                "browser",
                "bun",
                "deno",
                "react-native",
                "types",
                "worker",
                "workerd",
            ];
            for (condition, way) in conditions {
                if !ELSEWHERE.contains(&condition.as_str()) {
                    collect(way, middle, depth + 1, found);
                }
            }
        }
        _ => {}
    }
}
