//! `unread-shell`: a RUN that could not be read.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// The body of this `RUN` could not be read as a shell script: a quote or a bracket may be missing, and
    /// the build will fail; or it is for another shell. None of the rules on commands has seen it.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN if [ -d /app ]; then echo yes
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// SHELL ["powershell", "-Command"]
    /// RUN if (Test-Path C:\\app) { Write-Host yes }
    /// ```
    ///
    /// ## Remedy
    ///
    /// Close what is open; for another shell say which with `SHELL`, or `# hadolint shell=powershell`.
    id: "unread-shell",
    summary: "the body of a RUN is no shell script",
    severity: Info,
    aliases: [],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for run in sheet.runs() {
        if let Some(why) = &run.script.unread {
            let why = why.lines().next().unwrap_or_default();
            hits.add(
                run.instruction.source(&run.instruction.keyword.at),
                format!("this could not be read as a shell script, so its commands are not judged: {why}"),
                "close what is open, or say with SHELL which shell it is for",
            );
        }
    }
}
