//! The tags of official images as somebody fetched them, in one small file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use super::library::is_tag;

/// The first word of the file.
const SCHEMA: &str = "plimsoll-official-images/1";
/// How many days what was fetched counts: tags come and go with every release.
pub const FRESH_DAYS: i64 = 60;
/// More images are not believed.
const MAX_IMAGES: usize = 5000;

/// The tags that were built, by image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The day they were fetched.
    pub date: Date,
    /// Whether what is missing is no official image; otherwise nobody asked for it.
    pub complete: bool,
    /// Where they were fetched from, without credentials.
    pub source: String,
    images: BTreeMap<String, BTreeSet<String>>,
}

/// Why such a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedError {
    /// Its number from 1.
    pub line: usize,
    /// Why, as a phrase.
    pub why: &'static str,
}

impl fmt::Display for ListedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for ListedError {}

impl Listed {
    /// Whether it is young enough on the day `today` to say which tags are built.
    pub fn is_fresh(&self, today: Date) -> bool {
        today.duration_since(self.date).as_hours() / 24 <= FRESH_DAYS
    }

    /// Those of one image; `None` if it is not there.
    pub fn tags(&self, name: &str) -> Option<&BTreeSet<String>> {
        self.images.get(name)
    }

    /// Puts in what is built of an image.
    pub fn insert(&mut self, name: &str, tags: BTreeSet<String>) {
        self.images.insert(name.to_owned(), tags);
    }

    /// The images, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.images.keys().map(String::as_str)
    }

    /// How many images and tags there are.
    pub fn count(&self) -> (usize, usize) {
        (
            self.images.len(),
            self.images.values().map(BTreeSet::len).sum(),
        )
    }

    /// As a file.
    pub fn write(&self) -> String {
        let extent = if self.complete { "complete" } else { "partial" };
        let source: String = self.source.chars().filter(|c| !c.is_control()).collect();
        let mut text = format!("{SCHEMA} {} {extent} {source}\n", self.date);
        for (name, tags) in &self.images {
            text.push_str(name);
            for tag in tags {
                text.push(' ');
                text.push_str(tag);
            }
            text.push('\n');
        }
        text
    }

    /// Reads such a file.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str) -> Result<Self, ListedError> {
        let error = |line, why| ListedError { line, why };
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        let mut words = head.splitn(4, ' ');
        if words.next() != Some(SCHEMA) {
            return Err(error(1, "is not of official images"));
        }
        let date = words.next().and_then(|day| day.parse().ok());
        let date = date.ok_or_else(|| error(1, "has no day"))?;
        let complete = match words.next() {
            Some("complete") => true,
            Some("partial") => false,
            _ => return Err(error(1, "does not say whether it is complete")),
        };
        let mut listed = Self {
            date,
            complete,
            source: words.next().unwrap_or_default().to_owned(),
            images: BTreeMap::new(),
        };
        for (index, line) in lines.enumerate() {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default();
            let tags: BTreeSet<String> = words.map(str::to_owned).collect();
            if name.is_empty() || !tags.iter().all(|tag| is_tag(tag)) {
                return Err(error(index + 2, "is no image with its tags"));
            }
            if listed.images.len() >= MAX_IMAGES {
                return Err(error(index + 2, "there are more images than are believed"));
            }
            listed.images.insert(name.to_owned(), tags);
        }
        Ok(listed)
    }
}
