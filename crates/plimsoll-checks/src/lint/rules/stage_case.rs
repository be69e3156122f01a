//! `stage-case`: a stage in capitals.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Names of stages are compared without case; written in small letters they read the same everywhere.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// FROM docker.io/library/debian:13.1-slim AS Build
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// Small letters.
    id: "stage-case",
    summary: "the name of a stage has capitals",
    severity: Info,
    aliases: ["StageNameCasing"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for stage in &sheet.stages.all {
        let from = &sheet.file.instructions[stage.from];
        if let [_, _, name] = from.words()
            && name.text != name.text.to_lowercase()
        {
            let span = from.source(&name.at);
            hits.add(
                span,
                format!("{} has capitals", name.text),
                name.text.to_lowercase(),
            );
        }
    }
}
