//! `root-user`: the image is told to run as root.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Run as a user of its own: the last `USER` names root, so whoever takes over the application
    /// is root in the container.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// FROM docker.io/library/node:22.11-slim
    /// # finding
    /// USER root
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/node:22.11-slim
    /// USER root
    /// COPY --chmod=0755 app /usr/local/bin/app
    /// USER 1000
    /// ```
    ///
    /// ## Remedy
    ///
    /// `USER` once more, behind the last instruction that needs root.
    id: "root-user",
    summary: "the last USER is root",
    severity: Medium,
    aliases: ["DL3002", "CKV_DOCKER_8", "DS-0002"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let Some(last) = sheet.last() else { return };
    let mut users = sheet
        .within(last)
        .iter()
        .filter(|one| one.is(Keyword::User));
    if let Some(user) = users.next_back()
        && let Some(word) = user.text()
    {
        let name = word.text.trim_matches(['"', '\'']);
        let name = name.split(':').next().unwrap_or_default();
        if matches!(name, "root" | "0") {
            hits.add(
                user.source(&word.at),
                "the image runs as root",
                "USER 10001:10001 behind the last instruction that needs root",
            );
        }
    }
}
