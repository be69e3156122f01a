//! What is kept so far: the place where followers put what they found.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use plimsoll_model::{Evidence, ImagePath, Plan, Problem, Reason};

use crate::glob;
use crate::scene::Scene;
use crate::secret;
use crate::valve::{self, Cap};

/// How strongly a path is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pull {
    /// A text names it. Programs, and directories that mean nothing, stay ashore.
    Named,
    /// It will be opened: a library, a configuration file, what a run opened.
    Opened,
    /// It will be executed, so that what executes it comes along.
    Executed,
}

/// More problems than this are counted and not named.
const PROBLEM_LIMIT: usize = 1000;
/// More inherited directories than this are not searched.
const SCOPE_LIMIT: usize = 64;
/// More reasons than this for one path are not written down.
const REASON_LIMIT: usize = 4;

/// What is kept so far.
#[derive(Clone)]
pub struct Keep<'a> {
    scene: &'a Scene<'a>,
    plan: Plan,
    problems: BTreeSet<(ImagePath, String)>,
    queue: VecDeque<ImagePath>,
    executed: BTreeSet<ImagePath>,
    /// Directories of packages of a language that followers have dealt with.
    homes: BTreeSet<(&'static str, ImagePath)>,
    scopes: BTreeMap<ImagePath, Vec<ImagePath>>,
    /// Directories that were asked for whole: taken, or why not.
    whole: BTreeMap<ImagePath, Option<String>>,
    /// What looks like a secret and was not taken along, and what it looks like.
    secrets: BTreeMap<ImagePath, &'static str>,
}

impl<'a> Keep<'a> {
    pub(crate) fn new(scene: &'a Scene<'a>) -> Self {
        Self {
            scene,
            plan: Plan::default(),
            problems: BTreeSet::new(),
            queue: VecDeque::new(),
            executed: BTreeSet::new(),
            homes: BTreeSet::new(),
            scopes: BTreeMap::new(),
            whole: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }

    /// Keeps what `path` leads to, and every link on the way; answers what it leads to, or `None`
    /// where it leads nowhere, is excluded or is left ashore because it is merely named.
    ///
    /// A directory is kept for itself, not for what is in it.
    pub fn path(&mut self, path: &ImagePath, pull: Pull, reason: Reason) -> Option<ImagePath> {
        self.spelt(path.as_bytes(), pull, reason)
    }

    /// As [`Keep::path`], for a path as a program spelt it, in which `..` means the directory
    /// above the one a link led to.
    pub(crate) fn spelt(&mut self, path: &[u8], pull: Pull, reason: Reason) -> Option<ImagePath> {
        let tree = self.scene.tree();
        let root = ImagePath::root();
        let found = tree.walk(&root, path, true).ok()?;
        let target = found.path;
        let node = tree.get(&target)?;
        if self.is_excluded(&target) || self.is_excluded(&ImagePath::new(path)) {
            return None;
        }
        if pull == Pull::Named {
            let dull = node.is_dir() && valve::is_generic(&target);
            if dull || self.scene.is_program(&target) {
                return None;
            }
        }
        // Where the name itself is a link, that link is what asks for the target, and for the
        // links its own target leads through.
        let name = tree.walk(&root, path, false).ok().map(|place| place.path);
        let mut reason = reason;
        for link in found.links {
            let is_name = name.as_ref() == Some(&link);
            self.insert(link.clone(), reason.clone());
            if is_name {
                reason = Reason::by("symlink", &link, "");
            }
        }
        let starts = pull == Pull::Executed
            && node.is_file()
            && self.executed.insert(target.clone())
            && self.plan.keeps(&target);
        if starts {
            // It was there already, but not as something that runs.
            self.queue.push_back(target.clone());
        }
        self.insert(target.clone(), reason);
        Some(target)
    }

    /// Keeps the symbolic link, device or pipe at `path` itself, and the links on the way to it.
    pub(crate) fn place(&mut self, path: &[u8], reason: Reason) -> Option<ImagePath> {
        let found = self
            .scene
            .tree()
            .walk(&ImagePath::root(), path, false)
            .ok()?;
        if self.is_excluded(&found.path) {
            return None;
        }
        for link in found.links {
            self.insert(link, reason.clone());
        }
        self.insert(found.path.clone(), reason);
        Some(found.path)
    }

    /// Keeps the directory `path` leads to with all that is in it, as far as a name can ask for
    /// that: no programs, and nothing at all where the directory means nothing (a mere name of
    /// it), or is too large or the system's, which is noted unless another asks with more right.
    pub(crate) fn tree(&mut self, path: &ImagePath, cap: Cap, reason: Reason) {
        let tree = self.scene.tree();
        let Ok(found) = tree.resolve(path) else {
            return;
        };
        let directory = found.path;
        let in_passing = cap.bytes < Cap::SERVED.bytes;
        let is_dull = in_passing && valve::is_generic(&directory);
        if is_dull || valve::in_program_directory(self.scene, &directory.join("x")) {
            return;
        }
        if self.whole.get(&directory) == Some(&None) {
            return;
        }
        if let Some(why) = cap.forbids(tree, &directory) {
            let by = reason.by.as_ref();
            let by = by.map(|by| format!(" (named by {by})")).unwrap_or_default();
            let message = format!("was not taken whole{by}: {why}");
            self.whole.entry(directory).or_insert(Some(message));
            return;
        }
        if self.path(path, Pull::Opened, reason.clone()).is_none() {
            return;
        }
        let inside = tree.subtree(&directory).map(|(path, _)| path.clone());
        let inside: Vec<ImagePath> = inside.collect();
        for path in inside {
            if !self.leaves_secret(&path) && !valve::is_of_version_control(&path) {
                self.path(&path, Pull::Named, reason.clone());
            }
        }
        self.whole.insert(directory, None);
    }

    /// Whether `path` looks like a secret that would only come along; that is noted in the end, unless
    /// something has asked for it by then.
    pub(crate) fn leaves_secret(&mut self, path: &ImagePath) -> bool {
        if self.keeps(path) {
            return false;
        }
        let what = secret::what(self.scene, path);
        if let Some(what) = what {
            self.secrets.insert(path.clone(), what);
        }
        what.is_some()
    }

    /// Whether `path` (free of links) is kept.
    pub fn keeps(&self, path: &ImagePath) -> bool {
        self.plan.keeps(path)
    }

    /// Whether this rule never dealt with this directory of a package before; from now on it did.
    pub(crate) fn is_new_home(&mut self, rule: &'static str, home: &ImagePath) -> bool {
        self.homes.insert((rule, home.clone()))
    }

    /// Whether `path` (free of links) is known to be executed.
    pub fn is_executed(&self, path: &ImagePath) -> bool {
        self.executed.contains(path)
    }

    /// Notes that something asked for is not there, or could not be judged.
    pub fn problem(&mut self, path: &ImagePath, message: impl Into<String>) {
        self.problems.insert((path.clone(), message.into()));
    }

    /// The `DT_RPATH` directories that the objects which load `path` hand down to it.
    pub(crate) fn scope(&self, path: &ImagePath) -> &[ImagePath] {
        self.scopes.get(path).map_or(&[], Vec::as_slice)
    }

    /// Hands directories down to `path`; it is followed again if that is news.
    pub(crate) fn widen_scope(&mut self, path: &ImagePath, directories: &[ImagePath]) {
        let scope = self.scopes.entry(path.clone()).or_default();
        let before = scope.len();
        for directory in directories {
            if scope.len() < SCOPE_LIMIT && !scope.contains(directory) {
                scope.push(directory.clone());
            }
        }
        if scope.len() > before && self.plan.keeps(path) {
            // What could not be found without them is looked for again.
            self.problems.retain(|(asker, _)| asker != path);
            self.queue.push_back(path.clone());
        }
    }

    /// The next path nobody has followed yet.
    pub(crate) fn next(&mut self) -> Option<ImagePath> {
        self.queue.pop_front()
    }

    /// Keeps a path without following it.
    pub(crate) fn carry(&mut self, path: &ImagePath, reason: Reason) {
        if !self.is_excluded(path) {
            write_reason(&mut self.plan, path.clone(), reason);
        }
    }

    /// Keeps a path whatever excludes it: a directory above something kept.
    pub(crate) fn hold(&mut self, path: &ImagePath, reason: Reason) {
        write_reason(&mut self.plan, path.clone(), reason);
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn finish(mut self) -> Plan {
        for (directory, why) in std::mem::take(&mut self.whole) {
            if let Some(why) = why {
                self.problem(&directory, why);
            }
        }
        for pattern in self.scene.cut() {
            let most = glob::MATCH_LIMIT;
            let message =
                format!("names more than {most} paths; what comes behind them was not followed");
            self.problem(&pattern, message);
        }
        for (path, what) in std::mem::take(&mut self.secrets) {
            if !self.keeps(&path) {
                let message = format!("looks like {what}, and nothing was seen to read it");
                self.problem(
                    &path,
                    format!("{message}: it stays ashore unless it is included"),
                );
            }
        }
        let count = self.problems.len();
        for (path, message) in self.problems.into_iter().take(PROBLEM_LIMIT) {
            let (layer, size) = match self.scene.tree().get(&path) {
                Some(node) => (node.layer, node.size()),
                None => (0, 0),
            };
            let evidence = Evidence::Path { path, layer, size };
            self.plan.unresolved.push(Problem { message, evidence });
        }
        if count > PROBLEM_LIMIT {
            let message =
                format!("{count} things could not be followed, {PROBLEM_LIMIT} are named");
            let evidence = Evidence::Image;
            self.plan.unresolved.push(Problem { message, evidence });
        }
        self.plan
    }

    fn is_excluded(&self, path: &ImagePath) -> bool {
        let exclude = self.scene.request().exclude;
        exclude.iter().any(|pattern| glob::covers(pattern, path))
    }

    fn insert(&mut self, path: ImagePath, reason: Reason) {
        if write_reason(&mut self.plan, path.clone(), reason) {
            self.queue.push_back(path);
        }
    }
}

/// Writes down a reason; answers whether the path is new.
fn write_reason(plan: &mut Plan, path: ImagePath, reason: Reason) -> bool {
    let reasons = plan.keep.entry(path).or_default();
    let is_new = reasons.is_empty();
    if reasons.len() < REASON_LIMIT && !reasons.contains(&reason) {
        reasons.push(reason);
    }
    is_new
}
