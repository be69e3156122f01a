//! `copy-without-workdir`: relative to what the base says.

use crate::dockerfile::Keyword;
use crate::dockerfile::stages::Base;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A relative destination is below the working directory, which here is whatever the base says.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// COPY app bin/app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// WORKDIR /app
    /// COPY app bin/app
    /// COPY conf /etc/app/
    /// ```
    ///
    /// ## Remedy
    ///
    /// `WORKDIR` before it, or the whole path.
    id: "copy-without-workdir",
    summary: "a relative destination and no WORKDIR",
    severity: Low,
    aliases: ["DL3045"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let mut known: Vec<bool> = Vec::with_capacity(sheet.stages.all.len());
    for stage in &sheet.stages.all {
        let mut set = match stage.base {
            Base::Stage(below) => known[below],
            _ => false,
        };
        for instruction in sheet.within(stage) {
            set |= instruction.is(Keyword::Workdir);
            if set || !instruction.is(Keyword::Copy) {
                continue;
            }
            let Some(word) = instruction.words().last() else {
                continue;
            };
            let path = word.text.trim_matches(['"', '\'']);
            let drive = path.as_bytes().get(1) == Some(&b':');
            // From scratch, everything is below the root.
            let scratch = *sheet.stages.root(stage) == Base::Scratch;
            if !path.starts_with(['/', '\\', '$']) && !drive && !scratch {
                hits.add(
                    instruction.source(&word.at),
                    format!("{path} is below whatever directory the base sets"),
                    "WORKDIR before it, or the whole path",
                );
            }
        }
        known.push(set);
    }
}
