//! `add-not-copy`: `ADD` where `COPY` says what is meant.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `ADD` unpacks archives and fetches addresses; for plain files `COPY` does what it says and
    /// nothing else.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// ADD app.py /app/
    /// ```
    ///
    /// ## Not a finding
    ///
    /// An archive that is to be unpacked, and what only `ADD` can do.
    ///
    /// ```dockerfile
    /// ADD rootfs.tar.xz /
    /// ADD git@example.org:app.git /src
    /// ```
    ///
    /// ## Remedy
    ///
    /// `COPY` with the same arguments.
    id: "add-not-copy",
    summary: "ADD of plain files",
    severity: Low,
    aliases: ["DL3020", "CKV_DOCKER_4", "DS-0005"],
    run: run,
}

/// Endings of what `ADD` unpacks.
pub(super) const ARCHIVES: [&str; 14] = [
    ".tar",
    ".tar.bz2",
    ".tar.gz",
    ".tar.lzma",
    ".tar.xz",
    ".tar.zst",
    ".tar.z",
    ".tb2",
    ".tbz",
    ".tbz2",
    ".tgz",
    ".tlz",
    ".txz",
    ".tpz",
];

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, add) in sheet.of(Keyword::Add) {
        let words = add.words();
        let sources = &words[..words.len().saturating_sub(1)];
        let only_add = |text: &str| {
            let text = text.trim_matches(['"', '\'']);
            let lower = text.to_ascii_lowercase();
            ARCHIVES.iter().any(|ending| lower.ends_with(ending))
                || [".gz", ".bz2", ".xz", ".zst", ".lzma", ".tz"]
                    .iter()
                    .any(|ending| lower.ends_with(ending))
                || text.contains("://")
                || text.starts_with("git@")
                || text.contains('$')
                || text.contains('*') && lower.contains("tar")
                || text.starts_with("<<")
        };
        let flags = ["checksum", "keep-git-dir", "unpack"];
        if sources.is_empty()
            || flags.iter().any(|flag| add.flag(flag).is_some())
            || sources.iter().any(|word| only_add(&word.text))
        {
            continue;
        }
        let span = add.source(&add.keyword.at);
        let upper = add.keyword.text.starts_with('A');
        let added = hits.add(
            span.clone(),
            "ADD of plain files: COPY says what is meant",
            "COPY",
        );
        // The builder unpacks what is an archive by its content, whatever its name: one that says nothing may
        // be one.
        if sources.iter().all(|word| says_what_it_is(&word.text)) {
            added.edit(span, if upper { "COPY" } else { "copy" });
        }
    }
}

/// Whether a name is that of a directory, or of a file with an ending.
fn says_what_it_is(name: &str) -> bool {
    let name = name.trim_matches(['"', '\'']);
    let last = name.rsplit('/').next().unwrap_or_default();
    let ending = last.rsplit_once('.');
    last.is_empty()
        || last.chars().all(|c| c == '.')
        || ending.is_some_and(|(stem, ending)| {
            !stem.is_empty() && !ending.is_empty() && !ending.contains('*')
        })
}
