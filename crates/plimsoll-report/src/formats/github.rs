//! `github`: annotations, for a step of a GitHub workflow.
//!
//! One workflow command a finding, the heaviest first (GitHub shows ten of each kind a step):
//! `error` for what is over the line, or of severity high where no line is drawn; `warning` from
//! medium up; `notice` for the rest. What could not be judged is a warning, or a notice where that was accepted. A finding about a
//! Dockerfile is shown at its line.
//!
//! Source: GitHub Actions documentation, *Workflow commands*; the escapes are those of its
//! `@actions/core`.

use std::io::{self, Write};

use plimsoll_model::report::NOT_JUDGED;
use plimsoll_model::{Finding, Report, Severity};

use crate::place::{Place, clean, some};
use crate::{Format, Needs};

/// The row.
pub static FORMAT: Format = Format {
    id: "github",
    extension: "txt",
    help: "annotations, for a step of a GitHub workflow",
    needs: Needs::Anything,
    write,
    file: file!(),
};

/// Places that are named of each finding.
const PLACES: usize = 3;

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        annotate(report, finding, out)?;
    }
    for problem in &report.problems {
        let text = data(&clean(&problem.to_string()));
        writeln!(out, "::warning title=plimsoll%3A not judged::{text}")?;
    }
    // What a policy tolerates is no annotation; what nobody judged must not look like what is fine.
    let accepted = report.waived.iter();
    for waived in accepted.filter(|it| it.finding.check == NOT_JUDGED) {
        let until = waived.until.as_deref().unwrap_or_default();
        let text = format!(
            "{}; accepted until {until}: {}",
            clean(&waived.finding.message),
            clean(&waived.reason)
        );
        let text = data(&text);
        writeln!(
            out,
            "::notice title=plimsoll%3A not judged%2C accepted::{text}"
        )?;
    }
    let Some(verdict) = &report.verdict else {
        return Ok(());
    };
    for demand in verdict.demands.iter().filter(|demand| !demand.met) {
        let (wanted, found) = (clean(&demand.wanted), clean(&demand.found));
        let text = data(&format!("{wanted}: {found}"));
        let command = if demand.unjudged { "warning" } else { "error" };
        writeln!(out, "::{command} title=plimsoll policy::{text}")?;
    }
    let (over, unmet) = (report.over(), report.unmet());
    let demands = if unmet == 1 { "demand" } else { "demands" };
    writeln!(
        out,
        "plimsoll: {over} over the line, {unmet} {demands} of the policy not met"
    )
}

fn annotate(report: &Report, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let command = match finding.severity {
        _ if report.is_over(finding) => "error",
        Severity::High | Severity::Critical if report.verdict.is_none() => "error",
        Severity::Medium | Severity::High | Severity::Critical => "warning",
        Severity::Low | Severity::Info => "notice",
    };
    write!(out, "::{command} ")?;
    let source = Place::source_of(finding);
    if let Some(file) = &source {
        write!(out, "file={}", property(&file.name))?;
        if let Some(region) = &file.region {
            write!(out, ",line={},endLine={}", region.line, region.end_line)?;
            // Columns mean something to GitHub within one line only.
            if region.line == region.end_line
                && let Some((from, to)) = region.columns
            {
                write!(out, ",col={from},endColumn={to}")?;
            }
        }
        write!(out, ",")?;
    }
    let (severity, check) = (finding.severity, finding.check);
    let title = property(&format!("plimsoll {check} ({severity})"));
    let mut text = clean(&finding.message);
    if source.is_none() {
        for words in some(finding, PLACES) {
            text.push_str("\n- ");
            text.push_str(&words);
        }
    }
    if let Some(remedy) = &finding.remedy {
        text.push_str("\nremedy: ");
        text.push_str(&clean(remedy));
    }
    writeln!(out, "title={title}::{}", data(&text))
}

fn data(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_cannot_end_early() {
        assert_eq!(property("a:b,c%\n::x"), "a%3Ab%2Cc%25%0A%3A%3Ax");
        assert_eq!(data("100 %\nnext: a,b"), "100 %25%0Anext: a,b");
    }
}
