//! Each practice of a small image as a check: what it finds, why that matters, what to do about it.
//!
//! A check is a row of [`CHECKS`] and a file of its own. Its page is its doc comment, and the
//! images written on the page are tests: what they claim is found, and nothing else.
//!
//! **Invariant:** a check sees a [`Look`] and nothing of the world: what day it is and what the image
//! is for are told to it. What it cannot judge is a
//! [`Problem`], never silence.

mod check;
pub mod checks;
pub mod dockerfile;
mod footprint;
mod heaps;
mod history;
pub mod lint;
mod look;
mod programs;
mod secrets;
mod sections;

pub use check::{Check, Findings};
pub use checks::CHECKS;
pub use footprint::footprint;
pub use lint::RULES;
pub use look::{Abandoned, Circumstances, Environment, Lifetime, Look, State};
use plimsoll_model::{Finding, Problem, Rule, Subject};
pub use sections::parts;

/// What every check says of an image: [`judge`] without the problems.
pub fn inspect(subject: &Subject, circumstances: &Circumstances) -> Vec<Finding> {
    judge(subject, circumstances).0
}

/// What every check says of an image, heaviest first, then by check, then by what was seen; and
/// what could not be judged, which makes the result incomplete.
pub fn judge(subject: &Subject, circumstances: &Circumstances) -> (Vec<Finding>, Vec<Problem>) {
    let look = Look::new(subject, circumstances);
    let mut findings = Vec::new();
    let mut problems = Vec::new();
    for check in CHECKS {
        let (more, unread) = check.on(&look);
        findings.extend(more);
        problems.extend(unread);
    }
    findings.sort_by(|one, other| {
        let weight = other.severity.cmp(&one.severity);
        let seen = || one.evidence.cmp(&other.evidence);
        weight.then(one.check.cmp(other.check)).then_with(seen)
    });
    (findings, problems)
}

/// The checks as formats explain them, sorted by name.
pub fn rules() -> Vec<Rule> {
    let rule = |check: &&Check| Rule {
        id: check.id,
        summary: check.summary,
        severity: check.severity,
        page: check.page_text(),
    };
    CHECKS.iter().map(rule).collect()
}

/// The check of this name.
pub fn by_id(id: &str) -> Option<&'static Check> {
    CHECKS.iter().copied().find(|check| check.id == id)
}
