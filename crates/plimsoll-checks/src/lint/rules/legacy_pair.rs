//! `legacy-pair`: `ENV name value`.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// Without `=` there can be one name only, and everything behind it is the value, quotes and further
    /// `name=value` included.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// ENV APP_HOME /opt/app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// ENV APP_HOME=/opt/app
    /// LABEL org.opencontainers.image.title="An application"
    /// ```
    ///
    /// ## Remedy
    ///
    /// `ENV name=value`.
    id: "legacy-pair",
    summary: "a name and its value without =",
    severity: Info,
    aliases: ["LegacyKeyValueFormat"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for instruction in [Keyword::Env, Keyword::Label]
        .into_iter()
        .flat_map(|kind| sheet.of(kind))
        .map(|(_, it)| it)
    {
        let [pair] = instruction.pairs() else {
            continue;
        };
        let Some(value) = pair.value.as_ref().filter(|_| pair.legacy) else {
            continue;
        };
        let name = instruction.kind.map_or("", Keyword::name);
        let key = &pair.key.text;
        let span = instruction.source(&(pair.key.at.start..value.at.end));
        let added = hits.add(
            span.clone(),
            format!("{name} {key} has no ="),
            format!("{name} {key}=..."),
        );
        let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./:,@%+${}".contains(c);
        if value.text.chars().all(harmless) {
            added.edit(span, format!("{key}={}", value.text));
        } else if !value.text.contains(['"', '\\', '`', '\'']) && value.text.is_ascii() {
            added.edit(span, format!("{key}=\"{}\"", value.text));
        }
    }
}
