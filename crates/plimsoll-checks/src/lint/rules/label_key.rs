//! `label-key`: a key that is none.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Keys of labels are small letters, digits, dots and dashes; `com.docker`, `io.docker` and
    /// `org.dockerproject` belong to Docker.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// LABEL Vendor="me"
    /// # finding
    /// LABEL com.docker.app="x"
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// LABEL org.opencontainers.image.title="An application" maintainer="me@example.org"
    /// ```
    ///
    /// ## Remedy
    ///
    /// `org.opencontainers.image.*` for what everybody knows, your own domain turned round for the rest.
    id: "label-key",
    summary: "the key of a label is not valid",
    severity: Info,
    aliases: ["DL3048"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, label) in sheet.of(Keyword::Label) {
        for pair in label.pairs() {
            let key = pair.key.text.trim_matches(['"', '\'']);
            if key.contains('$') {
                continue;
            }
            let fine = key.starts_with(|c: char| c.is_ascii_lowercase())
                && key.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && key.bytes().all(|byte| {
                    byte.is_ascii_lowercase()
                        || byte.is_ascii_digit()
                        || matches!(byte, b'.' | b'-' | b'_' | b'/')
                })
                && !key.contains("..")
                && !key.contains("--");
            let reserved = ["com.docker.", "io.docker.", "org.dockerproject."];
            if !fine || reserved.iter().any(|prefix| key.starts_with(prefix)) {
                hits.add(
                    label.source(&pair.key.at),
                    format!("{key} is no key for a label of your own"),
                    "small letters, digits, dots and dashes; your own domain turned round",
                );
            }
        }
    }
}
