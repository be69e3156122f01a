//! The policy: the part of `plimsoll.toml` that says what an image must be like.
//!
//! What is demanded is judged in [`demands`] and [`vulnerabilities`], what is tolerated in [`waivers`], and what may have
//! become worse in [`baseline`].

mod baseline;
mod demands;
mod size;
mod vulnerabilities;
mod waivers;
mod written;

use std::collections::BTreeMap;

use plimsoll_checks::Environment;
use plimsoll_model::report::Verdict;
use plimsoll_model::{Report, Rule, Severity, Source};

use crate::session::Opened;
use crate::verbs::scan::Scanned;
pub(crate) use baseline::Baseline;
use size::{Growth, Size};
pub(crate) use written::{Written, line};

/// A policy, for one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// What the image is for.
    pub(crate) environment: Environment,
    /// Findings from this severity up are over the line; none are where it is not set.
    pub(crate) line: Option<Severity>,
    limits: Limits,
    required: Things,
    forbidden: Things,
    bases: Bases,
    waivers: Vec<Waiver>,
    growth: Growths,
}

/// How much there may be at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Limits {
    bytes: Option<Size>,
    compressed: Option<Size>,
    dead_bytes: Option<Size>,
    files: Option<u64>,
    layers: Option<u64>,
    packages: Option<u64>,
    /// By kind: a severity, `total`, `fixable`, `exploited`.
    vulnerabilities: BTreeMap<String, u64>,
    /// Days after which what is known about vulnerabilities is stale.
    advisory_days: Option<i64>,
}

/// What must be there, or must not.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Things {
    packages: Vec<String>,
    paths: Vec<String>,
    users: Vec<String>,
    labels: Vec<String>,
    ports: Vec<u16>,
}

/// What the image may be made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Bases {
    allowed: Vec<String>,
    registries: Vec<String>,
}

/// An exception, with a reason and, as a rule, an end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiver {
    /// The check whose findings are tolerated.
    check: String,
    /// Only what is found at such paths, packages or keys; everywhere if empty.
    paths: Vec<String>,
    reason: String,
    /// The last day.
    until: Option<jiff::civil::Date>,
    /// Where it is written.
    source: Source,
}

/// How much worse than the baseline an image may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Growths {
    bytes: Option<Growth>,
    compressed: Option<Growth>,
    files: Option<u64>,
    packages: Option<u64>,
    findings: Option<u64>,
}

impl Policy {
    /// Whether anything is demanded of what is known about vulnerabilities; how old that may be, in
    /// days, then.
    pub(crate) fn asks_for_vulnerabilities(&self) -> Option<i64> {
        let age = self.limits.advisory_days.unwrap_or(crate::cli::MAX_AGE);
        (!self.limits.vulnerabilities.is_empty()).then_some(age)
    }

    /// Holds what was learned of an image against the policy: tolerated findings go aside, what the
    /// waivers themselves call for comes in, and the verdict is in the report.
    pub(crate) fn judge(
        &self,
        report: &mut Report,
        opened: &Opened,
        baseline: Option<&Baseline>,
        known: Option<&Scanned>,
        today: jiff::civil::Date,
    ) {
        // New is what is new without regard to waivers: a waiver tolerates, it does not explain.
        let mut demands = Vec::new();
        let mut problems = Vec::new();
        demands::limits(&self.limits, report, &mut demands);
        if let Some(known) = known {
            vulnerabilities::judge(&self.limits, known, report, &mut demands);
        }
        let subject = &opened.subject();
        demands::required(&self.required, report, subject, &mut demands);
        demands::forbidden(&self.forbidden, report, subject, &mut demands);
        demands::bases(&self.bases, report, subject, &mut demands, &mut problems);
        if let Some(baseline) = baseline {
            baseline.demands(&self.growth, report, &mut demands);
        }
        if opened.is_document {
            // The report says already, and once, that there are no files. Nor is a waiver out of use where
            // no check looked.
            demands::without_files(&mut demands);
            problems.clear();
        } else {
            waivers::apply(&self.waivers, report, today);
        }
        report.problems.extend(problems);
        report.rules.push(waivers::rule());
        report.rules.sort_by_key(|rule: &Rule| rule.id);
        report.verdict = Some(Verdict {
            environment: self.environment.name().to_owned(),
            line: self.line,
            demands,
        });
    }
}

/// Whether a name is what a pattern says, as a shell would compare them.
fn matches(pattern: &str, name: &str) -> bool {
    pattern == name || fast_glob::glob_match(pattern, name)
}
