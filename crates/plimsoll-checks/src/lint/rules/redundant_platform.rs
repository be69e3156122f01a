//! `redundant-platform`: the default, said again.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `$TARGETPLATFORM` is what a stage is built for anyway.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// FROM --platform=$TARGETPLATFORM docker.io/library/debian:13.1-slim
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM --platform=$BUILDPLATFORM docker.io/library/debian:13.1-slim
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// Leave the flag out.
    id: "redundant-platform",
    summary: "--platform=$TARGETPLATFORM",
    severity: Info,
    aliases: ["RedundantTargetPlatform", "DL3065"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, from) in sheet.of(Keyword::From) {
        for flag in from.flags.iter().filter(|flag| flag.name == "platform") {
            if let Some("$TARGETPLATFORM" | "${TARGETPLATFORM}") = flag.value.as_deref() {
                let span = from.source(&flag.at);
                let with_blank = span.start..span.end + 1;
                let added = hits.add(span, "this is the default", "leave the flag out");
                if sheet.file.text().get(with_blank.end - 1..with_blank.end) == Some(" ") {
                    added.edit(with_blank, "");
                }
            }
        }
    }
}
