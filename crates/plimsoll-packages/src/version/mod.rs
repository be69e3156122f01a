//! The order of versions: one row per ecosystem, whose own rule it is.
//!
//! A comparison never fails: what is not a well-formed version still has a place in the order, so that
//! one strange record cannot stop a scan. Numbers may be of any length.

use std::cmp::Ordering;

mod apk;
mod bitnami;
mod cran;
pub mod deb;
mod gem;
mod golang;
mod hackage;
mod maven;
mod npm;
mod nuget;
mod packagist;
mod pub_dev;
mod pypi;
mod rpm;
mod semver;

/// A rule by which versions are ordered.
pub struct Order {
    /// Its name, kebab-case, that of its file.
    pub id: &'static str,
    /// The package kinds that use it, in package-URL words.
    pub ecosystems: &'static [&'static str],
    /// What a user should know about it, with examples: the doc comment of the row, whose lines
    /// begin with a blank.
    pub page: &'static str,
    /// Compares two versions, each as it is written.
    pub compare: fn(&str, &str) -> Ordering,
}

/// Every order plimsoll knows, in the order of their names.
pub static ORDERS: &[&Order] = &[
    &apk::ORDER,
    &bitnami::ORDER,
    &cran::ORDER,
    &deb::ORDER,
    &gem::ORDER,
    &golang::ORDER,
    &hackage::ORDER,
    &maven::ORDER,
    &npm::ORDER,
    &nuget::ORDER,
    &packagist::ORDER,
    &pub_dev::ORDER,
    &pypi::ORDER,
    &rpm::ORDER,
    &semver::ORDER,
];

/// The order of an ecosystem's versions, by its package-URL word; nothing for one nobody told us the
/// rule of.
pub fn order_of(ecosystem: &str) -> Option<&'static Order> {
    let mut rows = ORDERS.iter().copied();
    rows.find(|row| row.ecosystems.contains(&ecosystem))
}

/// Compares numbers of any length.
fn compare_digits(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (without_zeros(a), without_zeros(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

/// How many digits `part` begins with.
fn digits(part: &[u8]) -> usize {
    part.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether `part` is a number: digits, at least one.
fn is_number(part: &[u8]) -> bool {
    !part.is_empty() && part.iter().all(u8::is_ascii_digit)
}

/// Compares two sequences item by item; the shorter one goes on with `filler`.
fn compare_padded<T: Copy>(
    a: &[T],
    b: &[T],
    filler: T,
    compare: impl Fn(T, T) -> Ordering,
) -> Ordering {
    let at = |items: &[T], index: usize| items.get(index).copied().unwrap_or(filler);
    (0..a.len().max(b.len()))
        .map(|index| compare(at(a, index), at(b, index)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// A row whose page is its doc comment.
macro_rules! order {
    (
        $(#[doc = $line:literal])+
        id: $id:literal,
        ecosystems: $ecosystems:expr,
        compare: $compare:path $(,)?
    ) => {
        $(#[doc = $line])+
        pub(super) static ORDER: $crate::version::Order = $crate::version::Order {
            id: $id,
            ecosystems: $ecosystems,
            page: concat!($($line, "\n"),+),
            compare: $compare,
        };
    };
}
use order;
