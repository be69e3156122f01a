//! `piped-download`: what comes over the network is run unseen.

use crate::dockerfile::shell;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A script that goes from the network straight into an interpreter is run whatever it is: the
    /// server of today decides what is in the image, half a download is run as well, and nothing of
    /// it can be checked afterwards.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN curl -fsSL https://example.org/install.sh | sh
    /// # finding
    /// RUN sh -c "$(wget -qO- https://example.org/install.sh)"
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN curl -fsSL https://example.org/tool.tar.gz | tar -xz -C /opt
    /// RUN curl -fsSLo install.sh https://example.org/install.sh \
    ///     && echo '0000000000000000000000000000000000000000000000000000000000000000  install.sh' \
    ///     | sha256sum -c && sh install.sh && rm install.sh
    /// ```
    ///
    /// ## Remedy
    ///
    /// Fetch to a file, check its digest or signature, run it, remove it, in one `RUN`.
    id: "piped-download",
    summary: "a download is run without a check",
    severity: Medium,
    aliases: [],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for run in sheet.runs() {
        let commands = &run.script.commands;
        for (index, command) in commands.iter().enumerate() {
            if !matches!(command.name(), "curl" | "wget") {
                continue;
            }
            let piped = commands.iter().skip(index + 1).take(8).any(|other| {
                other.pipeline == command.pipeline
                    && other.pipes_into < command.pipes_into
                    && is_interpreter(other.name())
                    && (other.words.len() == 1
                        || other
                            .arguments()
                            .iter()
                            .all(|word| word.text.starts_with('-'))
                        || other
                            .arguments()
                            .iter()
                            .any(|word| word.text == "-s" || word.text == "-"))
            });
            // `sh -c "$(curl ...)"`, `eval "$(curl ...)"`: the one before it takes it as text.
            let taken = commands[..index].iter().next_back().is_some_and(|other| {
                (other.name() == "eval" || shell::is_posix(other.name()) && other.has("-c"))
                    && other.arguments().iter().any(|word| {
                        word.dynamic && (word.text.starts_with("$(") || word.text.starts_with('`'))
                    })
                    && command.subshell
            });
            if piped || taken {
                hits.add(
                    command.span(),
                    format!("what {} fetches is run without a check", command.name()),
                    "fetch to a file, check its digest, run it, remove it, in one RUN",
                );
            }
        }
    }
}

fn is_interpreter(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    shell::is_posix(name) || matches!(stem, "python" | "perl" | "ruby" | "node" | "php" | "pwsh")
}
