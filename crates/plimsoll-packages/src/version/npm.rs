//! The order of npm's versions.

use std::cmp::Ordering;

use super::{order, semver};

order! {
    /// The order of npm: that of semantic versions. A leading `=`, with or without `v`, is left out.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.2.3-beta.2 < 1.2.3-beta.10
    /// 1.2.3-beta.10 < 1.2.3
    /// =v1.2.3 = 1.2.3+build
    /// ```
    id: "npm",
    ecosystems: &["npm"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let plain = |version| str::trim_start_matches(str::trim_ascii(version), ['=', ' ']);
    semver::compare(plain(a), plain(b))
}
