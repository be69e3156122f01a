//! The ignore file: which vulnerabilities count for nothing, why, and until when; and which packages nobody
//! can judge are accepted so.
//!
//! ```text
//! # One a line: the identifier, the last day on which it holds, and the reason.
//! CVE-2021-1234  until=2026-12-31  # the parser is not reachable from outside
//! CVE-2021-9999  package=libfoo*   # only in this package
//! # A package that cannot be judged, accepted until a day.
//! not-judged  package=nginx-module-njs  until=2026-12-31  # read by hand in November
//! # A distribution release that nobody fixes any more, accepted until a day.
//! end-of-life  until=2026-12-31  # we have the fixes of a paid support; the next base is due in December
//! ```
//!
//! or the same as TOML:
//!
//! ```toml
//! [[ignore]]
//! id = "CVE-2021-1234"
//! package = "libfoo*"
//! reason = "the parser is not reachable from outside"
//! until = 2026-12-31
//! ```
//!
//! What cannot be judged is accepted by name and until a day, never all of it and for ever: somebody looked
//! at this package by other means, and will again. Data that are missing, empty, old or unreadable are no
//! package's, and where nothing at all was judged, nothing is accepted that would make it fine.
//!
//! Everything ignored is in the report with its reason. An entry that ignores nothing, or not any
//! longer, is stale and said to be so: nobody cleans up what nobody sees.

use std::fmt;

use plimsoll_model::vulnerability::{Accepted, Lack, Quiet, Unjudged};
use plimsoll_model::{ScanFacts, Vulnerability};

use crate::Date;
use forms::{by_line, by_table, is_toml};

mod forms;

/// What stands in the place of an identifier to accept a package that cannot be judged.
const NOT_JUDGED: &str = "not-judged";
/// What stands in the place of an identifier to accept a release that nobody fixes any more: the name of the
/// check that finds it.
const END_OF_LIFE: &str = "end-of-life";
/// So many letters and digits a pattern of packages has before its first wildcard: fewer are half of all.
const LETTERS: usize = 3;
/// So many days ahead an acceptance may reach: a year.
const DAYS_AHEAD: i32 = 366;

/// An ignore file, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignores {
    /// What the file is called in reports.
    pub name: String,
    /// Its entries, in their order.
    pub entries: Vec<Ignore>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// The identifier, or one of the other names of it; `not-judged` for packages that are not.
    pub id: String,
    /// Only in packages of this name, installed or source (a glob); in all of them if empty.
    pub package: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Option<Date>,
    /// The line it begins in, counted from 1; 0 where that is not known.
    pub line: usize,
}

/// Why an ignore file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreError {
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, as a phrase.
    pub why: String,
}

impl fmt::Display for IgnoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.why),
            line => write!(f, "line {line}: {}", self.why),
        }
    }
}

impl std::error::Error for IgnoreError {}

impl Ignores {
    /// How entries are written, in the form of this file: for whoever has one that is not understood.
    pub fn form(text: &str) -> &'static str {
        if is_toml(text) {
            "one table each: `[[ignore]]`, `id = \"CVE-2026-1\"` (or `\"not-judged\"`, with a package), \
             `package = \"zlib*\"`, `until = 2026-12-31`, `reason = \"why\"`"
        } else {
            "one line each: `CVE-2026-1 until=2026-12-31 package=zlib* # why`, or `not-judged \
             package=nginx-module-* until=2026-12-31 # why`"
        }
    }

    /// Reads an ignore file on the day `today`.
    ///
    /// # Errors
    /// With the first line that is not understood, has no reason, or accepts more than somebody can have
    /// looked at.
    pub fn parse(name: &str, text: &str, today: Date) -> Result<Self, IgnoreError> {
        let entries = if is_toml(text) {
            by_table(text)?
        } else {
            by_line(text)?
        };
        let reasonless = entries.iter().find(|entry| entry.reason.trim().is_empty());
        if let Some(entry) = reasonless {
            return Err(IgnoreError {
                line: entry.line,
                why: format!("{} is ignored without a reason", entry.id),
            });
        }
        if let Some((entry, why)) = entries
            .iter()
            .find_map(|entry| Some((entry, entry.lacks(today)?)))
        {
            return Err(IgnoreError {
                line: entry.line,
                why,
            });
        }
        Ok(Self {
            name: name.to_owned(),
            entries,
        })
    }

    /// Takes out of `facts` what is ignored on the day `today`, and notes which entries are stale.
    pub fn apply(&self, facts: &mut ScanFacts, today: Date) {
        let mut used = vec![false; self.entries.len()];
        let all = std::mem::take(&mut facts.vulnerabilities);
        for vulnerability in all {
            let mut fitting = self.entries.iter().zip(&mut used);
            let found = fitting.find(|(entry, _)| entry.fits(&vulnerability) && entry.holds(today));
            let Some((entry, used)) = found else {
                facts.vulnerabilities.push(vulnerability);
                continue;
            };
            *used = true;
            facts.quiet.push(Quiet {
                vulnerability,
                by: self.name.clone(),
                status: "ignored".to_owned(),
                reason: entry.reason.clone(),
                justification: String::new(),
                until: entry.until.map(|day| day.to_string()),
            });
        }
        self.accept(facts, today, &mut used);
        self.accept_end(facts, today, &mut used);
        let stale = self.entries.iter().zip(&used).filter(|&(_, &used)| !used);
        let sentences = stale.map(|(entry, _)| {
            let place = match entry.line {
                0 => self.name.clone(),
                line => format!("{} line {line}", self.name),
            };
            let (id, package) = (&entry.id, &entry.package);
            match entry.until {
                Some(until) if until < today && entry.is_acceptance() => format!(
                    "{place}: {package} was accepted without being judged until {until}, and is not any more"
                ),
                Some(until) if until < today => {
                    format!("{place}: {id} was ignored until {until}, and is not any more")
                }
                _ if entry.is_of_an_end() => format!(
                    "{place}: {id} is accepted, and the release here is not known to be over"
                ),
                _ if entry.is_acceptance() => format!(
                    "{place}: {package} is accepted without being judged, and no package of that name is \
                     here that cannot be"
                ),
                _ => format!("{place}: {id} is ignored, and nothing here has it"),
            }
        });
        facts.stale_ignores.extend(sentences);
    }

    /// Takes it out of what hinders a verdict that the release is over, where that is accepted.
    fn accept_end(&self, facts: &mut ScanFacts, today: Date, used: &mut [bool]) {
        let Some(ended) = &mut facts.ended else {
            return;
        };
        let mut fitting = self.entries.iter().zip(used);
        let found = fitting.find(|(entry, _)| entry.is_of_an_end() && entry.holds(today));
        let Some((entry, used)) = found else {
            return;
        };
        *used = true;
        ended.accepted = Some(Accepted {
            package: facts.distribution.clone(),
            why: format!("nobody fixes it since {}", ended.on),
            by: self.name.clone(),
            reason: entry.reason.clone(),
            until: entry.until.map(|day| day.to_string()).unwrap_or_default(),
        });
        facts.unjudged.retain(|it| it.lack != Lack::Release);
    }

    /// Takes packages that could not be judged out of what hinders a verdict, where they are accepted.
    fn accept(&self, facts: &mut ScanFacts, today: Date, used: &mut [bool]) {
        for unjudged in std::mem::take(&mut facts.unjudged) {
            let mut left = Vec::new();
            let is_about_packages = !unjudged.packages.is_empty();
            for package in unjudged.packages {
                let mut fitting = self.entries.iter().zip(used.iter_mut());
                let found =
                    fitting.find(|(entry, _)| entry.accepts(&package) && entry.holds(today));
                let Some((entry, used)) = found else {
                    left.push(package);
                    continue;
                };
                // It is not stale, but what is missing is not the package's.
                *used = true;
                if unjudged.lack != Lack::Package {
                    left.push(package);
                    continue;
                }
                facts.accepted.push(Accepted {
                    package,
                    why: unjudged.why.clone(),
                    by: self.name.clone(),
                    reason: entry.reason.clone(),
                    until: entry.until.map(|day| day.to_string()).unwrap_or_default(),
                });
            }
            // What is about the whole image stays, as do the packages nobody accepted.
            if !is_about_packages || !left.is_empty() {
                facts.unjudged.push(Unjudged {
                    packages: left,
                    ..unjudged
                });
            }
        }
        // A verdict of nothing is none, whoever accepts it.
        if facts.judged == 0 && facts.unjudged.is_empty() && !facts.accepted.is_empty() {
            facts.unjudged.push(Unjudged {
                why: "not one package could be judged: what is accepted leaves nothing".to_owned(),
                ..Unjudged::default()
            });
        }
    }
}

impl Ignore {
    /// Whether it accepts packages that cannot be judged.
    fn is_acceptance(&self) -> bool {
        self.id.eq_ignore_ascii_case(NOT_JUDGED)
    }

    /// Whether it accepts that the distribution release is over.
    fn is_of_an_end(&self) -> bool {
        self.id.eq_ignore_ascii_case(END_OF_LIFE)
    }

    /// What an acceptance must say and does not.
    fn lacks(&self, today: Date) -> Option<String> {
        if !self.is_acceptance() && !self.is_of_an_end() {
            return None;
        }
        let id = &self.id;
        if self.is_of_an_end() && !self.package.is_empty() {
            return Some(format!(
                "{id} is about the distribution release, and not about packages"
            ));
        }
        if self.is_acceptance() && !is_named(&self.package) {
            return Some(format!(
                "not-judged accepts packages by name, with {LETTERS} letters of it before any `*`: \
                 `package=nginx-module-*`"
            ));
        }
        let Some(until) = self.until else {
            return Some(format!(
                "{id} needs the last day on which it holds: `until=2026-12-31`"
            ));
        };
        let days = today.until(until).map_or(i32::MAX, |span| span.get_days());
        (days > DAYS_AHEAD)
            .then(|| format!("{id} holds for a year at most, and {until} is more than that ahead"))
    }

    /// Whether it accepts this package, given as `name version`.
    fn accepts(&self, package: &str) -> bool {
        let name = package.split(' ').next().unwrap_or(package);
        self.is_acceptance() && fast_glob::glob_match(&self.package, name)
    }

    fn fits(&self, vulnerability: &Vulnerability) -> bool {
        let same = |id: &String| id.eq_ignore_ascii_case(&self.id);
        let package = &vulnerability.package;
        let named = |name: &str| fast_glob::glob_match(&self.package, name);
        (same(&vulnerability.id) || vulnerability.aliases.iter().any(same))
            && (self.package.is_empty() || named(&package.name) || named(&package.source))
    }

    fn holds(&self, today: Date) -> bool {
        self.until.is_none_or(|until| today <= until)
    }
}

/// Whether a pattern names packages, and is not nearly all of them.
fn is_named(pattern: &str) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    // `!` turns a pattern round, and braces hide what one begins with.
    if pattern.starts_with('!') || pattern.contains(['{', '}', '\\']) {
        return false;
    }
    match pattern.find(['*', '?', '[']) {
        Some(wild) => {
            pattern.as_bytes()[..wild]
                .iter()
                .filter(|it| is_letter(it))
                .count()
                >= LETTERS
        }
        None => pattern.bytes().any(|byte| is_letter(&byte)),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_model::vulnerability::Affected;

    use super::*;

    fn facts(rows: &[(&str, &str)]) -> ScanFacts {
        let one = |&(id, package): &(&str, &str)| Vulnerability {
            id: id.to_owned(),
            aliases: vec![format!("{id}-ALIAS")],
            package: Affected {
                name: package.to_owned(),
                source: "source".to_owned(),
                ..Affected::default()
            },
            ..Vulnerability::default()
        };
        ScanFacts {
            vulnerabilities: rows.iter().map(one).collect(),
            ..ScanFacts::default()
        }
    }

    fn today() -> Date {
        "2026-06-01".parse().unwrap()
    }

    fn left(facts: &ScanFacts) -> Vec<String> {
        let left = facts.vulnerabilities.iter();
        left.map(|it| format!("{} {}", it.id, it.package.name))
            .collect()
    }

    #[test]
    fn what_is_ignored_is_kept_with_its_reason_and_what_is_stale_is_said() {
        let text = "# head\n\nCVE-1 until=2026-06-01 # not reachable\nCVE-2 package=lib* # no input\n\
                    CVE-3 exp:2026-05-31 # later\nCVE-9 # gone\ncve-4-alias # by another name\n";
        let ignores = Ignores::parse("ignore", text, today()).unwrap();
        let mut facts = facts(&[
            ("CVE-1", "a"),
            ("CVE-2", "libx"),
            ("CVE-2", "tool"),
            ("CVE-3", "a"),
            ("CVE-4", "a"),
        ]);
        ignores.apply(&mut facts, "2026-06-01".parse().unwrap());
        assert_eq!(left(&facts), ["CVE-2 tool", "CVE-3 a"]);
        let quiet: Vec<_> = facts
            .quiet
            .iter()
            .map(|it| (&*it.vulnerability.id, &*it.reason))
            .collect();
        assert_eq!(
            quiet,
            [
                ("CVE-1", "not reachable"),
                ("CVE-2", "no input"),
                ("CVE-4", "by another name")
            ]
        );
        assert_eq!(
            facts.stale_ignores,
            [
                "ignore line 5: CVE-3 was ignored until 2026-05-31, and is not any more",
                "ignore line 6: CVE-9 is ignored, and nothing here has it",
            ]
        );
    }

    #[test]
    fn a_package_nobody_can_judge_is_accepted_by_name_until_a_day() {
        let text = "not-judged package=nginx-module-* until=2026-06-30 # read by hand\n\
                    not-judged package=old until=2026-05-31 # once\n\
                    not-judged package=gone until=2026-06-30 # not here\n";
        let ignores = Ignores::parse("ignore", text, today()).unwrap();
        let unjudged = |why: &str, packages: &[&str]| Unjudged {
            why: why.to_owned(),
            packages: packages.iter().map(|&it| it.to_owned()).collect(),
            lack: Lack::Package,
        };
        let stale = unjudged("the data are old", &[]);
        let mut facts = ScanFacts {
            judged: 1,
            unjudged: vec![
                unjudged("nobody watches it", &["nginx-module-njs 1.2", "old 1"]),
                unjudged("no data", &["nginx-module-otel 1", "nginx-module-njs 1.2"]),
                stale.clone(),
            ],
            ..ScanFacts::default()
        };
        ignores.apply(&mut facts, "2026-06-01".parse().unwrap());
        assert_eq!(
            facts.unjudged,
            [unjudged("nobody watches it", &["old 1"]), stale]
        );
        let accepted: Vec<_> = facts
            .accepted
            .iter()
            .map(|it| (&*it.package, &*it.why, &*it.by, &*it.reason, &*it.until))
            .collect();
        let day = "2026-06-30";
        assert_eq!(
            accepted,
            [
                (
                    "nginx-module-njs 1.2",
                    "nobody watches it",
                    "ignore",
                    "read by hand",
                    day
                ),
                (
                    "nginx-module-otel 1",
                    "no data",
                    "ignore",
                    "read by hand",
                    day
                ),
                (
                    "nginx-module-njs 1.2",
                    "no data",
                    "ignore",
                    "read by hand",
                    day
                ),
            ]
        );
        assert_eq!(
            facts.stale_ignores,
            [
                "ignore line 2: old was accepted without being judged until 2026-05-31, and is not any more",
                "ignore line 3: gone is accepted without being judged, and no package of that name is here \
                 that cannot be",
            ]
        );
        // Never everything, never for ever, never without a reason.
        for text in [
            "not-judged until=2026-06-30 # x\n",
            "not-judged package=* until=2026-06-30 # x\n",
            "not-judged package=x # x\n",
            "not-judged package=x until=2026-06-30\n",
            "[[ignore]]\nid = \"not-judged\"\npackage = \"**\"\nreason = \"x\"\nuntil = 2026-06-30\n",
            "not-judged package=[!0]* until=2026-06-30 # x\n",
            "not-judged package=?* until=2026-06-30 # x\n",
            "not-judged package=li* until=2026-06-30 # x\n",
            "not-judged package={nginx,*} until=2026-06-30 # x\n",
            "not-judged package=nginx{,*} until=2026-06-30 # x\n",
            "not-judged package=!nginx until=2026-06-30 # x\n",
            "not-judged package=nginx until=2027-06-03 # x\n",
            "not-judged package=nginx until=9999-12-31 # x\n",
        ] {
            assert!(Ignores::parse("x", text, today()).is_err(), "{text}");
        }
        for text in [
            "not-judged package=jq until=2027-06-01 # x\n",
            "not-judged package=lib*[0-9] until=2026-06-30 # x\n",
        ] {
            assert!(Ignores::parse("x", text, today()).is_ok(), "{text}");
        }
    }

    #[test]
    fn nobody_accepts_data_that_are_missing_nor_a_verdict_of_nothing() {
        let text = "not-judged package=nginx* until=2026-06-30 # x\n";
        let ignores = Ignores::parse("ignore", text, today()).unwrap();
        let after = |lack: Lack, judged: u64| {
            let mut facts = ScanFacts {
                judged,
                unjudged: vec![Unjudged {
                    why: "why".to_owned(),
                    packages: vec!["nginx 1".to_owned()],
                    lack,
                }],
                ..ScanFacts::default()
            };
            ignores.apply(&mut facts, today());
            assert_eq!(facts.stale_ignores, [""; 0]);
            let left = facts.unjudged.iter().map(|it| it.why.clone());
            (left.collect::<Vec<_>>(), facts.accepted.len())
        };
        assert_eq!(after(Lack::Data, 9), (vec!["why".to_owned()], 0));
        assert_eq!(after(Lack::Package, 9), (Vec::new(), 1));
        let (left, accepted) = after(Lack::Package, 0);
        assert_eq!((left.len(), accepted), (1, 1));
        assert!(
            left[0].contains("not one package could be judged"),
            "{left:?}"
        );
    }

    #[test]
    fn the_end_of_a_release_is_accepted_until_a_day_and_with_a_reason() {
        let over = || ScanFacts {
            ended: Some(plimsoll_model::vulnerability::Ended {
                on: "2024-06-30".to_owned(),
                ..Default::default()
            }),
            unjudged: vec![
                Unjudged {
                    why: "it is over".to_owned(),
                    lack: Lack::Release,
                    ..Unjudged::default()
                },
                Unjudged {
                    why: "the data are old".to_owned(),
                    ..Unjudged::default()
                },
            ],
            judged: 3,
            ..ScanFacts::default()
        };
        let text = "end-of-life until=2026-06-30 # we pay for fixes\n";
        let ignores = Ignores::parse("ignore", text, today()).unwrap();
        let mut facts = over();
        ignores.apply(&mut facts, today());
        let left: Vec<&str> = facts.unjudged.iter().map(|it| &*it.why).collect();
        assert_eq!(left, ["the data are old"]);
        let accepted = facts.ended.unwrap().accepted.unwrap();
        assert_eq!(accepted.reason, "we pay for fixes");
        assert_eq!(facts.stale_ignores, [""; 0]);
        // When its day is over it hinders again; where nothing is over, it is stale.
        let mut facts = over();
        ignores.apply(&mut facts, "2026-07-01".parse().unwrap());
        assert_eq!(facts.unjudged.len(), 2);
        assert!(facts.ended.unwrap().accepted.is_none());
        assert!(facts.stale_ignores[0].contains("was ignored until 2026-06-30"));
        let mut facts = ScanFacts::default();
        ignores.apply(&mut facts, today());
        assert!(facts.stale_ignores[0].contains("the release here is not known to be over"));
        for text in [
            "end-of-life # x\n",
            "end-of-life until=2026-06-30\n",
            "end-of-life until=2028-06-30 # x\n",
            "end-of-life package=libc* until=2026-06-30 # x\n",
        ] {
            assert!(Ignores::parse("x", text, today()).is_err(), "{text}");
        }
    }

    #[test]
    fn tables_say_the_same() {
        let text = "[[ignore]]\nid = \"CVE-2\"\npackage = \"source\"\nreason = \"why\"\nuntil = 2026-06-01\n";
        let ignores = Ignores::parse("x.toml", text, today()).unwrap();
        let mut facts = facts(&[("CVE-2", "a")]);
        ignores.apply(&mut facts, "2026-06-01".parse().unwrap());
        assert_eq!(left(&facts), [""; 0]);
        assert_eq!(facts.quiet[0].until.as_deref(), Some("2026-06-01"));
    }

    #[test]
    fn what_has_no_reason_or_no_sense_is_refused_with_its_line() {
        for (text, why) in [
            ("CVE-1\n", "line 1: CVE-1 is ignored without a reason"),
            (
                "\nCVE-1 until=soon # x\n",
                "line 2: `soon` is no day, such as 2026-12-31",
            ),
            ("CVE-1 what # x\n", "line 1: `what` is not understood"),
            (
                "[[ignore]]\nid = \"CVE-1\"\n",
                "CVE-1 is ignored without a reason",
            ),
            (
                "CVE-1 package= # x\n",
                "line 1: `package=` names no package; leave it out to mean all of them",
            ),
            (
                "[[ignore]]\nid = \"CVE-1\"\npackage = \"\"\nreason = \"x\"\n",
                "`package=` names no package; leave it out to mean all of them",
            ),
            (
                "CVE-1 package=a package=b # x\n",
                "line 1: `package=b` says `package` a second time",
            ),
            (
                "CVE-1 until=2026-06-01 exp:2027-06-01 # x\n",
                "line 1: `exp:2027-06-01` says `until` a second time",
            ),
        ] {
            let refused = Ignores::parse("x", text, today()).unwrap_err();
            assert_eq!(refused.to_string(), why);
        }
        for text in ["[[ignore]]\nidd = 1\n", "[ignore]\nid = 1\n"] {
            assert!(Ignores::parse("x", text, today()).is_err());
            assert!(Ignores::form(text).contains("[[ignore]]"));
            assert!(Ignores::form(text).contains("not-judged"));
        }
        assert!(!Ignores::form("CVE-1\n").contains("[["));
    }
}
