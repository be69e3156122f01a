//! Which distributions are reached, and what of them an image needs beside the modules.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{FileTree, ImagePath};

use super::Places;
use crate::keep::Keep;
use crate::scene::Scene;

/// A list of a distribution's files larger than this is not read.
const RECORD_LIMIT: usize = 200_000;

/// Metadata of each distribution, and the first components of what it installed.
pub(crate) type Distributions = BTreeMap<ImagePath, BTreeSet<ImagePath>>;

/// What is reached of what lies in the sites and standard libraries.
pub(crate) struct Reach<'a> {
    places: &'a Places,
    /// First components below a site, of which something is kept, or which belong to a distribution
    /// of which something is.
    tops: BTreeSet<ImagePath>,
}

impl<'a> Reach<'a> {
    /// As far as `keep` has come.
    pub(crate) fn of(scene: &'a Scene<'_>, keep: &Keep<'_>) -> Self {
        let places = scene.python();
        let tree = scene.tree();
        let is_file = |path: &ImagePath| tree.get(path).is_some_and(|node| node.is_file());
        let mut tops: BTreeSet<ImagePath> = keep
            .plan()
            .keep
            .keys()
            .filter(|path| is_file(path) && !is_about(path))
            .filter_map(|path| top(places, path))
            .collect();
        for (about, parts) in scene.distributions() {
            let shows = |part: &ImagePath| tops.contains(part) && places.installer(part).is_none();
            if parts.iter().any(shows) {
                tops.extend(parts.iter().cloned());
                tops.insert(about.clone());
            }
        }
        Self { places, tops }
    }

    /// Whether `path` is of Python, and stays ashore although it lies among what else is the
    /// application's: of the standard library (what is reached there is reached by name), of a
    /// distribution that nothing reaches, or for those who build and test distributions.
    pub(crate) fn leaves(&self, path: &ImagePath) -> bool {
        if self.places.is_empty() {
            return false;
        }
        match top(self.places, path) {
            Some(top) => !self.tops.contains(&top) || is_for_builders(path),
            None => self.places.home(path).is_some(),
        }
    }
}

/// The first component of `path` below the site it lies in.
fn top(places: &Places, path: &ImagePath) -> Option<ImagePath> {
    let site = places.site(path)?;
    let name = path.components().nth(site.depth())?;
    // Compiled modules that stand alone lie together; their source says whose they are.
    if name == b"__pycache__" {
        let stem = path.file_name().split(|&byte| byte == b'.').next()?;
        return Some(site.join([stem, b".py"].concat()));
    }
    Some(site.join(name))
}

/// Whether a path is of the metadata of a distribution, not of the distribution.
fn is_about(path: &ImagePath) -> bool {
    path.components()
        .any(|part| part.ends_with(b".dist-info") || part.ends_with(b".egg-info"))
}

/// What tests and builds need: never imported by what runs, unless it names it.
pub(crate) fn is_for_builders(path: &ImagePath) -> bool {
    let endings: [&[u8]; 8] = [
        b".a", b".c", b".h", b".hpp", b".pxd", b".pyi", b".pyx", b".f90",
    ];
    path.components()
        .any(|part| matches!(part, b"tests" | b"test"))
        || endings
            .iter()
            .any(|ending| path.file_name().ends_with(ending))
}

/// Every distribution's metadata directory (or file) with the first components of what it
/// installed: by its `RECORD` (PEP 376, wheels), else its `top_level.txt` (setuptools), else its
/// own name.
pub(crate) fn distributions(scene: &Scene<'_>) -> Distributions {
    let places = scene.python();
    let tree = scene.tree();
    let mut all = BTreeMap::new();
    let metadata = tree.iter().map(|(path, _)| path).filter(|path| {
        let name = path.file_name();
        name.ends_with(b".dist-info") || name.ends_with(b".egg-info")
    });
    for about in metadata {
        let Some(site) = about
            .parent()
            .filter(|parent| places.site(about) == Some(parent))
        else {
            continue;
        };
        let mut parts = BTreeSet::new();
        if let Some(record) = scene.text(&about.join("RECORD")) {
            for line in record.lines().take(RECORD_LIMIT) {
                let path = site.join(line.split(',').next().unwrap_or_default());
                parts.extend(top(places, &path).filter(|top| top != about));
            }
        } else if let Some(names) = scene.text(&about.join("top_level.txt")) {
            for name in names.split_whitespace() {
                parts.extend(named(tree, &site, name));
            }
        } else {
            let name = about.file_name().split(|&byte| byte == b'-').next();
            let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
            parts.extend(named(tree, &site, &name));
            parts.extend(named(tree, &site, &name.to_lowercase()));
        }
        all.insert(about.clone(), parts);
    }
    all
}

/// The modules of what a distribution requires (`Requires-Dist` without an extra, PEP 566): native
/// code imports them where nobody can read it.
pub(crate) fn required(scene: &Scene<'_>, module: &ImagePath) -> Vec<ImagePath> {
    let places = scene.python();
    let Some(own) = top(places, module) else {
        return Vec::new();
    };
    let all = scene.distributions();
    let Some((about, _)) = all.iter().find(|(_, parts)| parts.contains(&own)) else {
        return Vec::new();
    };
    let text = scene.text(&about.join("METADATA")).unwrap_or_default();
    let mut modules = Vec::new();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        let Some(requirement) = line.strip_prefix("Requires-Dist:") else {
            continue;
        };
        if requirement.contains("extra ==") {
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let requirement = requirement.trim();
        let end = requirement
            .find(|c| !is_name(c))
            .unwrap_or(requirement.len());
        modules.extend(modules_of(scene, &requirement[..end]));
    }
    modules
}

/// The modules that the distribution called `name` installed.
pub(crate) fn modules_of(scene: &Scene<'_>, name: &str) -> Vec<ImagePath> {
    let wanted = normal(name.as_bytes());
    let all = scene.distributions().iter();
    let parts = all.filter(|(about, _)| {
        let name = about.file_name().split(|&byte| byte == b'-').next();
        normal(name.unwrap_or_default()) == wanted
    });
    let mut modules = Vec::new();
    for part in parts.flat_map(|(_, parts)| parts) {
        let init = part.join("__init__.py");
        modules.push(match scene.tree().contains(&init) {
            true => init,
            false => part.clone(),
        });
    }
    modules.retain(|path| scene.tree().get(path).is_some_and(|node| node.is_file()));
    modules
}

/// A distribution's name as it is compared (PEP 503).
fn normal(name: &[u8]) -> Vec<u8> {
    name.iter()
        .map(|&byte| match byte {
            b'.' | b'_' => b'-',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// The package or module of this name in a site.
fn named(tree: &FileTree, site: &ImagePath, name: &str) -> Vec<ImagePath> {
    let candidates = [site.join(name), site.join(format!("{name}.py"))];
    candidates
        .into_iter()
        .filter(|path| tree.contains(path))
        .collect()
}
