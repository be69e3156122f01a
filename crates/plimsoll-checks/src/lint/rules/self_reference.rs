//! `self-reference`: a variable of the same ENV.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// All values of one `ENV` are read before any of them is set: a variable it sets itself still has its
    /// old value.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// # finding: undefined-variable
    /// ENV HOME_DIR=/opt BIN_DIR=$HOME_DIR/bin
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// ENV HOME_DIR=/opt
    /// ENV BIN_DIR=$HOME_DIR/bin PATH=$PATH:/opt/bin
    /// ```
    ///
    /// ## Remedy
    ///
    /// Two `ENV`s.
    id: "self-reference",
    summary: "ENV uses what it sets itself",
    severity: Low,
    aliases: ["DL3044"],
    run: run,
}

/// Most names of one `ENV` that are compared with each other.
const MAX_PAIRS: usize = 100;
/// Most instructions that are looked back over for a name.
const MAX_BACK: usize = 500;

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (index, env) in sheet.of(Keyword::Env) {
        for (number, pair) in env.pairs().iter().enumerate().take(MAX_PAIRS) {
            let key = &pair.key.text;
            // A value may use its own name: that is the old one, and meant.
            let user = env
                .pairs()
                .iter()
                .enumerate()
                .take(MAX_PAIRS)
                .find(|(other, pair)| {
                    let value = pair.value.as_ref().map_or("", |value| &value.text);
                    *other != number && !value.starts_with('\'') && names(value, key)
                });
            let before = sheet.stages.holding(index).is_some_and(|stage| {
                let earlier = &sheet.file.instructions[stage.from..index];
                let mut pairs = earlier
                    .iter()
                    .rev()
                    .take(MAX_BACK)
                    .filter(|one| matches!(one.kind, Some(Keyword::Env | Keyword::Arg)))
                    .flat_map(|one| one.pairs());
                pairs.any(|pair| pair.key.text == *key)
            });
            if let (Some((_, pair)), false) = (user, before) {
                let span = pair
                    .value
                    .as_ref()
                    .map_or(0..0, |value| env.source(&value.at));
                hits.add(
                    span,
                    format!("${key} is set by this same ENV and not known yet"),
                    "two ENVs",
                );
            }
        }
    }
}

/// Whether a value names a variable: `$NAME`, `${NAME}`.
fn names(value: &str, name: &str) -> bool {
    value.match_indices('$').any(|(at, _)| {
        if value[..at].ends_with('\\') {
            return false;
        }
        let rest = &value[at + 1..];
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.strip_prefix(name)
            .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}
