//! `instruction-case`: keywords in two cases.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Keywords in one case, mostly capitals, can be told from what follows them at a glance.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// copy app /usr/local/bin/
    /// COPY conf /etc/app/
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// from docker.io/library/debian:13.1-slim
    /// copy app /usr/local/bin/
    /// user 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// The case of the others.
    id: "instruction-case",
    summary: "keywords are written in different cases",
    severity: Info,
    aliases: ["ConsistentInstructionCasing"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let known = || {
        sheet
            .file
            .instructions
            .iter()
            .filter(|one| one.kind.is_some())
    };
    let is_lower = |text: &str| text == text.to_lowercase();
    let is_upper = |text: &str| text == text.to_uppercase();
    let lower = known().filter(|one| is_lower(&one.keyword.text)).count();
    let upper = known().filter(|one| is_upper(&one.keyword.text)).count();
    let small = lower > upper;
    for instruction in known() {
        let text = &instruction.keyword.text;
        let fine = if small {
            is_lower(text)
        } else {
            is_upper(text)
        };
        if !fine {
            let expected = if small {
                text.to_lowercase()
            } else {
                text.to_uppercase()
            };
            let span = instruction.source(&instruction.keyword.at);
            let message = format!("{text} is written in another case than most keywords here");
            hits.add(span.clone(), message, expected.clone())
                .edit(span, expected);
        }
    }
}
