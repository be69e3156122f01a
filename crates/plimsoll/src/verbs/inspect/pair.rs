//! Two images side by side: numbers, files, packages, layers they share, findings new and gone.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_checks::Environment;
use plimsoll_model::report::{ImageFacts, Pair};
use plimsoll_model::{Finding, Report};

use crate::cli;
use crate::failure::Result;
use crate::page::{self, Beside};
use crate::session::{self, Context, Opened};
use crate::verbs::diff;
use crate::work;

/// The report on two images; its findings are those that only the second has.
pub(super) fn look(
    context: &Context,
    arguments: &cli::Inspect,
    other: &str,
) -> Result<(Report, Option<Beside>)> {
    let look = &arguments.look;
    let environment = arguments.environment.into();
    let scratch = work::on_disk(&context.leftovers)?;
    let open = |name| {
        session::open(
            context,
            name,
            look.platform.as_deref(),
            Some(scratch.path()),
        )
    };
    let (before, after) = (open(&look.image)?, open(other)?);
    let (pair, mut report) = of(&before, &after, environment);
    context.progress.step("comparing files");
    let (comparison, diff) = diff::compare(&before, &after, &mut report.problems);
    context.progress.done();
    let named = [("before", &before), ("after", &after)];
    let beside = arguments.html.as_ref();
    let beside = beside
        .map(|_| page::beside(context, &named, None))
        .transpose()?;
    let report = Report {
        findings: pair.new.clone(),
        comparison: Some(comparison),
        diff: Some(diff),
        pair: Some(Box::new(pair)),
        ..report
    };
    Ok((report, beside))
}

/// What is known of each and what differs, and a report with the rest: rules, problems, notes.
pub(crate) fn of(before: &Opened, after: &Opened, environment: Environment) -> (Pair, Report) {
    let (one, two) = (
        super::report(before, environment),
        super::report(after, environment),
    );
    let [mut first, mut second] = [BTreeMap::new(), BTreeMap::new()];
    for (known, findings) in [(&mut first, &one.findings), (&mut second, &two.findings)] {
        for finding in findings {
            known.entry(finding.key()).or_insert(finding);
        }
    }
    let only = |findings: &[Finding], other: &BTreeMap<String, &Finding>| -> Vec<Finding> {
        let new = findings
            .iter()
            .filter(|finding| !other.contains_key(&finding.key()));
        new.cloned().collect()
    };
    let new = only(&two.findings, &first);
    let staying = (two.findings.len() - new.len()) as u64;
    let gone = only(&one.findings, &second);
    let [before, after] = [one.subject, two.subject].map(Option::unwrap_or_default);
    let (shared_layers, shared_bytes) = shared(&before, &after);
    let mut problems = one.problems;
    problems.extend(two.problems);
    let mut notes = one.notes;
    notes.extend(two.notes);
    notes.dedup();
    let report = Report {
        verb: "inspect",
        rules: two.rules,
        problems,
        notes,
        ..Report::default()
    };
    let pair = Pair {
        before,
        after,
        shared_layers,
        shared_bytes,
        new,
        gone,
        staying,
    };
    (pair, report)
}

/// The layers of the second that the first has too, and their bytes as stored.
fn shared(before: &ImageFacts, after: &ImageFacts) -> (u64, u64) {
    let there: BTreeSet<&str> = before.layers.iter().map(|layer| &*layer.digest).collect();
    let both = after
        .layers
        .iter()
        .filter(|layer| there.contains(&*layer.digest));
    both.fold((0, 0), |(layers, bytes): (u64, u64), layer| {
        (layers + 1, bytes.saturating_add(layer.compressed))
    })
}
