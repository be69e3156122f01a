//! The order of the versions in Bitnami's data: those of applications as upstream makes them.

use std::cmp::Ordering;

use super::order;
use super::semver::{Parts, compare_identifiers, compare_numbers};
use super::{compare_digits, digits, is_number};

order! {
    /// The order of applications' own versions, as Bitnami's advisories write them: numbers, as many as
    /// there are; behind a hyphen a word means a pre-release and a number a later revision. A letter
    /// directly behind the numbers is a patch (`1.1.1k`), a word of a pre-release is one also
    /// without hyphen (`1.27rc1`).
    ///
    /// ## Order
    ///
    /// ```order
    /// 2.4.9 < 2.4.46
    /// 6.0.0-rc1 < 6.0.0
    /// 6.0rc1 < 6.0
    /// 1.8.0-212 < 1.8.0-333
    /// 1.8.0 < 1.8.0_212
    /// 11.2.2 = 11.2.2-0
    /// 1.1.1 < 1.1.1d
    /// 1.1.1d < 1.1.1k
    /// 9.0.35 < 9.0.35.1
    /// ```
    id: "bitnami",
    ecosystems: &["bitnami", "generic"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    compare_numbers(&a.numbers, &b.numbers)
        .then_with(|| compare_rest(Rest::of(a.pre_release), Rest::of(b.pre_release)))
}

/// What stands behind the numbers.
enum Rest<'a> {
    PreRelease(&'a str),
    Nothing,
    Revision(&'a str),
}

impl<'a> Rest<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.trim_start_matches('_');
        let begins_with_number = digits(text.as_bytes()) > 0;
        if text.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
            Self::Nothing
        } else if begins_with_number || is_patch(text) {
            Self::Revision(text)
        } else {
            Self::PreRelease(text)
        }
    }
}

/// A letter or two, and perhaps a number behind a `p`.
fn is_patch(text: &str) -> bool {
    let word = text.trim_end_matches(|last: char| last.is_ascii_digit());
    let letters = word.bytes().all(|byte| byte.is_ascii_lowercase());
    letters && (word == "p" || word == "pl" || word.len() <= 2 && word.len() == text.len())
}

fn compare_rest(a: Rest<'_>, b: Rest<'_>) -> Ordering {
    let rank = |rest: &Rest<'_>| match rest {
        Rest::PreRelease(_) => 0,
        Rest::Nothing => 1,
        Rest::Revision(_) => 2,
    };
    match (&a, &b) {
        (Rest::PreRelease(a), Rest::PreRelease(b)) | (Rest::Revision(a), Rest::Revision(b)) => {
            compare_words(a, b)
        }
        _ => rank(&a).cmp(&rank(&b)),
    }
}

/// Compares `rc9` and `rc10` by the number behind the word, all else as identifiers.
fn compare_words(a: &str, b: &str) -> Ordering {
    let split = |text: &'_ str| {
        text.find(|first: char| first.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let (one, two) = (a.split_at(split(a)), b.split_at(split(b)));
    let numbers = is_number(one.1.as_bytes()) && is_number(two.1.as_bytes());
    if one.0 == two.0 && numbers {
        compare_digits(one.1.as_bytes(), two.1.as_bytes())
    } else {
        compare_identifiers(a, b)
    }
}
