//! `broken-exec-form`: brackets that are no JSON.

use crate::dockerfile::{Arguments, Instruction, Keyword};
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// The exec form is JSON: double quotes, commas between, none at the end. What is not is taken
    /// as a shell command that begins with a bracket, which then is not found, or is `test`.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// CMD ['app', '--serve']
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// CMD ["app", "--serve"]
    /// RUN [ -d /app ] || mkdir /app
    /// ```
    ///
    /// ## Remedy
    ///
    /// Double quotes: `CMD ["app", "--serve"]`.
    id: "broken-exec-form",
    summary: "an exec form that is no JSON",
    severity: Medium,
    aliases: ["JSONArgsRecommended", "DL3025"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let kinds = [
        Keyword::Cmd,
        Keyword::Entrypoint,
        Keyword::Run,
        Keyword::Healthcheck,
    ];
    for instruction in kinds
        .into_iter()
        .flat_map(|kind| sheet.of(kind))
        .map(|(_, it)| it)
    {
        let arguments = match &instruction.arguments {
            Arguments::Health(_, command) => command,
            arguments => arguments,
        };
        let Arguments::Text(word) = arguments else {
            continue;
        };
        if meant(&word.text) {
            let span = instruction.source(&word.at);
            hits.add(
                span,
                format!(
                    "{} looks like an exec form but is no JSON",
                    name(instruction)
                ),
                format!("{} [\"program\", \"argument\"]", name(instruction)),
            );
        }
    }
}

/// Brackets around words in quotes; `[ -d x ]` is a test.
fn meant(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('[') else {
        return false;
    };
    let inner = inner.trim_start();
    let quoted = inner.starts_with(['"', '\'', '“', '”', '‘']);
    quoted
        && text.trim_end().ends_with(']')
        && (inner.contains(',') || !inner.contains(" = "))
        && !text.contains("&&")
        && !text.contains("||")
}

fn name(instruction: &Instruction) -> &'static str {
    instruction.kind.map_or("", Keyword::name)
}
