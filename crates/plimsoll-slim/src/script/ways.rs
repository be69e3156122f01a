//! Ways through a script that end early: functions, files and loops that are left before their end, and
//! the variables of a function that go when it ends.

use std::collections::BTreeSet;

use super::{Reader, plain};

/// What can be left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Source,
    Loop,
}

/// A function, file or loop that is being read.
pub(super) struct Frame {
    kind: Kind,
    /// What was set wherever it was left early.
    left: Option<BTreeSet<String>>,
    /// Variables that go with the function.
    locals: BTreeSet<String>,
}

/// How far a command leaves.
#[derive(Clone, Copy)]
pub(super) enum Leaves {
    /// The function or file (`return`).
    Function,
    /// So many loops (`break 2`).
    Loops(usize),
}

impl Leaves {
    /// What `break` and `continue` leave by their operand; all loops where it is computed.
    pub(super) fn loops(operand: Option<&String>) -> Self {
        Self::Loops(operand.map_or(1, |count| count.parse().unwrap_or(usize::MAX)))
    }
}

impl Reader<'_> {
    /// A part that can be left early: behind it only that is set which is set on each way out.
    pub(super) fn framed(&mut self, kind: Kind, body: impl FnOnce(&mut Self)) {
        let before = self.set.clone();
        self.frames.push(Frame {
            kind,
            left: None,
            locals: BTreeSet::new(),
        });
        self.deeper(body);
        let Some(frame) = self.frames.pop() else {
            return;
        };
        if let Some(way) = &frame.left {
            self.set.retain(|name| way.contains(name));
        }
        self.set
            .retain(|name| before.contains(name) || !frame.locals.contains(name));
    }

    /// The body of a loop, which may have no turn.
    pub(super) fn turn(&mut self, body: impl FnOnce(&mut Self)) {
        self.framed(Kind::Loop, |reader| {
            reader.apart(body);
        });
    }

    /// Leaves early: what is set from here on is not set on every way. A loop around a function is left
    /// from within it by some shells.
    pub(super) fn leave(&mut self, leaves: Leaves) {
        let mut loops = 0_usize;
        for frame in self.frames.iter_mut().rev() {
            match &mut frame.left {
                Some(way) => way.retain(|name| self.set.contains(name)),
                None => frame.left = Some(self.set.clone()),
            }
            loops += usize::from(frame.kind == Kind::Loop);
            let is_last = match leaves {
                Leaves::Function => frame.kind != Kind::Loop,
                Leaves::Loops(count) => loops >= count,
            };
            if is_last {
                break;
            }
        }
    }

    /// Variables that belong to the function from here on, but for those that `-g` makes global.
    pub(super) fn declare(&mut self, words: &[String]) {
        let is_global = |word: &String| word.starts_with('-') && word.contains('g');
        if words.iter().any(is_global) {
            return;
        }
        let mut frames = self.frames.iter_mut().rev();
        if let Some(function) = frames.find(|frame| frame.kind == Kind::Function) {
            let names = words.iter().map(|word| {
                let name = word.split_once('=').map_or(&**word, |(name, _)| name);
                name.trim_end_matches('+')
            });
            let names = names.filter_map(plain).map(str::to_owned);
            function.locals.extend(names);
        }
    }

    /// A function: what it sets is set from then on, but for its own variables. It is read again only
    /// where less is set than before.
    pub(super) fn call(&mut self, name: &str) {
        let Some(body) = self.functions.get(name).cloned() else {
            return;
        };
        match self.called.get_mut(name) {
            Some(known) if known.is_subset(&self.set) => return,
            Some(known) => known.retain(|name| self.set.contains(name)),
            None => {
                self.called.insert(name.to_owned(), self.set.clone());
            }
        }
        let line = self.line;
        self.framed(Kind::Function, |reader| {
            for redirect in body.1.iter().flat_map(|list| &list.0) {
                reader.redirect(redirect);
            }
            reader.compound(&body.0);
        });
        self.line = line;
    }
}
