//! The instructions that made an image, as its history holds them.

use plimsoll_model::{Evidence, Subject, text};

/// The instructions, oldest first, without what builders wrap around them.
pub(crate) fn instructions(subject: &Subject) -> Vec<String> {
    let history = subject.image.config.history.iter();
    history
        .filter_map(|step| step.created_by.as_deref())
        .map(text::instruction)
        .collect()
}

/// The simple commands of a `RUN`, as far as `&&`, `||`, `;`, `|` and line feeds part them.
pub(crate) fn commands(instruction: &str) -> impl Iterator<Item = Vec<&str>> {
    let body = instruction.strip_prefix("RUN ").unwrap_or("");
    body.split(['&', ';', '|', '\n'])
        .map(|command| command.split_whitespace().collect::<Vec<_>>())
        .filter(|words| !words.is_empty())
}

/// An instruction as evidence, cut where it is long.
pub(crate) fn evidence(instruction: &str) -> Evidence {
    Evidence::Config {
        key: "HISTORY",
        value: short(instruction),
    }
}

/// The beginning of an instruction.
pub(crate) fn short(instruction: &str) -> String {
    const SHOWN: usize = 120;
    let mut shown: String = instruction.chars().take(SHOWN).collect();
    if shown.len() < instruction.len() {
        shown.push('…');
    }
    text::printable(shown.as_bytes())
}
