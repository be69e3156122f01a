//! `apt-for-scripts`: `apt` is made for people.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `apt` is made for people at a terminal: its own manual warns that its options and output may
    /// change. `apt-get` and `apt-cache` keep theirs.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN apt update && apt-get install -y --no-install-recommends curl=8.14.1-2 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN apt-get update && apt-get install -y --no-install-recommends curl=8.14.1-2 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ## Remedy
    ///
    /// `apt-get` or `apt-cache` in its place.
    id: "apt-for-scripts",
    summary: "apt is used in a script",
    severity: Info,
    aliases: ["DL3027", "CKV_DOCKER_9"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands() {
        if command.words[0].text == "apt" {
            let span = command.words[0].span.clone();
            let verb = command.plain().next().map_or("", |word| &word.text);
            let cache = matches!(verb, "search" | "show" | "list" | "policy");
            let added = hits.add(
                span.clone(),
                "apt is made for people, not for scripts",
                if cache { "apt-cache" } else { "apt-get" },
            );
            if matches!(
                verb,
                "update" | "install" | "remove" | "purge" | "upgrade" | "clean" | "autoremove"
            ) {
                added.edit(span, "apt-get");
            }
        }
    }
}
