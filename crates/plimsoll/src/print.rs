//! Where results go: standard output, in the format asked for.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use plimsoll_model::Report;
use plimsoll_report::{Format, Needs};

use crate::failure::{Exit, Failure, Result};

/// What a verb has beside what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Has {
    /// Nothing that is a document of its own.
    Findings,
    /// The same, of two images.
    Two,
    /// What is installed in one image.
    Inventory,
    /// That, and what is known of it.
    Scan,
    /// What is known of two images.
    Scans,
}

/// Sees, before any work is done, that `verb` has what the format asked for is about: a document without
/// it would say that nothing is installed, or that nothing is affected.
pub(crate) fn able(verb: &str, has: Has, format: &str, json: bool) -> Result<()> {
    let format = format_of(if json { "json" } else { format })?;
    let (id, images) = (
        format.id,
        if matches!(has, Has::Two | Has::Scans) {
            " of two images"
        } else {
            ""
        },
    );
    match (format.needs, has) {
        (Needs::Anything, _)
        | (_, Has::Scan)
        | (Needs::Inventory, Has::Inventory)
        | (Needs::Scan, Has::Scans) => Ok(()),
        (Needs::Inventory, _) => {
            let said = format!("{verb}{images} makes no bill of materials");
            let verb = if has == Has::Scans { verb } else { "sbom" };
            let hint = format!("plimsoll {verb} IMAGE --format {id} makes one, of one image");
            Err(Failure::new(said).hint(hint))
        }
        (Needs::Scan, _) => {
            let said =
                format!("{verb}{images} makes no {id} document: it is about vulnerabilities");
            let hint = format!("plimsoll scan IMAGE --format {id} makes one");
            Err(Failure::new(said).hint(hint))
        }
    }
}

/// Prints a report.
pub(crate) fn report(report: &Report, format: &str, json: bool) -> Result<()> {
    let format = format_of(if json { "json" } else { format })?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    finished(put(report, format, &mut out).and_then(|()| out.flush()))
}

/// `FORMAT=FILE` of the command line, understood before any work is done.
pub(crate) fn targets(
    verb: &str,
    has: Has,
    words: &[String],
) -> Result<Vec<(&'static Format, PathBuf)>> {
    let target = |word: &String| {
        let Some((format, path)) = word.split_once('=') else {
            return Err(Failure::new(format!("`{word}` is no FORMAT=FILE"))
                .hint("--report sarif=plimsoll.sarif"));
        };
        able(verb, has, format, false)?;
        Ok((format_of(format)?, PathBuf::from(path)))
    };
    words.iter().map(target).collect()
}

/// Writes a report to a file.
pub(crate) fn write(report: &Report, format: &Format, path: &Path) -> Result<()> {
    let cannot = |error: &io::Error| {
        Failure::because(format_args!("cannot write {}", path.display()), error)
    };
    let mut text = Vec::new();
    put(report, format, &mut text).map_err(|error| cannot(&error))?;
    fs::write(path, text).map_err(|error| cannot(&error))
}

/// Most formats of others know findings and nothing else.
fn put(report: &Report, format: &Format, out: &mut dyn Write) -> io::Result<()> {
    match (format.needs, format.id) {
        (Needs::Inventory | Needs::Scan, _) | (_, "json" | "markdown" | "text") => {
            (format.write)(report, out)
        }
        _ => (format.write)(&plimsoll_report::as_findings(report), out),
    }
}

/// The format of this name.
pub(crate) fn format_of(id: &str) -> Result<&'static Format> {
    plimsoll_report::by_id(id).ok_or_else(|| {
        let formats = plimsoll_report::FORMATS.iter();
        let known: Vec<_> = formats.map(|format| format.id).collect();
        Failure::new(format!("there is no format `{id}`"))
            .hint(format!("the formats are {}", known.join(", ")))
    })
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
