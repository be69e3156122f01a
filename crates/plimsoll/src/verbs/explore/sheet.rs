//! What is seen of the forest from one place: which paths, what became of them, and their sums.

use plimsoll_model::{Extent, Kind, Node};

use super::forest::{Forest, Id, ROOT};

/// Which layers are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    /// The selected layer.
    pub(super) layer: u32,
    /// Everything up to it, merged, and set beside the lowest `base` layers; otherwise what it alone
    /// did to those below it.
    pub(super) whole: bool,
    /// How many layers are the base's; at least 1.
    pub(super) base: u32,
}

impl Scope {
    /// How many layers, from the lowest, are what others are set beside.
    pub(super) fn before(self) -> u32 {
        match self.whole && self.base <= self.layer {
            true => self.base,
            false => self.layer,
        }
    }

    /// How many layers, from the lowest, are merged.
    pub(super) fn until(self) -> u32 {
        self.layer + 1
    }

    /// Whether bytes that lie in one layer and are hidden by another are wasted here: of one layer
    /// those it holds, whoever hides them.
    fn wastes(self, layer: u32, hidden_by: u32) -> bool {
        match self.whole {
            true => hidden_by <= self.layer,
            false => layer == self.layer,
        }
    }
}

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is not there, and was not before.
    Absent,
    /// It is as it was.
    Same,
    Added,
    Changed,
    Removed,
}

/// Which paths are asked for; all of them if none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Filter {
    pub(super) added: bool,
    pub(super) changed: bool,
    pub(super) removed: bool,
    pub(super) wasted: bool,
}

impl Filter {
    pub(super) fn is_on(self) -> bool {
        self != Self::default()
    }
}

/// The view from one place. The vectors have a place for each path.
pub(super) struct Sheet {
    marks: Vec<Mark>,
    shown: Vec<bool>,
    /// Bytes of what is asked for, of a directory all below it.
    bytes: Vec<u64>,
    /// Regular files of what is asked for, of a directory all below it.
    files: Vec<u32>,
    /// Dead bytes, of a directory all below it.
    dead: Vec<u64>,
    pub(super) totals: Totals,
}

/// How many paths became what; directories do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Totals {
    pub(super) added: u32,
    pub(super) changed: u32,
    pub(super) removed: u32,
    /// Paths with dead bytes.
    pub(super) wasted: u32,
}

impl Sheet {
    /// Looks at every path once.
    pub(super) fn new(forest: &Forest, scope: Scope, filter: Filter) -> Self {
        let count = forest.len() as usize;
        let mut sheet = Self {
            marks: Vec::with_capacity(count),
            shown: vec![false; count],
            bytes: vec![0; count],
            files: vec![0; count],
            dead: vec![0; count],
            totals: Totals::default(),
        };
        // A file with several names counts under the first of them.
        let mut counted = vec![false; forest.inodes()];
        for id in 0..forest.len() {
            let before = forest.at(id, scope.before());
            let after = forest.at(id, scope.until());
            let mark = compare(before, after);
            let wasted: u64 = forest
                .dead(id)
                .iter()
                .filter(|dead| scope.wastes(dead.layer, dead.hidden_by))
                .map(|dead| dead.size)
                .sum();
            sheet.marks.push(mark);
            let at = id as usize;
            sheet.dead[at] = wasted;
            let node = after.or(before);
            let is_dir = node.is_some_and(Node::is_dir);
            sheet.totals.count(mark, is_dir, wasted);
            let matches = match filter.is_on() {
                true => {
                    filter.wasted && wasted > 0
                        || filter.added && mark == Mark::Added
                        || filter.changed && mark == Mark::Changed
                        || filter.removed && mark == Mark::Removed
                }
                false if scope.whole => !matches!(mark, Mark::Absent),
                false => !matches!(mark, Mark::Absent | Mark::Same) || wasted > 0,
            };
            if !matches {
                continue;
            }
            sheet.shown[at] = true;
            (sheet.files[at], sheet.bytes[at]) = match (mark, node) {
                _ if filter.wasted && wasted > 0 => (1, wasted),
                // What went has no weight, unless that is what was asked for.
                (Mark::Removed, _) if !filter.removed => (0, 0),
                (Mark::Absent, _) | (_, None) => (0, 0),
                (_, Some(node)) => weight(node, scope, &mut counted),
            };
        }
        sheet.sum_up(forest);
        sheet
    }

    /// From the last path to the first: whatever is below a directory comes before it.
    fn sum_up(&mut self, forest: &Forest) {
        for id in (1..forest.len()).rev() {
            let (at, above) = (id as usize, forest.parent(id) as usize);
            self.dead[above] = self.dead[above].saturating_add(self.dead[at]);
            if self.shown[at] {
                self.shown[above] = true;
                self.bytes[above] = self.bytes[above].saturating_add(self.bytes[at]);
                self.files[above] = self.files[above].saturating_add(self.files[at]);
            }
        }
        self.shown[ROOT as usize] = true;
    }

    pub(super) fn mark(&self, id: Id) -> Mark {
        self.marks.get(id as usize).copied().unwrap_or(Mark::Absent)
    }

    pub(super) fn is_shown(&self, id: Id) -> bool {
        self.shown.get(id as usize).copied().unwrap_or(false)
    }

    pub(super) fn bytes(&self, id: Id) -> u64 {
        self.bytes.get(id as usize).copied().unwrap_or(0)
    }

    pub(super) fn files(&self, id: Id) -> u32 {
        self.files.get(id as usize).copied().unwrap_or(0)
    }

    pub(super) fn dead(&self, id: Id) -> u64 {
        self.dead.get(id as usize).copied().unwrap_or(0)
    }
}

impl Totals {
    fn count(&mut self, mark: Mark, is_dir: bool, wasted: u64) {
        self.wasted += u32::from(wasted > 0);
        let counter = match mark {
            _ if is_dir => return,
            Mark::Added => &mut self.added,
            Mark::Changed => &mut self.changed,
            Mark::Removed => &mut self.removed,
            Mark::Absent | Mark::Same => return,
        };
        *counter += 1;
    }
}

/// Files and bytes that a path adds to the directories above it.
fn weight(node: &Node, scope: Scope, counted: &mut [bool]) -> (u32, u64) {
    let Kind::File { size, at } = node.kind else {
        return (0, 0);
    };
    // A hard link that this layer makes to a file of a lower one brings no bytes.
    let Extent { layer, .. } = at;
    if !scope.whole && node.layer == scope.layer && layer != scope.layer {
        return (1, 0);
    }
    match counted.get_mut(node.inode as usize) {
        Some(counted) if !*counted => {
            *counted = true;
            (1, size)
        }
        _ => (0, 0),
    }
}

/// What became of `before`.
fn compare(before: Option<&Node>, after: Option<&Node>) -> Mark {
    match (before, after) {
        (None, None) => Mark::Absent,
        (None, Some(_)) => Mark::Added,
        (Some(_), None) => Mark::Removed,
        (Some(before), Some(after)) if is_same(before, after) => Mark::Same,
        (Some(_), Some(_)) => Mark::Changed,
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
