//! `long-progress`: a bar of dots in the log.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `wget` draws its progress line by line where there is no terminal: thousands of lines in the log of
    /// a build.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN wget -P /tmp https://example.org/tool
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN wget -nv -P /tmp https://example.org/a && wget --progress=dot:giga https://example.org/b
    /// ```
    ///
    /// ## Remedy
    ///
    /// `wget -nv` or `wget --progress=dot:giga`.
    id: "long-progress",
    summary: "wget draws its progress into the log",
    severity: Info,
    aliases: ["DL3047"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands() {
        if command.name() != "wget" || command.words.len() == 1 {
            continue;
        }
        let quiet = command.option('q', "quiet")
            || command.option('\0', "progress")
            || command.option('\0', "no-verbose")
            || command.option('o', "output-file")
            || command.option('a', "append-output")
            || command.option('V', "version")
            || command.arguments().iter().any(|word| word.text == "-nv");
        if !quiet {
            let end = command.words[0].span.end;
            hits.add(
                command.span(),
                "wget fills the log with its progress",
                "wget -nv",
            )
            .edit(end..end, " -nv");
        }
    }
}
