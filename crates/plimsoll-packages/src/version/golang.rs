//! The order of Go's versions.

use std::cmp::Ordering;

use super::{order, semver};

order! {
    /// The order of Go modules, that of semantic versions: a pseudo-version comes before the tag it
    /// leads to, and `+incompatible` counts for nothing. Versions of Go itself are written without
    /// hyphen (`go1.22rc1`) and find their place too.
    ///
    /// Source: The Go Modules Reference, "Versions".
    ///
    /// ## Order
    ///
    /// ```order
    /// v0.0.0-20190101000000-aaaaaaaaaaaa < v0.0.0-20200101000000-000000000000
    /// v1.2.4-0.20200101000000-aaaaaaaaaaaa < v1.2.4
    /// v2.0.0+incompatible = 2.0.0
    /// go1.22rc1 < go1.22.0
    /// go1.21.13 < go1.22rc1
    /// ```
    id: "golang",
    ecosystems: &["golang"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let plain = |version| {
        let version = str::trim_ascii(version);
        version.strip_prefix("go").unwrap_or(version)
    };
    semver::compare(plain(a), plain(b))
}
