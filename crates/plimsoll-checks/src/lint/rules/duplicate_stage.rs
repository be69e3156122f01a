//! `duplicate-stage`: two stages of one name.

use std::collections::BTreeSet;

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// The name then means the later stage for what stands below it and the earlier one above: a `COPY
    /// --from` silently takes files of the wrong one.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// # finding
    /// # finding: stage-case
    /// FROM docker.io/library/alpine:3.22 AS Build
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// FROM docker.io/library/alpine:3.22 AS run
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// Another name.
    id: "duplicate-stage",
    summary: "two stages have the same name",
    severity: Medium,
    aliases: ["DuplicateStageName", "DL3024", "DS-0012", "CKV_DOCKER_11"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let mut seen = BTreeSet::new();
    for stage in &sheet.stages.all {
        let Some(name) = &stage.name else { continue };
        if !seen.insert(name) {
            let from = &sheet.file.instructions[stage.from];
            let span = from
                .words()
                .last()
                .map_or(0..0, |word| from.source(&word.at));
            hits.add(
                span,
                format!("an earlier stage is called {name} as well"),
                "another name",
            );
        }
    }
}
