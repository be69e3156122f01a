//! `relative-workdir`: below what, only the base knows.

use crate::dockerfile::Keyword;
use crate::dockerfile::stages::Base;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A relative `WORKDIR` is below the last one. Where the file sets none before it, that is the
    /// base's, and another base may have another.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// WORKDIR app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS a
    /// WORKDIR /app
    /// FROM a
    /// WORKDIR src
    /// WORKDIR /app/lib
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// The whole path, from `/` on.
    id: "relative-workdir",
    summary: "WORKDIR is relative to what the base says",
    severity: Low,
    aliases: ["WorkdirRelativePath", "DL3000", "DS-0009", "CKV_DOCKER_10"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let mut known: Vec<bool> = Vec::with_capacity(sheet.stages.all.len());
    for stage in &sheet.stages.all {
        let mut absolute = match stage.base {
            Base::Stage(below) => known[below],
            _ => false,
        };
        for workdir in sheet
            .within(stage)
            .iter()
            .filter(|one| one.is(Keyword::Workdir))
        {
            let Some(word) = workdir.text() else { continue };
            let path = word.text.trim_matches(['"', '\'']);
            let drive = path.as_bytes().get(1) == Some(&b':');
            if path.starts_with(['/', '\\', '$']) || drive {
                absolute = true;
            } else if !absolute {
                hits.add(
                    workdir.source(&word.at),
                    format!("{path} is below whatever directory the base sets"),
                    format!("WORKDIR /{path}"),
                );
            }
        }
        known.push(absolute);
    }
}
