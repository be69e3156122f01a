//! Every path that any layer has or had, in one array: what the explorer walks on.
//!
//! The array is in the order of a walk that goes down first: all below a directory follows it, up to
//! its [`Entry::end`]. So children are found by leaps, sums are made from the back, and a path costs
//! its name and a few numbers.

use std::cmp::Ordering;

use plimsoll_model::tree::{Change, Dead};
use plimsoll_model::{ImagePath, Kind, Metadata, Node};

/// A path's number. The root's is 0.
pub(super) type Id = u32;

/// The root, which is always there.
pub(super) const ROOT: Id = 0;

/// A path.
struct Entry {
    /// Where its name begins in `names`; it ends where the next one begins.
    name: usize,
    parent: Id,
    /// The number behind the last path below it.
    end: Id,
    depth: u16,
    /// Where its versions begin; they end where the next path's begin.
    versions: u32,
    /// The same of its dead bytes.
    dead: u32,
}

/// What a path was from a layer on.
struct Version {
    layer: u32,
    /// `None`: it was gone.
    node: Option<Node>,
}

/// What a view asks of a version, in as few bytes as it takes: it is asked of every path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact {
    pub(super) size: u64,
    layer: u32,
    pub(super) inode: u32,
    /// Versions of one path that a user would call the same have the same number here.
    pub(super) look: u16,
    pub(super) class: Class,
    /// Whether the bytes lie in the layer that wrote it: a hard link to a file of a lower layer brings none.
    pub(super) brings: bool,
    /// Whether the file has other names too.
    pub(super) is_shared: bool,
}

/// What a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Gone,
    Dir,
    File,
    Other,
}

impl Fact {
    /// Whether this layer wrote it.
    pub(super) fn is_of(&self, layer: u32) -> bool {
        self.layer == layer
    }
}

/// All paths of all layers.
pub(super) struct Forest {
    names: Vec<u8>,
    /// The same in small letters.
    small: Vec<u8>,
    /// One more than there are paths.
    entries: Vec<Entry>,
    versions: Vec<Version>,
    /// One for each version.
    facts: Vec<Fact>,
    dead: Vec<Dead>,
    /// Dead bytes as numbers: how many, in which layer, hidden by which.
    graves: Vec<(u64, u32, u32)>,
    inodes: usize,
    #[cfg(test)]
    pub(super) looked: std::sync::atomic::AtomicUsize,
}

impl Forest {
    /// What `changes`, in the order of the layers, make of nothing; and which bytes are dead.
    pub(super) fn new(mut changes: Vec<Change>, dead: &[Dead]) -> Self {
        // Stable: what happened to one path stays in its order.
        changes.sort_by(|a, b| order(a.path.as_bytes(), b.path.as_bytes()));
        let mut forest = Self {
            names: Vec::new(),
            small: Vec::new(),
            entries: Vec::with_capacity(changes.len() / 2),
            versions: Vec::with_capacity(changes.len()),
            facts: Vec::new(),
            dead: Vec::new(),
            graves: Vec::new(),
            inodes: 0,
            #[cfg(test)]
            looked: Default::default(),
        };
        // The directories from the root down to the last path.
        let mut above: Vec<(Id, usize)> = Vec::new();
        forest.push(b"", ROOT, 0);
        above.push((ROOT, 0));
        // It is there even if no layer names it.
        forest.versions.push(Version {
            layer: 0,
            node: Some(Node {
                kind: Kind::Dir,
                meta: Metadata::with_mode(0o755),
                layer: 0,
                inode: 0,
            }),
        });
        let mut last = ImagePath::root();
        for change in changes {
            if change.path != last {
                forest.grow(&mut above, &last, &change.path);
                last = change.path;
            }
            let versions = &mut forest.versions;
            if let Some(node) = &change.node {
                forest.inodes = forest.inodes.max(node.inode as usize + 1);
            }
            let first = forest.entries[forest.entries.len() - 1].versions as usize;
            let again = versions.len() > first;
            match versions.last_mut().filter(|_| again) {
                // Taken away and written in one layer: only what it leaves can be seen.
                Some(version) if version.layer == change.layer => version.node = change.node,
                _ => versions.push(Version {
                    layer: change.layer,
                    node: change.node,
                }),
            }
        }
        let count = forest.entries.len() as Id;
        for (id, _) in above {
            forest.entries[id as usize].end = count;
        }
        forest.push(b"", ROOT, 0);
        forest.bury(dead);
        forest.note();
        forest.small = forest.names.to_ascii_lowercase();
        forest
    }

    /// Makes the facts of the versions.
    fn note(&mut self) {
        // Which path an inode was seen at first, one more than its number; the greatest: at several.
        const SEVERAL: Id = Id::MAX;
        let mut seen: Vec<Id> = vec![0; self.inodes];
        for id in 0..self.len() {
            for version in self.versions_of(id) {
                let Some(node) = version.node.as_ref().filter(|node| node.is_file()) else {
                    continue;
                };
                let seen = &mut seen[node.inode as usize];
                *seen = match *seen {
                    0 => id + 1,
                    at if at == id + 1 => at,
                    _ => SEVERAL,
                };
            }
        }
        let mut facts: Vec<Fact> = Vec::with_capacity(self.versions.len());
        for id in 0..self.len() {
            let versions = self.versions_of(id);
            let first = facts.len();
            for (number, version) in versions.iter().enumerate() {
                let Some(node) = &version.node else {
                    facts.push(Fact {
                        size: 0,
                        layer: version.layer,
                        inode: 0,
                        look: 0,
                        class: Class::Gone,
                        brings: false,
                        is_shared: false,
                    });
                    continue;
                };
                let before = versions[..number].iter().zip(&facts[first..]);
                let mut same = before.filter_map(|(version, fact)| {
                    let other = version.node.as_ref()?;
                    is_same(other, node).then_some(fact.look)
                });
                let (class, brings) = match node.kind {
                    Kind::Dir => (Class::Dir, false),
                    Kind::File { at, .. } => (Class::File, at.layer == node.layer),
                    _ => (Class::Other, false),
                };
                facts.push(Fact {
                    size: node.size(),
                    layer: version.layer,
                    inode: node.inode,
                    look: same.next_back().unwrap_or(number as u16),
                    class,
                    brings,
                    is_shared: class == Class::File && seen[node.inode as usize] == SEVERAL,
                });
            }
        }
        self.facts = facts;
    }

    /// Adds `path` and the directories above it that no change named; `above` leads to `last`.
    fn grow(&mut self, above: &mut Vec<(Id, usize)>, last: &ImagePath, path: &ImagePath) {
        let shared = last
            .components()
            .zip(path.components())
            .take_while(|(a, b)| a == b)
            .count();
        let next = self.entries.len() as Id;
        while above.len() > shared + 1 {
            if let Some((id, _)) = above.pop() {
                self.entries[id as usize].end = next;
            }
        }
        for (depth, name) in path.components().enumerate().skip(shared) {
            let parent = above.last().map_or(ROOT, |(id, _)| *id);
            let id = self.push(name, parent, depth + 1);
            above.push((id, depth + 1));
        }
    }

    fn push(&mut self, name: &[u8], parent: Id, depth: usize) -> Id {
        let id = self.entries.len() as Id;
        self.entries.push(Entry {
            name: self.names.len(),
            parent,
            end: id + 1,
            depth: u16::try_from(depth).unwrap_or(u16::MAX),
            versions: self.versions.len() as u32,
            dead: 0,
        });
        self.names.extend_from_slice(name);
        id
    }

    /// Gives each path its dead bytes.
    fn bury(&mut self, dead: &[Dead]) {
        let mut dead: Vec<(ImagePath, Dead)> = dead
            .iter()
            .map(|dead| (dead.path.clone(), dead.clone()))
            .collect();
        dead.sort_by(|a, b| order(a.0.as_bytes(), b.0.as_bytes()));
        let mut counts = vec![0_u32; self.entries.len()];
        self.dead = self.meet(dead, |id, dead| {
            counts[id as usize] += 1;
            dead
        });
        let graves = self.dead.iter();
        self.graves = graves
            .map(|dead| (dead.size, dead.layer, dead.hidden_by))
            .collect();
        let mut at = 0;
        for (entry, count) in self.entries.iter_mut().zip(counts) {
            entry.dead = at;
            at += count;
        }
    }

    /// Matches what is told of paths, in [`order`], with the paths; what is told of others is left
    /// out.
    pub(super) fn meet<T, R>(
        &self,
        told: Vec<(ImagePath, T)>,
        mut found: impl FnMut(Id, T) -> R,
    ) -> Vec<R> {
        let mut answers = Vec::new();
        let mut path = Vec::new();
        let mut told = told.into_iter().peekable();
        for id in 0..self.len() {
            if told.peek().is_none() {
                break;
            }
            self.follow(&mut path, id);
            loop {
                let next = told.next_if(|(at, _)| order(at.as_bytes(), &path) != Ordering::Greater);
                let Some((at, what)) = next else { break };
                if at.as_bytes() == path {
                    answers.push(found(id, what));
                }
            }
        }
        answers
    }

    /// How many paths there are, the root included.
    pub(super) fn len(&self) -> Id {
        self.entries.len() as Id - 1
    }

    fn entry(&self, id: Id) -> &Entry {
        #[cfg(test)]
        self.looked
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        &self.entries[id as usize]
    }

    /// The last component; empty for the root.
    pub(super) fn name(&self, id: Id) -> &[u8] {
        let end = self.entries[id as usize + 1].name;
        &self.names[self.entry(id).name..end]
    }

    /// The directory it is in; the root's is the root.
    pub(super) fn parent(&self, id: Id) -> Id {
        self.entry(id).parent
    }

    /// How many components its path has.
    pub(super) fn depth(&self, id: Id) -> usize {
        usize::from(self.entry(id).depth)
    }

    /// The number behind the last path below it.
    pub(super) fn end(&self, id: Id) -> Id {
        self.entry(id).end
    }

    /// What lies directly in a directory, by name.
    pub(super) fn children(&self, id: Id) -> impl Iterator<Item = Id> {
        let end = self.end(id);
        let mut next = id + 1;
        std::iter::from_fn(move || {
            let child = Some(next).filter(|&child| child < end)?;
            next = self.end(child);
            Some(child)
        })
    }

    /// The whole path.
    pub(super) fn path(&self, id: Id) -> ImagePath {
        let mut names = Vec::new();
        let mut at = id;
        while at != ROOT {
            names.push(self.name(at));
            at = self.parent(at);
        }
        names.reverse();
        ImagePath::new(names.join(&b'/'))
    }

    /// Makes of the path before `id` in the array the path of `id`.
    pub(super) fn follow(&self, path: &mut Vec<u8>, id: Id) {
        if id == ROOT {
            path.clear();
            path.push(b'/');
            return;
        }
        // The path before is at least as deep as the directory this one is in.
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let slash = slashes.map(|(at, _)| at).nth(self.depth(id) - 1);
        path.truncate(slash.unwrap_or(path.len()));
        path.push(b'/');
        path.extend_from_slice(self.name(id));
    }

    /// What it is when the lowest layers up to `before`, and up to `until`, are merged; nothing where it is
    /// not there.
    pub(super) fn at(&self, id: Id, before: u32, until: u32) -> (Option<&Fact>, Option<&Fact>) {
        let end = self.entries[id as usize + 1].versions as usize;
        let facts = &self.facts[self.entry(id).versions as usize..end];
        let last = |layers: u32| {
            let found = facts.iter().rev().find(|fact| fact.layer < layers);
            found.filter(|fact| fact.class != Class::Gone)
        };
        (last(before), last(until))
    }

    /// Every layer that did something to it, lowest first, and what is there since.
    pub(super) fn history(&self, id: Id) -> impl Iterator<Item = (u32, Option<&Node>)> {
        let versions = self.versions_of(id).iter();
        versions.map(|version| (version.layer, version.node.as_ref()))
    }

    fn versions_of(&self, id: Id) -> &[Version] {
        let end = self.entries[id as usize + 1].versions as usize;
        &self.versions[self.entry(id).versions as usize..end]
    }

    /// Its bytes that no container sees.
    pub(super) fn dead(&self, id: Id) -> &[Dead] {
        let end = self.entries[id as usize + 1].dead as usize;
        &self.dead[self.entries[id as usize].dead as usize..end]
    }

    /// The same as numbers: how many, in which layer, hidden by which.
    pub(super) fn graves(&self, id: Id) -> &[(u64, u32, u32)] {
        let end = self.entries[id as usize + 1].dead as usize;
        &self.graves[self.entries[id as usize].dead as usize..end]
    }

    /// All names one behind the other, in the order of the array; as they are, or in small letters.
    pub(super) fn names(&self, in_small_letters: bool) -> &[u8] {
        match in_small_letters {
            true => &self.small,
            false => &self.names,
        }
    }

    /// Where a path's name lies in [`Forest::names`].
    pub(super) fn place(&self, id: Id) -> std::ops::Range<usize> {
        self.entry(id).name..self.entries[id as usize + 1].name
    }

    /// The path whose name lies around a place of [`Forest::names`].
    pub(super) fn around(&self, place: usize) -> Id {
        let behind = self.entries.partition_point(|entry| entry.name <= place);
        behind.saturating_sub(1) as Id
    }

    /// The same, if it is that of `first` or of a later path.
    pub(super) fn around_from(&self, first: Id, place: usize) -> Id {
        /// Names that are tried one by one.
        const NEAR: usize = 16;
        let rest = &self.entries[first as usize..];
        let near = rest.iter().take(NEAR).position(|entry| entry.name > place);
        match near {
            Some(behind) => first + (behind as Id).saturating_sub(1),
            None => self.around(place),
        }
    }

    /// One more than the greatest [`Node::inode`].
    pub(super) fn inodes(&self) -> usize {
        self.inodes
    }
}

/// Whether nothing a user would call a change was made. Builders write directories again for the sake
/// of what is in them, with another time.
fn is_same(before: &Node, after: &Node) -> bool {
    let (a, b) = (&before.meta, &after.meta);
    before.kind == after.kind
        && (a.mode, a.uid, a.gid) == (b.mode, b.uid, b.gid)
        && a.xattrs == b.xattrs
}

/// The order of the array: by components, so that nothing comes between a directory and what is
/// below it (`/a`, `/a/x`, `/a-b`).
pub(super) fn order(a: &[u8], b: &[u8]) -> Ordering {
    /// Neighbours have most of their path in common: it is compared by words.
    const WORD: usize = 8;
    let words = a.chunks_exact(WORD).zip(b.chunks_exact(WORD));
    let mut shared = WORD * words.take_while(|(a, b)| a == b).count();
    let rest = a.iter().zip(b).skip(shared);
    shared += rest.take_while(|(a, b)| a == b).count();
    match (a.get(shared), b.get(shared)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(b'/'), Some(_)) => Ordering::Less,
        (Some(_), Some(b'/')) => Ordering::Greater,
        (Some(a), Some(b)) => a.cmp(b),
    }
}
