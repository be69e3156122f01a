//! The order of NuGet's versions.

use std::cmp::Ordering;

use super::order;
use super::semver::{Parts, compare_numbers, compare_pre_release};

order! {
    /// The order of NuGet: semantic versions that may have a fourth number, letters compared without
    /// regard to case.
    ///
    /// Source: "NuGet package versioning".
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.0.0.9 < 1.0.0.10
    /// 1.0 = 1.0.0.0
    /// 1.0.0-Beta = 1.0.0-beta
    /// 1.0.0-alpha < 1.0.0-BETA
    /// 1.0.0-rc.1 < 1.0.0
    /// ```
    id: "nuget",
    ecosystems: &["nuget"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let (a, b) = (Parts::of(&a), Parts::of(&b));
    compare_numbers(&a.numbers, &b.numbers)
        .then_with(|| compare_pre_release(a.pre_release, b.pre_release))
}
