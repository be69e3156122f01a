//! `download-left`: an archive beside what it held.

use crate::lint::rule::rule;
use crate::lint::rules::add_not_copy::ARCHIVES;
use crate::lint::sheet::Run;
use crate::lint::{Hits, Sheet};

rule! {
    /// Keep the image small: a fetched archive that is unpacked and not removed is in the image twice, once
    /// of no use.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN curl -fsSLo /tmp/tool.tar.gz https://example.org/tool.tar.gz && tar -xf /tmp/tool.tar.gz -C /opt
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN curl -fsSLo /tmp/tool.tar.gz https://example.org/tool.tar.gz \
    ///     && tar -xf /tmp/tool.tar.gz -C /opt && rm /tmp/tool.tar.gz
    /// RUN curl -fsSL https://example.org/tool.tar.gz | tar -xz -C /opt
    /// ```
    ///
    /// ## Remedy
    ///
    /// `rm` in the same `RUN`, or a pipe into `tar`.
    id: "download-left",
    summary: "a fetched archive is unpacked and kept",
    severity: Low,
    aliases: [],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for run in sheet.runs().filter(Run::ships) {
        let commands = &run.script.commands;
        let removes = commands.iter().any(|command| {
            matches!(command.name(), "rm" | "mv" | "unlink") || command.has("-delete")
        });
        if removes {
            continue;
        }
        let unpacked = |name: &str| {
            commands.iter().any(|command| {
                let unpacks = match command.name() {
                    "tar" | "bsdtar" => !command.option('c', "create"),
                    "unzip" => true,
                    _ => false,
                };
                unpacks
                    && command
                        .arguments()
                        .iter()
                        .any(|word| word.text.ends_with(name))
            })
        };
        for command in commands {
            let option = match command.name() {
                "curl" => ["-o", "--output"],
                "wget" => ["-O", "--output-document"],
                _ => continue,
            };
            let words = command.arguments();
            let after = words.iter().zip(words.iter().skip(1)).find(|(word, _)| {
                let text = &*word.text;
                // Short options stand in one group: `-fsSLo`.
                option.contains(&text)
                    || text.starts_with('-')
                        && !text.starts_with("--")
                        && text.ends_with(&option[0][1..])
            });
            let target = after.map(|(_, word)| &*word.text);
            let address = words.iter().find(|word| word.text.contains("://"));
            let saved = command.name() == "wget" || command.option('O', "remote-name");
            let name = target.or_else(|| address.filter(|_| saved).map(|word| &*word.text));
            let Some(name) = name.and_then(|path| path.rsplit('/').next()) else {
                continue;
            };
            let archive = ARCHIVES
                .iter()
                .chain(&[".zip"])
                .any(|ending| name.ends_with(ending));
            if archive && !name.contains('$') && unpacked(name) {
                hits.add(
                    command.span(),
                    format!("{name} stays in the image beside what it held"),
                    format!("&& rm {name}"),
                );
            }
        }
    }
}
