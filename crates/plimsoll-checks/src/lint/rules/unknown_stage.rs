//! `unknown-stage`: no stage of that name so far.

use plimsoll_model::Severity;

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// `COPY --from` names no stage above it. It may be an image or a build context by name
    /// (`--build-context`); it may also be a slip, and the builder then fetches an image of that name from
    /// the network. A number is never a name: the build ends there if there is no such stage.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// FROM docker.io/library/debian:13.1-slim
    /// # finding
    /// COPY --from=biuld /app /usr/local/bin/app
    /// # finding
    /// COPY --from=2 /app /usr/local/bin/app
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// FROM docker.io/library/debian:13.1-slim
    /// COPY --from=build /app /usr/local/bin/app
    /// COPY --from=0 /lib /lib
    /// COPY --from=docker.io/library/busybox:1.37 /bin/busybox /bin/
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// The name of an earlier stage, or an image with its tag.
    id: "unknown-stage",
    summary: "COPY --from names no earlier stage",
    severity: Info,
    aliases: ["DL3022"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (index, copy) in sheet.of(Keyword::Copy) {
        let (Some(stage), Some(name)) = (sheet.stages.holding(index), copy.flag("from")) else {
            continue;
        };
        let own = stage.name.as_deref() == Some(&*name.to_lowercase());
        let known = own
            || name.parse() == Ok(stage.index)
            || sheet.stages.named(name, stage.index).is_some();
        if !known && name.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() {
            let flag = copy.flags.iter().find(|flag| flag.name == "from");
            let span = flag.map_or(0..0, |flag| copy.source(&flag.at));
            hits.add(
                span,
                format!("no stage above has the number {name}: no build takes this"),
                "the name of an earlier stage",
            )
            .severity(Severity::High);
            continue;
        }
        // `--from` without a value is invalid-instruction's.
        if !known
            && !name.is_empty()
            && !name.contains(['$', ':', '/', '@', '.'])
            && name != "scratch"
        {
            let flag = copy.flags.iter().find(|flag| flag.name == "from");
            let span = flag.map_or(0..0, |flag| copy.source(&flag.at));
            hits.add(
                span,
                format!(
                    "no stage above is called {name}: it is taken as an image or a build context"
                ),
                "the name of an earlier stage, or an image with its tag",
            );
        }
    }
}
