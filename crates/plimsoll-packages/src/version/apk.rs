//! Alpine's order of versions.

use std::cmp::Ordering;

use super::{compare_digits, digits, order};

order! {
    /// The order of apk: numbers divided by dots, then one letter, suffixes that begin with `_`, a
    /// commit hash behind `~`, and the revision of the package behind `-r`. Of the suffixes `alpha`,
    /// `beta`, `pre` and `rc` come before the version itself, `cvs`, `svn`, `git`, `hg` and `p` after it.
    ///
    /// A number behind the first dot that begins with 0 is compared as text. What does not follow the
    /// grammar sorts below what does.
    ///
    /// Source: `apk-package(5)`.
    ///
    /// ## Order
    ///
    /// ```order
    /// 1.36.1-r2 < 1.36.1-r15
    /// 1.2_rc2 < 1.2
    /// 1.2 < 1.2_p1
    /// 1.1.1k-r0 < 1.1.1l-r0
    /// 2.02 < 2.1
    /// 1.2 < 1.2.0
    /// 1.2_strange < 1.2
    /// ```
    id: "apk",
    ecosystems: &["apk"],
    compare: compare,
}

/// The suffixes in their order; those before [`BARE`] are of versions to come.
const SUFFIXES: [&[u8]; 9] = [
    b"alpha", b"beta", b"pre", b"rc", b"cvs", b"svn", b"git", b"hg", b"p",
];
/// How many suffixes sort before the version without one.
const BARE: usize = 4;

/// One part of a version, in the order in which they may follow one another. Of two versions that
/// are alike so far, the one whose next part has the lower rank is the later one.
#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    First(&'a [u8]),
    Number(&'a [u8]),
    Letter(u8),
    Suffix(usize),
    SuffixNumber(&'a [u8]),
    Hash(&'a [u8]),
    Revision(&'a [u8]),
    End,
    Invalid(&'a [u8]),
}

impl Token<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::First(_) => 0,
            Self::Number(_) => 1,
            Self::Letter(_) => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber(_) => 4,
            Self::Hash(_) => 5,
            Self::Revision(_) => 6,
            Self::End => 7,
            Self::Invalid(_) => 8,
        }
    }

    fn is_pre_release(self) -> bool {
        matches!(self, Self::Suffix(index) if index < BARE)
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (Parts::of(a), Parts::of(b));
    loop {
        let (one, two) = (left.next(), right.next());
        let order = match (one, two) {
            (Token::First(a), Token::First(b))
            | (Token::SuffixNumber(a), Token::SuffixNumber(b))
            | (Token::Revision(a), Token::Revision(b)) => compare_digits(a, b),
            (Token::Number(a), Token::Number(b)) => {
                if a.starts_with(b"0") || b.starts_with(b"0") {
                    a.cmp(b)
                } else {
                    compare_digits(a, b)
                }
            }
            (Token::Letter(a), Token::Letter(b)) => a.cmp(&b),
            (Token::Suffix(a), Token::Suffix(b)) => a.cmp(&b),
            (Token::Hash(a), Token::Hash(b)) => a.cmp(b),
            (Token::End, Token::End) => return Ordering::Equal,
            (Token::Invalid(a), Token::Invalid(b)) => return a.cmp(b),
            (a, b) => {
                return match (a.is_pre_release(), b.is_pre_release()) {
                    (true, _) => Ordering::Less,
                    (_, true) => Ordering::Greater,
                    _ => b.rank().cmp(&a.rank()),
                };
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// What is left of a version, and the rank of the part before it.
struct Parts<'a> {
    rest: &'a [u8],
    last: Option<u8>,
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        Self {
            rest: version.trim_ascii().as_bytes(),
            last: None,
        }
    }

    fn next(&mut self) -> Token<'a> {
        let token = if self.rest.is_empty() && self.last.is_some() {
            Token::End
        } else {
            self.read().unwrap_or(Token::Invalid(self.rest))
        };
        self.last = Some(token.rank());
        token
    }

    /// The next part; nothing where there is none that may stand here.
    fn read(&mut self) -> Option<Token<'a>> {
        let Some(last) = self.last else {
            return self.number(0).map(Token::First);
        };
        let before = |rank: u8| last <= rank;
        match *self.rest.first()? {
            b'.' if before(1) => self.number(1).map(Token::Number),
            letter @ b'a'..=b'z' if before(1) => {
                self.rest = &self.rest[1..];
                Some(Token::Letter(letter))
            }
            b'_' if before(4) => {
                let found = SUFFIXES
                    .iter()
                    .position(|suffix| self.rest[1..].starts_with(suffix))?;
                self.rest = &self.rest[1 + SUFFIXES[found].len()..];
                Some(Token::Suffix(found))
            }
            b'0'..=b'9' if last == 3 => self.number(0).map(Token::SuffixNumber),
            b'~' if before(4) => {
                let hexadecimal = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
                let length = self.rest[1..].iter().take_while(hexadecimal).count();
                let hash = self
                    .rest
                    .get(1..1 + length)
                    .filter(|hash| !hash.is_empty())?;
                self.rest = &self.rest[1 + length..];
                Some(Token::Hash(hash))
            }
            b'-' if before(5) && self.rest.starts_with(b"-r") => {
                self.number(2).map(Token::Revision)
            }
            _ => None,
        }
    }

    /// The number behind `skip` bytes.
    fn number(&mut self, skip: usize) -> Option<&'a [u8]> {
        let length = digits(self.rest.get(skip..)?);
        let number = &self.rest[skip..skip + length];
        if number.is_empty() {
            return None;
        }
        self.rest = &self.rest[skip + length..];
        Some(number)
    }
}
