//! What a policy demands of what is known about the packages: `[policy.limits.vulnerabilities]`.
//!
//! The count is that of `scan`: by source package, without what the vendor calls unimportant and what
//! the ignore file takes out. What cannot be judged meets no limit.

use plimsoll_model::report::Demand;
use plimsoll_model::vulnerability::{Counts, VulnerabilityState};
use plimsoll_model::{Evidence, Problem, Report, ScanFacts, Severity, Vulnerability};

use super::Limits;
use super::demands::some;
use crate::verbs::scan::{self, Scanned};

/// Kinds of vulnerabilities that can be limited, beside the severities.
pub(super) const KINDS: &[&str] = &["exploited", "fixable", "total"];

/// Holds what is known against the limits.
pub(super) fn judge(
    limits: &Limits,
    known: &Scanned,
    report: &mut Report,
    demands: &mut Vec<Demand>,
) {
    report.problems.extend(known.problems.iter().cloned());
    report.waived.extend(scan::accepted(&known.facts));
    for facts in &known.facts {
        for data in &facts.data {
            report.notes.push(format!(
                "vulnerabilities are judged by {} of {}: {} advisories",
                data.scope,
                if data.date.is_empty() {
                    "an unknown day"
                } else {
                    &data.date
                },
                data.rows
            ));
        }
        report.notes.extend(facts.stale_ignores.iter().cloned());
        // What the check of that name finds is for the waivers to tolerate; here it hinders no limit.
        let ended = facts.ended.as_ref();
        report
            .notes
            .extend(ended.and_then(|ended| ended.accepted.as_ref()).map(|it| {
                format!(
                    "limits on vulnerabilities are judged although {} is over ({}), which {} accepts until {}: {}",
                    it.package, it.why, it.by, it.until, it.reason
                )
            }));
        for (kind, &limit) in &limits.vulnerabilities {
            let unknown = facts.exploited_unknown.as_ref();
            let unknown = unknown.filter(|_| kind == "exploited");
            let blind = unknown.is_some();
            report.problems.extend(unknown.map(|why| Problem {
                message: why.clone(),
                evidence: Evidence::Image,
            }));
            let members: Vec<&Vulnerability> = facts
                .vulnerabilities
                .iter()
                .filter(|it| is_of(it, kind))
                .collect();
            let count = Counts::of(members.iter().copied()).by_source;
            // What nobody rates may be of any severity.
            let unrated = match Severity::parse(kind) {
                Some(_) => unrated(facts),
                None => 0,
            };
            let is_rated = count.saturating_add(unrated) <= limit;
            let fits = count <= limit;
            if fits && !is_rated {
                report.problems.push(Problem {
                    message: format!(
                        "{}, so that a limit of {limit} for {kind} cannot be judged",
                        scan::without_severity(unrated)
                    ),
                    evidence: Evidence::Image,
                });
            }
            let complete = facts.is_complete() && !blind && (is_rated || !fits);
            demands.push(Demand {
                wanted: format!("vulnerabilities ({kind}) at most {limit}"),
                found: found(count, &members, complete, facts.judged),
                met: fits && complete,
                unjudged: fits && !complete,
            });
        }
    }
}

/// How many vulnerabilities, by source package, nobody gives a severity.
fn unrated(facts: &ScanFacts) -> u64 {
    let rows = facts.vulnerabilities.iter();
    let weighed = rows.filter(|it| it.state != VulnerabilityState::Unimportant);
    Counts::of(weighed.filter(|it| it.severity.is_none())).by_source
}

/// Whether a vulnerability counts as one of this kind.
fn is_of(it: &Vulnerability, kind: &str) -> bool {
    if it.state == VulnerabilityState::Unimportant {
        return false;
    }
    match kind {
        "total" => true,
        "fixable" => it.state == VulnerabilityState::Fixable,
        "exploited" => it.exploited.is_some(),
        severity => it.severity.is_some() && it.severity == Severity::parse(severity),
    }
}

fn found(count: u64, members: &[&Vulnerability], complete: bool, judged: u64) -> String {
    let mut names: Vec<String> = Vec::new();
    for it in members {
        let name = format!("{} in {}", it.id, it.package.source);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match (count, complete) {
        (0, true) => "0".to_owned(),
        (0, false) if judged == 0 => "cannot be judged".to_owned(),
        (0, false) => "0 in what could be judged".to_owned(),
        (_, true) => format!("{count}: {}", some(&names, "")),
        (_, false) => format!("{count} in what could be judged: {}", some(&names, "")),
    }
}
