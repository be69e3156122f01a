//! The order of R's versions.

use std::cmp::Ordering;

use super::{compare_digits, is_number, order};

order! {
    /// The order of R packages: numbers divided by dots or hyphens, which are the same; of two that
    /// begin alike the longer one is later.
    ///
    /// Source: R's `package_version`.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.2-9 < 1.2.10
    /// 1.2.3 = 1.2-3
    /// 1.2 < 1.2.0
    /// ```
    id: "cran",
    ecosystems: &["cran"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_ascii(), b.trim_ascii());
    compare_lists(a.split(['.', '-']), b.split(['.', '-']))
}

/// Compares numbers one by one, words left out; of two that begin alike the longer one is later.
pub(super) fn compare_lists<'a>(
    a: impl Iterator<Item = &'a str>,
    b: impl Iterator<Item = &'a str>,
) -> Ordering {
    let mut a = a.map(str::as_bytes).filter(|part| is_number(part));
    let mut b = b.map(str::as_bytes).filter(|part| is_number(part));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => compare_digits(a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
}
