//! Where the modules of an image's Pythons lie, and how a name becomes a file.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use plimsoll_model::{FileTree, ImagePath};

use super::{Import, modules_of};
use crate::scene::Scene;

/// Modules that one import may lead to: the packages above it and the names taken from it.
const MAX_MODULES: usize = 10_000;

/// What installs distributions: each imports the others in case it is asked to build something.
const INSTALLERS: &[&[u8]] = &[
    b"_distutils_hack",
    b"pip",
    b"pkg_resources",
    b"setuptools",
    b"wheel",
];

/// Where modules lie.
pub(crate) struct Places {
    /// Standard libraries: the directories that hold `os.py`.
    homes: Vec<ImagePath>,
    /// Where installed distributions lie (`site-packages`, Debian's `dist-packages`), and what
    /// their `.pth` files add (documentation of the module `site`).
    sites: Vec<ImagePath>,
    /// What the modules, packages and directories of the image are called, wherever they lie. Most words
    /// that may be names are none of these, and need not be looked for in every place.
    names: HashSet<Box<[u8]>>,
    /// Extension modules, by the path that an import of them leads to.
    extensions: BTreeMap<ImagePath, ImagePath>,
    /// Where the application's own modules are looked for: `PYTHONPATH`, the working directory.
    own: Vec<ImagePath>,
}

/// Whose a module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of the standard library.
    Standard,
    /// Of an installed distribution.
    Installed,
    /// Of the application.
    Own,
}

impl Places {
    pub(crate) fn of(scene: &Scene<'_>) -> Self {
        let tree = scene.tree();
        let mut homes = Vec::new();
        let mut extensions = BTreeMap::new();
        let mut sites = BTreeSet::new();
        for (path, node) in tree.iter() {
            let Some(parent) = path.parent() else {
                continue;
            };
            // `_x.cpython-311-x86_64-linux-gnu.so`, `_x.abi3.so`, `_x.so` (PEP 3149).
            if path.file_name().ends_with(b".so") {
                let stem = path.file_name().split(|&byte| byte == b'.').next();
                let module = parent.join(stem.unwrap_or_default());
                extensions.entry(module).or_insert_with(|| path.clone());
            } else if node.is_file()
                && path.file_name() == b"os.py"
                && is_versioned(parent.file_name())
            {
                homes.push(parent);
            } else if node.is_dir()
                && matches!(path.file_name(), b"site-packages" | b"dist-packages")
            {
                sites.insert(path.clone());
            }
        }
        let mut sites: Vec<ImagePath> = sites.into_iter().collect();
        for site in sites.clone() {
            sites.extend(added(scene, &site));
        }
        let config = scene.config();
        let mut own: Vec<ImagePath> = Vec::new();
        let paths = config.env("PYTHONPATH").unwrap_or_default();
        for path in paths.split(':').filter(|path| !path.is_empty()) {
            own.push(ImagePath::new(&config.working_dir).join(path));
        }
        own.push(ImagePath::new(&config.working_dir));
        let real = |path: ImagePath| Some(tree.resolve(&path).ok()?.path);
        Self {
            names: match homes.is_empty() {
                true => HashSet::new(),
                false => names(tree),
            },
            homes,
            sites,
            extensions,
            own: own.into_iter().filter_map(real).collect(),
        }
    }

    /// Whether there is a Python at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.homes.is_empty()
    }

    /// Whose the file at `path` is.
    pub(crate) fn kind(&self, path: &ImagePath) -> Kind {
        if self.site(path).is_some() {
            Kind::Installed
        } else if self.home(path).is_some() {
            Kind::Standard
        } else {
            Kind::Own
        }
    }

    /// The standard library that `path` is of.
    pub(crate) fn home(&self, path: &ImagePath) -> Option<&ImagePath> {
        let mut above = self.homes.iter().filter(|home| path.starts_with(home));
        above.next().filter(|_| self.site(path).is_none())
    }

    /// Where the distribution that `path` is of lies: the innermost of such directories.
    pub(crate) fn site(&self, path: &ImagePath) -> Option<&ImagePath> {
        let above = self.sites.iter().filter(|site| path.starts_with(site));
        above.max_by_key(|site| site.depth())
    }

    /// Which installer the file at `path` is of.
    pub(crate) fn installer(&self, path: &ImagePath) -> Option<&'static [u8]> {
        let name = path.components().nth(self.site(path)?.depth())?;
        INSTALLERS.iter().find(|known| **known == name).copied()
    }

    /// The files that an import in the module at `from` leads to, the packages on the way included.
    pub(crate) fn resolve(
        &self,
        scene: &Scene<'_>,
        from: &ImagePath,
        import: &Import,
    ) -> Vec<ImagePath> {
        let mut found = Vec::new();
        match import {
            Import::Module(name) => {
                self.absolute(scene, from, name, &mut found);
            }
            Import::Fallback(tried, _) => {
                for import in tried {
                    found.extend(self.resolve(scene, from, import));
                }
            }
            Import::Distribution(name) => found.extend(modules_of(scene, name)),
            Import::Text(name) => {
                // A name in a string is believed where all of it leads to a module, or all but the
                // last part: a class or function in it.
                let above = name.rsplit_once('.').map_or("", |(above, _)| above);
                let leads = self.absolute(scene, from, name, &mut found)
                    || above.contains('.') && self.absolute(scene, from, above, &mut found);
                if !leads {
                    found.clear();
                }
            }
            Import::From(level, module, names) => {
                let base = match level {
                    0 => {
                        self.absolute(scene, from, module, &mut found);
                        found.last().cloned()
                    }
                    level => self.relative(scene, from, *level, module, &mut found),
                };
                // Names of a package may be modules in it.
                if let Some(package) = base.filter(|base| base.file_name() == b"__init__.py")
                    && let Some(directory) = package.parent()
                {
                    for name in names.iter().take(MAX_MODULES) {
                        self.step(scene, &directory, name, &mut found);
                    }
                } else if let Some(directory) = self.namespace(scene, from, *level, module) {
                    for name in names.iter().take(MAX_MODULES) {
                        self.step(scene, &directory, name, &mut found);
                    }
                }
            }
        }
        found
    }

    /// `a.b.c` from the first directory that has an `a`; answers whether all of it was found.
    fn absolute(
        &self,
        scene: &Scene<'_>,
        from: &ImagePath,
        name: &str,
        found: &mut Vec<ImagePath>,
    ) -> bool {
        if !self.names_any(name) {
            return false;
        }
        for directory in self.search(scene, from) {
            let mut at = directory;
            let mut any = false;
            let mut all = true;
            for part in name.split('.') {
                match self.step(scene, &at, part, found) {
                    Some(next) => {
                        any = true;
                        at = next;
                    }
                    None => {
                        all = false;
                        break;
                    }
                }
            }
            if any {
                return all;
            }
        }
        false
    }

    /// A directory without `__init__.py` that `name` leads to (a namespace package, PEP 420).
    fn namespace(
        &self,
        scene: &Scene<'_>,
        from: &ImagePath,
        level: u32,
        name: &str,
    ) -> Option<ImagePath> {
        if level > 0 || name.is_empty() || !self.names_any(name) {
            return None;
        }
        let relative = name.replace('.', "/");
        self.search(scene, from)
            .map(|directory| directory.join(&relative))
            .find(|path| scene.tree().get(path).is_some_and(|node| node.is_dir()))
    }

    /// `from ..a import`: up from the module's package, then down; answers the file of the last one.
    fn relative(
        &self,
        scene: &Scene<'_>,
        from: &ImagePath,
        level: u32,
        name: &str,
        found: &mut Vec<ImagePath>,
    ) -> Option<ImagePath> {
        let mut directory = from.parent()?;
        for _ in 1..level {
            directory = directory.parent()?;
        }
        let init = directory.join("__init__.py");
        let mut last = scene.tree().contains(&init).then_some(init);
        found.extend(last.clone());
        for part in name.split('.').filter(|part| !part.is_empty()) {
            directory = self.step(scene, &directory, part, found)?;
            last = found.last().cloned();
        }
        last
    }

    /// Where a module at `from` looks: its own tree first, then the application's places, the
    /// standard library, the installed ones.
    fn search<'a>(
        &'a self,
        scene: &Scene<'_>,
        from: &ImagePath,
    ) -> impl Iterator<Item = ImagePath> + 'a {
        let mut top = from.parent().unwrap_or_else(ImagePath::root);
        while scene.tree().contains(top.join("__init__.py")) {
            match top.parent() {
                Some(above) => top = above,
                None => break,
            }
        }
        let dynamic = self.homes.iter().map(|home| home.join("lib-dynload"));
        std::iter::once(top)
            .chain(self.own.iter().cloned())
            .chain(self.homes.iter().cloned())
            .chain(dynamic)
            .chain(self.sites.iter().cloned())
    }

    /// Whether the first part of a name is one of the image's.
    fn names_any(&self, name: &str) -> bool {
        let first = name.split('.').next().unwrap_or(name);
        self.names.contains(first.as_bytes())
    }

    /// One part of a name: puts the module's files into `found`, answers where its submodules lie.
    fn step(
        &self,
        scene: &Scene<'_>,
        directory: &ImagePath,
        part: &str,
        found: &mut Vec<ImagePath>,
    ) -> Option<ImagePath> {
        let tree = scene.tree();
        if !self.names.contains(part.as_bytes()) || found.len() > MAX_MODULES {
            return None;
        }
        let inside = directory.join(part);
        let init = inside.join("__init__.py");
        if tree.contains(&init) {
            found.push(init);
            return Some(inside);
        }
        let module = directory.join(format!("{part}.py"));
        if tree.contains(&module) {
            found.push(module);
            return Some(inside);
        }
        if let Some(extension) = self.extensions.get(&inside) {
            found.push(extension.clone());
            return Some(inside);
        }
        tree.get(&inside)
            .is_some_and(|node| node.is_dir())
            .then_some(inside)
    }
}

/// The names of everything that may be a module, without their endings, and of all directories: whatever
/// [`Places::step`] may find bears one of them.
fn names(tree: &FileTree) -> HashSet<Box<[u8]>> {
    let mut names: HashSet<Box<[u8]>> = HashSet::new();
    let mut insert = |name: &[u8]| {
        if !name.is_empty() && !names.contains(name) {
            names.insert(name.into());
        }
    };
    for (path, node) in tree.iter() {
        let name = path.file_name();
        if node.is_dir() {
            insert(name);
        }
        if name.ends_with(b".so") {
            insert(name.split(|&byte| byte == b'.').next().unwrap_or(name));
        }
        if let Some(stem) = name.strip_suffix(b".py") {
            insert(stem);
        }
        if name == b"__init__.py"
            && let Some(package) = path.parent()
        {
            insert(package.file_name());
        }
    }
    names
}

/// The directories that the `.pth` files of a site add: one a line, relative to it.
fn added(scene: &Scene<'_>, site: &ImagePath) -> Vec<ImagePath> {
    let tree = scene.tree();
    let files = tree
        .children(site)
        .map(|(path, _)| path.clone())
        .filter(|path| path.file_name().ends_with(b".pth"));
    let mut directories = Vec::new();
    for file in files {
        let text = scene.text(&file).unwrap_or_default();
        for line in text.lines().map(str::trim) {
            let is_path =
                !line.is_empty() && !line.starts_with(['#']) && !line.starts_with("import ");
            let place = site.join(line);
            if is_path && tree.get(&place).is_some_and(|node| node.is_dir()) {
                directories.push(place);
            }
        }
    }
    directories
}

/// Whether a directory is called as a standard library is: `python3.11`, `pypy3.10`.
fn is_versioned(name: &[u8]) -> bool {
    let version = name
        .strip_prefix(b"python")
        .or_else(|| name.strip_prefix(b"pypy"));
    version.is_some_and(|version| version.first().is_some_and(u8::is_ascii_digit))
}
