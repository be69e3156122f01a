//! Makes a slice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::bytes::{Bytes, put_number, put_table};
use super::frame;
use super::row::{self, Intern, Resolve};
use super::{Meta, Origin, SliceError};
use crate::feeds::json;
use crate::{Advisory, Scope};

/// A slice takes no more room than this, in bytes, where shorter titles can see to it: it is fetched by every
/// machine that scans, and a title is no more than a reminder.
pub(super) const ROOM: usize = 2_000_000;
/// How long titles may be, in bytes, the first of these that makes the slice fit.
const TITLES: [usize; 5] = [usize::MAX, 72, 48, 24, 0];

/// Collects advisories and writes them as a slice. The same advisories of the same origins give the
/// same bytes, in whatever order they come.
#[derive(Debug)]
pub struct Builder {
    scope: Scope,
    origins: Vec<Origin>,
    words: Interner,
    texts: Interner,
    /// The rows of each package, with the numbers the words have so far, and each row's origin.
    rows: BTreeMap<Box<str>, Vec<(usize, Vec<u8>)>>,
}

impl Builder {
    /// With nothing in it yet.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            origins: Vec::new(),
            words: Interner::default(),
            texts: Interner::default(),
            rows: BTreeMap::new(),
        }
    }

    /// What it is about.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Says where the advisories that follow come from.
    pub fn origin(&mut self, origin: Origin) {
        self.origins.push(origin);
    }

    /// Says of which day or moment the advisories are that come from the last origin.
    pub fn dated(&mut self, date: &str) {
        if let Some(origin) = self.origins.last_mut() {
            date.clone_into(&mut origin.date);
        }
    }

    /// Adds one.
    pub fn add(&mut self, advisory: &Advisory<'_>) {
        let mut bytes = Vec::new();
        let mut tables = Tables {
            words: &mut self.words,
            texts: &mut self.texts,
        };
        row::write(&mut bytes, advisory, &mut tables);
        let origin = self.origins.len().saturating_sub(1);
        match self.rows.get_mut(advisory.package) {
            Some(rows) => rows.push((origin, bytes)),
            None => {
                let rows = vec![(origin, bytes)];
                self.rows.insert(advisory.package.into(), rows);
            }
        }
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The file.
    pub fn finish(mut self) -> Vec<u8> {
        // The numbers were given as the words came. The rows are read back and written again with
        // those of the sorted tables, which compress better and depend on nothing but the words.
        for name in self.rows.keys() {
            self.words.number(name);
        }
        let given = Given {
            words: self.words.in_order(),
            texts: self.texts.in_order(),
        };
        for origin in &mut self.origins {
            origin.rows = 0;
        }
        let mut all = Vec::new();
        for (name, rows) in &self.rows {
            let read = rows.iter().filter_map(|(origin, bytes)| {
                let row = row::read(&given, name, &mut Bytes::new(bytes));
                Some((row.ok()?, *origin))
            });
            let mut read: Vec<_> = read.collect();
            read.sort();
            // Of the same row from two origins the first counts.
            read.dedup_by(|(later, _), (first, _)| later == first);
            for (_, origin) in &read {
                if let Some(origin) = self.origins.get_mut(*origin) {
                    origin.rows += 1;
                }
            }
            let read = read.into_iter().map(|(advisory, _)| advisory);
            all.push((&**name, read.collect::<Vec<_>>()));
        }
        let meta = Meta {
            scope: self.scope.clone(),
            rows: all.iter().map(|(_, rows)| rows.len() as u64).sum(),
            packages: all.len() as u64,
            origins: self.origins,
            checked: String::new(),
        };
        let words = sorted(&given.words);
        let mut file = Vec::new();
        for longest in TITLES {
            file = packed(&meta, &words, &all, longest);
            if file.len() <= ROOM {
                break;
            }
        }
        file
    }
}

/// The file of these rows by package, with titles of at most so many bytes.
fn packed(
    meta: &Meta,
    words: &[&str],
    all: &[(&str, Vec<Advisory<'_>>)],
    longest: usize,
) -> Vec<u8> {
    let rows = all.iter().flat_map(|(_, rows)| rows);
    let texts = rows.map(|row| [json::short(row.title, longest), row.url]);
    // A row with neither names none; of one with either both are in the table.
    let texts = texts.filter(|texts| texts.iter().any(|text| !text.is_empty()));
    let texts: BTreeSet<&str> = texts.flatten().collect();
    let texts: Vec<&str> = texts.into_iter().collect();
    let mut tables = Tables {
        words: &mut Interner::of(words),
        texts: &mut Interner::of(&texts),
    };
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (name, rows) in all {
        let start = data.len();
        for row in rows {
            row::write(&mut data, &with_short_title(row, longest), &mut tables);
        }
        put_number(&mut index, tables.word(name));
        put_number(&mut index, rows.len() as u32);
        put_number(&mut index, (data.len() - start) as u32);
    }
    let mut body = Vec::new();
    put_table(&mut body, words.iter().copied());
    put_number(&mut body, all.len() as u32);
    body.append(&mut index);
    body.append(&mut data);
    let mut texts_body = Vec::new();
    put_table(&mut texts_body, texts.iter().copied());
    frame::close(meta, &body, &texts_body)
}

fn with_short_title<'a>(row: &Advisory<'a>, longest: usize) -> Advisory<'a> {
    Advisory {
        title: json::short(row.title, longest),
        ..row.clone()
    }
}

/// Words and the numbers they were given, from 0 in the order they came.
#[derive(Debug, Default)]
struct Interner(HashMap<Box<str>, u32>);

impl Interner {
    /// In which every word has its place as its number.
    fn of(words: &[&str]) -> Self {
        let numbered = words.iter().zip(0..);
        Self(
            numbered
                .map(|(&word, number)| (word.into(), number))
                .collect(),
        )
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(&number) = self.0.get(word) {
            return number;
        }
        let number = self.0.len() as u32;
        self.0.insert(word.into(), number);
        number
    }

    /// The words by their numbers.
    fn in_order(&self) -> Vec<&str> {
        let mut numbered: Vec<_> = self
            .0
            .iter()
            .map(|(word, &number)| (number, &**word))
            .collect();
        numbered.sort_unstable();
        numbered.into_iter().map(|(_, word)| word).collect()
    }
}

fn sorted<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut words = words.to_vec();
    words.sort_unstable();
    words
}

struct Tables<'a> {
    words: &'a mut Interner,
    texts: &'a mut Interner,
}

impl Intern for Tables<'_> {
    fn word(&mut self, word: &str) -> u32 {
        self.words.number(word)
    }

    fn text(&mut self, text: &str) -> u32 {
        self.texts.number(text)
    }
}

/// The words and texts in the order they came.
struct Given<'a> {
    words: Vec<&'a str>,
    texts: Vec<&'a str>,
}

impl Resolve for Given<'_> {
    fn word(&self, number: u32) -> Result<&str, SliceError> {
        let word = self.words.get(number as usize).copied();
        word.ok_or(SliceError::Corrupt("a word is not in its table"))
    }

    fn text(&self, number: u32) -> Result<&str, SliceError> {
        let text = self.texts.get(number as usize).copied();
        text.ok_or(SliceError::Corrupt("a text is not in its table"))
    }
}
