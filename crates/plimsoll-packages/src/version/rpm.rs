//! The order of RPM's versions.

use std::cmp::Ordering;

use super::{compare_digits, digits, order};

order! {
    /// The order of RPM: `[epoch:]version[-release]`. Version and release are taken apart into runs of
    /// digits and runs of letters; a number is later than letters, `~` comes before the end and before
    /// everything else, `^` after the end and before everything else. Whatever stands between the runs
    /// only divides them.
    ///
    /// Source: `rpm-version(7)`.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.0~rc1 < 1.0
    /// 1.0 < 1.0^git1
    /// 1.0^git1 < 1.0.1
    /// 2.32.1-42.el8_8 < 2.32.1-43.el8
    /// 1.9 < 1:1.0
    /// 1.0a < 1.0.1
    /// 1.001 = 1_1
    /// ```
    id: "rpm",
    ecosystems: &["rpm"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    compare_digits(a.epoch, b.epoch)
        .then_with(|| compare_part(a.version, b.version))
        .then_with(|| compare_part(a.release, b.release))
}

struct Parts<'a> {
    epoch: &'a [u8],
    version: &'a [u8],
    release: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let version = version.trim_ascii();
        let (epoch, rest) = match version.split_once(':') {
            Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (epoch, rest),
            _ => ("", version),
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self {
            epoch: epoch.as_bytes(),
            version: version.as_bytes(),
            release: release.as_bytes(),
        }
    }
}

fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        a = &a[dividers(a)..];
        b = &b[dividers(b)..];
        match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                a = &a[1..];
                b = &b[1..];
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^'), None) => return Ordering::Greater,
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(two)) => {
                let order = match (one.is_ascii_digit(), two.is_ascii_digit()) {
                    (true, false) => return Ordering::Greater,
                    (false, true) => return Ordering::Less,
                    (true, true) => {
                        let (left, right) = (digits(a), digits(b));
                        let order = compare_digits(&a[..left], &b[..right]);
                        a = &a[left..];
                        b = &b[right..];
                        order
                    }
                    (false, false) => {
                        let (left, right) = (letters(a), letters(b));
                        let order = a[..left].cmp(&b[..right]);
                        a = &a[left..];
                        b = &b[right..];
                        order
                    }
                };
                if order.is_ne() {
                    return order;
                }
            }
        }
    }
}

/// How many bytes at the beginning only divide.
fn dividers(part: &[u8]) -> usize {
    let divides = |byte: &&u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^');
    part.iter().take_while(divides).count()
}

fn letters(part: &[u8]) -> usize {
    let letter = |byte: &&u8| byte.is_ascii_alphabetic();
    part.iter().take_while(letter).count()
}
