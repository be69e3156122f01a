//! The biggest directories, to choose one.

use super::forest::{Forest, Id, ROOT};
use super::keys::Action;
use super::page::Page;
use super::sheet::Sheet;

/// How many are listed.
const MOST: usize = 200;

/// Directories and a place among them.
pub(super) struct List {
    pub(super) rows: Vec<Id>,
    pub(super) cursor: usize,
    pub(super) top: usize,
}

impl List {
    /// The directories with the most bytes below them. One that has nearly all of its bytes in a single
    /// directory below says nothing that one does not.
    pub(super) fn biggest(forest: &Forest, sheet: &Sheet) -> Self {
        let mut counts = vec![true; forest.len() as usize];
        let mut rows: Vec<Id> = Vec::new();
        for id in (1..forest.len()).rev() {
            let is_dir = forest.end(id) > id + 1;
            let bytes = sheet.bytes(id);
            if !is_dir || bytes == 0 {
                continue;
            }
            if let Some(counts) = counts.get_mut(forest.parent(id) as usize) {
                let above = sheet.bytes(forest.parent(id));
                *counts &= bytes < above - above / 10;
            }
            rows.push(id);
        }
        rows.retain(|&id| id != ROOT && counts.get(id as usize).copied().unwrap_or(false));
        rows.sort_by_key(|&id| (std::cmp::Reverse(sheet.bytes(id)), id));
        rows.truncate(MOST);
        Self {
            rows,
            cursor: 0,
            top: 0,
        }
    }

    /// Obeys; answers if it is over, and with which choice.
    pub(super) fn act(&mut self, action: Action, height: usize) -> Option<Option<Id>> {
        let page = height.max(1) as isize;
        match action {
            Action::Up => self.go(-1),
            Action::Down => self.go(1),
            Action::PageUp => self.go(-page),
            Action::PageDown => self.go(page),
            Action::Home => self.go(isize::MIN),
            Action::End => self.go(isize::MAX),
            Action::Toggle | Action::Right => return Some(self.rows.get(self.cursor).copied()),
            Action::Escape | Action::Quit | Action::Biggest | Action::Left => return Some(None),
            _ => {}
        }
        None
    }

    pub(super) fn go(&mut self, lines: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(lines).min(last);
    }
}

impl Page {
    /// Obeys; answers whether it is over.
    pub(super) fn act(&mut self, action: Action, height: usize) -> bool {
        /// Columns that one key moves sideways.
        const STEP: isize = 8;
        let page = height.max(1) as isize;
        match action {
            Action::Up => self.go(-1),
            Action::Down => self.go(1),
            Action::PageUp => self.go(-page),
            Action::PageDown | Action::Toggle => self.go(page),
            Action::Home => self.go(isize::MIN),
            Action::End => {
                self.go(isize::MAX);
                self.go(1 - page);
            }
            Action::Left => self.aside(-STEP),
            Action::Right => self.aside(STEP),
            Action::Sort => self.toggle(),
            Action::Escape | Action::Quit | Action::View | Action::Help | Action::Why => {
                return true;
            }
            _ => {}
        }
        false
    }
}
