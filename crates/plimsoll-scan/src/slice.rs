//! All advisories of one [`Scope`], in one small file that is read whole and never changed.
//!
//! # The file
//! ```text
//! plimsoll-slice 1\n            the format and its version
//! <64 hexadecimal digits>\n     SHA-256 of all that follows: the digest of the slice
//! <length>\n<JSON>\n            what it is, and from which data it was made
//! <length> <raw length>\n       of the matching data, zstd
//! <length> <raw length>\n       of the texts, zstd
//! <matching data><texts>
//! ```
//! The matching data are the sorted table of all words (identifiers, versions, names), the sorted
//! table of packages, and their rows of some ten bytes each; numbers are LEB128. The texts (titles,
//! addresses) are a second table, so that a scan that prints none does not unpack them.
//!
//! A Debian release has some 45,000 rows: about a megabyte on disk, most of it titles. What is this
//! small is read whole, and needs neither an engine nor a lock.

mod build;
mod bytes;
mod error;
pub(crate) mod frame;
mod meta;
mod row;

pub use build::Builder;
pub use error::SliceError;
pub use meta::{Meta, Origin};

use std::ops::Range as Span;

use plimsoll_model::Digest;

use crate::Advisory;
use bytes::{Bytes, Table};
use row::Resolve;

/// The first line of every slice.
const MAGIC: &[u8] = b"plimsoll-slice 1\n";

/// Whether titles and addresses are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// They are read.
    Read,
    /// They stay packed: [`Advisory::title`] and [`Advisory::url`] are empty.
    Skip,
}

/// All advisories of one distribution release or ecosystem.
///
/// Reading it verifies its digest. Look-ups need no lock: any number of threads may share one.
#[derive(Debug)]
pub struct Slice {
    meta: Meta,
    digest: Digest,
    /// The matching data.
    body: Vec<u8>,
    words: Table,
    /// The unpacked texts, and where each lies.
    texts: Vec<u8>,
    titles: Table,
    packages: Vec<Package>,
}

/// One package and its rows.
#[derive(Debug)]
struct Package {
    name: u32,
    count: u32,
    rows: Span<usize>,
}

impl Slice {
    /// Reads a slice that lies in memory.
    ///
    /// # Errors
    /// When it is no slice, of another version, cut short, or has another digest than it says.
    pub fn read(file: &[u8], texts: Texts) -> Result<Self, SliceError> {
        let head = meta::head(file)?;
        let body = frame::unpack(head.body, head.raw.0)?;
        let texts = match texts {
            Texts::Read => frame::unpack(head.texts, head.raw.1)?,
            Texts::Skip => Vec::new(),
        };
        let mut reader = Bytes::new(&body);
        let words = reader.table()?;
        let count = reader.count()?;
        let mut packages = Vec::with_capacity(count);
        for _ in 0..count {
            packages.push((reader.number()?, reader.number()?, reader.size()?));
        }
        let mut start = reader.position();
        let packages = packages.into_iter().map(|(name, count, length)| {
            let end = start.checked_add(length).filter(|&end| end <= body.len());
            let end = end.ok_or(SliceError::Corrupt("a package leads out of it"))?;
            words.get(&body, name)?;
            let rows = start..end;
            start = end;
            Ok(Package { name, count, rows })
        });
        let packages = packages.collect::<Result<Vec<_>, SliceError>>()?;
        let titles = if texts.is_empty() {
            Table::default()
        } else {
            Bytes::new(&texts).table()?
        };
        Ok(Self {
            meta: head.meta,
            digest: head.digest,
            words,
            packages,
            titles,
            body,
            texts,
        })
    }

    /// What it is, and from which data it was made.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Says when the publishers of its data were last asked: [`Meta::checked`].
    #[must_use]
    pub fn checked(mut self, moment: String) -> Self {
        self.meta.checked = moment;
        self
    }

    /// The digest of its content, verified.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Every advisory about the package of this name, sorted by identifier; empty if there is none.
    ///
    /// # Errors
    /// When its rows are nonsense: whoever wrote the file made it so, digest and all.
    pub fn lookup(&self, package: &str) -> Result<Vec<Advisory<'_>>, SliceError> {
        let name_of = |entry: &Package| self.words.get(&self.body, entry.name).unwrap_or_default();
        match self
            .packages
            .binary_search_by(|entry| name_of(entry).cmp(package))
        {
            Ok(at) => self.rows(&self.packages[at]),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// The names of all packages it has advisories about, sorted.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        let names = self.packages.iter();
        names.map(|entry| self.words.get(&self.body, entry.name).unwrap_or_default())
    }

    /// Every advisory, by package and identifier.
    ///
    /// # Errors
    /// As [`Self::lookup`].
    pub fn all(&self) -> impl Iterator<Item = Result<Advisory<'_>, SliceError>> {
        self.packages.iter().flat_map(|entry| {
            let (rows, error) = match self.rows(entry) {
                Ok(rows) => (rows, None),
                Err(error) => (Vec::new(), Some(error)),
            };
            rows.into_iter().map(Ok).chain(error.map(Err))
        })
    }

    fn rows(&self, package: &Package) -> Result<Vec<Advisory<'_>>, SliceError> {
        let mut reader = Bytes::new(&self.body[package.rows.clone()]);
        let name = self.words.get(&self.body, package.name)?;
        // Two bytes are the least a row has.
        let count = package.count as usize;
        let mut rows = Vec::with_capacity(count.min(package.rows.len() / 2));
        for _ in 0..count {
            rows.push(row::read(self, name, &mut reader)?);
        }
        if reader.is_empty() {
            Ok(rows)
        } else {
            Err(SliceError::Corrupt("a package has more bytes than rows"))
        }
    }
}

impl Resolve for Slice {
    fn word(&self, number: u32) -> Result<&str, SliceError> {
        self.words.get(&self.body, number)
    }

    /// Nothing where texts were not asked for.
    fn text(&self, number: u32) -> Result<&str, SliceError> {
        if self.texts.is_empty() {
            return Ok("");
        }
        self.titles.get(&self.texts, number)
    }
}

#[cfg(test)]
mod tests;
