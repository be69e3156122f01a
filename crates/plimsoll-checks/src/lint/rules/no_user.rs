//! `no-user`: nobody says as whom the image runs.

use crate::dockerfile::Keyword;
use crate::dockerfile::stages::Base;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Run as a user of its own: without `USER` the container runs as whatever the base says, which
    /// mostly is root. Entry scripts that give root up (`gosu`, `setpriv`) need it at first; say so
    /// in a comment that silences this.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// FROM docker.io/library/debian:13.1-slim
    /// COPY app /usr/local/bin/app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS base
    /// USER 10001
    /// FROM base
    /// COPY app /usr/local/bin/app
    /// ```
    ///
    /// ## Remedy
    ///
    /// `USER 10001:10001` before the `ENTRYPOINT`.
    id: "no-user",
    summary: "no USER is set",
    severity: Info,
    aliases: ["CKV_DOCKER_3", "DS-0002"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let Some(last) = sheet.last() else { return };
    let mut stage = last;
    loop {
        if sheet.within(stage).iter().any(|one| one.is(Keyword::User)) {
            return;
        }
        match stage.base {
            Base::Stage(below) => stage = &sheet.stages.all[below],
            _ => break,
        }
    }
    // Distributors of images that run as nobody by themselves say it in the tag.
    if let Base::Image(name) = sheet.stages.root(last)
        && name.contains("nonroot")
    {
        return;
    }
    let instruction = &sheet.file.instructions[last.from];
    hits.add(
        instruction.source(&instruction.keyword.at),
        "nothing says as whom the image runs; it is root unless the base says otherwise",
        "USER 10001:10001",
    );
}
