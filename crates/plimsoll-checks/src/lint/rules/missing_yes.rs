//! `missing-yes`: a package manager will ask, and nobody answers.

use plimsoll_model::Severity;

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet, install};

rule! {
    /// Nobody sits before a build: a package manager that asks for a yes gets none, and the build
    /// fails as soon as there is something to ask.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN apt-get update && apt-get install --no-install-recommends curl=8.14.1-2 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN apt-get update && apt-get install --no-install-recommends -qqy curl=8.14.1-2 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// RUN apt-get update && yes | apt-get install --no-install-recommends curl=8.14.1-2 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// ```
    ///
    /// ## Remedy
    ///
    /// `apt-get install -y`, `dnf install -y`, `zypper --non-interactive install`.
    id: "missing-yes",
    summary: "a package manager would ask",
    severity: Medium,
    aliases: ["DL3014", "DL3030", "DL3034", "DL3038"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let configured = sheet.file.text().contains("Assume-Yes");
    for (run, command) in sheet.commands() {
        let Some(install) = install::of(command) else {
            continue;
        };
        let yes = match install.manager.family {
            "apt" => {
                let quiet = command.arguments().iter().any(|word| {
                    word.text == "-qq" || word.text == "-q=2" || word.text.ends_with("qq")
                });
                quiet
                    || configured
                    || command.option('y', "yes")
                    || command.option('\0', "assume-yes")
                    || command.option('\0', "force-yes")
                    || command.option('\0', "quiet=2")
            }
            "yum" | "dnf" => command.option('y', "assumeyes"),
            "zypper" => {
                command.option('n', "non-interactive")
                    || command.option('y', "no-confirm")
                    || command.option('\0', "quiet")
            }
            _ => continue,
        };
        // Something before it in the pipe says yes.
        let piped = run.script.commands.iter().any(|other| {
            other.pipeline == command.pipeline && other.pipes_into > command.pipes_into
        });
        if yes || piped {
            continue;
        }
        let (aliases, flag): (&'static [&'static str], _) = match install.manager.family {
            "apt" => (&["DL3014"], " -y"),
            "yum" => (&["DL3030"], " -y"),
            "dnf" => (&["DL3038"], " -y"),
            _ => (&["DL3034"], " -y"),
        };
        let added = hits.add(
            command.span(),
            format!("{} would ask before it installs", command.name()),
            format!("{} install -y", command.name()),
        );
        let added = added.aliases(aliases).severity(Severity::Medium);
        if let Some(verb) = command
            .arguments()
            .iter()
            .find(|word| install::verb(command) == Some(&word.text))
        {
            added.edit(verb.span.end..verb.span.end, flag);
        }
    }
}
