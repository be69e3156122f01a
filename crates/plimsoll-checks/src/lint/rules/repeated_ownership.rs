//! `repeated-ownership`: the same files in two layers.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Keep the image small: changing the owner or the mode of a file writes all of it once more, into the
    /// layer of the `RUN` that changes it.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// COPY . /app
    /// # finding
    /// RUN chown -R 10001 /app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// COPY --chown=10001 --chmod=0755 app /usr/local/bin/app
    /// RUN mkdir /data && chown 10001 /data
    /// ```
    ///
    /// ## Remedy
    ///
    /// `COPY --chown=USER --chmod=MODE`.
    id: "repeated-ownership",
    summary: "chown or chmod copies what an earlier instruction wrote",
    severity: Low,
    aliases: [],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for run in sheet.runs().filter(|run| run.ships()) {
        let Some(stage) = run.stage else { continue };
        let before = &sheet.file.instructions[stage.from..run.index];
        let mut directory = "/".to_owned();
        let mut written: Vec<(String, usize)> = Vec::new();
        // Only so far back as anybody reads; a stranger's file may have any number.
        for instruction in &before[before.len().saturating_sub(100)..] {
            if instruction.is(Keyword::Workdir)
                && let Some(word) = instruction.text()
            {
                directory = join(&directory, &word.text);
            }
            if matches!(instruction.kind, Some(Keyword::Copy | Keyword::Add))
                && let Some(destination) = instruction.words().last()
            {
                let line = sheet.file.position(instruction.span.start).line;
                written.push((join(&directory, &destination.text), line));
            }
        }
        for command in &run.script.commands {
            if !matches!(command.name(), "chown" | "chmod" | "chgrp") {
                continue;
            }
            let recursive = command.option('R', "recursive");
            for word in command.plain().skip(1).filter(|word| !word.dynamic) {
                let path = join(&directory, word.text.trim_end_matches('*'));
                let hit = written.iter().find(|(to, _)| {
                    path == *to
                        || (recursive && path != "/" && to.starts_with(&format!("{path}/")))
                        || path.starts_with(&format!("{to}/"))
                });
                if let Some((_, line)) = hit.filter(|(to, _)| to != "/") {
                    hits.add(
                        command.span(),
                        format!(
                            "{} writes once more what line {line} copied",
                            command.name()
                        ),
                        "COPY --chown=USER --chmod=MODE",
                    );
                    break;
                }
            }
        }
    }
}

/// A path from where the instruction stands, without a slash at its end.
fn join(directory: &str, path: &str) -> String {
    let path = path.trim_matches(['"', '\'']);
    let path = path.strip_suffix("/.").unwrap_or(path);
    let whole = match path {
        "." | "./" | "" => directory.to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => format!(
            "{}/{}",
            directory.trim_end_matches('/'),
            path.trim_start_matches("./")
        ),
    };
    match whole.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.to_owned(),
    }
}
