//! The order of PHP packages' versions.

use std::cmp::Ordering;

use super::{compare_digits, is_number, order};

order! {
    /// The order of PHP's `version_compare`: numbers and words, where `dev` < `alpha` < `beta` < `RC` <
    /// a number < `pl`; a word is known by its beginning, and one that is not known comes before all.
    /// A leading `v` is left out.
    ///
    /// Source: the PHP manual, `version_compare`.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.0-dev < 1.0alpha1
    /// 1.0alpha1 < 1.0-beta2
    /// 1.0-beta2 < 1.0RC1
    /// 1.0RC1 < 1.0
    /// 1.0 < 1.0pl1
    /// v5.4.9 < 5.4.10
    /// 1.0 < 1.0.0
    /// ```
    id: "packagist",
    ecosystems: &["composer"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    for (a, b) in a.iter().zip(&b) {
        let order = match (is_number(a), is_number(b)) {
            (true, true) => compare_digits(a, b),
            _ => weight(a).cmp(&weight(b)),
        };
        if order.is_ne() {
            return order;
        }
    }
    // What one of them has in addition is later if it is a number or a patch, else earlier.
    let more = |longer: &[&[u8]], from: usize| match longer.get(from) {
        None => Ordering::Equal,
        Some(part) if is_number(part) => Ordering::Greater,
        Some(part) => weight(part).cmp(&NUMBER),
    };
    more(&a, b.len()).then_with(|| more(&b, a.len()).reverse())
}

/// What a number weighs beside a word.
const NUMBER: u8 = 5;

fn weight(part: &[u8]) -> u8 {
    const WORDS: [(&[u8], u8); 6] = [
        (b"dev", 1),
        (b"a", 2),
        (b"b", 3),
        (b"RC", 4),
        (b"rc", 4),
        (b"p", 6),
    ];
    if is_number(part) {
        return NUMBER;
    }
    let found = WORDS.iter().find(|(word, _)| part.starts_with(word));
    found.map_or(0, |&(_, weight)| weight)
}

/// Runs of digits, and runs of what is neither digit nor divider.
fn parts(version: &str) -> Vec<&[u8]> {
    let version = version.trim_ascii();
    let version = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let mut parts = Vec::new();
    let mut rest = version.as_bytes();
    while let Some(first) = rest.first() {
        let length = if first.is_ascii_digit() {
            super::digits(rest)
        } else {
            rest.iter()
                .take_while(|byte| byte.is_ascii_alphabetic())
                .count()
        };
        if length > 0 {
            parts.push(&rest[..length]);
        }
        rest = &rest[length.max(1)..];
    }
    parts
}
