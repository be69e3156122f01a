//! Sizes and growths, as people write them.

use serde::Deserialize;

/// A number of bytes: `1500`, `"120 MB"`, `"64 MiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw")]
pub(super) struct Size(pub(super) u64);

/// How much more: a part (in thousandths) or a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw")]
pub(super) enum Growth {
    Part(u64),
    Bytes(u64),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Number(u64),
    Text(String),
}

impl TryFrom<Raw> for Size {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        match raw {
            Raw::Number(bytes) => Ok(Self(bytes)),
            Raw::Text(text) => bytes(&text).map(Self).ok_or_else(|| {
                format!("`{text}` is no size; write 1500, \"120 MB\" or \"64 MiB\"")
            }),
        }
    }
}

impl TryFrom<Raw> for Growth {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let text = match raw {
            Raw::Number(bytes) => return Ok(Self::Bytes(bytes)),
            Raw::Text(text) => text,
        };
        let plain = text.trim().trim_start_matches('+').trim();
        let growth = match plain.strip_suffix('%') {
            Some(number) => thousandths(number.trim()).map(|part| Self::Part(part / 100)),
            None => bytes(plain).map(Self::Bytes),
        };
        growth.ok_or_else(|| format!("`{text}` is no growth; write \"+1 %\" or \"+5 MB\""))
    }
}

impl Growth {
    /// The most that is allowed where there was so much.
    pub(super) fn most(self, before: u64) -> u64 {
        let more = match self {
            Self::Bytes(bytes) => bytes,
            Self::Part(part) => {
                let more = u128::from(before) * u128::from(part) / 1000;
                u64::try_from(more).unwrap_or(u64::MAX)
            }
        };
        before.saturating_add(more)
    }
}

impl std::fmt::Display for Growth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Part(part) if part % 10 == 0 => write!(f, "+{} %", part / 10),
            Self::Part(part) => write!(f, "+{}.{} %", part / 10, part % 10),
            Self::Bytes(bytes) => write!(f, "+{}", plimsoll_model::text::bytes(*bytes)),
        }
    }
}

/// `120 MB` in bytes.
fn bytes(text: &str) -> Option<u64> {
    const UNITS: &[(&str, u64)] = &[
        ("", 1),
        ("b", 1),
        ("k", 1_000),
        ("kb", 1_000),
        ("kib", 1 << 10),
        ("m", 1_000_000),
        ("mb", 1_000_000),
        ("mib", 1 << 20),
        ("g", 1_000_000_000),
        ("gb", 1_000_000_000),
        ("gib", 1 << 30),
    ];
    let text = text.trim();
    let digit = |sign: char| sign.is_ascii_digit() || sign == '.';
    let end = text.find(|sign| !digit(sign)).unwrap_or(text.len());
    let unit = text[end..].trim().to_ascii_lowercase();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let bytes = u128::from(thousandths(&text[..end])?) * u128::from(*factor) / 1000;
    u64::try_from(bytes).ok()
}

/// A decimal number in thousandths: three digits behind the point at most.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty()
        || part.len() > 3
        || !text.bytes().all(|it| it.is_ascii_digit() || it == b'.')
    {
        return None;
    }
    let part: u64 = format!("{part:0<3}").parse().ok()?;
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1000)?
        .checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, size) in [
            ("1500", Some(1500)),
            ("120 MB", Some(120_000_000)),
            ("1.5GB", Some(1_500_000_000)),
            ("64 MiB", Some(64 << 20)),
            ("500k", Some(500_000)),
            ("12 parsecs", None),
            ("-1", None),
            ("1.2.3", None),
            ("", None),
            ("99999999999999999999 GB", None),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
    }

    #[test]
    fn a_growth_is_a_part_or_a_number() {
        let read = |text: &str| Growth::try_from(Raw::Text(text.to_owned()));
        assert_eq!(read("+1 %"), Ok(Growth::Part(10)));
        assert_eq!(read("0.5%"), Ok(Growth::Part(5)));
        assert_eq!(read("+5 MB"), Ok(Growth::Bytes(5_000_000)));
        assert!(read("a bit").is_err());
        assert_eq!(Growth::Part(10).most(98_000_000), 98_980_000);
        assert_eq!(Growth::Part(10).to_string(), "+1 %");
        assert_eq!(Growth::Part(5).to_string(), "+0.5 %");
        assert_eq!(Growth::Part(1000).most(u64::MAX), u64::MAX);
    }
}
