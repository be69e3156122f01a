//! The order of Dart's versions.

use std::cmp::Ordering;

use super::order;
use super::semver::{Parts, compare_identifiers, compare_numbers, compare_pre_release};

order! {
    /// The order of Dart's package manager: semantic versions, but what stands behind `+` counts: it
    /// makes a version come after the one without it.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.0.0-rc.1 < 1.0.0
    /// 1.0.0 < 1.0.0+1
    /// 1.0.0+build.2 < 1.0.0+build.11
    /// 1.0.0+11 < 1.0.1
    /// ```
    id: "pub-dev",
    ecosystems: &["pub"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    compare_numbers(&a.numbers, &b.numbers)
        .then_with(|| compare_pre_release(a.pre_release, b.pre_release))
        .then_with(|| match (a.build.is_empty(), b.build.is_empty()) {
            (false, false) => compare_identifiers(a.build, b.build),
            (one, two) => two.cmp(&one),
        })
}
