//! `repeated-instruction`: only the last one counts.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Of `CMD`, `ENTRYPOINT` and `HEALTHCHECK` only the last one of a stage counts. What stands before it
    /// is dead text, and most often a mistake.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// CMD ["app"]
    /// CMD ["app", "--serve"]
    /// ```
    ///
    /// ## Not a finding
    ///
    /// One in each stage.
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS base
    /// CMD ["app"]
    /// FROM base
    /// CMD ["app", "--serve"]
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// Keep the last one.
    id: "repeated-instruction",
    summary: "an instruction is overridden by a later one",
    severity: Medium,
    aliases: ["MultipleInstructionsDisallowed", "DL3012", "DL4003", "DL4004", "DS-0007", "DS-0016", "DS-0023"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    const KINDS: [(Keyword, &[&str]); 3] = [
        (
            Keyword::Cmd,
            &["MultipleInstructionsDisallowed", "DL4003", "DS-0016"],
        ),
        (
            Keyword::Entrypoint,
            &["MultipleInstructionsDisallowed", "DL4004", "DS-0007"],
        ),
        (
            Keyword::Healthcheck,
            &["MultipleInstructionsDisallowed", "DL3012", "DS-0023"],
        ),
    ];
    for stage in &sheet.stages.all {
        for (kind, aliases) in KINDS {
            let all: Vec<_> = sheet
                .within(stage)
                .iter()
                .filter(|one| one.is(kind))
                .collect();
            let Some((_, dead)) = all.split_last() else {
                continue;
            };
            for instruction in dead {
                let name = kind.name();
                hits.add(
                    instruction.source(&instruction.keyword.at),
                    format!("a later {name} of this stage takes its place"),
                    format!("keep the last {name}"),
                )
                .aliases(aliases);
            }
        }
    }
}
