//! What is known to be wrong with the original and with the result, side by side, where there are
//! data: the count by which others compare images.

use plimsoll_model::Report;

use crate::session::{Context, Opened};
use crate::verbs::scan;

/// What is said where nothing can be.
const NO_DATA: &str = "vulnerabilities: no data (plimsoll db update)";

/// Puts what is known about both images into the report. What cannot be judged is a note here: it is
/// no doubt about what slim did.
pub(super) fn side_by_side(
    context: &Context,
    before: &Opened,
    after: &Opened,
    report: &mut Report,
) {
    let scanned = match scan::beside(context, &[before, after]) {
        Ok(Some(scanned)) => scanned,
        Ok(None) => return report.notes.push(NO_DATA.to_owned()),
        Err(failure) => return report.notes.push(format!("vulnerabilities: {failure}")),
    };
    report.notes.extend(plimsoll_scan::explain(&scanned.facts));
    let unjudged = scanned.problems.iter();
    report
        .notes
        .extend(unjudged.map(|problem| format!("vulnerabilities not judged: {problem}")));
    report.scans = scanned.facts;
}
