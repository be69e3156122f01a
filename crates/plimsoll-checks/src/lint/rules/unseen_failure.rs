//! `unseen-failure`: a pipe hides a failure.

use crate::dockerfile::Keyword;
use crate::dockerfile::stages::Base;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A pipe fails when its last command does; what breaks before it goes unseen, and the build goes on
    /// with half a file.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN wget -nv -O - https://example.org/list | sort > /list
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// SHELL ["/bin/bash", "-o", "pipefail", "-c"]
    /// RUN wget -nv -O - https://example.org/list | sort > /list
    /// ```
    ///
    /// ## Remedy
    ///
    /// `SHELL ["/bin/bash", "-o", "pipefail", "-c"]`, or `set -o pipefail` in the `RUN`.
    id: "unseen-failure",
    summary: "a pipe without pipefail",
    severity: Info,
    aliases: ["DL4006"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let mut safe: Vec<bool> = vec![false; sheet.stages.all.len()];
    for stage in &sheet.stages.all {
        if let Base::Stage(below) = stage.base {
            safe[stage.index] = safe[below];
        }
        for instruction in sheet.within(stage) {
            if instruction.is(Keyword::Shell) {
                let mut words = instruction.words().iter();
                safe[stage.index] = words.any(|word| word.text.contains("pipefail"))
                    || instruction.words().first().is_some_and(|word| {
                        word.text.contains("ash") && word.text.ends_with("/ash")
                    });
            }
        }
    }
    for run in sheet.runs() {
        if run.stage.is_some_and(|stage| safe[stage.index]) {
            continue;
        }
        let commands = &run.script.commands;
        if commands
            .iter()
            .any(|command| command.name() == "set" && command.has("pipefail"))
            || run
                .instruction
                .words()
                .iter()
                .any(|word| word.text.contains("pipefail"))
        {
            continue;
        }
        // What only prints or finds cannot fail in a way that matters.
        let harmless = [
            "cat", "echo", "find", "printf", "yes", "true", "ls", "sort", "tr", "cut",
        ];
        let piped = commands
            .iter()
            .find(|command| command.pipes_into > 0 && !harmless.contains(&command.name()));
        if let Some(command) = piped {
            hits.add(
                command.span(),
                format!("if {} fails here, nobody sees it", command.name()),
                "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]",
            );
        }
    }
}
