//! `sparse-log`: a user with a high number.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `useradd` writes the last login of a user at a place given by the number: for a high one the file is
    /// gigabytes of nothing, which a layer stores as zeros.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN useradd -u 1000000 app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN useradd -l -u 1000000 app && useradd -u 10001 other
    /// ```
    ///
    /// ## Remedy
    ///
    /// `useradd --no-log-init`.
    id: "sparse-log",
    summary: "useradd with a high number and without -l",
    severity: Low,
    aliases: ["DL3046"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands() {
        if command.name() != "useradd" || command.option('l', "no-log-init") {
            continue;
        }
        let mut words = command.arguments().iter().peekable();
        while let Some(word) = words.next() {
            let value = match &*word.text {
                "-u" | "--uid" => words.peek().map(|word| &*word.text),
                text => text
                    .strip_prefix("--uid=")
                    .or_else(|| text.strip_prefix("-u")),
            };
            let high = value.is_some_and(|value| {
                value.len() > 5 && value.bytes().all(|byte| byte.is_ascii_digit())
            });
            if high {
                let end = command.words[0].span.end;
                hits.add(
                    command.span(),
                    "useradd writes a log as long as the number is high",
                    "useradd --no-log-init",
                )
                .edit(end..end, " --no-log-init");
                break;
            }
        }
    }
}
