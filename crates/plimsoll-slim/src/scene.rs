//! What a follower may look at: the image, and each file read at most once.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use plimsoll_model::{Config, FileTree, ImagePath, Kind, Observations, Rootfs, Subject};

use crate::elf::Elf;
use crate::glob;
use crate::inventory::Sums;
use crate::known::{Known, Learned, Whole};
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

impl Learned for Look {
    fn weight(&self) -> usize {
        match self {
            Self::Elf(elf) => elf.weight(),
            Self::Script(text) => text.len(),
            Self::Unreadable(text) => text.len(),
            Self::Other => 0,
        }
    }
}

/// What a follower may look at.
pub struct Scene<'a> {
    request: Request<'a>,
    level: Cell<Level>,
    /// What is known of its files by others, if this is the image they look at.
    known: Option<&'a Known<'a>>,
    whole: Arc<Whole>,
    looks: RefCell<BTreeMap<ImagePath, Arc<Look>>>,
    loaded: OnceCell<BTreeSet<ImagePath>>,
    package_json: RefCell<BTreeMap<ImagePath, Arc<Fields>>>,
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
        let known = request
            .known
            .filter(|known| known.is_about(&request.subject));
        Self {
            request: *request,
            level: Cell::new(request.level),
            known,
            whole: known.map_or_else(Arc::default, Known::whole),
            looks: RefCell::default(),
            loaded: OnceCell::new(),
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
        let subject = self.subject();
        let owners = || Owners::of(subject.inventory, &subject.rootfs.tree);
        self.whole.owners.get_or_init(owners)
    }

    /// The lists of sums of its packages.
    pub(crate) fn sums(&self) -> &Sums {
        self.whole.sums.get_or_init(|| Sums::of(self))
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
        let loader = self.whole.loader.get().map_or(&[][..], Loader::cut);
        self.cut.borrow().iter().chain(loader).cloned().collect()
    }

    /// Where the dynamic loader of the image searches.
    pub(crate) fn loader(&self) -> &Loader {
        self.whole.loader.get_or_init(|| Loader::of(self))
    }

    /// Where the modules of the image's Pythons lie.
    pub(crate) fn python(&self) -> &Places {
        self.whole.python.get_or_init(|| Places::of(self))
    }

    /// What Python distributions are installed.
    pub(crate) fn distributions(&self) -> &Distributions {
        self.whole
            .distributions
            .get_or_init(|| python::distributions(self))
    }

    /// The Python modules that a run loaded.
    pub(crate) fn loaded_modules(&self) -> &BTreeSet<ImagePath> {
        self.loaded.get_or_init(|| python::loaded(self))
    }

    /// What the regular file at `path` (free of links) is.
    pub(crate) fn look(&self, path: &ImagePath) -> Arc<Look> {
        if let Some(look) = self.looks.borrow().get(path) {
            return Arc::clone(look);
        }
        let is_file = self.tree().get(path).is_some_and(|node| node.is_file());
        let look = match is_file {
            true => self.learned(path, "", || self.look_afresh(path)),
            false => Ok(Arc::new(Look::Other)),
        };
        let unreadable = |error| Look::Unreadable(format!("cannot be read: {error}"));
        let look = look.unwrap_or_else(|error| Arc::new(unreadable(error)));
        let mut looks = self.looks.borrow_mut();
        looks.insert(path.clone(), Arc::clone(&look));
        look
    }

    fn look_afresh(&self, path: &ImagePath) -> io::Result<Look> {
        let head = self.rootfs().read_head(path, 256)?;
        if let Some(line) = head.strip_prefix(b"#!") {
            let line = line.split(|&byte| byte == b'\n').next().unwrap_or(line);
            return Ok(Look::Script(line.to_vec()));
        }
        if !head.starts_with(b"\x7fELF") {
            return Ok(Look::Other);
        }
        let bytes = self.rootfs().read(path, ELF_LIMIT)?;
        Ok(match Elf::parse(&bytes) {
            Ok(elf) => Look::Elf(Box::new(elf)),
            Err(why) => Look::Unreadable(format!("is not a sound ELF file: {why}")),
        })
    }

    /// What the content of the file at `path` (free of links) says in the light of `about`, read by
    /// `read` unless it is known to somebody who looks at the same image.
    ///
    /// # Errors
    /// Those of `read`; they are not remembered.
    pub(crate) fn learned<T: Learned, E>(
        &self,
        path: &ImagePath,
        about: &str,
        read: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        match (self.known, self.tree().get(path).map(|node| &node.kind)) {
            (Some(known), Some(&Kind::File { at, size })) => known.file((at, size), about, read),
            _ => read().map(Arc::new),
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
    ) -> Arc<Vec<ImagePath>> {
        self.whole.remembered(name, find)
    }

    /// What the `package.json` at `path` says; nothing where it is none, or larger than 1 MiB.
    pub(crate) fn package_json(&self, path: &ImagePath) -> Arc<Fields> {
        if let Some(known) = self.package_json.borrow().get(path) {
            return Arc::clone(known);
        }
        let parse = || {
            let bytes = self.rootfs().read(path, TEXT_LIMIT)?;
            Ok::<_, io::Error>(Fields::parse(&bytes))
        };
        let Ok(fields) = self.learned(path, "", parse) else {
            return Arc::default();
        };
        let mut known = self.package_json.borrow_mut();
        known.insert(path.clone(), Arc::clone(&fields));
        fields
    }

    /// Whether `path` (free of links) is a program on the ways programs are started from.
    pub(crate) fn is_program(&self, path: &ImagePath) -> bool {
        valve::is_program(self, path)
    }
}
