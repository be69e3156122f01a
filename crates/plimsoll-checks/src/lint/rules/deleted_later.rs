//! `deleted-later`: removed too late.

use crate::dockerfile::Keyword;
use crate::dockerfile::shell::Command;
use crate::dockerfile::{Instruction, Span};
use crate::lint::install;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Keep the image small: what one instruction writes and a later one removes is hidden, not gone. Its
    /// bytes are in the layer for good, and whoever has the image can read them.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// COPY big.bin /tmp/big.bin
    /// # finding
    /// RUN sh /tmp/big.bin && rm /tmp/big.bin
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN --mount=type=bind,source=big.tar,target=/tmp/big.tar tar -xf /tmp/big.tar -C /opt
    /// RUN touch /tmp/a && rm /tmp/a
    /// RUN rm -rf /usr/share/doc
    /// ```
    ///
    /// ## Remedy
    ///
    /// Write and remove in one `RUN`; `RUN --mount=type=bind` or an earlier stage in place of `COPY`.
    id: "deleted-later",
    summary: "a file is removed by a later instruction than the one that wrote it",
    severity: Low,
    aliases: [],
    run: run,
}

/// Something written: the path, by which instruction, in which line.
struct Written {
    path: String,
    by: usize,
}

/// Most paths that are remembered.
const MAX_PATHS: usize = 2000;

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for stage in sheet.stages.all.iter().filter(|stage| stage.ships) {
        let mut written: Vec<Written> = Vec::new();
        let mut runs = sheet.runs_in(stage.instructions.clone()).peekable();
        for index in stage.instructions.clone() {
            let instruction = &sheet.file.instructions[index];
            if matches!(instruction.kind, Some(Keyword::Copy | Keyword::Add)) {
                let by = index;
                written.extend(copied(instruction).map(|path| Written { path, by }));
            }
            let run = runs.next_if(|run| run.index == index);
            let commands = || run.iter().flat_map(|run| &run.script.commands);
            let made: Vec<String> = commands().flat_map(made).take(MAX_PATHS).collect();
            for (path, span) in commands().flat_map(removed) {
                let earlier = written
                    .iter()
                    .find(|one| one.by < index && below(&one.path, &path));
                if let Some(one) = earlier
                    && !made.iter().any(|made| below(made, &path))
                {
                    let place = sheet.file.instructions[one.by].span.start;
                    let line = sheet.file.position(place).line;
                    let message = format!(
                        "{} stays in the layer of line {line}: this only hides it",
                        one.path
                    );
                    hits.add(
                        span,
                        message,
                        "write and remove in one RUN, or RUN --mount=type=bind",
                    );
                }
            }
            let by = index;
            written.extend(made.into_iter().map(|path| Written { path, by }));
            if written.len() > MAX_PATHS {
                break;
            }
        }
    }
}

/// Whether the one path is the other, or lies below it.
fn below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || top.ends_with('/'))
}

/// Where a `COPY` of single files puts them.
fn copied(copy: &Instruction) -> impl Iterator<Item = String> + use<'_> {
    let (destination, sources) = copy
        .words()
        .split_last()
        .map_or((None, &[][..]), |(d, s)| (Some(d), s));
    let to = destination.map_or("", |word| word.text.trim_matches(['"', '\'']));
    sources
        .iter()
        .filter(move |word| {
            to.starts_with('/') && !to.contains('$') && !word.text.contains(['$', '*'])
        })
        .map(move |word| {
            let name = word
                .text
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default();
            match to.ends_with('/') {
                true => format!("{to}{name}"),
                false => to.to_owned(),
            }
        })
}

/// Files that a command is told to write: archives and downloads, lists of packages.
fn made(command: &Command) -> Vec<String> {
    let after = |options: &[&str]| {
        let mut words = command.arguments().iter();
        words
            .by_ref()
            .find(|word| options.contains(&&*word.text))
            .and_then(|_| words.next())
            .filter(|word| !word.dynamic && word.text.starts_with('/'))
            .map(|word| word.text.clone())
    };
    let mut made = match command.name() {
        "curl" => after(&["-o", "--output"]).into_iter().collect(),
        "wget" => after(&["-O", "--output-document"]).into_iter().collect(),
        "git" if command.has("clone") => {
            let last = command
                .words
                .last()
                .filter(|word| word.text.starts_with('/'));
            last.map(|word| word.text.clone()).into_iter().collect()
        }
        "apt-get" | "apt" if install::verb(command) == Some("update") => {
            vec!["/var/lib/apt/lists".to_owned()]
        }
        _ => Vec::new(),
    };
    let writes = command
        .writes
        .iter()
        .filter(|path| path.starts_with('/') && !path.starts_with("/dev/"));
    made.extend(writes.filter(|path| !path.contains('$')).cloned());
    made
}

/// Paths that a command removes.
fn removed(command: &Command) -> Vec<(String, Span)> {
    if !matches!(command.name(), "rm" | "unlink") {
        return Vec::new();
    }
    let paths = command
        .plain()
        .filter(|word| word.text.starts_with('/') && !word.dynamic);
    let paths = paths.map(|word| {
        let path = word.text.trim_end_matches(['*', '/']);
        (path.to_owned(), word.span.clone())
    });
    paths
        .filter(|(path, _)| path.len() > 1 && !path.contains('*'))
        .collect()
}
