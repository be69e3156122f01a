//! The table of official images that is compiled in, and its small language.

use std::sync::LazyLock;

use jiff::civil::Date;

/// The table.
pub static OFFICIALS: LazyLock<Officials> =
    LazyLock::new(|| Officials::parse(include_str!("table.txt")).unwrap_or_default());

/// A table of official images, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Officials {
    as_of: Date,
    /// The images, sorted by name.
    pub images: Vec<Official>,
}

/// One official image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Official {
    /// Its name without `library/`.
    pub name: String,
    /// Whether it was given up, and when, where that is known.
    pub gone: Option<Option<Date>>,
    /// The part of a tag that was not given up with the rest: `ea`.
    pub except: Option<String>,
    /// Its lines of releases, oldest version first.
    pub lines: Vec<Line>,
    /// What to use where it, or the line, is over.
    pub instead: Option<String>,
}

/// One line of releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `3.12`: its releases are `3.12` and `3.12.4`.
    pub version: String,
    /// The last day it gets fixes, where one is announced.
    pub until: Option<Date>,
}

impl Officials {
    /// Reads a table; `Err` is the line that cannot be read.
    ///
    /// # Errors
    /// When a line is none, or there is no day.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table = Self::default();
        let mut has_day = false;
        for line in text.lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.strip_prefix("as-of ") {
                Some(day) => {
                    table.as_of = day.parse().map_err(|_| line.to_owned())?;
                    has_day = true;
                }
                None => {
                    let image = row(line).ok_or_else(|| line.to_owned())?;
                    table.images.push(image);
                }
            }
        }
        match has_day {
            true => Ok(table),
            false => Err("there is no day in it".to_owned()),
        }
    }

    /// The day the table was made.
    pub fn as_of(&self) -> Date {
        self.as_of
    }

    /// The image of this name.
    pub fn find(&self, name: &str) -> Option<&Official> {
        let images = &self.images;
        let found = images.binary_search_by(|image| image.name.as_str().cmp(name));
        images.get(found.ok()?)
    }
}

fn row(line: &str) -> Option<Official> {
    let (facts, instead) = match line.split_once(" -> ") {
        Some((facts, instead)) => (facts, Some(instead.to_owned())),
        None => (line, None),
    };
    let mut words = facts.split(' ');
    let name = words.next()?.to_owned();
    let mut official = Official {
        name,
        gone: None,
        except: None,
        lines: Vec::new(),
        instead,
    };
    for word in words {
        if let Some(part) = word.strip_prefix("except:") {
            official.except = Some(part.to_owned());
            continue;
        }
        let (version, until) = match word.split_once(':') {
            Some((version, day)) => (version, Some(day.parse::<Date>().ok()?)),
            None => (word, None),
        };
        match version {
            "gone" => official.gone = Some(until),
            _ => official.lines.push(Line {
                version: version.to_owned(),
                until,
            }),
        }
    }
    Some(official)
}

impl Official {
    /// The line a tag belongs to: `3.12.4-slim` to `3.12`, `centos7` to `7`; none for tags that move from
    /// line to line.
    pub fn line_of(&self, tag: &str) -> Option<&Line> {
        let tag = tag.strip_prefix(&self.name).unwrap_or(tag);
        let lines = self.lines.iter();
        let fitting = lines.filter(|line| begins(tag, &line.version));
        fitting.max_by_key(|line| line.version.len())
    }
}

/// Whether a version, or a tag, begins with `line` and does not go on with the same number.
pub(super) fn begins(tag: &str, line: &str) -> bool {
    let rest = tag.strip_prefix(line);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}
