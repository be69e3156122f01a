//! What differs between two starts of one image.

use std::collections::BTreeMap;

use plimsoll_model::startup::{Prepared, Stage, What};
use plimsoll_model::text::printable;
use plimsoll_model::{ImagePath, Startup};

/// Variables that a shell or a runtime sets anew for every program: no part of what was prepared.
const PASSING: [&[u8]; 5] = [b"HOSTNAME", b"PWD", b"OLDPWD", b"SHLVL", b"_"];

/// Variables of a stage by name, without those that shell and runtime set anew.
pub(super) fn environment(stage: &Stage) -> BTreeMap<&[u8], &[u8]> {
    let pairs = stage.environment.iter().filter_map(|pair| {
        let at = pair.iter().position(|&byte| byte == b'=')?;
        Some((&pair[..at], &pair[at + 1..]))
    });
    pairs.filter(|(name, _)| !PASSING.contains(name)).collect()
}

/// What differs between two starts, as sentences without a subject; empty if they came to the same
/// server with the same preparation. Variables of these names do not count.
pub fn differences(one: &Startup, other: &Startup, ignored: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let (Some(server), Some(second)) = (one.server(), other.server()) else {
        found.push("one start came to no server".to_owned());
        return found;
    };
    let program = |stage: &Stage| printable(&stage.command.program);
    if server.command.program != second.command.program {
        found.push(format!(
            "one start became {}, another {}",
            program(server),
            program(second)
        ));
        return found;
    }
    if server.command.arguments != second.command.arguments {
        found.push(format!(
            "{} is started as `{}` once, and as `{}` another time",
            program(server),
            line(server),
            line(second)
        ));
    }
    if server.directory != second.directory {
        found.push(format!(
            "{} is started in different directories",
            program(server)
        ));
    }
    if server.who != second.who {
        found.push(format!("{} runs as different users", program(server)));
    }
    let (first, last) = (environment(server), environment(second));
    for name in first
        .keys()
        .chain(last.keys())
        .collect::<std::collections::BTreeSet<_>>()
    {
        let is_ignored = ignored.iter().any(|other| other.as_bytes() == *name);
        if first.get(name) != last.get(name) && !is_ignored {
            found.push(format!(
                "the variable {} has different values",
                printable(name)
            ));
        }
    }
    for path in one
        .prepared
        .keys()
        .chain(other.prepared.keys())
        .collect::<std::collections::BTreeSet<_>>()
    {
        if let Some(how) = differ(one.prepared.get(path), other.prepared.get(path)) {
            let by = one.prepared.get(path).or_else(|| other.prepared.get(path));
            found.push(format!("{path}{} {how}", by_whom(by)));
        }
    }
    found
}

/// `, written by SCRIPT,`.
fn by_whom(prepared: Option<&Prepared>) -> String {
    match prepared.map(|prepared| &*prepared.by) {
        None | Some("") => String::new(),
        Some(by) => format!(", the work of {by},"),
    }
}

fn differ(one: Option<&Prepared>, other: Option<&Prepared>) -> Option<String> {
    let (Some(one), Some(other)) = (one, other) else {
        let only = one.or(other)?;
        return match only.what {
            // Something below it was changed in one of them, and is named itself.
            What::Directory { fresh: false } => None,
            What::Gone => Some("is removed in one start and not in another".to_owned()),
            _ => Some("is made or changed in one start and not in another".to_owned()),
        };
    };
    if one.what != other.what {
        return Some("is not the same from start to start".to_owned());
    }
    if (one.mode, one.owner) != (other.mode, other.owner) {
        return Some("has not the same mode and owner from start to start".to_owned());
    }
    None
}

/// The command line of a stage, for a sentence.
pub(super) fn line(stage: &Stage) -> String {
    let words: Vec<String> = stage
        .command
        .arguments
        .iter()
        .map(|word| printable(word))
        .collect();
    words.join(" ")
}

/// Whether a path is one that the runtime supplies, or lies below one.
pub(super) fn is_supplied(path: &ImagePath) -> bool {
    ["/proc", "/sys", "/dev"]
        .iter()
        .any(|root| path.starts_with(root))
        || is_written_by_runtime(path)
}

/// The files a runtime writes before the image starts.
pub(super) fn is_written_by_runtime(path: &ImagePath) -> bool {
    let written: [&[u8]; 4] = [
        b"/etc/hosts",
        b"/etc/hostname",
        b"/etc/resolv.conf",
        b"/etc/mtab",
    ];
    written.contains(&path.as_bytes())
}
