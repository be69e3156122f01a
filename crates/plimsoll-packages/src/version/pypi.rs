//! The order of Python packages' versions.

use std::cmp::Ordering;

use super::{compare_digits, compare_padded, digits, is_number, order};

order! {
    /// The order of Python's packages: `[epoch!]release[pre-release][.postN][.devN][+local]`, in all the
    /// spellings Python takes (`1.0-alpha.1` is `1.0a1`, `1.0-1` is `1.0.post1`).
    ///
    /// What is no such version, as old packages have it, comes before all that are; among one another
    /// these are ordered as setuptools did it before there was a rule.
    ///
    /// Source: PEP 440, and its appendix B for the spellings.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.0.dev1 < 1.0a1
    /// 1.0a1.dev1 < 1.0a1
    /// 1.0a2 < 1.0b1
    /// 1.0-preview_1 = 1.0rc1
    /// 1.0rc1 < 1.0
    /// 1.0 < 1.0+local.9
    /// 1.0+local.9 < 1.0+local.10
    /// 1.0+local.10 < 1.0.post1
    /// 1.0 = 1
    /// 2024.1 < 1!0.1
    /// 0.3m5 < 0.1
    /// ```
    id: "pypi",
    ecosystems: &["pypi"],
    compare: compare,
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (
        a.trim_ascii().to_ascii_lowercase(),
        b.trim_ascii().to_ascii_lowercase(),
    );
    match (Version::parse(&a), Version::parse(&b)) {
        (Some(a), Some(b)) => a.compare(&b),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => legacy(&a).cmp(&legacy(&b)),
    }
}

/// A version taken apart, in small letters.
#[derive(Default)]
struct Version<'a> {
    epoch: &'a [u8],
    release: Vec<&'a [u8]>,
    /// The kind (`a` < `b` < `c`) and the number.
    pre: Option<(u8, &'a [u8])>,
    post: Option<&'a [u8]>,
    dev: Option<&'a [u8]>,
    local: Vec<&'a [u8]>,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut rest = text.as_bytes();
        rest = rest.strip_prefix(b"v").unwrap_or(rest);
        let mut version = Self::default();
        let first = digits(rest);
        if first > 0 && rest.get(first) == Some(&b'!') {
            version.epoch = &rest[..first];
            rest = &rest[first + 1..];
        }
        loop {
            let length = digits(rest);
            if length == 0 {
                return None;
            }
            version.release.push(&rest[..length]);
            rest = &rest[length..];
            if rest.first() != Some(&b'.') || digits(&rest[1..]) == 0 {
                break;
            }
            rest = &rest[1..];
        }
        const PRE: [(&[u8], u8); 8] = [
            (b"alpha", b'a'),
            (b"beta", b'b'),
            (b"preview", b'c'),
            (b"pre", b'c'),
            (b"rc", b'c'),
            (b"a", b'a'),
            (b"b", b'b'),
            (b"c", b'c'),
        ];
        if let Some((kind, number)) = worded(&mut rest, &PRE) {
            version.pre = Some((kind, number));
        }
        // `1.0-1`: a post-release without the word.
        if rest.first() == Some(&b'-') && digits(&rest[1..]) > 0 {
            let length = digits(&rest[1..]);
            version.post = Some(&rest[1..=length]);
            rest = &rest[length + 1..];
        } else {
            const POST: [(&[u8], u8); 3] = [(b"post", 0), (b"rev", 0), (b"r", 0)];
            version.post = worded(&mut rest, &POST).map(|(_, number)| number);
        }
        version.dev = worded(&mut rest, &[(b"dev", 0)]).map(|(_, number)| number);
        if let Some(local) = rest.strip_prefix(b"+") {
            version.local = local
                .split(|byte| matches!(byte, b'.' | b'-' | b'_'))
                .collect();
            let good =
                |part: &&[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_alphanumeric);
            return version.local.iter().all(good).then_some(version);
        }
        rest.is_empty().then_some(version)
    }

    fn compare(&self, other: &Self) -> Ordering {
        compare_digits(self.epoch, other.epoch)
            .then_with(|| {
                compare_padded(
                    &self.release,
                    &other.release,
                    b"0".as_slice(),
                    compare_digits,
                )
            })
            .then_with(|| self.phase().cmp(&other.phase()))
            .then_with(|| match (self.pre, other.pre) {
                (Some((_, a)), Some((_, b))) => compare_digits(a, b),
                _ => Ordering::Equal,
            })
            .then_with(|| match (self.post, other.post) {
                (Some(a), Some(b)) => compare_digits(a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
            .then_with(|| match (self.dev, other.dev) {
                (Some(a), Some(b)) => compare_digits(a, b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            })
            .then_with(|| compare_local(&self.local, &other.local))
    }

    /// Which kind of pre-release it is: one of development alone before all, none after all.
    fn phase(&self) -> u8 {
        match self.pre {
            Some((kind, _)) => kind,
            None if self.post.is_none() && self.dev.is_some() => 0,
            None => u8::MAX,
        }
    }
}

/// One of these words and the number behind it, each with or without a divider before it; nothing,
/// and nothing taken, where there is none.
fn worded<'a>(rest: &mut &'a [u8], words: &[(&[u8], u8)]) -> Option<(u8, &'a [u8])> {
    let plain = without_divider(rest);
    let (word, kind) = words.iter().find(|(word, _)| plain.starts_with(word))?;
    let behind = without_divider(&plain[word.len()..]);
    let (number, left) = behind.split_at(digits(behind));
    *rest = left;
    Some((*kind, number))
}

fn without_divider(text: &[u8]) -> &[u8] {
    match text.first() {
        Some(b'.' | b'-' | b'_') => &text[1..],
        _ => text,
    }
}

/// Compares local versions part by part: words before numbers, the longer of two that begin alike is
/// later.
fn compare_local(a: &[&[u8]], b: &[&[u8]]) -> Ordering {
    let parts = a
        .iter()
        .zip(b)
        .map(|(a, b)| match (is_number(a), is_number(b)) {
            (true, true) => compare_digits(a, b),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => a.cmp(b),
        });
    let different = parts.into_iter().find(|order| order.is_ne());
    different.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// The parts by which setuptools ordered what it could not read: numbers padded with zeros, words
/// marked by a star.
fn legacy(version: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in pieces(version).into_iter().chain(["final"]) {
        let part = match part {
            "pre" | "preview" | "rc" => "c",
            "-" => "final-",
            "dev" => "@",
            part => part,
        };
        if part.starts_with(|first: char| first.is_ascii_digit()) {
            parts.push(format!("{part:0>8}"));
            continue;
        }
        let part = format!("*{part}");
        if *part < *"*final" {
            while parts.last().is_some_and(|last| last == "*final-") {
                parts.pop();
            }
        }
        while parts.last().is_some_and(|last| last == "00000000") {
            parts.pop();
        }
        parts.push(part);
    }
    parts
}

/// Runs of digits, runs of small letters, hyphens, and what stands between these; dots left out.
fn pieces(version: &str) -> Vec<&str> {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Digit,
        Letter,
        Hyphen,
        Dot,
        Other,
    }
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => Kind::Digit,
        b'a'..=b'z' => Kind::Letter,
        b'-' => Kind::Hyphen,
        b'.' => Kind::Dot,
        _ => Kind::Other,
    };
    let bytes = version.as_bytes();
    let mut pieces = Vec::new();
    let mut start = 0;
    while let Some(&first) = bytes.get(start) {
        let first = kind(first);
        let mut end = start + 1;
        // A character of several bytes is of the kind `Other` throughout, so no cut goes through one.
        while first != Kind::Hyphen && bytes.get(end).is_some_and(|&byte| kind(byte) == first) {
            end += 1;
        }
        if first != Kind::Dot {
            pieces.push(&version[start..end]);
        }
        start = end;
    }
    pieces
}
