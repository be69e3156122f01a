//! Comments that silence rules: `# hadolint ignore=DL3008`, `# check=skip=...`,
//! `# plimsoll ignore=...`.

use std::collections::BTreeMap;

use super::Hit;
use crate::dockerfile::Dockerfile;

/// What is silenced, in the whole file and at single instructions.
#[derive(Default)]
pub(super) struct Ignores {
    everywhere: Vec<Ignore>,
    /// By the number of the instruction.
    at: BTreeMap<usize, Vec<Ignore>>,
}

/// One name, or all names of one tool.
enum Ignore {
    Name(String),
    All(Tool),
}

/// Who gave a name.
#[derive(Clone, Copy, PartialEq)]
enum Tool {
    Hadolint,
    Buildkit,
    Plimsoll,
}

impl Ignores {
    pub(super) fn of(file: &Dockerfile) -> Self {
        let mut ignores = Self::default();
        for directive in &file.directives {
            if directive.name == "check" {
                check(&directive.value, &mut ignores.everywhere);
            }
        }
        for (index, instruction) in file.instructions.iter().enumerate() {
            let mut here = Vec::new();
            for comment in &instruction.comments {
                comment_of(&comment.text, &mut here, &mut ignores.everywhere);
            }
            if !here.is_empty() {
                ignores.at.insert(index, here);
            }
        }
        ignores
    }

    /// Takes out what is silenced.
    pub(super) fn apply(&self, file: &Dockerfile, hits: &mut Vec<Hit>) {
        if self.everywhere.is_empty() && self.at.is_empty() {
            return;
        }
        hits.retain(|hit| {
            let after = file
                .instructions
                .partition_point(|instruction| instruction.span.start <= hit.span.start);
            let here = after.checked_sub(1).and_then(|index| self.at.get(&index));
            let mut all = self.everywhere.iter().chain(here.into_iter().flatten());
            !all.any(|ignore| ignore.silences(hit))
        });
    }
}

impl Ignore {
    fn silences(&self, hit: &Hit) -> bool {
        match self {
            Self::Name(name) => {
                let mut aliases = hit.aliases.iter();
                hit.rule.id == name || aliases.any(|alias| alias.eq_ignore_ascii_case(name))
            }
            Self::All(Tool::Plimsoll) => true,
            Self::All(tool) => hit.aliases.iter().any(|alias| tool_of(alias) == *tool),
        }
    }
}

/// Who names findings like this: `DL3008` and `SC2086` are hadolint's, words in camel case BuildKit's.
fn tool_of(alias: &str) -> Tool {
    let number = alias.trim_start_matches(|c: char| c.is_ascii_uppercase());
    match number.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Tool::Hadolint,
        false => Tool::Buildkit,
    }
}

fn comment_of(text: &str, here: &mut Vec<Ignore>, everywhere: &mut Vec<Ignore>) {
    if let Some((name, rest)) = text.split_once('=')
        && name.trim() == "check"
    {
        check(rest, here);
        return;
    }
    let (tool, rest) = match text.split_once(char::is_whitespace) {
        Some(("hadolint", rest)) => (Tool::Hadolint, rest.trim_start()),
        Some(("plimsoll", rest)) => (Tool::Plimsoll, rest.trim_start()),
        _ => return,
    };
    let (rest, into) = match rest.strip_prefix("global") {
        Some(rest) => (rest.trim_start(), everywhere),
        None => (rest, here),
    };
    if let Some(names) = rest.strip_prefix("ignore")
        && let Some(names) = names.trim_start().strip_prefix('=')
    {
        into.extend(listed(names, tool));
    }
}

/// `skip=A,B;error=true`.
fn check(text: &str, into: &mut Vec<Ignore>) {
    for option in text.split(';') {
        if let Some((name, names)) = option.split_once('=')
            && name.trim() == "skip"
        {
            into.extend(listed(names, Tool::Buildkit));
        }
    }
}

/// Names between commas; a reason may follow behind a blank.
fn listed(text: &str, tool: Tool) -> Vec<Ignore> {
    let mut names = Vec::new();
    // `A, B` is a list as well, `A because ...` is not.
    for part in text.split(',') {
        let part = part.trim();
        let name = part.split_whitespace().next().unwrap_or_default();
        names.push(match name {
            "" => continue,
            "all" => Ignore::All(tool),
            name => Ignore::Name(name.to_owned()),
        });
        if name.len() < part.len() {
            break;
        }
    }
    names
}
