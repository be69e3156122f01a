//! How the image stands against a policy: its demands, what is tolerated, and the answer.

use plimsoll_model::Report;

use crate::place::over;

use super::layout::{Page, clean};

pub(super) fn write(report: &Report, page: &mut Page) {
    if !report.waived.is_empty() {
        page.heading(&format!("Waived ({})", report.waived.len()));
        for waived in &report.waived {
            let finding = &waived.finding;
            let (severity, check) = (finding.severity, finding.check);
            let message = clean(&finding.message);
            page.paragraph(2, &format!("{severity} {check}: {message}"));
            let until = waived.until.as_ref();
            let until = until.map_or(String::new(), |day| format!(" (until {})", clean(day)));
            page.paragraph(4, &format!("because: {}{until}", clean(&waived.reason)));
        }
    }
    let Some(verdict) = &report.verdict else {
        return;
    };
    if !verdict.demands.is_empty() {
        page.heading("Policy");
        for demand in &verdict.demands {
            let met = match (demand.met, demand.unjudged) {
                (true, _) => "met",
                (false, true) => "NOT JUDGED",
                (false, false) => "NOT MET",
            };
            let (wanted, found) = (clean(&demand.wanted), clean(&demand.found));
            page.paragraph(2, &format!("{met}: {wanted}: {found}"));
        }
    }
    let line = verdict.line;
    let line = line.map_or("nowhere".to_owned(), |line| format!("at {line}"));
    let environment = clean(&verdict.environment);
    page.heading(&format!("The line for {environment} is {line}"));
    let answer = match (report.over() + report.unmet(), report.problems.is_empty()) {
        (0, true) => "fine: nothing is over it".to_owned(),
        (0, false) => "incomplete: something could not be judged".to_owned(),
        _ => format!("over it: {}", over(report)),
    };
    page.paragraph(2, &answer);
}
