//! `expose-case`: `/TCP`.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Protocols are written in small letters in an image's configuration.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// EXPOSE 80/TCP
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// EXPOSE 80/tcp
    /// ```
    ///
    /// ## Remedy
    ///
    /// Small letters.
    id: "expose-case",
    summary: "a protocol in capitals",
    severity: Info,
    aliases: ["ExposeProtoCasing"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, expose) in sheet.of(Keyword::Expose) {
        for word in expose.words() {
            let lower = word.text.to_lowercase();
            if word.text.contains('/') && !word.text.contains('$') && word.text != lower {
                let span = expose.source(&word.at);
                hits.add(
                    span.clone(),
                    format!("{} has capitals", word.text),
                    lower.clone(),
                )
                .edit(span, lower);
            }
        }
    }
}
