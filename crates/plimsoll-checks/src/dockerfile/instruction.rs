//! What an instruction is, and whether BuildKit would take it: flags, numbers of arguments, forms.

use super::{Arguments, Dockerfile, Flag, Instruction, heredoc};

/// The instructions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keyword {
    /// `ADD`
    Add,
    /// `ARG`
    Arg,
    /// `CMD`
    Cmd,
    /// `COPY`
    Copy,
    /// `ENTRYPOINT`
    Entrypoint,
    /// `ENV`
    Env,
    /// `EXPOSE`
    Expose,
    /// `FROM`
    From,
    /// `HEALTHCHECK`
    Healthcheck,
    /// `LABEL`
    Label,
    /// `MAINTAINER`
    Maintainer,
    /// `ONBUILD`
    Onbuild,
    /// `RUN`
    Run,
    /// `SHELL`
    Shell,
    /// `STOPSIGNAL`
    Stopsignal,
    /// `USER`
    User,
    /// `VOLUME`
    Volume,
    /// `WORKDIR`
    Workdir,
}

impl Keyword {
    /// All of them, by name.
    pub const ALL: [Self; 18] = [
        Self::Add,
        Self::Arg,
        Self::Cmd,
        Self::Copy,
        Self::Entrypoint,
        Self::Env,
        Self::Expose,
        Self::From,
        Self::Healthcheck,
        Self::Label,
        Self::Maintainer,
        Self::Onbuild,
        Self::Run,
        Self::Shell,
        Self::Stopsignal,
        Self::User,
        Self::Volume,
        Self::Workdir,
    ];

    /// The instruction of this name, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|keyword| keyword.name().eq_ignore_ascii_case(word))
    }

    /// Its name in capitals.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Arg => "ARG",
            Self::Cmd => "CMD",
            Self::Copy => "COPY",
            Self::Entrypoint => "ENTRYPOINT",
            Self::Env => "ENV",
            Self::Expose => "EXPOSE",
            Self::From => "FROM",
            Self::Healthcheck => "HEALTHCHECK",
            Self::Label => "LABEL",
            Self::Maintainer => "MAINTAINER",
            Self::Onbuild => "ONBUILD",
            Self::Run => "RUN",
            Self::Shell => "SHELL",
            Self::Stopsignal => "STOPSIGNAL",
            Self::User => "USER",
            Self::Volume => "VOLUME",
            Self::Workdir => "WORKDIR",
        }
    }

    /// The flags it takes, by how often and with what.
    fn flags(self) -> &'static [(&'static str, Takes)] {
        use Takes::{Many, One, Switch};
        match self {
            Self::Add => &[
                ("checksum", One),
                ("chmod", One),
                ("chown", One),
                ("exclude", Many),
                ("keep-git-dir", Switch),
                ("link", Switch),
                ("unpack", Switch),
            ],
            Self::Copy => &[
                ("chmod", One),
                ("chown", One),
                ("exclude", Many),
                ("from", One),
                ("link", Switch),
                ("parents", Switch),
            ],
            Self::From => &[("platform", One)],
            Self::Healthcheck => &[
                ("interval", One),
                ("retries", One),
                ("start-interval", One),
                ("start-period", One),
                ("timeout", One),
            ],
            Self::Run => &[
                ("device", Many),
                ("mount", Many),
                ("network", One),
                ("security", One),
            ],
            _ => &[],
        }
    }
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Switch,
    One,
    Many,
}

/// Why no build takes this file, beside what a single instruction has wrong.
pub fn misplaced(file: &Dockerfile) -> Option<(&Instruction, String)> {
    let first = file.instructions.first()?;
    for instruction in &file.instructions {
        match instruction.kind {
            Some(Keyword::From) => return None,
            Some(Keyword::Arg) | None => {}
            Some(kind) => {
                let message = format!("{} stands before the first FROM", kind.name());
                return Some((instruction, message));
            }
        }
    }
    Some((first, "there is no FROM".to_owned()))
}

/// Why no build takes this instruction; nothing for one that is fine.
pub fn fault(instruction: &Instruction) -> Option<String> {
    let Some(kind) = instruction.kind else {
        return Some(match &*instruction.keyword.text {
            "" => "a line continues nothing".to_owned(),
            word => format!("`{word}` is no instruction"),
        });
    };
    if !unchecked(instruction, kind)
        && let Some(fault) = instruction
            .flags
            .iter()
            .enumerate()
            .find_map(|(index, flag)| flag_fault(kind, flag, &instruction.flags[..index]))
    {
        return Some(fault);
    }
    arguments_fault(instruction, kind)
}

/// Flags that BuildKit does not look at.
fn unchecked(instruction: &Instruction, kind: Keyword) -> bool {
    match &instruction.arguments {
        Arguments::Health(word, _) => word.text.eq_ignore_ascii_case("none"),
        _ => matches!(kind, Keyword::Arg | Keyword::Stopsignal),
    }
}

fn flag_fault(kind: Keyword, flag: &Flag, before: &[Flag]) -> Option<String> {
    let name = &flag.name;
    let known = kind.flags().iter().find(|(known, _)| known == name);
    let Some((_, takes)) = known else {
        return Some(format!("{} has no flag --{name}", kind.name()));
    };
    if *takes != Takes::Many && before.iter().any(|other| other.name == *name) {
        return Some(format!("--{name} is given twice"));
    }
    let value = match (takes, &flag.value) {
        (Takes::Switch, None) => return None,
        (Takes::Switch, Some(value)) => {
            let word = value.to_ascii_lowercase();
            return (!matches!(&*word, "true" | "false"))
                .then(|| format!("--{name} is true or false, not `{value}`"));
        }
        (_, None) => return Some(format!("--{name} needs a value")),
        (_, Some(value)) => value,
    };
    let choice = |choices: &[&str]| {
        (!choices.contains(&&**value) && !value.contains('$'))
            .then(|| format!("--{name} is one of {}, not `{value}`", choices.join(", ")))
    };
    match &**name {
        "network" => choice(&["default", "none", "host"]),
        "security" => choice(&["sandbox", "insecure"]),
        "mount" => mount_fault(value),
        "interval" | "timeout" | "start-period" | "start-interval" => {
            duration_fault(value).then(|| format!("--{name} is no duration: `{value}`"))
        }
        "retries" => (!value.is_empty() && !value.parse::<i32>().is_ok_and(|number| number >= 0))
            .then(|| format!("--{name} is no number: `{value}`")),
        _ => None,
    }
}

/// The keys a mount may have.
const MOUNT_KEYS: [&str; 19] = [
    "destination",
    "dst",
    "env",
    "from",
    "gid",
    "id",
    "mode",
    "readonly",
    "readwrite",
    "required",
    "ro",
    "rw",
    "sharing",
    "size",
    "source",
    "src",
    "target",
    "type",
    "uid",
];

fn mount_fault(value: &str) -> Option<String> {
    if value.is_empty() {
        return Some("--mount is empty".to_owned());
    }
    for field in value.split(',') {
        let field = field.trim_matches('"');
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_ascii_lowercase(), Some(value)),
            None => (field.to_ascii_lowercase(), None),
        };
        if key.contains('$') || value.is_some_and(|value| value.contains('$')) {
            if key == "from" {
                return Some("--mount takes no variable in from".to_owned());
            }
            continue;
        }
        if !MOUNT_KEYS.contains(&&*key) {
            return Some(format!("--mount has no key `{key}`"));
        }
        let types = ["bind", "cache", "tmpfs", "secret", "ssh"];
        let value = value.unwrap_or_default();
        if key == "type" && !types.contains(&&*value.to_ascii_lowercase()) {
            return Some(format!("--mount has no type `{value}`"));
        }
    }
    None
}

/// Whether this is not a duration as Go writes it: `1h30m`, `1.5s`, `500ms`, `0`.
fn duration_fault(text: &str) -> bool {
    if text.is_empty() || text == "0" || text.contains('$') {
        return false;
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number = &rest[..digits];
        if !number.contains(|c: char| c.is_ascii_digit()) || number.matches('.').count() > 1 {
            return true;
        }
        let after = &rest[digits..];
        let units = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
        let unit = units
            .into_iter()
            .filter(|unit| after.starts_with(unit))
            .max_by_key(|unit| unit.len());
        let Some(unit) = unit else { return true };
        rest = &after[unit.len()..];
    }
    text == "+"
}

fn arguments_fault(instruction: &Instruction, kind: Keyword) -> Option<String> {
    let name = kind.name();
    let words = instruction.words();
    let at_least_one = || {
        let nothing = matches!(instruction.arguments, Arguments::None)
            || matches!(&instruction.arguments, Arguments::Pairs(pairs) if pairs.is_empty())
            || matches!(&instruction.arguments, Arguments::Json(words) if words.is_empty());
        nothing.then(|| format!("{name} has no argument"))
    };
    match kind {
        Keyword::Add | Keyword::Copy => {
            if words.len() < 2 {
                return Some(format!("{name} needs a source and a destination"));
            }
            let last = words.last()?;
            matches!(heredoc::one(&last.text), Ok(Some(_)))
                .then(|| format!("the destination of {name} is a here-document"))
        }
        Keyword::From => match words {
            [_] => None,
            [_, middle, stage] if middle.text.eq_ignore_ascii_case("as") => {
                let name = stage.text.to_lowercase();
                let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
                    && name.bytes().all(|byte| {
                        byte.is_ascii_lowercase()
                            || byte.is_ascii_digit()
                            || matches!(byte, b'-' | b'_' | b'.')
                    });
                (!valid).then(|| {
                    format!(
                        "`{}` cannot be the name of a stage: a letter, then letters, digits, - _ .",
                        stage.text
                    )
                })
            }
            _ => Some("FROM has one argument, or three: IMAGE AS NAME".to_owned()),
        },
        Keyword::Env | Keyword::Label | Keyword::Arg => at_least_one().or_else(|| {
            let mut pairs = instruction.pairs().iter();
            let blank = pairs.any(|pair| pair.key.text.is_empty());
            blank.then(|| format!("{name} has a value without a name"))
        }),
        Keyword::Expose | Keyword::Onbuild => at_least_one().or_else(|| {
            let Arguments::Onbuild(inner) = &instruction.arguments else {
                return None;
            };
            match inner.kind {
                Some(kind @ (Keyword::Onbuild | Keyword::From | Keyword::Maintainer)) => {
                    Some(format!("ONBUILD cannot put off {}", kind.name()))
                }
                _ => None,
            }
        }),
        Keyword::Volume => at_least_one().or_else(|| {
            let empty = words.iter().any(|word| word.text.trim().is_empty());
            empty.then(|| "VOLUME has an empty path".to_owned())
        }),
        Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir => {
            at_least_one()
        }
        Keyword::Shell => at_least_one().or_else(|| {
            let json = instruction.arguments.is_json();
            (!json).then(|| "SHELL needs a JSON array".to_owned())
        }),
        Keyword::Healthcheck => match &instruction.arguments {
            Arguments::Health(word, command) => {
                let nothing = match &**command {
                    Arguments::None => true,
                    Arguments::Json(words) => words.is_empty(),
                    _ => false,
                };
                match &*word.text.to_ascii_uppercase() {
                    "NONE" if nothing => None,
                    "NONE" => Some("HEALTHCHECK NONE takes no argument".to_owned()),
                    "CMD" if nothing => Some("HEALTHCHECK CMD has no command".to_owned()),
                    "CMD" => None,
                    other => Some(format!("HEALTHCHECK knows CMD and NONE, not {other}")),
                }
            }
            _ => Some("HEALTHCHECK has no argument".to_owned()),
        },
        Keyword::Cmd | Keyword::Entrypoint | Keyword::Run => None,
    }
}
