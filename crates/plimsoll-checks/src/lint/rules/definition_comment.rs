//! `definition-comment`: a comment that is taken as documentation.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// The builder shows the comment above an `ARG` or a stage as its description, if it begins with the
    /// name. This rule is an experiment of BuildKit's and speaks only where the file asks for it.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # check=experimental=InvalidDefinitionDescription
    /// ARG VERSION=13.1
    /// # which release we want
    /// # finding
    /// ARG SUFFIX=-slim
    /// FROM docker.io/library/debian:${VERSION}${SUFFIX}
    /// USER 10001
    /// ```
    ///
    /// ## Not a finding
    ///
    /// ```dockerfile
    /// # check=experimental=all
    /// # VERSION of the distribution
    /// ARG VERSION=13.1
    /// FROM docker.io/library/debian:${VERSION}-slim
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// `# NAME what it is`, or an empty comment between.
    id: "definition-comment",
    summary: "a comment above a definition does not begin with its name",
    severity: Info,
    aliases: ["InvalidDefinitionDescription"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let asked = sheet.file.directives.iter().any(|directive| {
        directive.name == "check"
            && directive.value.split(';').any(|option| {
                let names = option.trim().strip_prefix("experimental=");
                names.is_some_and(|names| {
                    let mut names = names.split(',').map(str::trim);
                    names.any(|name| name == "all" || name == "InvalidDefinitionDescription")
                })
            })
    });
    if !asked {
        return;
    }
    for instruction in &sheet.file.instructions {
        // Not a description but a word to this tool or another.
        let Some(comment) = instruction
            .comments
            .iter()
            .rev()
            .find(|comment| comment.text != "finding")
        else {
            continue;
        };
        let names: Vec<String> = match instruction.kind {
            Some(Keyword::Arg) => instruction
                .pairs()
                .iter()
                .map(|pair| pair.key.text.clone())
                .collect(),
            Some(Keyword::From) => match instruction.words() {
                [_, _, name] => vec![name.text.to_lowercase()],
                _ => continue,
            },
            _ => continue,
        };
        let first = comment.text.split(' ').next().unwrap_or_default();
        if let (Some(name), false) = (names.first(), names.iter().any(|name| name == first)) {
            hits.add(
                instruction.source(&instruction.keyword.at),
                format!("the comment above is taken as the description of {name}"),
                format!("# {name} what it is"),
            );
        }
    }
}
