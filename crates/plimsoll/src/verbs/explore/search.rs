//! Paths by a part of their name, or by a pattern.

use super::forest::{Forest, Id};
use super::sheet::Sheet;

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
        let mut hits = Vec::new();
        if self.typed.is_empty() {
            return hits;
        }
        let mut path = Vec::new();
        let mut lower = Vec::new();
        for id in 0..forest.len() {
            if self.is_path {
                forest.follow(&mut path, id);
            }
            if !sheet.is_shown(id) {
                continue;
            }
            let subject = match self.is_path {
                true => path.as_slice(),
                false => forest.name(id),
            };
            if self.matches(subject, &mut lower) {
                hits.push(id);
            }
        }
        hits
    }

    fn matches(&self, subject: &[u8], lower: &mut Vec<u8>) -> bool {
        let subject = match self.any_case {
            true => {
                lower.clear();
                lower.extend(subject.iter().map(u8::to_ascii_lowercase));
                lower.as_slice()
            }
            false => subject,
        };
        match self.is_glob {
            true => fast_glob::glob_match(&self.text, subject),
            false => subject
                .windows(self.text.len().max(1))
                .any(|part| part == self.text),
        }
    }
}
