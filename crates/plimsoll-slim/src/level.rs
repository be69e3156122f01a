//! The levels: what comes along beyond what was reached.
//!
//! At `app` the application's own packages and files whole, the rest by reachability. What comes
//! along is cargo: it is carried and not followed, so that a sample configuration for a feature
//! nobody uses does not bring that feature's libraries. A program or library that nothing reached
//! is carried only if it is in no directory of programs and all it needs is there anyway: Apache's
//! unloaded `mod_proxy_html.so` alone would bring 33 MB of libxml2 and ICU.
//!
//! At `package` every package of which something was reached comes whole, its programs only where
//! one of them is started, and what its programs and libraries need comes with them. At `file`
//! nothing comes along.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{ImagePath, Node, PackageId, Reason};

use crate::Level;
use crate::followers::standard_needs;
use crate::keep::{Keep, Pull};
use crate::loader::Loader;
use crate::owners::{base_layers, is_base};
use crate::packages;
use crate::plan::settle;
use crate::python::Reach;
use crate::scene::{Look, Scene};
use crate::valve;

/// Sections (Debian policy 2.4) whose packages are never an application of their own: libraries,
/// documents, translations, tools for making software.
const NOT_APPLICATIONS: &[&str] = &[
    "debug",
    "devel",
    "doc",
    "libdevel",
    "libs",
    "localization",
    "oldlibs",
    "translations",
];

/// Carries what the level asks for beyond what was reached.
pub(crate) fn add(scene: &Scene<'_>, keep: &mut Keep<'_>, level: Level) {
    match level {
        Level::File => {}
        Level::App => {
            let packages = packages(scene, keep);
            let mut cargo = Cargo::of(scene, keep, &packages, &BTreeSet::new());
            let python = Reach::of(scene, keep);
            cargo.retain(|path| !python.leaves(path));
            standard_needs(scene, cargo.files.iter().map(|(path, _)| path), keep);
            settle(scene, keep);
            cargo.carry(scene, keep);
        }
        Level::Package => {
            let touched = packages::touched(scene, keep.plan());
            let started = packages::started(scene, keep);
            let cargo = Cargo::of(scene, keep, &touched, &started);
            cargo.carry_with_needs(scene, keep);
        }
    }
}

/// What comes along, each file with the reason.
struct Cargo {
    files: Vec<(ImagePath, Reason)>,
    /// Programs and libraries, which are of use only with what they need.
    objects: Vec<(ImagePath, Reason)>,
}

impl Cargo {
    /// The files of these packages (each with the kept path that brings it) and the application's
    /// own: programs only of the packages in `with_programs`.
    fn of(
        scene: &Scene<'_>,
        keep: &mut Keep<'_>,
        packages: &BTreeMap<PackageId, ImagePath>,
        with_programs: &BTreeSet<PackageId>,
    ) -> Self {
        let mut cargo = Self {
            files: Vec::new(),
            objects: Vec::new(),
        };
        for (path, node) in scene.tree().iter().filter(|(_, node)| node.is_file()) {
            let Some(id) = owner(scene, path) else {
                continue;
            };
            if let Some(why) = packages.get(&id)
                && !keep.keeps(path)
                && !valve::is_for_a_machine(path)
                && (with_programs.contains(&id) || !scene.is_program(path))
            {
                let reason = Reason {
                    by: Some(why.clone()),
                    detail: scene.subject().inventory.packages[id.0 as usize]
                        .name
                        .clone(),
                    ..Reason::rule("package")
                };
                cargo.add(scene, path, node.size(), reason);
            }
        }
        for path in own_files(scene) {
            if keep.keeps(&path) || scene.is_program(&path) || keep.leaves_secret(&path) {
                continue;
            }
            let size = scene.tree().get(&path).map_or(0, Node::size);
            cargo.add(scene, &path, size, Reason::rule("application"));
        }
        cargo
    }

    fn add(&mut self, scene: &Scene<'_>, path: &ImagePath, size: u64, reason: Reason) {
        if valve::is_ballast(path) {
            return;
        }
        let is_object =
            size > 0 && matches!(&*scene.look(path), Look::Elf(_) | Look::Unreadable(_));
        let list = if is_object {
            &mut self.objects
        } else {
            &mut self.files
        };
        list.push((path.clone(), reason));
    }

    /// Leaves ashore what fails the test.
    fn retain(&mut self, keeps: impl Fn(&ImagePath) -> bool) {
        self.files.retain(|(path, _)| keeps(path));
        self.objects.retain(|(path, _)| keeps(path));
    }

    /// Carries it, objects only where all they need is there anyway.
    fn carry(self, scene: &Scene<'_>, keep: &mut Keep<'_>) {
        for (path, reason) in self.files {
            keep.carry(&path, reason);
        }
        carry_objects(scene, keep, self.objects);
    }

    /// Carries it, and brings what its objects need.
    fn carry_with_needs(self, scene: &Scene<'_>, keep: &mut Keep<'_>) {
        for (path, reason) in self.files {
            keep.carry(&path, reason);
        }
        for (path, reason) in self.objects {
            let pull = match scene.is_program(&path) {
                true => Pull::Executed,
                false => Pull::Opened,
            };
            keep.path(&path, pull, reason);
        }
        settle(scene, keep);
    }
}

/// The application's own packages, each with the kept path that shows it is one.
///
/// These are the ones that came above the base and own the entry program, a program a run
/// executed, or a file a run or the configuration asked for; no libraries.
fn packages(scene: &Scene<'_>, keep: &Keep<'_>) -> BTreeMap<PackageId, ImagePath> {
    let subject = scene.subject();
    let mut packages = BTreeMap::new();
    for (path, reasons) in &keep.plan().keep {
        let Some(id) = scene.owners().owner(path) else {
            continue;
        };
        let Some(package) = subject.inventory.get(id) else {
            continue;
        };
        let is_touched = reasons.iter().any(|reason| {
            // What a loader or the C library reaches says nothing about whose application it is.
            !matches!(
                reason.rule,
                "elf" | "dlopen" | "elf-path" | "glibc" | "tls" | "always" | "symlink"
            )
        });
        let is_started = keep.is_executed(path) && !path.as_bytes().windows(3).any(|p| p == b".so");
        if (is_touched || is_started)
            && !packages.contains_key(&id)
            && !NOT_APPLICATIONS.contains(&section(&package.section))
            && !is_base(subject, package)
        {
            packages.insert(id, path.clone());
        }
    }
    packages
}

/// The section without the archive area in front (`contrib/libs`).
fn section(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

/// Files that no package owns, written by layers above the base; all of them where the base is not
/// known, because then nobody can say which are not the application.
pub(crate) fn own_files<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = ImagePath> + 'a {
    let base = base_layers(scene.subject().lineage).unwrap_or(0);
    let files = scene.tree().iter().filter(move |(path, node)| {
        node.is_file()
            && node.layer as usize >= base
            && owner(scene, path).is_none()
            && !valve::is_left_by_installing(path)
    });
    files.map(|(path, _)| path.clone())
}

/// The owner of a file, or of the source it was compiled from: what a package's installation
/// compiled (`x/__pycache__/y.cpython-311.pyc` of `x/y.py`, PEP 3147) is no more the application's
/// than the source.
pub(crate) fn owner(scene: &Scene<'_>, path: &ImagePath) -> Option<PackageId> {
    scene.owners().owner(path).or_else(|| {
        let cache = path.parent()?;
        let stem = path.file_name().split(|&byte| byte == b'.').next()?;
        let source = cache.parent()?.join([stem, b".py"].concat());
        let is_compiled = cache.file_name() == b"__pycache__";
        scene.owners().owner(&source).filter(|_| is_compiled)
    })
}

/// Carries those programs and libraries whose every need is kept, or carried with them.
fn carry_objects(scene: &Scene<'_>, keep: &mut Keep<'_>, objects: Vec<(ImagePath, Reason)>) {
    let numbers: BTreeMap<&ImagePath, usize> = objects
        .iter()
        .enumerate()
        .map(|(number, (path, _))| (path, number))
        .collect();
    let needs: Vec<Option<Vec<Need>>> = objects
        .iter()
        .map(|(path, _)| needs(scene, keep, &numbers, path))
        .collect();
    let stays = aboard(&needs);
    for ((path, reason), stays) in objects.into_iter().zip(stays) {
        if stays {
            keep.carry(&path, reason);
        }
    }
}

/// The numbers of the objects any one of which is enough.
type Need = BTreeSet<usize>;

/// What an object needs that is not kept already; `None` for what is no sound object.
fn needs(
    scene: &Scene<'_>,
    keep: &Keep<'_>,
    numbers: &BTreeMap<&ImagePath, usize>,
    path: &ImagePath,
) -> Option<Vec<Need>> {
    let look = scene.look(path);
    let Look::Elf(elf) = &*look else {
        return None;
    };
    let origin = path.parent().unwrap_or_else(ImagePath::root);
    let directories = scene.loader().directories(elf, &origin, &[]);
    let interpreter = elf.interpreter.iter().map(ImagePath::new);
    let interpreter = interpreter.map(|place| vec![place]);
    let needed = elf.needed.iter();
    let needed = needed.map(|soname| Loader::find(scene, elf, soname, &directories));
    let mut needs = Vec::new();
    for places in interpreter.chain(needed) {
        let places = places.iter().filter_map(|place| {
            let found = scene.tree().resolve(place).ok()?;
            Some(found.path)
        });
        let places: Vec<ImagePath> = places.collect();
        if !places.iter().any(|place| keep.keeps(place)) {
            let known = places
                .iter()
                .filter_map(|place| numbers.get(place).copied());
            needs.push(known.collect());
        }
    }
    Some(needs)
}

/// Which of the objects have all they need among each other.
///
/// Starts with all of them and takes away what lacks something, until nothing more falls: so
/// libraries that need each other come along together. Each need is looked at once for each of its
/// objects that falls, so that a long chain costs no more than many short ones.
fn aboard(objects: &[Option<Vec<Need>>]) -> Vec<bool> {
    // For every need who has it, and how many objects are left for it.
    let mut needs: Vec<(usize, usize)> = Vec::new();
    let mut serves: Vec<Vec<usize>> = vec![Vec::new(); objects.len()];
    let mut falling = Vec::new();
    for (asker, object) in objects.iter().enumerate() {
        let Some(wanted) = object else {
            falling.push(asker);
            continue;
        };
        for need in wanted {
            for &other in need {
                serves[other].push(needs.len());
            }
            needs.push((asker, need.len()));
        }
        if wanted.iter().any(BTreeSet::is_empty) {
            falling.push(asker);
        }
    }
    let mut stays = vec![true; objects.len()];
    while let Some(object) = falling.pop() {
        if !std::mem::replace(&mut stays[object], false) {
            continue;
        }
        for &need in &serves[object] {
            let (asker, left) = &mut needs[need];
            *left -= 1;
            if *left == 0 {
                falling.push(*asker);
            }
        }
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::{Need, aboard};

    fn needs(of: &[&[usize]]) -> Option<Vec<Need>> {
        Some(
            of.iter()
                .map(|ways| ways.iter().copied().collect())
                .collect(),
        )
    }

    #[test]
    fn what_lacks_something_falls_and_those_that_need_it() {
        let stays = aboard(&[
            needs(&[]),
            // Two that need each other.
            needs(&[&[2]]),
            needs(&[&[1], &[0]]),
            // One of two ways is left.
            needs(&[&[4, 0]]),
            // Not an object, and what needs it.
            None,
            needs(&[&[4]]),
            // Nothing of it is there; and two that need each other and it.
            needs(&[&[0], &[]]),
            needs(&[&[8]]),
            needs(&[&[7], &[6]]),
        ]);
        assert_eq!(
            stays,
            [true, true, true, true, false, false, false, false, false]
        );
    }

    /// In passes over all objects, of which one falls each time, this would take hours.
    #[test]
    fn a_long_chain_falls_at_once() {
        let count = 300_000;
        let mut chain: Vec<_> = (1..count).map(|next| needs(&[&[next]])).collect();
        chain.push(needs(&[&[]]));
        assert!(aboard(&chain).iter().all(|stays| !stays));
        chain.pop();
        chain.push(needs(&[]));
        assert!(aboard(&chain).iter().all(|&stays| stays));
    }
}
