//! `invalid-default-argument`: without --build-arg there is no base.

use crate::dockerfile::stages::is_reference;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A build without `--build-arg` takes the defaults. Where an `ARG` has none, the base must still be a
    /// name: otherwise the file can only be built by those who know which argument is missing.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// ARG VERSION
    /// # finding
    /// FROM docker.io/library/debian:$VERSION
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// ARG VERSION=13.1
    /// ARG SUFFIX
    /// FROM docker.io/library/debian:${VERSION}${SUFFIX}
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// A default: `ARG VERSION=13.1`.
    id: "invalid-default-argument",
    summary: "the defaults make no name of an image",
    severity: Low,
    aliases: ["InvalidDefaultArgInFrom"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for stage in &sheet.stages.all {
        let from = &sheet.file.instructions[stage.from];
        let Some(word) = from.words().first().filter(|word| word.text.contains('$')) else {
            continue;
        };
        let Ok(expanded) = sheet.stages.expand_global(word, sheet.file.escape) else {
            continue;
        };
        if expanded.missing.is_empty()
            && !is_reference(&expanded.text)
            && sheet.stages.named(&expanded.text, stage.index).is_none()
        {
            hits.add(
                from.source(&word.at),
                format!(
                    "with the defaults the base is `{}`, which is no name",
                    expanded.text
                ),
                "a default for each ARG",
            );
        }
    }
}
