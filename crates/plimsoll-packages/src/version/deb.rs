//! Debian's order of versions: `[epoch:]upstream[-revision]`.
//!
//! Source: Debian policy 5.6.12 and `deb-version(7)`. What is not a well-formed version still has a
//! place in the order, so that a strange record never stops a comparison; [`validate`] says what is
//! wrong with it.

use std::cmp::Ordering;

use super::{compare_digits, digits, order};

order! {
    /// The order of Debian and its kin: `[epoch:]upstream[-revision]`, each compared in turns of
    /// text and numbers. `~` comes before everything, even the end; letters before all other characters.
    ///
    /// Source: Debian policy 5.6.12 and `deb-version(7)`.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.0~rc1-1 < 1.0-1
    /// 1.0-1 < 1.0-1+b1
    /// 1.0-1+b1 < 1.0-1+deb12u1
    /// 9:1 < 10:0
    /// 2.9 < 2.10
    /// 1.0 = 0:1.0-0
    /// ```
    id: "deb",
    ecosystems: &["deb"],
    compare: compare,
}

/// What is wrong with the writing of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Nothing there.
    #[error("the version is empty")]
    Empty,
    /// The part before the first colon is no number, or none that dpkg takes (2^31 - 1 at most).
    #[error("the epoch is not a number up to 2147483647")]
    Epoch,
    /// Nothing between the epoch and the revision.
    #[error("the upstream version is empty")]
    NoUpstream,
    /// The upstream version begins with something else than a digit.
    #[error("the upstream version does not begin with a digit")]
    NoDigit,
    /// Nothing behind the last hyphen.
    #[error("the revision is empty")]
    NoRevision,
    /// A character that policy does not allow where it stands.
    #[error("the character {0:?} is not allowed there")]
    Character(char),
}

/// Compares two versions as dpkg does: epoch, then upstream version, then revision.
pub fn compare(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (a, b) = (Parts::of(a), Parts::of(b));
    compare_digits(a.epoch, b.epoch)
        .then_with(|| compare_part(a.upstream, b.upstream))
        .then_with(|| compare_part(a.revision, b.revision))
}

/// Says whether `version` is written as Debian policy 5.6.12 wants it.
///
/// # Errors
/// With the first thing that is wrong, from the left.
pub fn validate(version: &str) -> Result<(), VersionError> {
    if version.is_empty() {
        return Err(VersionError::Empty);
    }
    let rest = match version.split_once(':') {
        None => version,
        Some((epoch, rest)) => {
            let digits = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit());
            if !digits || epoch.parse::<i32>().is_err() {
                return Err(VersionError::Epoch);
            }
            rest
        }
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        None => (rest, None),
        Some((upstream, revision)) => (upstream, Some(revision)),
    };
    match upstream.bytes().next() {
        None => return Err(VersionError::NoUpstream),
        Some(byte) if !byte.is_ascii_digit() => return Err(VersionError::NoDigit),
        Some(_) => {}
    }
    only(upstream, "-.+~:")?;
    match revision {
        Some("") => Err(VersionError::NoRevision),
        Some(revision) => only(revision, ".+~"),
        None => Ok(()),
    }
}

/// Letters, digits and the characters of `marks`.
fn only(text: &str, marks: &str) -> Result<(), VersionError> {
    let odd = text
        .chars()
        .find(|&character| !character.is_ascii_alphanumeric() && !marks.contains(character));
    odd.map_or(Ok(()), |character| Err(VersionError::Character(character)))
}

/// A version taken apart.
struct Parts<'a> {
    epoch: &'a [u8],
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let version = version.trim_ascii().as_bytes();
        let (epoch, rest) = match memchr::memchr(b':', version) {
            // A colon behind something that is no number belongs to the upstream version.
            Some(colon) if version[..colon].iter().all(u8::is_ascii_digit) => {
                (&version[..colon], &version[colon + 1..])
            }
            _ => (&[][..], version),
        };
        let (upstream, revision) = match memchr::memrchr(b'-', rest) {
            Some(hyphen) => (&rest[..hyphen], &rest[hyphen + 1..]),
            None => (rest, &[][..]),
        };
        Self {
            epoch,
            upstream,
            revision,
        }
    }
}

/// Compares upstream versions or revisions: in turns a part without digits, by [`weight`], and a
/// number. An empty part equals "0".
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (left, right) = (word(a), word(b));
            if left.is_none() && right.is_none() {
                break;
            }
            let order = left.map_or(0, weight).cmp(&right.map_or(0, weight));
            if order != Ordering::Equal {
                return order;
            }
            a = &a[1..];
            b = &b[1..];
        }
        let (left, right) = (digits(a), digits(b));
        let order = compare_digits(&a[..left], &b[..right]);
        if order != Ordering::Equal {
            return order;
        }
        a = &a[left..];
        b = &b[right..];
    }
    Ordering::Equal
}

/// The first byte, unless a number begins there.
fn word(part: &[u8]) -> Option<u8> {
    part.first().copied().filter(|byte| !byte.is_ascii_digit())
}

/// A tilde sorts before the end, letters before everything else. The end, and a digit where the
/// other side still has a word, weigh 0.
fn weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        byte if byte.is_ascii_alphabetic() => byte.into(),
        byte => i32::from(byte) + 256,
    }
}

#[cfg(test)]
mod tests;
