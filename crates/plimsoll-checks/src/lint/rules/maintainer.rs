//! `maintainer`: `MAINTAINER` is no more.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `MAINTAINER` was replaced by a label in 2017; no tool reads the field it sets.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// MAINTAINER me@example.org
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// LABEL org.opencontainers.image.authors="me@example.org"
    /// ```
    ///
    /// ## Remedy
    ///
    /// `LABEL org.opencontainers.image.authors="..."`.
    id: "maintainer",
    summary: "MAINTAINER is used",
    severity: Low,
    aliases: ["MaintainerDeprecated", "DL4000", "DS-0022", "CKV_DOCKER_6"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, instruction) in sheet.of(Keyword::Maintainer) {
        let span =
            instruction.source(&(instruction.keyword.at.start..instruction.logical.text.len()));
        let added = hits.add(
            span.clone(),
            "MAINTAINER was replaced by a label",
            "LABEL org.opencontainers.image.authors=\"...\"",
        );
        if let Some(word) = instruction.text()
            && !word.text.contains(['"', '\\', '$', '`', '\n'])
        {
            let text = format!(
                "LABEL org.opencontainers.image.authors=\"{}\"",
                word.text.trim()
            );
            added.edit(span, text);
        }
    }
}
