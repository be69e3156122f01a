//! `copy-destination`: several files to one name.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// With several sources the destination is a directory and must end with a slash: the build fails
    /// otherwise.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// COPY app conf /opt/app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// WORKDIR /opt
    /// COPY app conf /opt/app/
    /// COPY app conf .
    /// COPY a* /opt/app/
    /// ```
    ///
    /// ## Remedy
    ///
    /// A slash at the end.
    id: "copy-destination",
    summary: "several sources, and a destination that is no directory",
    severity: High,
    aliases: ["DL3021", "DS-0011"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, copy) in sheet.of(Keyword::Copy).chain(sheet.of(Keyword::Add)) {
        let Some((destination, sources)) = copy.words().split_last() else {
            continue;
        };
        let bare = destination.text.trim_end_matches(['"', '\'']);
        let directory =
            bare.ends_with(['/', '\\']) || matches!(bare, "." | "..") || bare.ends_with("/.");
        if sources.len() > 1 && !directory && !bare.contains('$') {
            let end = copy.source(&destination.at).end;
            let added = hits.add(
                copy.source(&destination.at),
                format!("{} sources, and {bare} is no directory", sources.len()),
                format!("{bare}/"),
            );
            if bare == destination.text && !copy.arguments.is_json() {
                added.edit(end..end, "/");
            }
        }
    }
}
