//! What slim keeps, and why.

use std::collections::BTreeMap;
use std::fmt;

use crate::{ImagePath, Problem, text};

/// Why a path stays: a rule, the path that brought it, and the rule's own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// The rule: a root (`entrypoint`), a follower's id (`elf`), `observed`, `skeleton`.
    pub rule: &'static str,
    /// The path that asked for it; `None` for roots and observations.
    pub by: Option<ImagePath>,
    /// Details: a soname, a line, a phase and a program.
    pub detail: String,
}

impl Reason {
    /// A reason of this rule without more to say.
    pub fn rule(rule: &'static str) -> Self {
        Self {
            rule,
            by: None,
            detail: String::new(),
        }
    }

    /// A reason that another path gives.
    pub fn by(rule: &'static str, by: &ImagePath, detail: impl Into<String>) -> Self {
        Self {
            rule,
            by: Some(by.clone()),
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule)?;
        if !self.detail.is_empty() {
            write!(f, " {}", text::printable(self.detail.as_bytes()))?;
        }
        match &self.by {
            Some(by) => write!(f, " <- {by}"),
            None => Ok(()),
        }
    }
}

/// What slim keeps, each path with its reasons (the first is the one that brought it), and what it
/// could not follow.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Every path that stays, links and directories included.
    pub keep: BTreeMap<ImagePath, Vec<Reason>>,
    /// What a follower asked for that is not in the image (a soname, a module), for the report.
    pub unresolved: Vec<Problem>,
}

impl Plan {
    /// Whether `path` stays.
    pub fn keeps(&self, path: &ImagePath) -> bool {
        self.keep.contains_key(path)
    }

    /// The chain of reasons from `path` up to a root: each path with the reason that brought it.
    pub fn chain(&self, path: &ImagePath) -> Vec<(ImagePath, Reason)> {
        let mut chain: Vec<(ImagePath, Reason)> = Vec::new();
        let mut at = Some(path.clone());
        while let Some(path) = at {
            if chain.iter().any(|(seen, _)| *seen == path) {
                break;
            }
            let Some(reason) = self.keep.get(&path).and_then(|reasons| reasons.first()) else {
                break;
            };
            at = reason.by.clone();
            chain.push((path, reason.clone()));
        }
        chain
    }
}
