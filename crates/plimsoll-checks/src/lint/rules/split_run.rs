//! `split-run`: several RUN in a row.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Each `RUN` is a layer. What belongs together, and what cleans up after something else, stands in
    /// one.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// RUN mkdir /data
    /// # finding
    /// RUN mkdir /cache
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN mkdir /data
    /// WORKDIR /data
    /// RUN <<EOF
    /// set -e
    /// mkdir a
    /// mkdir b
    /// EOF
    /// ```
    ///
    /// ## Remedy
    ///
    /// `RUN a && b`, or a here-document.
    id: "split-run",
    summary: "several RUN in a row",
    severity: Info,
    aliases: ["DL3059"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let mut before: Option<&crate::dockerfile::Instruction> = None;
    for instruction in &sheet.file.instructions {
        let plain =
            |one: &crate::dockerfile::Instruction| one.is(Keyword::Run) && one.heredocs.is_empty();
        if let Some(before) = before.filter(|one| plain(one))
            && plain(instruction)
            && instruction.flags == before.flags
            && instruction
                .comments
                .iter()
                .all(|comment| comment.text == "finding")
            && short(before)
            && short(instruction)
        {
            let span = instruction.source(&instruction.keyword.at);
            hits.add(
                span,
                "one more layer for what could stand in the RUN above",
                "RUN a && b",
            );
        }
        before = Some(instruction);
    }
}

/// One or two commands: longer ones are kept apart for the cache, on purpose.
fn short(run: &crate::dockerfile::Instruction) -> bool {
    let text = &run.logical.text;
    text.matches("&&").count() + text.matches(';').count() < 2
}
