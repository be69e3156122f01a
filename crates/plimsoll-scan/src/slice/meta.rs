//! The head of a slice: what it is, and from which data it was made.

use plimsoll_model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{MAGIC, SliceError};
use crate::feeds::{Address, addresses};
use crate::{Date, Scope};

/// What a slice is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// What it is about.
    pub scope: Scope,
    /// How many advisories it has.
    pub rows: u64,
    /// How many packages it has advisories about.
    pub packages: u64,
    /// The data it was made from, in the order they were read.
    pub origins: Vec<Origin>,
    /// The last moment at which the publishers, asked, had nothing newer (RFC 3339); empty where nobody
    /// asked since the data were read. It is kept beside the slice, whose bytes say nothing of it: asking
    /// changes none of them.
    pub checked: String,
}

/// Data a slice was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The feed: the identifier of a row of [`crate::FEEDS`].
    pub feed: String,
    /// Where the data came from: an address without credentials, or a file's name.
    pub from: String,
    /// The day or moment the data are of (RFC 3339), by their own account or their server's, the older of
    /// the two; empty where neither says.
    pub date: String,
    /// The moment they were fetched or read (RFC 3339).
    pub read: String,
    /// The digest of the data, as `sha256:<hex>`.
    pub digest: String,
    /// How many advisories of the slice came from them.
    pub rows: u64,
    /// Whether the feed lists flaws that are not fixed too. Where it does not, no finding is no
    /// proof: an unfixed flaw would not be there.
    pub lists_unfixed: bool,
}

impl Origin {
    /// The last day on which the data are known to have been the newest there were, by which their age is
    /// counted.
    ///
    /// What the publisher itself gave is as new as the day it was asked, and when asked again had nothing
    /// else. A copy (a mirror, a file) is of the day it states, whenever it was read: it may have been old
    /// then, and that it has not changed since says nothing. Where it states none, nobody knows.
    fn day(&self, is_publishers: bool, checked: Option<Date>) -> Option<Date> {
        let read = day(&self.read);
        if is_publishers {
            return read.max(checked);
        }
        // A clock that is wrong makes nothing newer than the day it was read.
        let stated = day(&self.date)?;
        Some(read.map_or(stated, |read| stated.min(read)))
    }
}

/// The day of a day or moment (RFC 3339).
fn day(moment: &str) -> Option<Date> {
    moment.get(..10)?.parse().ok()
}

impl Meta {
    /// The moment the data are of by their own or their server's account (the older of the two): that of the
    /// oldest origin; `None` where there is one that does not say.
    pub fn date(&self) -> Option<&str> {
        let dates = self.origins.iter().map(|origin| &*origin.date);
        dates.min().filter(|date| !date.is_empty())
    }

    /// The day from which their age is counted: the last on which all of them are known to have been the
    /// newest there were; `None` where nobody knows of one of the origins.
    pub fn day(&self) -> Option<Date> {
        self.days().min().flatten()
    }

    /// The same of each origin.
    fn days(&self) -> impl Iterator<Item = Option<Date>> {
        let publishers: Vec<String> = addresses(&self.scope)
            .iter()
            .filter_map(Address::url)
            .collect();
        let checked = day(&self.checked);
        self.origins.iter().map(move |origin| {
            let is_publishers = publishers.contains(&origin.from);
            origin.day(is_publishers, checked)
        })
    }

    /// How many days old they are; `None` where nobody knows, also where one of them is of a day that is still
    /// to come: a clock is wrong then. Tomorrow counts as today, which it is elsewhere.
    pub fn age(&self, today: Date) -> Option<i64> {
        let tomorrow = today.tomorrow().ok()?;
        if self.days().flatten().any(|day| day > tomorrow) {
            return None;
        }
        let days = self.day()?.until(today).ok()?.get_days();
        Some(i64::from(days.max(0)))
    }

    /// Reads only the head of a slice, without verifying its digest: for lists of what is there.
    ///
    /// # Errors
    /// When it is no slice.
    pub fn peek(file: &[u8]) -> Result<(Self, Digest), SliceError> {
        let (digest, rest) = digest_line(file)?;
        let (meta, _) = meta_line(rest)?;
        Ok((meta, digest))
    }
}

/// A slice, taken apart.
pub(super) struct Head<'a> {
    pub(super) meta: Meta,
    /// Its digest, verified.
    pub(super) digest: Digest,
    pub(super) body: &'a [u8],
    pub(super) texts: &'a [u8],
    /// The unpacked lengths of the two.
    pub(super) raw: (usize, usize),
}

/// Takes a slice apart; verifies its digest before anything else is believed.
pub(super) fn head(file: &[u8]) -> Result<Head<'_>, SliceError> {
    let (expected, hashed) = digest_line(file)?;
    let found = digest(hashed);
    if found != expected {
        return Err(SliceError::Digest { expected, found });
    }
    let (meta, rest) = meta_line(hashed)?;
    let bad = SliceError::Corrupt("its lengths are not what it has");
    let lengths = |rest| -> Option<((usize, usize), _)> {
        let (line, rest) = line(rest)?;
        let (packed, raw) = line.split_once(' ')?;
        Some(((packed.parse().ok()?, raw.parse().ok()?), rest))
    };
    let (body, rest) = lengths(rest).ok_or(bad.clone())?;
    let (texts, rest) = lengths(rest).ok_or(bad.clone())?;
    if body.0.checked_add(texts.0) != Some(rest.len()) {
        return Err(bad);
    }
    let raw = (body.1, texts.1);
    let (body, texts) = rest.split_at(body.0);
    Ok(Head {
        meta,
        digest: expected,
        body,
        texts,
        raw,
    })
}

/// Writes a slice from its parts, each packed, with its unpacked length.
pub(super) fn assemble(meta: &Meta, body: (&[u8], usize), texts: (&[u8], usize)) -> Vec<u8> {
    let json = serde_json::to_string(&Written::from(meta)).unwrap_or_default();
    let mut hashed = format!("{}\n{json}\n", json.len()).into_bytes();
    for (packed, raw) in [body, texts] {
        hashed.extend_from_slice(format!("{} {raw}\n", packed.len()).as_bytes());
    }
    hashed.extend_from_slice(body.0);
    hashed.extend_from_slice(texts.0);
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(format!("{}\n", digest(&hashed).hex()).as_bytes());
    file.extend_from_slice(&hashed);
    file
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

fn digest_line(file: &[u8]) -> Result<(Digest, &[u8]), SliceError> {
    let Some(rest) = file.strip_prefix(MAGIC) else {
        let version = line(file).and_then(|(line, _)| line.strip_prefix("plimsoll-slice "));
        return Err(match version {
            Some(version) => SliceError::Version(version.to_owned()),
            None => SliceError::NotASlice,
        });
    };
    let read = line(rest).and_then(|(line, rest)| Some((Digest::from_hex(line)?, rest)));
    read.ok_or(SliceError::Corrupt("it has no digest"))
}

fn meta_line(hashed: &[u8]) -> Result<(Meta, &[u8]), SliceError> {
    let read = line(hashed).and_then(|(length, rest)| {
        let length = length.parse().ok()?;
        let json = rest.get(..length)?;
        let rest = rest.get(length..)?.strip_prefix(b"\n")?;
        let written: Written = serde_json::from_slice(json).ok()?;
        Some((written.meta()?, rest))
    });
    read.ok_or(SliceError::Corrupt("it does not say what it is"))
}

/// A short line of text, and what follows it.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(100).position(|&byte| byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// [`Meta`] as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    scope: String,
    rows: u64,
    packages: u64,
    origins: Vec<WrittenOrigin>,
}

#[derive(Serialize, Deserialize)]
struct WrittenOrigin {
    feed: String,
    from: String,
    date: String,
    read: String,
    digest: String,
    rows: u64,
    lists_unfixed: bool,
}

impl From<&Meta> for Written {
    fn from(meta: &Meta) -> Self {
        let origins = meta.origins.iter().cloned().map(|origin| WrittenOrigin {
            feed: origin.feed,
            from: origin.from,
            date: origin.date,
            read: origin.read,
            digest: origin.digest,
            rows: origin.rows,
            lists_unfixed: origin.lists_unfixed,
        });
        Self {
            scope: meta.scope.to_string(),
            rows: meta.rows,
            packages: meta.packages,
            origins: origins.collect(),
        }
    }
}

impl Written {
    fn meta(self) -> Option<Meta> {
        let origins = self.origins.into_iter().map(|origin| Origin {
            feed: origin.feed,
            from: origin.from,
            date: origin.date,
            read: origin.read,
            digest: origin.digest,
            rows: origin.rows,
            lists_unfixed: origin.lists_unfixed,
        });
        Some(Meta {
            scope: Scope::parse(&self.scope)?,
            rows: self.rows,
            packages: self.packages,
            origins: origins.collect(),
            checked: String::new(),
        })
    }
}
