//! Semantic versions, and the loose reading of them that several ecosystems share.

use std::cmp::Ordering;

use super::{compare_digits, compare_padded, is_number, order};

order! {
    /// The order of semantic versions: numbers, then what stands behind a hyphen, which makes a
    /// version come before the one without it; what stands behind `+` counts for nothing. A leading `v`
    /// is left out, numbers that are missing are 0.
    ///
    /// Source: Semantic Versioning 2.0.0, item 11.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.9.0 < 1.10.0
    /// 1.0.0-alpha.2 < 1.0.0-alpha.10
    /// 1.0.0-alpha.10 < 1.0.0-alpha.beta
    /// 1.0.0-rc.1 < 1.0.0
    /// 1.0.0+one = 1.0.0+two
    /// v1.2 = 1.2.0
    /// ```
    id: "semver",
    ecosystems: &["cargo", "conan", "hex", "swift"],
    compare: compare,
}

pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    compare_numbers(&a.numbers, &b.numbers)
        .then_with(|| compare_pre_release(a.pre_release, b.pre_release))
}

/// A version taken apart, loosely: `[v]NUMBERS[-]PRE-RELEASE[+BUILD]`.
pub(super) struct Parts<'a> {
    pub(super) numbers: Vec<&'a [u8]>,
    /// Without the hyphen before it; empty where there is none.
    pub(super) pre_release: &'a str,
    /// Without the plus before it; empty where there is none.
    pub(super) build: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn of(version: &'a str) -> Self {
        let version = version.trim_ascii();
        let version = version.strip_prefix('v').unwrap_or(version);
        let end = version
            .find(|character: char| character != '.' && !character.is_ascii_digit())
            .unwrap_or(version.len());
        let (numbers, rest) = version.split_at(end);
        let (pre_release, build) = rest.split_once('+').unwrap_or((rest, ""));
        Self {
            numbers: numbers
                .split('.')
                .filter(|number| !number.is_empty())
                .map(str::as_bytes)
                .collect(),
            pre_release: pre_release.strip_prefix('-').unwrap_or(pre_release),
            build,
        }
    }
}

/// Compares numbers one by one; those that are missing are 0.
pub(super) fn compare_numbers(a: &[&[u8]], b: &[&[u8]]) -> Ordering {
    compare_padded(a, b, b"0".as_slice(), compare_digits)
}

/// Compares what stands behind the hyphen; nothing there is later than anything.
pub(super) fn compare_pre_release(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => compare_identifiers(a, b),
    }
}

/// Compares identifiers divided by dots: numbers by value and before words, words by their letters,
/// the longer of two that begin alike is the greater.
pub(super) fn compare_identifiers(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let (a, b) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => (a.as_bytes(), b.as_bytes()),
        };
        let order = match (is_number(a), is_number(b)) {
            (true, true) => compare_digits(a, b),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
}
