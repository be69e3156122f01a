//! `own-stage`: a stage copies from itself.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A stage cannot copy from itself: the build fails.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// # finding
    /// COPY --from=build /app /usr/local/bin/app
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// FROM docker.io/library/debian:13.1-slim
    /// COPY --from=build /app /usr/local/bin/app
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// The name of an earlier stage.
    id: "own-stage",
    summary: "COPY --from names its own stage",
    severity: High,
    aliases: ["DL3023", "DS-0006"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (index, copy) in sheet.of(Keyword::Copy) {
        let (Some(stage), Some(name)) = (sheet.stages.holding(index), copy.flag("from")) else {
            continue;
        };
        let own = stage.name.as_deref() == Some(&*name.to_lowercase())
            && sheet.stages.named(name, stage.index).is_none();
        if own || name.parse() == Ok(stage.index) {
            let flag = copy.flags.iter().find(|flag| flag.name == "from");
            let span = flag.map_or(0..0, |flag| copy.source(&flag.at));
            hits.add(
                span,
                format!("{name} is this stage itself"),
                "the name of an earlier stage",
            );
        }
    }
}
