//! `change-directory`: `cd` where `WORKDIR` belongs.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `cd` holds until the end of its `RUN` only. `WORKDIR` says once where the following
    /// instructions work, and makes the directory.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN cd /src && make
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// WORKDIR /src
    /// RUN make && (cd test && make)
    /// ```
    ///
    /// ## Remedy
    ///
    /// `WORKDIR` before the `RUN`.
    id: "change-directory",
    summary: "cd in place of WORKDIR",
    severity: Info,
    aliases: ["DL3003", "DS-0013"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for run in sheet.runs() {
        // Only the first: what it says of the RUN it says once.
        let mut all = run.script.commands.iter();
        if let Some(command) = all.find(|command| command.name() == "cd" && !command.subshell) {
            hits.add(
                command.span(),
                "cd holds until the end of this RUN only",
                "WORKDIR before the RUN",
            );
        }
    }
}
