//! The two forms an ignore file has, read into entries; whether an entry may be is asked by whoever reads one.

use serde::Deserialize;

use super::{Ignore, IgnoreError};
use crate::Date;

/// Whether an ignore file is written in tables: no identifier begins with a bracket.
pub(super) fn is_toml(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with('['))
}

/// The entries of a file with one a line.
pub(super) fn by_line(text: &str) -> Result<Vec<Ignore>, IgnoreError> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let failed = |why: String| IgnoreError {
            line: line_number,
            why,
        };
        let (words, reason) = line.split_once('#').unwrap_or((line, ""));
        let mut words = words.split_whitespace();
        let Some(id) = words.next() else {
            continue;
        };
        let mut entry = Ignore {
            id: id.to_owned(),
            package: String::new(),
            reason: reason.trim().to_owned(),
            until: None,
            line: line_number,
        };
        let mut keys = Vec::new();
        for word in words {
            let key = match word.split_once(['=', ':']) {
                Some(("until" | "exp", _)) => "until",
                Some((key, _)) => key,
                None => "",
            };
            if keys.contains(&key) {
                return Err(failed(format!("`{word}` says `{key}` a second time")));
            }
            keys.push(key);
            // `exp:` is what files of other scanners have.
            match word.split_once(['=', ':']) {
                Some(("until" | "exp", day)) => entry.until = Some(date(day).map_err(failed)?),
                Some(("package", "")) => return Err(failed(NAMELESS.to_owned())),
                Some(("package", name)) => name.clone_into(&mut entry.package),
                _ => return Err(failed(format!("`{word}` is not understood"))),
            }
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// What is wrong with an empty `package`: it would be all of them.
const NAMELESS: &str = "`package=` names no package; leave it out to mean all of them";

fn date(text: &str) -> Result<Date, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no day, such as 2026-12-31"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    ignore: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    id: String,
    package: Option<String>,
    #[serde(default)]
    reason: String,
    until: Option<toml::Value>,
}

/// The entries of a file of tables.
pub(super) fn by_table(text: &str) -> Result<Vec<Ignore>, IgnoreError> {
    let whole = |why: String| IgnoreError { line: 0, why };
    let file: File = toml::from_str(text).map_err(|error| whole(error.message().to_owned()))?;
    let entries = file.ignore.into_iter().map(|table| {
        let until = match table.until {
            None => None,
            Some(toml::Value::Datetime(day)) => Some(date(&day.to_string()).map_err(whole)?),
            Some(toml::Value::String(day)) => Some(date(&day).map_err(whole)?),
            Some(other) => return Err(whole(format!("`until = {other}` is no day"))),
        };
        if table.package.as_deref() == Some("") {
            return Err(whole(NAMELESS.to_owned()));
        }
        Ok(Ignore {
            id: table.id,
            package: table.package.unwrap_or_default(),
            reason: table.reason,
            until,
            line: 0,
        })
    });
    entries.collect()
}
