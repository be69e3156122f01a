//! What the versions of Red Hat's kind do not say: to which stream of a module a package belongs, and which epoch
//! its source has.

use std::cmp::Ordering;

use plimsoll_model::package::ecosystem;
use plimsoll_packages::version;

use crate::Advisory;

/// Whether every fix of an advisory is of a module and this package is of none, or the other way round: both kinds
/// of a package exist beside each other, count their versions on their own, and an advisory about one says
/// nothing of the other.
pub(super) fn is_of_another_kind(advisory: &Advisory<'_>, installed: &str) -> bool {
    let mut fixes = advisory.fixes().peekable();
    fixes.peek().is_some() && fixes.all(|fix| is_modular(fix) != is_modular(installed))
}

/// The build systems of Red Hat, AlmaLinux, Rocky and Oracle write it into the release: `1.module_el8.5.0+2604`,
/// `2.module+el8.9.0+1`.
fn is_modular(version: &str) -> bool {
    version.contains(".module_el") || version.contains(".module+el")
}

/// The order of rpm, whatever epochs are written: the name of a source package has none, and advisories
/// have it.
pub(super) fn without_epochs(a: &str, b: &str) -> Ordering {
    let order = version::order_of(ecosystem::RPM);
    order.map_or(Ordering::Equal, |order| (order.compare)(bare(a), bare(b)))
}

fn bare(version: &str) -> &str {
    match version.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Range, Until};

    #[test]
    fn modules_and_what_is_beside_them_are_told_apart() {
        let about = |fixes: &[&'static str]| Advisory {
            ranges: fixes.iter().map(|fix| Range::before(fix)).collect(),
            ..Advisory::default()
        };
        let module = about(&["4:5.30.1-452.module_el8.6.0+1"]);
        assert!(is_of_another_kind(&module, "4:5.26.3-419.el8"));
        assert!(!is_of_another_kind(
            &module,
            "4:5.30.1-451.module+el8.3.0+9"
        ));
        let plain = about(&["4:5.26.3-420.el8"]);
        assert!(is_of_another_kind(&plain, "4:5.30.1-451.module+el8.3.0+9"));
        assert!(!is_of_another_kind(&plain, "4:5.26.3-419.el8"));
        // What names no fix is about whatever has the name.
        assert!(!is_of_another_kind(&about(&[]), "4:5.26.3-419.el8"));
        let open = Advisory {
            ranges: vec![Range {
                introduced: None,
                until: Until::Open,
            }],
            ..Advisory::default()
        };
        assert!(!is_of_another_kind(&open, "1.module_el8"));
    }

    #[test]
    fn an_epoch_that_only_one_side_writes_is_none() {
        assert!(without_epochs("1.1.1k-9.el8", "1:1.1.1k-9.el8").is_eq());
        assert!(without_epochs("1.1.1k-8.el8", "1:1.1.1k-9.el8").is_lt());
        assert!(without_epochs("1.1.1k-10.el8", "1:1.1.1k-9.el8").is_gt());
    }
}
