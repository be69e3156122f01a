//! What the policy tolerates, and what is to be said of the waivers themselves.

use jiff::civil::Date;
use plimsoll_model::report::Waived;
use plimsoll_model::{Evidence, Finding, Report, Rule, Severity};

use super::{Waiver, matches};

/// The check by which waivers themselves are found.
const ID: &str = "waiver";

/// Takes what is tolerated out of the findings, and says which waivers are over or of no use.
pub(super) fn apply(waivers: &[Waiver], report: &mut Report, today: Date) {
    let mut used = vec![false; waivers.len()];
    let mut left = Vec::new();
    for finding in std::mem::take(&mut report.findings) {
        let open = finding.evidence.iter().filter(|evidence| {
            let waiver = waivers
                .iter()
                .position(|waiver| is_for(waiver, &finding, evidence) && !is_over(waiver, today));
            if let Some(waiver) = waiver {
                used[waiver] = true;
            }
            waiver.is_none()
        });
        let open: Vec<Evidence> = open.cloned().collect();
        let waiver = waivers.iter().find(|waiver| {
            let mut places = finding.evidence.iter();
            places.any(|place| is_for(waiver, &finding, place)) && !is_over(waiver, today)
        });
        match waiver {
            None => left.push(finding),
            Some(waiver) if open.is_empty() => report.waived.push(Waived {
                finding,
                reason: waiver.reason.clone(),
                until: waiver.until.map(|day| day.to_string()),
            }),
            // Some of the places are tolerated: the finding is about the others.
            Some(_) => {
                let waived = finding.evidence.len() - open.len();
                left.push(Finding {
                    message: format!("{} (waived at {waived} of its places)", finding.message),
                    evidence: open,
                    ..finding
                });
            }
        }
    }
    for (waiver, used) in waivers.iter().zip(used) {
        left.extend(about(waiver, used, report, today));
    }
    report.findings = left;
    report
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
}

/// Whether a waiver is for this finding at this place.
fn is_for(waiver: &Waiver, finding: &Finding, evidence: &Evidence) -> bool {
    let checks = waiver.check == finding.check || finding.aliases.contains(&&*waiver.check);
    let subject = evidence.subject();
    // A package is written by its name alone.
    let name = subject.strip_prefix("package ").unwrap_or(&subject);
    let paths = &waiver.paths;
    checks && (paths.is_empty() || paths.iter().any(|path| matches(path, name)))
}

fn is_over(waiver: &Waiver, today: Date) -> bool {
    waiver.until.is_some_and(|until| until < today)
}

/// What is to be said of a waiver: it is over, or nothing is found that it covers.
fn about(waiver: &Waiver, used: bool, report: &Report, today: Date) -> Option<Finding> {
    let check = &waiver.check;
    let reason = &waiver.reason;
    let finding = |severity, message, remedy: &str| Finding {
        check: ID,
        aliases: &[],
        severity,
        message,
        evidence: vec![Evidence::Source(waiver.source.clone())],
        remedy: Some(remedy.to_owned()),
    };
    if let Some(until) = waiver.until.filter(|_| is_over(waiver, today)) {
        let message = format!("the waiver for `{check}` ended on {until}: {reason}");
        let remedy = "do what it put off, or give it a new end and reason";
        return Some(finding(Severity::Medium, message, remedy));
    }
    if used {
        return None;
    }
    let known = report.rules.iter().any(|rule| rule.id == check);
    let message = match known {
        true => format!("the waiver for `{check}` covers nothing that is found: {reason}"),
        false => format!("the waiver names the check `{check}`, which there is not: {reason}"),
    };
    Some(finding(Severity::Low, message, "take it out"))
}

/// What a finding about a waiver means.
pub(super) fn rule() -> Rule {
    Rule {
        id: ID,
        summary: "a waiver is over, or covers nothing",
        severity: Severity::Medium,
        page: "An exception needs an end, or it is the rule. A waiver that is over covers nothing \
               any more; one that covers nothing hides what may come.\n\n## Remedy\n\nDo what it \
               put off, give it a new end and reason, or take it out of `plimsoll.toml`.\n"
            .to_owned(),
    }
}
