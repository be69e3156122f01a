//! What is seen of the forest from one place: which paths, what became of them, and their sums.

use super::forest::{Class, Fact, Forest, Id, ROOT};

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
            marks: vec![Mark::Absent; count],
            shown: vec![false; count],
            bytes: vec![0; count],
            files: vec![0; count],
            dead: vec![0; count],
            totals: Totals::default(),
        };
        // Files with several names: which of them counts is known when all were looked at.
        let mut shared = Vec::new();
        let threads = match forest.len() {
            0..MANY => 1,
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let part = count.div_ceil(threads).max(1);
        let look = Look {
            forest,
            scope,
            filter,
        };
        let parts = sheet
            .marks
            .chunks_mut(part)
            .zip(sheet.shown.chunks_mut(part))
            .zip(sheet.bytes.chunks_mut(part))
            .zip(sheet.files.chunks_mut(part))
            .zip(sheet.dead.chunks_mut(part));
        let parts = parts.zip((0..forest.len()).step_by(part)).map(
            |(((((marks, shown), bytes), files), dead), first)| Part {
                first,
                marks,
                shown,
                bytes,
                files,
                dead,
            },
        );
        let mut parts: Vec<Part<'_>> = parts.collect();
        let last = parts.pop();
        std::thread::scope(|threads| {
            let others = parts.into_iter();
            let others = others.map(|part| threads.spawn(|| look.at(part)));
            let others: Vec<_> = others.collect();
            let last = last.map(|part| look.at(part));
            for (totals, files) in others
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .chain(last)
            {
                sheet.totals.add(totals);
                shared.extend(files);
            }
        });
        // A file with several names counts under the first of them.
        let mut counted = vec![
            false;
            if shared.is_empty() {
                0
            } else {
                forest.inodes()
            }
        ];
        for (id, inode, size) in shared {
            if let Some(counted) = counted.get_mut(inode as usize).filter(|counted| !**counted) {
                *counted = true;
                (sheet.files[id as usize], sheet.bytes[id as usize]) = (1, size);
            }
        }
        sheet.sum_up(forest);
        sheet
    }

    /// From the last path to the first: whatever is below a directory comes before it.
    fn sum_up(&mut self, forest: &Forest) {
        for id in (1..forest.len()).rev() {
            let (at, above) = (id as usize, forest.parent(id) as usize);
            if self.dead[at] > 0 {
                self.dead[above] = self.dead[above].saturating_add(self.dead[at]);
            }
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
    fn add(&mut self, other: Self) {
        self.added += other.added;
        self.changed += other.changed;
        self.removed += other.removed;
        self.wasted += other.wasted;
    }

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

/// From this many paths on several threads look at them.
const MANY: Id = 50_000;

/// What is looked for.
struct Look<'a> {
    forest: &'a Forest,
    scope: Scope,
    filter: Filter,
}

/// A part of a sheet.
struct Part<'a> {
    first: Id,
    marks: &'a mut [Mark],
    shown: &'a mut [bool],
    bytes: &'a mut [u64],
    files: &'a mut [u32],
    dead: &'a mut [u64],
}

/// A file with several names: path, inode, size.
type Shared = (Id, u32, u64);

impl Look<'_> {
    /// Looks at every path of a part; files with several names are answered, and not yet counted.
    fn at(&self, part: Part<'_>) -> (Totals, Vec<Shared>) {
        let (forest, scope, filter) = (self.forest, self.scope, self.filter);
        let (until_before, until) = (scope.before(), scope.until());
        let mut totals = Totals::default();
        let mut shared = Vec::new();
        for (at, id) in (0..part.marks.len()).zip(part.first..) {
            let (before, after) = forest.at(id, until_before, until);
            let mark = compare(before, after);
            let wasted: u64 = forest
                .graves(id)
                .iter()
                .filter(|(_, layer, hidden_by)| scope.wastes(*layer, *hidden_by))
                .map(|(size, ..)| size)
                .sum();
            part.marks[at] = mark;
            part.dead[at] = wasted;
            let fact = after.or(before);
            let is_dir = fact.is_some_and(|fact| fact.class == Class::Dir);
            totals.count(mark, is_dir, wasted);
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
            part.shown[at] = true;
            let (files, bytes) = match (mark, fact) {
                _ if filter.wasted && wasted > 0 => (1, wasted),
                // What went has no weight, unless that is what was asked for.
                (Mark::Removed, _) if !filter.removed => continue,
                (Mark::Absent, _) | (_, None) => continue,
                (_, Some(fact)) if fact.class != Class::File => continue,
                // A hard link that this layer makes to a file of a lower one brings no bytes.
                (_, Some(fact)) if !scope.whole && fact.is_of(scope.layer) && !fact.brings => {
                    (1, 0)
                }
                (_, Some(fact)) if fact.is_shared => {
                    shared.push((id, fact.inode, fact.size));
                    continue;
                }
                (_, Some(fact)) => (1, fact.size),
            };
            part.files[at] = files;
            part.bytes[at] = bytes;
        }
        (totals, shared)
    }
}

/// What became of `before`.
fn compare(before: Option<&Fact>, after: Option<&Fact>) -> Mark {
    match (before, after) {
        (None, None) => Mark::Absent,
        (None, Some(_)) => Mark::Added,
        (Some(_), None) => Mark::Removed,
        (Some(before), Some(after)) if before.look == after.look => Mark::Same,
        (Some(_), Some(_)) => Mark::Changed,
    }
}
