//! `update-alone`: the lists of packages are cached, and grow old.

use crate::lint::rule::rule;
use crate::lint::sheet::Run;
use crate::lint::{Hits, Sheet, install};

rule! {
    /// An update in a `RUN` of its own is cached. When the next `RUN` changes, the builder takes the
    /// old lists: what it installs then has known vulnerabilities, or is gone from the mirror and
    /// the build fails.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// # finding: package-lists
    /// RUN apt-get update
    /// RUN apt-get install -y --no-install-recommends curl=8.14.1-2
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
    /// `apt-get update && apt-get install ...` in one `RUN`.
    id: "update-alone",
    summary: "lists of packages are updated in a RUN of their own",
    severity: Medium,
    aliases: ["DS-0017", "CKV_DOCKER_5"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for run in sheet.runs() {
        let commands = &run.script.commands;
        let update = commands.iter().find(|command| {
            matches!(install::family(command), Some("apt" | "apk"))
                && install::verb(command) == Some("update")
        });
        let Some(update) = update else { continue };
        // What is used at once, or taken away again, cannot grow old.
        let used = commands.iter().any(|command| {
            let name = command.name();
            let verb = install::verb(command);
            verb.is_some_and(|verb| !matches!(verb, "update" | "-q"))
                || matches!(
                    name,
                    "rm" | "." | "source" | "bash" | "sh" | "curl" | "wget"
                )
                || command.words[0].dynamic
        });
        if !used && !mounted(&run) {
            hits.add(
                update.span(),
                format!("{} update is cached without what it is for", update.name()),
                format!("{0} update && {0} install ... in one RUN", update.name()),
            );
        }
    }
}

fn mounted(run: &Run<'_>) -> bool {
    run.mounts("/var/lib/apt/lists") || run.mounts("/var/cache/apk")
}
