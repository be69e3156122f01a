//! `undefined-base-argument`: FROM names what nothing sets.

use crate::dockerfile::Word;
use crate::lint::rule::rule;
use crate::lint::rules::undefined_variable::similar;
use crate::lint::{Hits, Sheet};

rule! {
    /// `FROM` knows only the `ARG`s that stand before the first `FROM`, and the builder's platform. What is
    /// not set is empty: the base becomes another one, or none.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// ARG VERSION=13.1
    /// # finding
    /// FROM docker.io/library/debian:${VERSOIN}-slim
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// ARG VERSION=13.1
    /// FROM --platform=$BUILDPLATFORM docker.io/library/debian:${VERSION}${SUFFIX:--slim}
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// `ARG NAME=default` before the first `FROM`.
    id: "undefined-base-argument",
    summary: "FROM names a variable that is not set",
    severity: Medium,
    aliases: ["UndefinedArgInFrom"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for stage in &sheet.stages.all {
        let from = &sheet.file.instructions[stage.from];
        let flags = from.flags.iter().filter(|flag| flag.name == "platform");
        let platforms = flags.filter_map(|flag| {
            let text = flag.value.clone()?;
            Some(Word {
                text,
                at: flag.at.clone(),
            })
        });
        let words: Vec<Word> = from
            .words()
            .iter()
            .take(1)
            .cloned()
            .chain(platforms)
            .collect();
        for word in words {
            let Ok(expanded) = sheet.stages.expand_global(&word, sheet.file.escape) else {
                continue;
            };
            for name in &expanded.missing {
                // A default in place, `${X:-y}`, says that it may be missing.
                if word.text.contains(&format!("{{{name}:-"))
                    || word.text.contains(&format!("{{{name}-"))
                {
                    continue;
                }
                let known = sheet.stages.globals.keys().map(String::as_str);
                let known = known.chain(crate::dockerfile::stages::PLATFORM_ARGS);
                let hint = similar(name, known);
                let hint = hint.map_or(String::new(), |other| format!("; did you mean {other}?"));
                hits.add(
                    from.source(&word.at),
                    format!("nothing sets {name} before FROM{hint}"),
                    format!("ARG {name}=... before the first FROM"),
                );
            }
        }
    }
}
