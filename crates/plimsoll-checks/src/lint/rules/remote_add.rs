//! `remote-add`: something from the network, taken as it comes.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `ADD` of an address takes what is there on the day of the build, whatever it is, and keeps
    /// the archive in a layer even if a later `RUN` unpacks and removes it.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// ADD https://example.org/tool.tar.gz /opt/
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// ADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 \
    ///     https://example.org/tool.tar.gz /opt/
    /// ADD https://git.example.org/tool.git#v1.2.3 /src
    /// ```
    ///
    /// ## Remedy
    ///
    /// `ADD --checksum=sha256:...`, or fetch, check and unpack in one `RUN`.
    id: "remote-add",
    summary: "ADD fetches from the network without a checksum",
    severity: Medium,
    aliases: ["CKV_DOCKER_4", "DS-0005"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (_, add) in sheet.of(Keyword::Add) {
        if add.flag("checksum").is_some() {
            continue;
        }
        let words = add.words();
        for word in &words[..words.len().saturating_sub(1)] {
            let text = word.text.trim_matches(['"', '\'']);
            let git = text.contains(".git#") || text.ends_with(".git");
            if (text.starts_with("http://") || text.starts_with("https://")) && !git {
                hits.add(
                    add.source(&word.at),
                    "ADD takes whatever is at this address on the day of the build",
                    "ADD --checksum=sha256:...",
                );
            }
        }
    }
}
