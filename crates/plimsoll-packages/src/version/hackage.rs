//! The order of Haskell's versions.

use std::cmp::Ordering;

use super::cran::compare_lists;
use super::order;

order! {
    /// The order of Haskell packages: numbers divided by dots; of two that begin alike the longer one
    /// is later.
    ///
    /// Source: the Haskell Package Versioning Policy.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.9 < 1.10
    /// 1.0 < 1.0.0
    /// ```
    id: "hackage",
    ecosystems: &["hackage"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    compare_lists(a.trim_ascii().split('.'), b.trim_ascii().split('.'))
}
