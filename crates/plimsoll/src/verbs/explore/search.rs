//! Paths by a part of their name, or by a pattern.

use std::ops::Range;

use memchr::memmem;

use super::forest::{Forest, Id, ROOT};
use super::sheet::Sheet;

/// From this many paths on several threads look at them.
const MANY: Id = 50_000;

/// What is searched for.
pub(super) struct Pattern<'a> {
    /// As it was typed; in small letters if letters of either size match.
    text: Vec<u8>,
    typed: &'a str,
    is_glob: bool,
    any_case: bool,
    /// It has a slash: the whole path is held against it, otherwise the name alone.
    is_path: bool,
}

impl<'a> Pattern<'a> {
    /// `*`, `?`, `[` and `{` make it a pattern of the whole name; a capital letter makes letters count as
    /// they are.
    pub(super) fn new(typed: &'a str) -> Self {
        let any_case = !typed.chars().any(char::is_uppercase);
        let is_glob = typed.contains(['*', '?', '[', '{']);
        let is_path = typed.contains('/');
        let mut text = typed.as_bytes().to_vec();
        if is_glob && is_path && !typed.starts_with('/') {
            text.splice(0..0, *b"**/");
        }
        if any_case {
            text.make_ascii_lowercase();
        }
        Self {
            text,
            typed,
            is_glob,
            any_case,
            is_path,
        }
    }

    /// The paths that are shown and match, in the order of the forest.
    pub(super) fn hits(&self, forest: &Forest, sheet: &Sheet) -> Vec<Id> {
        match (self.typed.is_empty(), self.is_glob, self.is_path) {
            (true, ..) => Vec::new(),
            (false, true, _) => self.by_pattern(forest, sheet),
            (false, false, true) => self.by_part_of_path(forest, sheet),
            (false, false, false) => self.by_part_of_name(forest, sheet),
        }
    }

    /// All names lie one behind the other: they are searched as one text.
    fn by_part_of_name(&self, forest: &Forest, sheet: &Sheet) -> Vec<Id> {
        let names = forest.names(self.any_case);
        let finder = memmem::Finder::new(&self.text);
        let mut hits = Vec::new();
        let mut from = 0;
        while let Some(found) = names.get(from..).and_then(|rest| finder.find(rest)) {
            let id = match hits.last() {
                // The next one is mostly not far.
                Some(&last) => forest.around_from(last, from + found),
                None => forest.around(from + found),
            };
            let place = forest.place(id);
            // It may begin in one name and end in the next.
            if from + found + self.text.len() > place.end {
                from += found + 1;
                continue;
            }
            if sheet.is_shown(id) {
                hits.push(id);
            }
            from = place.end;
        }
        hits
    }

    /// What has a slash and is no pattern matches a path if it matches the directory it is in, or if its
    /// last slash is the path's: then the name begins with what is behind it, and the directory ends with
    /// what is before it.
    fn by_part_of_path(&self, forest: &Forest, sheet: &Sheet) -> Vec<Id> {
        let slash = self.text.iter().rposition(|&byte| byte == b'/');
        let (head, tail) = self.text.split_at(slash.unwrap_or(0));
        let tail = tail.get(1..).unwrap_or_default();
        let names = forest.names(self.any_case);
        let mut hits = Vec::new();
        // Everything before this is below a directory that matches.
        let mut until = 0;
        // Of the directories from the root down to the last path: whether they end with the head.
        let mut above: Vec<(Id, bool)> = Vec::new();
        let mut path: Vec<u8> = Vec::new();
        for id in 0..forest.len() {
            while above.last().is_some_and(|(dir, _)| forest.end(*dir) <= id) {
                above.pop();
            }
            let mut is_hit = id < until;
            if !is_hit {
                let fits = above.last().is_some_and(|(_, ends)| *ends);
                // The root is the one path that ends with a slash.
                is_hit = match id {
                    ROOT => self.text == b"/",
                    _ => fits && names[forest.place(id)].starts_with(tail),
                };
                if is_hit {
                    until = forest.end(id);
                }
            }
            let has_more = forest.end(id) > id + 1;
            if has_more && id >= until {
                // What was there is the path of a directory at least as deep as the one this is in.
                if id != ROOT {
                    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
                    let slash = slashes.map(|(at, _)| at).nth(forest.depth(id) - 1);
                    path.truncate(slash.unwrap_or(path.len()));
                    path.push(b'/');
                    path.extend_from_slice(&names[forest.place(id)]);
                }
                above.push((id, path.ends_with(head)));
            }
            if is_hit && sheet.is_shown(id) {
                hits.push(id);
            }
        }
        hits
    }

    /// Each name, or each path, is held against the pattern.
    fn by_pattern(&self, forest: &Forest, sheet: &Sheet) -> Vec<Id> {
        let threads = match forest.len() {
            0..MANY => 1,
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let part = (forest.len() as usize).div_ceil(threads).max(1);
        let parts = (0..forest.len()).step_by(part);
        let parts: Vec<_> = parts
            .map(|first| first..forest.len().min(first.saturating_add(part as Id)))
            .collect();
        std::thread::scope(|threads| {
            let work = parts
                .into_iter()
                .map(|part| threads.spawn(|| self.by_pattern_in(forest, sheet, part)));
            let work: Vec<_> = work.collect();
            let hits = work.into_iter().filter_map(|thread| thread.join().ok());
            hits.flatten().collect()
        })
    }

    fn by_pattern_in(&self, forest: &Forest, sheet: &Sheet, part: Range<Id>) -> Vec<Id> {
        let mut hits = Vec::new();
        let mut path = forest.path(part.start).as_bytes().to_vec();
        let mut lower = Vec::new();
        let names = forest.names(self.any_case);
        for id in part.clone() {
            if self.is_path && id > part.start {
                forest.follow(&mut path, id);
            }
            if !sheet.is_shown(id) {
                continue;
            }
            let matches = match (self.is_path, self.any_case) {
                (false, _) => fast_glob::glob_match(&self.text, &names[forest.place(id)]),
                (true, false) => fast_glob::glob_match(&self.text, &path),
                (true, true) => {
                    lower.clear();
                    lower.extend(path.iter().map(u8::to_ascii_lowercase));
                    fast_glob::glob_match(&self.text, &lower)
                }
            };
            if matches {
                hits.push(id);
            }
        }
        hits
    }
}
