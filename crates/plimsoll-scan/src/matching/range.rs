//! Whether a version has a flaw, by the ranges of an advisory.

use std::cmp::Ordering;

use crate::{Advisory, Range, Until};

/// What an advisory means for one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hit<'a> {
    /// The version does not have the flaw.
    None,
    /// It has it, and no version is known not to.
    Unfixed,
    /// It has it, and this is the first version that has not.
    FixedIn(&'a str),
    /// It has it, and this is the last version that has.
    LastIn(&'a str),
}

/// What `advisory` means for `version`, by the order `compare`.
///
/// Of several ranges the one the version lies in tells the fix: a fix for another branch is none.
pub(super) fn hit<'a>(
    advisory: &Advisory<'a>,
    version: &str,
    compare: fn(&str, &str) -> Ordering,
) -> Hit<'a> {
    let inside = |range: &&Range<'a>| range.holds(version, compare);
    let mut found = Hit::None;
    for range in advisory.ranges.iter().filter(inside) {
        match (range.until, &found) {
            (Until::Fixed(fixed), Hit::FixedIn(other)) if compare(fixed, other).is_ge() => {}
            (Until::Fixed(fixed), _) => found = Hit::FixedIn(fixed),
            (Until::Last(last), Hit::None | Hit::Unfixed) => found = Hit::LastIn(last),
            (Until::Open, Hit::None) => found = Hit::Unfixed,
            _ => {}
        }
    }
    let named = |it: &str| compare(it, version).is_eq();
    if found == Hit::None && advisory.versions.iter().any(|it| named(it)) {
        found = Hit::Unfixed;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(ranges: &[Range<'static>], version: &str) -> Hit<'static> {
        let advisory = Advisory {
            ranges: ranges.to_vec(),
            ..Advisory::default()
        };
        let order = plimsoll_packages::version::order_of("cargo").unwrap();
        hit(&advisory, version, order.compare)
    }

    #[test]
    fn the_end_of_a_range_is_out_if_it_is_fixed_and_in_if_it_is_the_last() {
        let fixed = [Range::before("1.10")];
        assert_eq!(hits(&fixed, "1.9"), Hit::FixedIn("1.10"));
        assert_eq!(hits(&fixed, "1.10"), Hit::None);
        let last = [Range {
            introduced: Some("1.0"),
            until: Until::Last("1.10"),
        }];
        assert_eq!(hits(&last, "1.10"), Hit::LastIn("1.10"));
        assert_eq!(hits(&last, "1.10.1"), Hit::None);
        assert_eq!(hits(&last, "0.9"), Hit::None);
        assert_eq!(hits(&[Range::ALL], "7"), Hit::Unfixed);
        assert_eq!(hits(&[], "7"), Hit::None);
    }

    #[test]
    fn a_fix_of_another_branch_is_no_fix() {
        let range = |introduced, until| Range {
            introduced: Some(introduced),
            until,
        };
        let branches = [
            range("1.0.0", Until::Fixed("1.4.2")),
            range("2.0.0", Until::Fixed("2.1.0")),
            range("3.0.0", Until::Open),
        ];
        assert_eq!(hits(&branches, "1.4.1"), Hit::FixedIn("1.4.2"));
        assert_eq!(hits(&branches, "1.4.2"), Hit::None);
        assert_eq!(hits(&branches, "2.0.5"), Hit::FixedIn("2.1.0"));
        assert_eq!(hits(&branches, "3.1.0"), Hit::Unfixed);
    }

    #[test]
    fn single_versions_count_beside_the_ranges() {
        let advisory = Advisory {
            versions: vec!["1.0", "2.0.0"],
            ..Advisory::default()
        };
        let order = plimsoll_packages::version::order_of("cargo").unwrap();
        assert_eq!(hit(&advisory, "2.0", order.compare), Hit::Unfixed);
        assert_eq!(hit(&advisory, "2.0.1", order.compare), Hit::None);
    }
}
