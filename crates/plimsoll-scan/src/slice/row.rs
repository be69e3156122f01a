//! One advisory as a row of a slice.
//!
//! Two bytes say what follows: status, kind and the shape of the ranges; severity and which of the
//! optional parts there are. Then come the identifier and the feed, and the parts.

use jiff::civil::Date;
use plimsoll_model::Severity;

use super::SliceError;
use super::bytes::{Bytes, put_number};
use crate::advisory::{Advisory, PackageKind, Range, Status, Until};

/// Bits of the first byte: three of status, one of kind, two of shape.
const BINARY: u8 = 1 << 3;
const SHAPE: u8 = 0b11 << 4;
/// No range.
const NONE: u8 = 0 << 4;
/// Every version before the one that follows.
const BEFORE: u8 = 1 << 4;
/// Every version.
const EVERY: u8 = 2 << 4;
/// Their number, then each.
const LIST: u8 = 3 << 4;

/// Bits of the second byte: three of severity, then one a part.
const ALIASES: u8 = 1 << 3;
const VERSIONS: u8 = 1 << 4;
const CVSS: u8 = 1 << 5;
const DATES: u8 = 1 << 6;
const TEXTS: u8 = 1 << 7;

const SEVERITIES: [Option<Severity>; 6] = [
    None,
    Some(Severity::Info),
    Some(Severity::Low),
    Some(Severity::Medium),
    Some(Severity::High),
    Some(Severity::Critical),
];

/// Knows the words and texts by their numbers.
pub(super) trait Resolve {
    fn word(&self, number: u32) -> Result<&str, SliceError>;
    fn text(&self, number: u32) -> Result<&str, SliceError>;
}

/// Reads the next row.
pub(super) fn read<'a>(
    slice: &'a impl Resolve,
    package: &'a str,
    bytes: &mut Bytes<'_>,
) -> Result<Advisory<'a>, SliceError> {
    let (first, second) = (bytes.byte()?, bytes.byte()?);
    let severity = SEVERITIES.get(usize::from(second & 7)).copied();
    let mut advisory = Advisory {
        id: slice.word(bytes.number()?)?,
        feed: slice.word(bytes.number()?)?,
        package,
        status: Status::ALL[usize::from(first & 7)],
        kind: if first & BINARY == 0 {
            PackageKind::Source
        } else {
            PackageKind::Binary
        },
        severity: severity.ok_or(SliceError::Corrupt("a severity is unknown"))?,
        ..Advisory::default()
    };
    match first & SHAPE {
        BEFORE => advisory
            .ranges
            .push(Range::before(slice.word(bytes.number()?)?)),
        EVERY => advisory.ranges.push(Range::ALL),
        LIST => {
            for _ in 0..bytes.count()? {
                advisory.ranges.push(range(slice, bytes)?);
            }
        }
        _ => {}
    }
    let mut list = |bit| -> Result<Vec<&'a str>, SliceError> {
        if second & bit == 0 {
            return Ok(Vec::new());
        }
        (0..bytes.count()?)
            .map(|_| slice.word(bytes.number()?))
            .collect()
    };
    advisory.aliases = list(ALIASES)?;
    advisory.versions = list(VERSIONS)?;
    advisory.cvss = list(CVSS)?;
    if second & DATES != 0 {
        advisory.published = date(bytes.number()?)?;
        advisory.modified = date(bytes.number()?)?;
    }
    if second & TEXTS != 0 {
        advisory.title = slice.text(bytes.number()?)?;
        advisory.url = slice.text(bytes.number()?)?;
    }
    Ok(advisory)
}

fn range<'a>(slice: &'a impl Resolve, bytes: &mut Bytes<'_>) -> Result<Range<'a>, SliceError> {
    let shape = bytes.byte()?;
    let introduced = match shape & 1 {
        0 => None,
        _ => Some(slice.word(bytes.number()?)?),
    };
    let until = match shape >> 1 {
        0 => Until::Open,
        1 => Until::Fixed(slice.word(bytes.number()?)?),
        2 => Until::Last(slice.word(bytes.number()?)?),
        _ => return Err(SliceError::Corrupt("a range has an unknown shape")),
    };
    Ok(Range { introduced, until })
}

/// Gives words and texts their numbers.
pub(super) trait Intern {
    fn word(&mut self, word: &str) -> u32;
    fn text(&mut self, text: &str) -> u32;
}

/// Appends a row.
pub(super) fn write(bytes: &mut Vec<u8>, advisory: &Advisory<'_>, table: &mut impl Intern) {
    let status = Status::ALL
        .iter()
        .position(|&status| status == advisory.status);
    let kind = match advisory.kind {
        PackageKind::Source => 0,
        PackageKind::Binary => BINARY,
    };
    let shape = match *advisory.ranges {
        [] => NONE,
        [
            Range {
                introduced: None,
                until: Until::Fixed(_),
            },
        ] => BEFORE,
        [Range::ALL] => EVERY,
        _ => LIST,
    };
    let severity = SEVERITIES
        .iter()
        .position(|&severity| severity == advisory.severity);
    let bit = |present, bit| if present { bit } else { 0 };
    bytes.push(status.unwrap_or_default() as u8 | kind | shape);
    bytes.push(
        severity.unwrap_or_default() as u8
            | bit(!advisory.aliases.is_empty(), ALIASES)
            | bit(!advisory.versions.is_empty(), VERSIONS)
            | bit(!advisory.cvss.is_empty(), CVSS)
            | bit(
                advisory.published.is_some() || advisory.modified.is_some(),
                DATES,
            )
            | bit(
                !advisory.title.is_empty() || !advisory.url.is_empty(),
                TEXTS,
            ),
    );
    put_number(bytes, table.word(advisory.id));
    put_number(bytes, table.word(advisory.feed));
    if shape == LIST {
        put_number(bytes, advisory.ranges.len() as u32);
    }
    for range in &advisory.ranges {
        put_range(bytes, range, shape, table);
    }
    for list in [&advisory.aliases, &advisory.versions, &advisory.cvss] {
        if !list.is_empty() {
            put_number(bytes, list.len() as u32);
            for word in list {
                put_number(bytes, table.word(word));
            }
        }
    }
    if advisory.published.is_some() || advisory.modified.is_some() {
        put_number(bytes, number(advisory.published));
        put_number(bytes, number(advisory.modified));
    }
    if !advisory.title.is_empty() || !advisory.url.is_empty() {
        put_number(bytes, table.text(advisory.title));
        put_number(bytes, table.text(advisory.url));
    }
}

fn put_range(bytes: &mut Vec<u8>, range: &Range<'_>, shape: u8, table: &mut impl Intern) {
    let (end, version) = match range.until {
        Until::Open => (0, None),
        Until::Fixed(version) => (1, Some(version)),
        Until::Last(version) => (2, Some(version)),
    };
    if shape == LIST {
        bytes.push(u8::from(range.introduced.is_some()) | end << 1);
    }
    for version in [range.introduced, version].into_iter().flatten() {
        put_number(bytes, table.word(version));
    }
}

/// A day as a number: 512 for a year since 1900, 32 for a month; 0 for none.
pub(crate) fn number(date: Option<Date>) -> u32 {
    date.map_or(0, |date| {
        let year = u32::try_from(i32::from(date.year()) - 1900).unwrap_or_default();
        year << 9 | (date.month() as u32) << 5 | date.day() as u32
    })
}

/// The day of a number.
pub(crate) fn date(number: u32) -> Result<Option<Date>, SliceError> {
    if number == 0 {
        return Ok(None);
    }
    let unknown = SliceError::Corrupt("a day is in no calendar");
    let year = i16::try_from((number >> 9) + 1900).map_err(|_| unknown.clone())?;
    let (month, day) = ((number >> 5 & 15) as i8, (number & 31) as i8);
    Date::new(year, month, day).map(Some).map_err(|_| unknown)
}
