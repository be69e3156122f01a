//! Where results go: standard output, in the format asked for.

use std::io::{self, Write};

use plimsoll_model::Report;

use crate::failure::{Exit, Failure, Result};

/// Prints a report.
pub(crate) fn report(report: &Report, format: &str, json: bool) -> Result<()> {
    let id = if json { "json" } else { format };
    let format = plimsoll_report::by_id(id).ok_or_else(|| {
        let known: Vec<_> = plimsoll_report::FORMATS
            .iter()
            .map(|format| format.id)
            .collect();
        Failure::new(format!("there is no format `{id}`"))
            .hint(format!("the formats are {}", known.join(", ")))
    })?;
    // Formats of others know findings and nothing else.
    let as_findings = match format.id {
        "json" | "openvex" | "text" => None,
        _ => Some(plimsoll_report::as_findings(report)),
    };
    let report = as_findings.as_ref().unwrap_or(report);
    let mut out = io::BufWriter::new(io::stdout().lock());
    finished((format.write)(report, &mut out).and_then(|()| out.flush()))
}

/// Prints a line of a result.
pub(crate) fn line(text: &str) -> Result<()> {
    finished(writeln!(io::stdout(), "{text}"))
}

/// Prints many lines of a result.
pub(crate) fn lines(lines: impl IntoIterator<Item = String>) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut lines = lines.into_iter();
    let written = lines.try_for_each(|line| writeln!(out, "{line}"));
    finished(written.and_then(|()| out.flush()))
}

/// Prints a document.
pub(crate) fn json(document: &serde_json::Value) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from);
    finished(
        written
            .and_then(|()| writeln!(out))
            .and_then(|()| out.flush()),
    )
}

/// A reader that went away (`| head`) is no failure.
fn finished(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::because("cannot print", &error))
        }
        _ => Ok(()),
    }
}

/// The exit code a report calls for: findings over the line and demands that are not met weigh
/// more than what could not be judged.
pub(crate) fn verdict(report: &Report) -> Exit {
    if report.is_refused() {
        Exit::Findings
    } else if !report.problems.is_empty() {
        Exit::Incomplete
    } else {
        Exit::Fine
    }
}
