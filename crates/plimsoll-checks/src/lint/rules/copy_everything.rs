//! `copy-everything`: the whole context, secrets included.

use crate::dockerfile::Keyword;
use crate::lint::Ignored;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Keep the image small: `COPY .` without a `.dockerignore` brings the history of the repository,
    /// local settings, test data and whatever else lies there, and any change of it makes the layer anew.
    ///
    /// ## Example
    ///
    /// ```dockerignore
    /// # nothing is ignored
    /// ```
    ///
    /// ```dockerfile
    /// WORKDIR /app
    /// # finding
    /// COPY . .
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerignore
    /// .git
    /// *.env
    /// ```
    ///
    /// ```dockerfile
    /// WORKDIR /app
    /// COPY . .
    /// COPY src/ src/
    /// ```
    ///
    /// ## Remedy
    ///
    /// A `.dockerignore` with `.git`, `.env` and what only developers need; or name what is copied.
    id: "copy-everything",
    summary: "the whole context is copied and nothing is ignored",
    severity: Low,
    aliases: [],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let nothing = match sheet.context.ignored {
        Ignored::Unknown => false,
        Ignored::Missing => true,
        Ignored::Text(text) => text
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')),
    };
    if !nothing {
        return;
    }
    for (_, copy) in sheet.of(Keyword::Copy).chain(sheet.of(Keyword::Add)) {
        let Some((_, sources)) = copy.words().split_last() else {
            continue;
        };
        let all = sources
            .iter()
            .find(|word| matches!(&*word.text, "." | "./" | "*" | "./*" | "/"));
        if let (Some(word), None) = (all, copy.flag("from")) {
            hits.add(
                copy.source(&word.at),
                "everything beside the file is copied, and no .dockerignore leaves anything out",
                "a .dockerignore with .git, .env and what only developers need",
            );
        }
    }
}
