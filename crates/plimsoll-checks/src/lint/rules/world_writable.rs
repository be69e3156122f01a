//! `world-writable`: everybody may write.

use crate::lint::rule::rule;
use crate::lint::sheet::Run;
use crate::lint::{Hits, Sheet};

rule! {
    /// What everybody may write, whoever takes over the application can replace: the program itself, its
    /// libraries, its configuration.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// RUN chmod -R 777 /app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// RUN chmod 0755 /app && chmod 1777 /scratch
    /// ```
    ///
    /// ## Remedy
    ///
    /// `COPY --chown=USER` and a mode without the last `2`: `0755`, `0644`.
    id: "world-writable",
    summary: "files become writable for everybody",
    severity: Medium,
    aliases: [],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, command) in sheet.commands().filter(|(run, _)| Run::ships(run)) {
        if command.name() != "chmod" {
            continue;
        }
        let Some(mode) = command.plain().next() else {
            continue;
        };
        if open(&mode.text) {
            hits.add(
                command.span(),
                format!("chmod {} lets everybody write", mode.text),
                "COPY --chown=USER, and a mode such as 0755",
            );
        }
    }
}

/// Whether a mode lets others write, without the sticky bit.
fn open(mode: &str) -> bool {
    if mode.bytes().all(|byte| (b'0'..b'8').contains(&byte)) {
        let mode = u32::from_str_radix(mode, 8).unwrap_or(0);
        return mode & 0o002 != 0 && mode & 0o1000 == 0;
    }
    mode.split(',').any(|part| {
        let who = part.find(['+', '=']).map(|at| (&part[..at], &part[at..]));
        who.is_some_and(|(who, what)| {
            (who.contains('o') || who.contains('a')) && what.contains('w') && !mode.contains('t')
        })
    })
}
