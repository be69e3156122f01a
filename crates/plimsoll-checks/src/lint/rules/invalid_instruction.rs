//! `invalid-instruction`: what BuildKit refuses.

use super::undefined_variable::expanded;
use crate::dockerfile::expand::expand;
use crate::dockerfile::instruction::{fault, misplaced};
use crate::dockerfile::{Arguments, Keyword};
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// The file can be read, but no build takes it: an unknown instruction or flag, an argument too few,
    /// something before the first `FROM`.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// COPY --owner=app app /usr/local/bin/
    /// # finding
    /// COYP conf /etc/app/
    /// # finding
    /// WORKDIR /srv/${NAME
    /// ```
    ///
    /// ```dockerfile
    /// # finding
    /// RUN echo before
    /// FROM docker.io/library/debian:13.1-slim
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// ARG VERSION=13.1
    /// FROM docker.io/library/debian:${VERSION}-slim
    /// COPY --chown=10001 --link app /usr/local/bin/
    /// ONBUILD RUN ldconfig
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// What the sentence says.
    id: "invalid-instruction",
    summary: "no build takes an instruction",
    severity: High,
    aliases: ["DL3061", "DL3043"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    if let Some((instruction, message)) = misplaced(sheet.file) {
        let span = instruction.source(&instruction.keyword.at);
        hits.add(span, message, "only ARG may stand before FROM")
            .aliases(&["DL3061"]);
    }
    for instruction in &sheet.file.instructions {
        for word in expanded(instruction) {
            if !word.text.contains('$') {
                continue;
            }
            // With a value for everything: what is wrong then is wrong whatever the build is told.
            let any = |_: &str| Some("1".to_owned());
            if let Err(why) = expand(&word.text, sheet.file.escape, &any) {
                hits.add(
                    instruction.source(&word.at),
                    format!("{}: {why}", word.text),
                    "see the Dockerfile reference, \"Environment replacement\"",
                )
                .aliases(&[]);
            }
        }
        if let Some(message) = fault(instruction) {
            let put_off = matches!(&instruction.arguments, Arguments::Onbuild(_));
            let word = match instruction.kind {
                None => close_to(&instruction.keyword.text),
                Some(_) => None,
            };
            let remedy = word.map_or("see the Dockerfile reference".to_owned(), |word| {
                format!("did you mean {word}?")
            });
            let added = hits.add(instruction.source(&instruction.keyword.at), message, remedy);
            if put_off {
                added.aliases(&["DL3043"]);
            } else {
                added.aliases(&[]);
            }
        }
    }
}

/// The instruction that has the same letters, in whatever order, or all but one of them.
fn close_to(word: &str) -> Option<&'static str> {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.to_ascii_uppercase().chars().take(20).collect();
        letters.sort_unstable();
        letters
    };
    let letters = sorted(word);
    Keyword::ALL.into_iter().map(Keyword::name).find(|name| {
        let own = sorted(name);
        let missing = own.iter().filter(|c| !letters.contains(c)).count();
        let beyond = letters.iter().filter(|c| !own.contains(c)).count();
        missing + beyond <= 1 && own.len().abs_diff(letters.len()) <= 1
    })
}
