//! `as-case`: `FROM ... as`.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `FROM` and `AS` are one instruction and read best in one case.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// FROM docker.io/library/debian:13.1-slim as build
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
    /// The case of `FROM`.
    id: "as-case",
    summary: "AS is written in another case than FROM",
    severity: Info,
    aliases: ["FromAsCasing"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for stage in &sheet.stages.all {
        let from = &sheet.file.instructions[stage.from];
        let [_, middle, _] = from.words() else {
            continue;
        };
        // Another word there is invalid-instruction's.
        if !middle.text.eq_ignore_ascii_case("as") {
            continue;
        }
        let keyword = &from.keyword.text;
        let expected = match keyword {
            word if *word == word.to_uppercase() => "AS",
            word if *word == word.to_lowercase() => "as",
            _ => continue,
        };
        if middle.text != expected {
            let span = from.source(&middle.at);
            let message = format!("{} beside {keyword}", middle.text);
            hits.add(span.clone(), message, expected)
                .edit(span, expected);
        }
    }
}
