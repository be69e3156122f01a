//! What a follower may look at: the image, and each file read at most once.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use plimsoll_model::{Config, FileTree, ImagePath, Observations, Rootfs, Subject};

use crate::elf::Elf;
use crate::glob;
use crate::loader::Loader;
use crate::node::Fields;
use crate::owners::Owners;
use crate::python::{self, Distributions, Places};
use crate::valve;
use crate::{Level, Request};

/// Larger files are not read as ELF: the limit bounds memory, and hardly a library reaches it.
pub(crate) const ELF_LIMIT: u64 = 256 << 20;
/// Larger texts are not read as configuration.
pub(crate) const TEXT_LIMIT: u64 = 1 << 20;

/// What the first bytes of a file, or all of it, say it is.
pub(crate) enum Look {
    /// An ELF object.
    Elf(Box<Elf>),
    /// A script: its `#!` line, without the `#!`.
    Script(Vec<u8>),
    /// Neither; perhaps text.
    Other,
    /// It cannot be read or understood, as a phrase.
    Unreadable(String),
}

/// What a follower may look at.
pub struct Scene<'a> {
    request: Request<'a>,
    level: Cell<Level>,
    owners: Owners,
    looks: RefCell<BTreeMap<ImagePath, Rc<Look>>>,
    loader: OnceCell<Loader>,
    python: OnceCell<Places>,
    distributions: OnceCell<Distributions>,
    loaded: OnceCell<BTreeSet<ImagePath>>,
    remembered: RefCell<BTreeMap<&'static str, Rc<Vec<ImagePath>>>>,
    package_json: RefCell<BTreeMap<ImagePath, Rc<Fields>>>,
    /// Patterns of which not every match was followed.
    cut: RefCell<BTreeSet<ImagePath>>,
    search_path: Vec<ImagePath>,
    listed: BTreeSet<ImagePath>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(request: &Request<'a>) -> Self {
        let tree = &request.subject.rootfs.tree;
        let config = &request.subject.image.config;
        let real = |directory| Some(tree.resolve(&ImagePath::new(directory)).ok()?.path);
        let search_path = config.search_path().filter_map(real).collect();
        Self {
            request: *request,
            level: Cell::new(request.level),
            owners: Owners::of(request.subject.inventory, tree),
            looks: RefCell::default(),
            loader: OnceCell::new(),
            python: OnceCell::new(),
            distributions: OnceCell::new(),
            loaded: OnceCell::new(),
            remembered: RefCell::default(),
            package_json: RefCell::default(),
            cut: RefCell::default(),
            search_path,
            listed: crate::observed::listed(tree, request.observations),
        }
    }

    /// The image and what is known about it.
    pub fn subject(&self) -> &Subject<'a> {
        &self.request.subject
    }

    /// Its tree.
    pub fn tree(&self) -> &'a FileTree {
        &self.request.subject.rootfs.tree
    }

    /// Its tree with the contents.
    pub fn rootfs(&self) -> &'a Rootfs {
        self.request.subject.rootfs
    }

    /// Its configuration.
    pub fn config(&self) -> &'a Config {
        &self.request.subject.image.config
    }

    /// What runs touched.
    pub fn observations(&self) -> &'a Observations {
        self.request.observations
    }

    pub(crate) fn request(&self) -> &Request<'a> {
        &self.request
    }

    /// How much is to stay: what the request says, unless another level is looked at meanwhile.
    pub(crate) fn level(&self) -> Level {
        self.level.get()
    }

    /// Looks at another level from now on: everything read so far stays known.
    pub(crate) fn set_level(&self, level: Level) {
        self.level.set(level);
    }

    pub(crate) fn owners(&self) -> &Owners {
        &self.owners
    }

    /// The directories programs are searched in that exist, free of links, in order.
    pub(crate) fn search_path(&self) -> impl Iterator<Item = &ImagePath> {
        self.search_path.iter()
    }

    /// Whether a run read this directory's entries.
    pub(crate) fn was_listed(&self, directory: &ImagePath) -> bool {
        self.listed.contains(directory)
    }

    /// Where a bare program name is found first, as a runtime or a shell would search it.
    pub(crate) fn program(&self, name: &[u8]) -> Option<ImagePath> {
        self.search_path().find_map(|directory| {
            let path = directory.join(name);
            let found = self.tree().resolve(&path).ok()?;
            let node = self.tree().get(&found.path)?;
            node.is_executable().then_some(path)
        })
    }

    /// What a configuration file's pattern names, as `glob(3)` would expand it; what of it was cut off
    /// is remembered.
    pub(crate) fn expand(&self, pattern: &ImagePath) -> Vec<ImagePath> {
        let (found, is_cut) = glob::expand(self.tree(), pattern);
        if is_cut {
            self.cut.borrow_mut().insert(pattern.clone());
        }
        found
    }

    /// The patterns of which not every match was followed, so far.
    pub(crate) fn cut(&self) -> Vec<ImagePath> {
        self.cut.borrow().iter().cloned().collect()
    }

    /// Where the dynamic loader of the image searches.
    pub(crate) fn loader(&self) -> &Loader {
        self.loader.get_or_init(|| Loader::of(self))
    }

    /// Where the modules of the image's Pythons lie.
    pub(crate) fn python(&self) -> &Places {
        self.python.get_or_init(|| Places::of(self))
    }

    /// What Python distributions are installed.
    pub(crate) fn distributions(&self) -> &Distributions {
        self.distributions
            .get_or_init(|| python::distributions(self))
    }

    /// The Python modules that a run loaded.
    pub(crate) fn loaded_modules(&self) -> &BTreeSet<ImagePath> {
        self.loaded.get_or_init(|| python::loaded(self))
    }

    /// What the regular file at `path` (free of links) is.
    pub(crate) fn look(&self, path: &ImagePath) -> Rc<Look> {
        if let Some(look) = self.looks.borrow().get(path) {
            return Rc::clone(look);
        }
        let look = Rc::new(self.look_afresh(path));
        let mut looks = self.looks.borrow_mut();
        looks.insert(path.clone(), Rc::clone(&look));
        look
    }

    fn look_afresh(&self, path: &ImagePath) -> Look {
        if !self.tree().get(path).is_some_and(|node| node.is_file()) {
            return Look::Other;
        }
        let head = match self.rootfs().read_head(path, 256) {
            Ok(head) => head,
            Err(error) => return Look::Unreadable(format!("cannot be read: {error}")),
        };
        if let Some(line) = head.strip_prefix(b"#!") {
            let line = line.split(|&byte| byte == b'\n').next().unwrap_or(line);
            return Look::Script(line.to_vec());
        }
        if !head.starts_with(b"\x7fELF") {
            return Look::Other;
        }
        let bytes = match self.rootfs().read(path, ELF_LIMIT) {
            Ok(bytes) => bytes,
            Err(error) => return Look::Unreadable(format!("cannot be read: {error}")),
        };
        match Elf::parse(&bytes) {
            Ok(elf) => Look::Elf(Box::new(elf)),
            Err(why) => Look::Unreadable(format!("is not a sound ELF file: {why}")),
        }
    }

    /// The file at `path` as text, if it is one and not larger than 1 MiB.
    pub(crate) fn text(&self, path: &ImagePath) -> Option<String> {
        let bytes = self.rootfs().read(path, TEXT_LIMIT).ok()?;
        if memchr::memchr(0, &bytes).is_some() {
            return None;
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What a follower learned from the whole tree, under its name: found once.
    pub(crate) fn remembered(
        &self,
        name: &'static str,
        find: impl FnOnce() -> Vec<ImagePath>,
    ) -> Rc<Vec<ImagePath>> {
        if let Some(known) = self.remembered.borrow().get(name) {
            return Rc::clone(known);
        }
        let found = Rc::new(find());
        let mut remembered = self.remembered.borrow_mut();
        remembered.insert(name, Rc::clone(&found));
        found
    }

    /// What the `package.json` at `path` says; nothing where it is none, or larger than 1 MiB.
    pub(crate) fn package_json(&self, path: &ImagePath) -> Rc<Fields> {
        if let Some(known) = self.package_json.borrow().get(path) {
            return Rc::clone(known);
        }
        let Ok(bytes) = self.rootfs().read(path, TEXT_LIMIT) else {
            return Rc::default();
        };
        let fields = Rc::new(Fields::parse(&bytes));
        let mut known = self.package_json.borrow_mut();
        known.insert(path.clone(), Rc::clone(&fields));
        fields
    }

    /// Whether `path` (free of links) is a program on the ways programs are started from.
    pub(crate) fn is_program(&self, path: &ImagePath) -> bool {
        valve::is_program(self, path)
    }
}
