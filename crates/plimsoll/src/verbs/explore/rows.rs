//! The open directories as a list of lines, and the part of it that is on the screen.

use super::forest::{Forest, Id, ROOT};
use super::sheet::Sheet;

/// In which order a directory is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Name,
    /// The largest first.
    Size,
}

/// The lines of the tree. Opening and closing a directory touches its own lines alone.
pub(super) struct Rows {
    list: Vec<Id>,
    /// Which directories are open, by number.
    open: Vec<bool>,
    /// Directories that were opened to show something in them, and may be closed again.
    lent: Vec<Id>,
    /// Whether more was opened or closed than the list shows.
    stale: bool,
    /// The selected line.
    pub(super) cursor: usize,
    /// The first line on the screen.
    pub(super) top: usize,
    pub(super) sort: Sort,
}

impl Rows {
    /// The root open, all else closed.
    pub(super) fn new(forest: &Forest, sheet: &Sheet) -> Self {
        let mut open = vec![false; forest.len() as usize];
        if let Some(root) = open.first_mut() {
            *root = true;
        }
        let mut rows = Self {
            list: Vec::new(),
            open,
            lent: Vec::new(),
            stale: false,
            cursor: 0,
            top: 0,
            sort: Sort::Name,
        };
        rows.renew(forest, sheet);
        rows
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// The path in a line.
    pub(super) fn get(&self, line: usize) -> Option<Id> {
        self.list.get(line).copied()
    }

    /// The selected path.
    pub(super) fn selected(&self) -> Id {
        self.get(self.cursor).unwrap_or(ROOT)
    }

    pub(super) fn is_open(&self, id: Id) -> bool {
        self.open.get(id as usize).copied().unwrap_or(false)
    }

    /// Lists everything anew, after the view or the order has changed; the selected path stays
    /// selected, or what is nearest above it.
    pub(super) fn renew(&mut self, forest: &Forest, sheet: &Sheet) {
        self.stale = false;
        let mut selected = self.selected();
        let line = self.cursor.saturating_sub(self.top);
        while !sheet.is_shown(selected) && selected != ROOT {
            selected = forest.parent(selected);
        }
        self.list = vec![ROOT];
        if self.is_open(ROOT) {
            let below = self.below(forest, sheet, ROOT);
            self.list.extend(below);
        }
        self.cursor = self.list.iter().position(|&id| id == selected).unwrap_or(0);
        self.top = self.cursor.saturating_sub(line);
    }

    /// The lines below an open directory.
    fn below(&self, forest: &Forest, sheet: &Sheet, id: Id) -> Vec<Id> {
        let mut lines = Vec::new();
        if self.sort == Sort::Name {
            // The order of the forest, without what is in closed directories.
            let (mut next, end) = (id + 1, forest.end(id));
            while next < end {
                let is_shown = sheet.is_shown(next);
                if is_shown {
                    lines.push(next);
                }
                next = match is_shown && self.is_open(next) {
                    true => next + 1,
                    false => forest.end(next),
                };
            }
            return lines;
        }
        // What is still to be listed, the next one last.
        let mut todo = self.children(forest, sheet, id);
        todo.reverse();
        while let Some(id) = todo.pop() {
            lines.push(id);
            if self.is_open(id) {
                let from = todo.len();
                todo.extend(self.children(forest, sheet, id));
                todo[from..].reverse();
            }
        }
        lines
    }

    fn children(&self, forest: &Forest, sheet: &Sheet, id: Id) -> Vec<Id> {
        let children = forest.children(id).filter(|&child| sheet.is_shown(child));
        let mut children: Vec<Id> = children.collect();
        if self.sort == Sort::Size {
            children.sort_by_key(|&child| std::cmp::Reverse(sheet.bytes(child)));
        }
        children
    }

    /// Opens or closes the selected directory; answers whether it has anything in it.
    pub(super) fn toggle(&mut self, forest: &Forest, sheet: &Sheet) -> bool {
        let id = self.selected();
        match self.is_open(id) {
            true => self.close(forest),
            false => self.open(forest, sheet),
        }
    }

    /// Opens the selected directory; answers whether it was closed and has something in it.
    pub(super) fn open(&mut self, forest: &Forest, sheet: &Sheet) -> bool {
        let id = self.selected();
        let is_empty = !forest.children(id).any(|child| sheet.is_shown(child));
        if self.is_open(id) || is_empty {
            return false;
        }
        self.set_open(id, true);
        let below = self.below(forest, sheet, id);
        let behind = self.cursor + 1;
        self.list.splice(behind..behind, below);
        true
    }

    /// Closes the selected directory; answers whether it was open.
    pub(super) fn close(&mut self, forest: &Forest) -> bool {
        let id = self.selected();
        if !self.is_open(id) {
            return false;
        }
        self.set_open(id, false);
        let behind = self.cursor + 1;
        let end = forest.end(id);
        let below = self.list[behind.min(self.list.len())..]
            .iter()
            .take_while(|&&other| other > id && other < end)
            .count();
        self.list.drain(behind..behind + below);
        true
    }

    fn set_open(&mut self, id: Id, is_open: bool) {
        if let Some(open) = self.open.get_mut(id as usize) {
            *open = is_open;
        }
    }

    /// Opens everything below the selected directory.
    pub(super) fn open_all(&mut self, forest: &Forest, sheet: &Sheet) {
        let id = self.selected();
        for id in id..forest.end(id) {
            // A file is never open.
            let is_dir = forest.end(id) > id + 1;
            self.set_open(id, is_dir);
        }
        self.renew(forest, sheet);
    }

    /// Closes everything but the root.
    pub(super) fn close_all(&mut self, forest: &Forest, sheet: &Sheet) {
        // The one below the root that the selected path is in.
        let mut selected = self.selected();
        while forest.depth(selected) > 1 {
            selected = forest.parent(selected);
        }
        self.open.fill(false);
        self.set_open(ROOT, true);
        self.renew(forest, sheet);
        self.cursor = self.list.iter().position(|&id| id == selected).unwrap_or(0);
    }

    /// Closes the selected directory; of a closed one, or a file, selects the directory it is in.
    pub(super) fn leave(&mut self, forest: &Forest) {
        if !self.close(forest) {
            self.up(forest);
        }
    }

    /// Opens the selected directory; of an open one selects the first path in it.
    pub(super) fn enter(&mut self, forest: &Forest, sheet: &Sheet) {
        if !self.open(forest, sheet) && self.is_open(self.selected()) {
            self.go(1);
        }
    }

    /// Selects the directory the selected path is in.
    fn up(&mut self, forest: &Forest) {
        let parent = forest.parent(self.selected());
        // It is some lines above; never below.
        let above = self.list.iter().take(self.cursor);
        if let Some(line) = above.rev().position(|&id| id == parent) {
            self.cursor -= line + 1;
        }
    }

    /// Moves by lines, not over the ends.
    pub(super) fn go(&mut self, lines: isize) {
        let last = self.list.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
    }

    /// Selects a path, opening what it lies in.
    pub(super) fn reveal(&mut self, forest: &Forest, sheet: &Sheet, id: Id) {
        let mut above = id;
        while above != ROOT {
            above = forest.parent(above);
            if !self.is_open(above) {
                self.set_open(above, true);
                self.lent.push(above);
                self.stale = true;
            }
        }
        if self.stale {
            self.renew(forest, sheet);
        }
        if let Some(line) = self.list.iter().position(|&other| other == id) {
            self.cursor = line;
        }
    }

    /// Closes what [`Self::reveal`] opened since [`Self::keep`]. The next call of `reveal` makes it
    /// seen.
    pub(super) fn give_back(&mut self) {
        self.stale = !self.lent.is_empty();
        for id in std::mem::take(&mut self.lent) {
            self.set_open(id, false);
        }
    }

    /// What is open stays open.
    pub(super) fn keep(&mut self) {
        self.lent.clear();
    }

    /// Moves the window of `height` lines to where the cursor is; answers the lines in it.
    pub(super) fn window(&mut self, height: usize) -> std::ops::Range<usize> {
        self.top = window(self.cursor, self.top, height, self.list.len());
        self.top..self.list.len().min(self.top + height)
    }
}

/// The first of `height` lines on the screen: as before, unless the cursor would be off it.
pub(super) fn window(cursor: usize, top: usize, height: usize, count: usize) -> usize {
    let least = (cursor + 1).saturating_sub(height);
    let most = cursor.min(count.saturating_sub(height));
    top.clamp(least.min(most), most)
}
