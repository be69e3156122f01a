//! The order of Maven's versions.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{compare_digits, is_number, order};

order! {
    /// The order of Maven: numbers and words, divided by dots, hyphens and the change from digits to
    /// letters, which counts as a hyphen. Words are `alpha` < `beta` < `milestone` < `rc` < `snapshot` <
    /// none, `final`, `ga` or `release` < `sp` < all others, regardless of case. Zeros and empty words at the
    /// end, and before a hyphen, count for nothing.
    ///
    /// Source: the POM reference, "Version Order Specification".
    ///
    /// ## Order
    ///
    /// ```order
    /// 1-alpha-1 = 1a1
    /// 1.0-alpha-1 < 1.0-beta-1
    /// 1.0-rc1 < 1.0-SNAPSHOT
    /// 1.0-SNAPSHOT < 1.0
    /// 1.0 = 1.0.0.Final
    /// 1.0 < 1.0-sp1
    /// 1.0-sp1 < 1.0-jre
    /// 1.0-jre < 1.0-1
    /// 1.0-1 < 1.0.1
    /// 1.0.RC2 < 1.0.RC10
    /// ```
    id: "maven",
    ecosystems: &["maven"],
    compare: compare,
}

/// What stands before a part: the first has a hyphen by courtesy.
#[derive(Clone, Copy, PartialEq)]
enum Divider {
    Start,
    Dot,
    Hyphen,
}

#[derive(Clone, PartialEq)]
struct Part<'a> {
    divider: Divider,
    /// A number without leading zeros, or a word in small letters and in its first spelling.
    value: Cow<'a, str>,
    /// It fills up the shorter of two versions.
    filler: bool,
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    for index in 0..a.len().max(b.len()) {
        let order = match (a.get(index), b.get(index)) {
            (Some(a), Some(b)) => compare_parts(a, b),
            (Some(a), None) => compare_parts(a, &filler(a)),
            (None, Some(b)) => compare_parts(&filler(b), b),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// What the shorter version has where the longer one has `other`.
fn filler<'a>(other: &Part<'_>) -> Part<'a> {
    let dotted_number = other.divider == Divider::Dot && other.value != "sp";
    Part {
        divider: other.divider,
        value: if dotted_number { "0" } else { "" }.into(),
        filler: true,
    }
}

fn compare_parts(a: &Part<'_>, b: &Part<'_>) -> Ordering {
    if a.divider == b.divider && a.value == b.value {
        return Ordering::Equal;
    }
    let (one, two) = (a.value.as_bytes(), b.value.as_bytes());
    let (a_number, b_number) = (is_number(one), is_number(two));
    if a.divider != b.divider {
        return kind(a, a_number).cmp(&kind(b, b_number));
    }
    match (a_number, b_number) {
        (true, true) => compare_digits(one, two),
        (true, false) if !a.filler => Ordering::Greater,
        (false, true) if !b.filler => Ordering::Less,
        _ => match (rank(&a.value), rank(&b.value)) {
            (OTHER, OTHER) => one.cmp(two),
            (a, b) => a.cmp(&b),
        },
    }
}

/// `.word` < `-word` < `-number` < `.number`.
fn kind(part: &Part<'_>, number: bool) -> u8 {
    match (part.divider, number) {
        (Divider::Dot, false) => 0,
        (Divider::Hyphen | Divider::Start, false) => 1,
        (Divider::Hyphen | Divider::Start, true) => 2,
        (Divider::Dot, true) => 3,
    }
}

/// The rank of a word nobody knows.
const OTHER: usize = 7;

fn rank(word: &str) -> usize {
    const KNOWN: [&str; OTHER] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
    let found = KNOWN.iter().position(|known| *known == word);
    found.unwrap_or(OTHER)
}

/// The parts of a version, those that count for nothing left out.
fn parts(version: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut divider = Divider::Start;
    let mut rest = version.trim_ascii();
    loop {
        let end = rest.find(['.', '-']).unwrap_or(rest.len());
        runs(&rest[..end], divider, &mut parts);
        divider = match rest.as_bytes().get(end) {
            None => break,
            Some(b'.') => Divider::Dot,
            Some(_) => Divider::Hyphen,
        };
        rest = &rest[end + 1..];
    }
    trim(&mut parts);
    parts
}

/// Adds the runs of digits and of other characters of `token`.
fn runs<'a>(mut token: &'a str, mut divider: Divider, parts: &mut Vec<Part<'a>>) {
    loop {
        let number = token.starts_with(|first: char| first.is_ascii_digit());
        let end = token
            .find(|character: char| character.is_ascii_digit() != number)
            .unwrap_or(token.len());
        let (run, rest) = token.split_at(end);
        let value = if number {
            let plain = run.trim_start_matches('0');
            Cow::Borrowed(if plain.is_empty() { "0" } else { plain })
        } else {
            word(run, !rest.is_empty())
        };
        parts.push(Part {
            divider,
            value,
            filler: false,
        });
        if rest.is_empty() {
            return;
        }
        token = rest;
        divider = Divider::Hyphen;
    }
}

/// A word in its first spelling.
fn word(run: &str, before_number: bool) -> Cow<'_, str> {
    let small = run.to_lowercase();
    let known = match (small.as_str(), before_number) {
        ("", _) => "0",
        ("cr", _) => "rc",
        ("ga" | "final" | "release", _) => "",
        ("a", true) => "alpha",
        ("b", true) => "beta",
        ("m", true) => "milestone",
        _ => return Cow::Owned(small),
    };
    Cow::Borrowed(known)
}

/// Leaves out the parts that count for nothing at the end, and before each hyphen.
fn trim(parts: &mut Vec<Part<'_>>) {
    let mut at = parts.len();
    while at > 1 {
        at -= 1;
        if parts[at].value == "0" || parts[at].value.is_empty() {
            parts.remove(at);
        } else {
            while at > 0 && parts[at].divider != Divider::Hyphen {
                at -= 1;
            }
        }
    }
}
