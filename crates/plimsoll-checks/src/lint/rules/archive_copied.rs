//! `archive-copied`: COPY of what ADD would unpack.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::rules::add_not_copy::ARCHIVES;
use crate::lint::{Hits, Sheet};

rule! {
    /// An archive that is copied and then unpacked is in the image twice. `ADD` unpacks it while it is
    /// copied.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// COPY rootfs.tar.gz /tmp/
    /// RUN tar -xf /tmp/rootfs.tar.gz -C /opt
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// ADD rootfs.tar.gz /opt/
    /// COPY fixture.tar.gz /tests/
    /// ```
    ///
    /// ## Remedy
    ///
    /// `ADD archive.tar.gz /opt/`, or `RUN --mount=type=bind`.
    id: "archive-copied",
    summary: "an archive is copied and unpacked later",
    severity: Low,
    aliases: ["DL3010"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (index, copy) in sheet.of(Keyword::Copy) {
        let Some((_, sources)) = copy.words().split_last() else {
            continue;
        };
        if copy.flag("from").is_some() {
            continue;
        }
        for word in sources.iter().take(20) {
            let name = word.text.rsplit('/').next().unwrap_or_default();
            if !ARCHIVES.iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            let unpacked = sheet
                .runs_in(index + 1..index + 100)
                .flat_map(|run| &run.script.commands)
                .any(|command| {
                    matches!(command.name(), "tar" | "bsdtar")
                        && !command.option('c', "create")
                        && command
                            .arguments()
                            .iter()
                            .any(|word| word.text.ends_with(name))
                });
            if unpacked {
                hits.add(
                    copy.source(&word.at),
                    format!("{name} is copied, and unpacked by a later RUN: it is there twice"),
                    "ADD unpacks it while it is copied",
                );
            }
        }
    }
}
