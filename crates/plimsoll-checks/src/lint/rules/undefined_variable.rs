//! `undefined-variable`: a name that nothing sets.

use crate::dockerfile::stages::Stages;
use crate::dockerfile::{Instruction, Keyword, Word};
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A variable that is not set is empty, without a word: `COPY $SRC/app /app` copies `/app`.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// ARG SOURCE=src
    /// # finding
    /// COPY $SORUCE /app
    /// ```
    ///
    /// ## Not a finding
    ///
    /// What the base may set cannot be known from the file; what has a default needs nothing.
    ///
    /// ```dockerfile
    /// FROM docker.io/library/node:22.11-slim
    /// ARG SOURCE=src
    /// ENV VERSION=$NODE_VERSION
    /// COPY $SOURCE ${TARGET:-/app}
    /// USER 1000
    /// ```
    ///
    /// ## Remedy
    ///
    /// `ARG NAME` or `ENV NAME=...` before it, in this stage.
    id: "undefined-variable",
    summary: "a variable is not set",
    severity: Medium,
    aliases: ["UndefinedVar"],
    run: run,
}

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let file = sheet.file;
    let all = Stages::names(file);
    for stage in &sheet.stages.all {
        // On another system other variables are set, and names are compared without case.
        if sheet.stages.is_windows(stage) {
            continue;
        }
        let mut environment = sheet.stages.environment(file, stage);
        for instruction in sheet.within(stage) {
            for word in expanded(instruction) {
                if !word.text.contains('$') {
                    continue;
                }
                let Ok(expanded) = sheet.stages.expand(word, file.escape, &environment) else {
                    continue;
                };
                for name in &expanded.missing {
                    let braces = format!("${{{name}");
                    let optional = word.text.match_indices(&braces).any(|(at, _)| {
                        word.text[at + braces.len()..].starts_with([':', '-', '+', '?'])
                    });
                    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
                    if optional || !name.starts_with(letter) {
                        continue;
                    }
                    let known = environment.variables.keys().map(String::as_str);
                    let meant = similar(name, known);
                    // It may come from the base; a name much like a known one is a slip all the same.
                    if environment.open && (meant.is_none() || all.contains(&**name)) {
                        continue;
                    }
                    let hint =
                        meant.map_or(String::new(), |other| format!("; did you mean ${other}?"));
                    hits.add(
                        instruction.source(&word.at),
                        format!("nothing sets ${name} before this{hint}"),
                        format!("ARG {name} or ENV {name}=... in this stage"),
                    );
                }
            }
            sheet.stages.step(file, instruction, &mut environment);
        }
    }
}

/// The words in which the builder expands variables.
pub(super) fn expanded(instruction: &Instruction) -> Vec<&Word> {
    match instruction.kind {
        Some(
            Keyword::Add
            | Keyword::Copy
            | Keyword::Expose
            | Keyword::Stopsignal
            | Keyword::User
            | Keyword::Volume
            | Keyword::Workdir,
        ) => instruction.words().iter().collect(),
        Some(Keyword::Env | Keyword::Label) => {
            let pairs = instruction.pairs().iter();
            pairs
                .flat_map(|pair| [Some(&pair.key), pair.value.as_ref()])
                .flatten()
                .collect()
        }
        Some(Keyword::Arg) => {
            let pairs = instruction.pairs().iter();
            pairs.filter_map(|pair| pair.value.as_ref()).collect()
        }
        _ => Vec::new(),
    }
}

/// The one name among others that this is most likely a slip of.
pub(super) fn similar<'a>(name: &str, others: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let close = others.filter(|other| {
        let length = name.len().min(other.len());
        length > 2
            && name.len() <= 64
            && other.len() <= 64
            && distance(name, other) <= if length > 5 { 2 } else { 1 }
            || name.eq_ignore_ascii_case(other)
            || swapped(name, other)
    });
    close.min_by_key(|other| distance(name, other))
}

/// Whether two neighbours changed places.
fn swapped(one: &str, other: &str) -> bool {
    let differ: Vec<usize> = match one.len() == other.len() {
        true => (0..one.len())
            .filter(|&at| one.as_bytes()[at] != other.as_bytes()[at])
            .take(3)
            .collect(),
        false => return false,
    };
    let (one, other) = (one.as_bytes(), other.as_bytes());
    matches!(differ[..], [a, b] if b == a + 1 && one[a] == other[b] && one[b] == other[a])
}

/// How many letters must change (Levenshtein), of short names.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (
        &one.as_bytes()[..one.len().min(64)],
        &other.as_bytes()[..other.len().min(64)],
    );
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
