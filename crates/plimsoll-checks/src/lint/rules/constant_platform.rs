//! `constant-platform`: one platform for everybody.

use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A platform that is written down makes an image for it on every machine and for every target: an
    /// image list then says arm64 and holds amd64.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// FROM --platform=linux/amd64 docker.io/library/debian:13.1-slim
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A variable, and a stage that says in its name what it is for.
    ///
    /// ```dockerfile
    /// FROM --platform=linux/amd64 docker.io/library/debian:13.1-slim AS base-amd64
    /// FROM --platform=$BUILDPLATFORM docker.io/library/debian:13.1-slim
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// `--platform` on the command line of the build.
    id: "constant-platform",
    summary: "FROM names a platform",
    severity: Low,
    aliases: ["FromPlatformFlagConstDisallowed", "DL3029"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for stage in &sheet.stages.all {
        let from = &sheet.file.instructions[stage.from];
        for flag in from.flags.iter().filter(|flag| flag.name == "platform") {
            let Some(platform) = flag.value.as_deref().filter(|value| !value.contains('$')) else {
                continue;
            };
            let name = stage.name.as_deref().unwrap_or_default();
            let mut parts = platform.split('/');
            if !name.is_empty() && parts.any(|part| !part.is_empty() && name.contains(part)) {
                continue;
            }
            hits.add(
                from.source(&flag.at),
                format!("every build is for {platform}, whatever it is asked for"),
                "--platform on the command line of the build",
            );
        }
    }
}
