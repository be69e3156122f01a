//! Libraries that are loaded by a name put together at run time: which of a directory of them to
//! take.
//!
//! Nothing says which will be loaded, and a few of them can pull in half a distribution (an image
//! library's plug-in for one rare format needs 60 MB of codecs). So each is weighed by what it
//! needs beyond what the program that loads them needs anyway.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::ImagePath;

use crate::loader::Loader;
use crate::scene::{Look, Scene};

/// What one plug-in may bring along, in bytes, beyond itself.
pub(crate) const EACH: u64 = 4 << 20;
/// What all of them may bring along, in bytes.
pub(crate) const ALL: u64 = 16 << 20;
/// More plug-ins than this are not weighed.
const COUNT: usize = 2_000;

/// Which plug-ins to take, and of those left how many there are and why.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// Taken, in the order of their cost.
    pub(crate) taken: Vec<ImagePath>,
    /// Names of those left because of what they would bring along.
    pub(crate) dear: BTreeSet<String>,
}

/// Chooses among `candidates` (free of links) those that need little (`each` bytes at most) beyond
/// what the objects in `loaders` need, all found as if `loaders` and `directories` were searched.
pub(crate) fn choose(
    scene: &Scene<'_>,
    loaders: &[ImagePath],
    directories: &[ImagePath],
    candidates: &BTreeSet<ImagePath>,
    each: u64,
) -> Choice {
    let mut needs = Needs {
        scene,
        directories,
        known: BTreeMap::new(),
    };
    let mut aboard: BTreeSet<ImagePath> = BTreeSet::new();
    for loader in loaders {
        aboard.extend(needs.closure(loader).unwrap_or_default());
    }
    let mut weighed: Vec<(u64, ImagePath, BTreeSet<ImagePath>)> = Vec::new();
    let mut choice = Choice::default();
    for path in candidates.iter().take(COUNT) {
        // What can be loaded nowhere is needed nowhere.
        if let Some(closure) = needs.closure(path) {
            let cost = cost(scene, path, &closure, &aboard, candidates);
            weighed.push((cost, path.clone(), closure));
        }
    }
    weighed.sort();
    let mut spent = 0_u64;
    for (_, path, closure) in weighed {
        let cost = cost(scene, &path, &closure, &aboard, candidates);
        if cost > each || spent.saturating_add(cost) > ALL {
            choice
                .dear
                .insert(plimsoll_model::text::printable(path.file_name()).to_string());
            continue;
        }
        spent = spent.saturating_add(cost);
        aboard.extend(closure);
        choice.taken.push(path);
    }
    choice
}

fn cost(
    scene: &Scene<'_>,
    path: &ImagePath,
    closure: &BTreeSet<ImagePath>,
    aboard: &BTreeSet<ImagePath>,
    siblings: &BTreeSet<ImagePath>,
) -> u64 {
    let new = closure.difference(aboard);
    let new = new.filter(|other| *other != path && !siblings.contains(*other));
    let sizes = new.filter_map(|path| scene.tree().get(path));
    sizes.map(|node| node.size()).sum()
}

struct Needs<'a> {
    scene: &'a Scene<'a>,
    directories: &'a [ImagePath],
    known: BTreeMap<ImagePath, Option<Vec<ImagePath>>>,
}

impl Needs<'_> {
    /// The object and all it needs, in turn; `None` where something of that is not in the image.
    fn closure(&mut self, path: &ImagePath) -> Option<BTreeSet<ImagePath>> {
        let mut found = BTreeSet::from([path.clone()]);
        let mut open = vec![path.clone()];
        while let Some(next) = open.pop() {
            for need in self.direct(&next)? {
                if found.insert(need.clone()) {
                    open.push(need);
                }
            }
        }
        Some(found)
    }

    fn direct(&mut self, path: &ImagePath) -> Option<Vec<ImagePath>> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let needs = self.look(path);
        self.known.insert(path.clone(), needs.clone());
        needs
    }

    fn look(&self, path: &ImagePath) -> Option<Vec<ImagePath>> {
        let look = self.scene.look(path);
        let Look::Elf(elf) = &*look else {
            return None;
        };
        let origin = path.parent().unwrap_or_else(ImagePath::root);
        let directories = self
            .scene
            .loader()
            .directories(elf, &origin, self.directories);
        let needs = elf.needed.iter().map(|soname| {
            let place = Loader::find(self.scene, elf, soname, &directories);
            let place = place.first()?;
            Some(self.scene.tree().resolve(place).ok()?.path)
        });
        needs.collect()
    }
}
