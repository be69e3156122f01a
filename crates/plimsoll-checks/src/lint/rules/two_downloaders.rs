//! `two-downloaders`: wget and curl.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Remove curl, wget and other network tools: one of them is enough to build, and none should stay.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// RUN curl -fsSLo /tmp/a https://example.org/a
    /// # finding
    /// RUN wget -nv -P /tmp https://example.org/b
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS fetch
    /// RUN wget -nv https://example.org/b
    /// FROM docker.io/library/debian:13.1-slim
    /// RUN curl -fsSLo /tmp/a https://example.org/a
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// One of them, or `ADD --checksum`.
    id: "two-downloaders",
    summary: "both wget and curl",
    severity: Info,
    aliases: ["DL4001", "DS-0014"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for stage in &sheet.stages.all {
        let here = |name: &'static str| {
            sheet
                .runs_in(stage.instructions.clone())
                .flat_map(|run| &run.script.commands)
                .filter(move |command| command.name() == name)
        };
        if let (Some(wget), Some(curl)) = (here("wget").next(), here("curl").next()) {
            let later = if wget.span().start > curl.span().start {
                wget
            } else {
                curl
            };
            hits.add(
                later.span(),
                "both wget and curl are used",
                "one of them is enough",
            );
        }
    }
}
