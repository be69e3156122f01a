//! `reserved-stage`: a stage called like something else.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `scratch` and `context` mean something to the builder; a stage of that name cannot be meant by it.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// FROM docker.io/library/debian:13.1-slim AS context
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS contexts
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// Another name.
    id: "reserved-stage",
    summary: "a stage has a reserved name",
    severity: Medium,
    aliases: ["ReservedStageName", "DL3063"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for stage in &sheet.stages.all {
        if let Some(name @ ("scratch" | "context")) = stage.name.as_deref() {
            let from = &sheet.file.instructions[stage.from];
            let span = from
                .words()
                .last()
                .map_or(0..0, |word| from.source(&word.at));
            hits.add(
                span,
                format!("{name} means something else to the builder"),
                "another name",
            );
        }
    }
}
