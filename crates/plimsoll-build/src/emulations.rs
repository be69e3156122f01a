//! What is done in place of the programs maintainer scripts call.
//!
//! A row of [`EMULATIONS`] stands for some commands, or for whole scripts of a package, and does to
//! the tree in memory what they would have done in a freshly installed image. One file per row; the
//! comment on its `EMULATION` is its page. A command that has no row is reported, never guessed.

use crate::shell::{Shell, Stop};

mod accounts;
mod alternatives;
mod apache;
mod ca_certificates;
mod debconf;
mod dpkg;
mod files;
mod ldconfig;
mod machine;
mod pam;
mod services;
mod shadow;
mod shells;
mod sysusers;
mod text;
mod tmpfiles;

/// One row: what stands in for what.
pub struct Emulation {
    /// Kebab-case, equal to the file name.
    pub id: &'static str,
    /// What it does in place of which programs, as Markdown.
    pub page: &'static str,
    /// The commands it stands for, sorted.
    pub commands: &'static [&'static str],
    /// The scripts it replaces as a whole: package and script.
    pub scripts: &'static [(&'static str, &'static str)],
    /// Does it: the words of the call, the command (or the script's name) first; answers the exit
    /// status.
    pub(crate) run: fn(&mut Shell<'_>, &[String]) -> Result<i32, Stop>,
}

/// Declares a row; the doc comment above it is its page.
macro_rules! emulation {
    (
        $(#[doc = $page:expr])+
        id: $id:literal,
        commands: $commands:expr,
        scripts: $scripts:expr,
        run: $run:path $(,)?
    ) => {
        $(#[doc = $page])+
        pub(super) static EMULATION: $crate::emulations::Emulation = $crate::emulations::Emulation {
            id: $id,
            page: concat!($($page, "\n",)+),
            commands: $commands,
            scripts: $scripts,
            run: $run,
        };
    };
}
use emulation;

/// Every emulation, in the order of the ids.
pub static EMULATIONS: &[&Emulation] = &[
    &accounts::EMULATION,
    &alternatives::EMULATION,
    &apache::EMULATION,
    &ca_certificates::EMULATION,
    &debconf::EMULATION,
    &dpkg::EMULATION,
    &files::EMULATION,
    &ldconfig::EMULATION,
    &machine::EMULATION,
    &pam::EMULATION,
    &services::EMULATION,
    &shadow::EMULATION,
    &shells::EMULATION,
    &sysusers::EMULATION,
    &text::EMULATION,
    &tmpfiles::EMULATION,
];

/// The row that stands for a command, which may be written with its directory.
pub(crate) fn for_command(name: &str) -> Option<&'static Emulation> {
    let base = match name.rsplit_once('/') {
        Some((directory, base)) if directory.ends_with("bin") => base,
        Some(_) => name,
        None => name,
    };
    let mut rows = EMULATIONS.iter().copied();
    rows.find(|row| row.commands.contains(&base))
}

/// The row that replaces a script of a package.
pub(crate) fn for_script(package: &str, script: &str) -> Option<&'static Emulation> {
    let mut rows = EMULATIONS.iter().copied();
    rows.find(|row| row.scripts.contains(&(package, script)))
}

/// Options and operands of a call, in the way of `getopt_long`: `--name=value`, `--name value` for
/// the names in `valued`, `-x value` likewise, `--` ends the options.
pub(crate) struct Options<'a> {
    given: Vec<(&'a str, &'a str)>,
    pub(crate) operands: Vec<&'a str>,
}

impl<'a> Options<'a> {
    /// Takes the words behind the command apart.
    pub(crate) fn new(words: &'a [String], valued: &[&str]) -> Self {
        let mut given = Vec::new();
        let mut operands = Vec::new();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if word == "--" {
                operands.extend(words);
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                match long.split_once('=') {
                    Some((name, value)) => given.push((name, value)),
                    None if valued.contains(&long) => {
                        given.push((long, words.next().unwrap_or_default()));
                    }
                    None => given.push((long, "")),
                }
            } else if word.len() > 1 && word.starts_with('-') {
                let mut letters = &word[1..];
                while let Some(letter) = letters.chars().next() {
                    let (option, rest) = letters.split_at(letter.len_utf8());
                    if valued.contains(&option) {
                        let value = if rest.is_empty() {
                            words.next().unwrap_or_default()
                        } else {
                            rest
                        };
                        given.push((option, value));
                        break;
                    }
                    given.push((option, ""));
                    letters = rest;
                }
            } else {
                operands.push(word);
            }
        }
        Self { given, operands }
    }

    /// Whether an option of one of these names was given.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.given.iter().any(|(name, _)| names.contains(name))
    }

    /// The last value given to an option of one of these names.
    pub(crate) fn value(&self, names: &[&str]) -> Option<&'a str> {
        let mut given = self.given.iter().rev();
        given
            .find(|(name, _)| names.contains(name))
            .map(|(_, value)| *value)
    }

    /// Every option that is not among these names.
    pub(crate) fn others(&self, known: &[&str]) -> Vec<&'a str> {
        let given = self.given.iter().map(|(name, _)| *name);
        given.filter(|name| !known.contains(name)).collect()
    }
}

#[cfg(test)]
mod tests;
