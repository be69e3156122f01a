//! Marks on vulnerabilities, by CVE number: known to be exploited, likely to be.
//!
//! A file of marks is framed like a slice, and its scope is `kev` or `epss`. Its body is sorted by
//! number, cut into blocks of 256; the first number and the place of each block come before them, so
//! that a look-up reads one.

use std::collections::BTreeMap;

use jiff::civil::Date;
use plimsoll_model::Digest;

use crate::slice::frame::{self, Bytes, put_number};
use crate::{Meta, Origin, Scope, SliceError};

/// Marks in one block.
const BLOCK: usize = 256;

/// A CVE number: its year, and the number within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cve {
    year: u16,
    number: u32,
}

/// That a vulnerability is known to be exploited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kev {
    /// The day CISA listed it.
    pub added: Date,
    /// It was used for ransomware.
    pub ransomware: bool,
}

/// How likely a vulnerability is to be exploited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epss {
    /// The probability within thirty days, 0 to 1.
    pub score: f32,
    /// The share of all vulnerabilities that are as likely or less, 0 to 1.
    pub percentile: f32,
}

/// The marks of one kind.
#[derive(Debug)]
pub struct Marks {
    meta: Meta,
    digest: Digest,
    body: Vec<u8>,
    /// The first number of each block, and where the block begins.
    blocks: Vec<(Cve, usize)>,
    end: usize,
}

/// The scope of the known exploited vulnerabilities.
pub(crate) fn kev_scope() -> Scope {
    Scope::fixed("kev")
}

/// The scope of the scores.
pub(crate) fn epss_scope() -> Scope {
    Scope::fixed("epss")
}

impl Cve {
    /// Parses `CVE-2024-12345`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, number) = text.strip_prefix("CVE-")?.split_once('-')?;
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (digits(year) && digits(number)).then_some(())?;
        Some(Self {
            year: year.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

impl Marks {
    /// Reads a file of marks that lies in memory.
    ///
    /// # Errors
    /// When it is none, of another version, cut short, or has another digest than it says.
    pub fn read(file: &[u8]) -> Result<Self, SliceError> {
        let (meta, digest, body) = frame::open(file)?;
        if ![kev_scope(), epss_scope()].contains(&meta.scope) {
            return Err(SliceError::Corrupt("it holds advisories, not marks"));
        }
        let mut reader = Bytes::new(&body);
        let count = reader.count()?;
        let mut blocks = Vec::with_capacity(count);
        let mut sizes = Vec::with_capacity(count);
        for _ in 0..count {
            blocks.push(cve(&mut reader)?);
            sizes.push(reader.size()?);
        }
        let mut end = reader.position();
        let mut starts = Vec::with_capacity(count);
        for (first, size) in blocks.into_iter().zip(sizes) {
            starts.push((first, end));
            end = end
                .checked_add(size)
                .filter(|&end| end <= body.len())
                .ok_or(SliceError::Corrupt("a block leads out of it"))?;
        }
        Ok(Self {
            meta,
            digest,
            body,
            blocks: starts,
            end,
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

    /// Since when this vulnerability is known to be exploited; `None` where it is not listed, or where
    /// these are other marks.
    pub fn kev(&self, wanted: Cve) -> Option<Kev> {
        let (added, ransomware) = self.find(&kev_scope(), wanted)?;
        let added = frame::date(added).ok().flatten()?;
        Some(Kev {
            added,
            ransomware: ransomware == 1,
        })
    }

    /// The score of this vulnerability; `None` where it has none, or where these are other marks.
    pub fn epss(&self, wanted: Cve) -> Option<Epss> {
        let (score, percentile) = self.find(&epss_scope(), wanted)?;
        let share = |number: u32| number as f32 / PARTS;
        Some(Epss {
            score: share(score),
            percentile: share(percentile),
        })
    }

    fn find(&self, scope: &Scope, wanted: Cve) -> Option<(u32, u32)> {
        if self.meta.scope != *scope {
            return None;
        }
        let after = self.blocks.partition_point(|(first, _)| *first <= wanted);
        let (_, start) = *self.blocks.get(after.checked_sub(1)?)?;
        let end = self.blocks.get(after).map_or(self.end, |(_, start)| *start);
        let mut reader = Bytes::new(self.body.get(start..end)?);
        while !reader.is_empty() {
            let found = cve(&mut reader).ok()?;
            let values = (reader.number().ok()?, reader.number().ok()?);
            if found == wanted {
                return Some(values);
            }
        }
        None
    }
}

/// Scores are kept as millionths.
const PARTS: f32 = 1_000_000.0;

fn cve(reader: &mut Bytes<'_>) -> Result<Cve, SliceError> {
    let year = u16::try_from(reader.number()?);
    Ok(Cve {
        year: year.map_err(|_| SliceError::Corrupt("a year is too large"))?,
        number: reader.number()?,
    })
}

/// A file of known exploited vulnerabilities.
pub(crate) fn write_kev(marks: &BTreeMap<Cve, Kev>, origins: Vec<Origin>) -> Vec<u8> {
    let values = marks.iter().map(|(cve, kev)| {
        let added = frame::date_number(Some(kev.added));
        (*cve, added, u32::from(kev.ransomware))
    });
    write(kev_scope(), origins, values.collect())
}

/// A file of scores.
pub(crate) fn write_epss(marks: &BTreeMap<Cve, Epss>, origins: Vec<Origin>) -> Vec<u8> {
    let parts = |share: f32| (share * PARTS).round() as u32;
    let values = marks
        .iter()
        .map(|(cve, epss)| (*cve, parts(epss.score), parts(epss.percentile)));
    write(epss_scope(), origins, values.collect())
}

fn write(scope: Scope, origins: Vec<Origin>, marks: Vec<(Cve, u32, u32)>) -> Vec<u8> {
    let put_cve = |bytes: &mut Vec<u8>, cve: Cve| {
        put_number(bytes, u32::from(cve.year));
        put_number(bytes, cve.number);
    };
    let blocks: Vec<_> = marks.chunks(BLOCK).collect();
    let (mut body, mut data) = (Vec::new(), Vec::new());
    put_number(&mut body, blocks.len() as u32);
    for block in blocks {
        let start = data.len();
        for &(cve, first, second) in block {
            put_cve(&mut data, cve);
            put_number(&mut data, first);
            put_number(&mut data, second);
        }
        put_cve(&mut body, block[0].0);
        put_number(&mut body, (data.len() - start) as u32);
    }
    body.append(&mut data);
    let meta = Meta {
        scope,
        rows: marks.len() as u64,
        packages: 0,
        origins,
        checked: String::new(),
    };
    frame::close(&meta, &body, &[])
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn marks_are_found_again_in_any_block() {
        let marks: BTreeMap<Cve, Epss> = (1..2000)
            .map(|number| {
                let cve = Cve {
                    year: 2000 + (number / 100) as u16,
                    number: number * 7,
                };
                let score = number as f32 / 2000.0;
                let percentile = 0.5;
                (cve, Epss { score, percentile })
            })
            .collect();
        let file = write_epss(&marks, Vec::new());
        let read = Marks::read(&file).unwrap();
        for (cve, epss) in &marks {
            let found = read.epss(*cve).unwrap();
            assert!((found.score - epss.score).abs() < 1e-6, "{cve:?}");
            assert_eq!(read.kev(*cve), None, "other marks");
        }
        let absent = ["CVE-1999-1", "CVE-2001-8", "CVE-2020-1"];
        for cve in absent.map(|text| Cve::parse(text).unwrap()) {
            assert_eq!(read.epss(cve), None);
        }
        for end in 0..file.len() {
            assert!(Marks::read(&file[..end]).is_err());
        }
    }

    #[test]
    fn exploited_ones_keep_their_day() {
        let cve = Cve::parse("CVE-2021-44228").unwrap();
        let kev = Kev {
            added: date(2021, 12, 10),
            ransomware: true,
        };
        let read = Marks::read(&write_kev(&[(cve, kev)].into(), Vec::new())).unwrap();
        assert_eq!(read.kev(cve), Some(kev));
        assert_eq!(Cve::parse("CVE-2021-"), None);
        assert_eq!(Cve::parse("CVE-2021-1a"), None);
        assert_eq!(Cve::parse("GHSA-2021-1"), None);
    }
}
