//! The order of Ruby gems' versions.

use std::cmp::Ordering;

use super::{compare_digits, compare_padded, is_number, order};

order! {
    /// The order of Ruby gems: runs of digits and runs of letters; a word makes a pre-release, which
    /// comes before the version without it. Zeros at the end of the numbers and of the words' part count
    /// for nothing, and a hyphen means `.pre.`.
    ///
    /// Source: the documentation of `Gem::Version`.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.0.a9 < 1.0.a10
    /// 1.0.0.rc1 < 1.0
    /// 1.0 = 1.0.0
    /// 1.0-1 < 1.0
    /// 2.0.pre = 2.0.0.pre.0
    /// ```
    id: "gem",
    ecosystems: &["gem"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (
        a.trim_ascii().replace('-', ".pre."),
        b.trim_ascii().replace('-', ".pre."),
    );
    let (a, b) = (segments(&a), segments(&b));
    compare_padded(&a, &b, b"0".as_slice(), |a, b| {
        match (is_number(a), is_number(b)) {
            (true, true) => compare_digits(a, b),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => a.cmp(b),
        }
    })
}

/// Runs of digits and runs of letters, without the zeros at the end of the numbers before the first
/// word, and at the end of all.
fn segments(version: &str) -> Vec<&[u8]> {
    let mut found: Vec<&[u8]> = Vec::new();
    let mut rest = version.as_bytes();
    while let Some(first) = rest.first() {
        let same = |byte: &&u8| {
            if first.is_ascii_digit() {
                byte.is_ascii_digit()
            } else {
                byte.is_ascii_alphabetic()
            }
        };
        let length = rest.iter().take_while(same).count();
        if length > 0 {
            found.push(&rest[..length]);
        }
        rest = &rest[length.max(1)..];
    }
    let words = found.iter().position(|part| !is_number(part));
    let behind = words.map(|at| found.split_off(at)).unwrap_or_default();
    let mut segments = without_zeros(found);
    segments.extend(without_zeros(behind));
    segments
}

fn without_zeros(mut parts: Vec<&[u8]>) -> Vec<&[u8]> {
    let is_zero = |part: &&[u8]| part.iter().all(|&digit| digit == b'0');
    while parts.last().is_some_and(is_zero) {
        parts.pop();
    }
    parts
}
