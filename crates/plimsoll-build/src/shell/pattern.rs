//! Shell patterns (POSIX.1-2024, XCU 2.14): `*`, `?`, bracket expressions, and quoted characters
//! that stand for themselves.

/// A character and whether it was quoted: a quoted one is never special.
pub(crate) type Glyph = (char, bool);

/// Whether the pattern has anything special in it.
pub(crate) fn is_special(pattern: &[Glyph]) -> bool {
    pattern
        .iter()
        .any(|&(character, quoted)| !quoted && matches!(character, '*' | '?' | '['))
}

/// Whether the whole of `text` is what the pattern says.
pub(crate) fn matches(pattern: &[Glyph], text: &[char]) -> bool {
    // The last `*` seen, and how much of the text it has taken: the only point to come back to.
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        let step = match pattern.get(p) {
            Some(('*', false)) => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(('?', false)) => Some(1),
            Some(('[', false)) => match bracket(&pattern[p..], text[t]) {
                Some((true, length)) => Some(length),
                Some((false, _)) => None,
                None => (text[t] == '[').then_some(1),
            },
            Some(&(character, _)) if character == text[t] => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(length), _) => {
                p += length;
                t += 1;
            }
            (None, Some((at, taken))) => {
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|glyph| *glyph == ('*', false))
}

/// A bracket expression at the start of `pattern`: whether it takes the character, and its length.
fn bracket(pattern: &[Glyph], character: char) -> Option<(bool, usize)> {
    let mut at = 1;
    let negated = matches!(pattern.get(at), Some(('!' | '^', false)));
    at += usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        let &(from, quoted) = pattern.get(at)?;
        if from == ']' && !quoted && at > first {
            return Some((found != negated, at + 1));
        }
        if from == '[' && !quoted && matches!(pattern.get(at + 1), Some((':', _))) {
            let rest: String = pattern[at + 2..].iter().map(|glyph| glyph.0).collect();
            let end = rest.find(":]")?;
            found |= in_class(&rest[..end], character);
            at += 2 + rest[..end].chars().count() + 2;
            continue;
        }
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some(('-', false)), Some(&(to, _))) if to != ']' => {
                found |= (from..=to).contains(&character);
                at += 3;
            }
            _ => {
                found |= from == character;
                at += 1;
            }
        }
    }
}

fn in_class(name: &str, character: char) -> bool {
    match name {
        "alpha" => character.is_ascii_alphabetic(),
        "digit" => character.is_ascii_digit(),
        "alnum" => character.is_ascii_alphanumeric(),
        "space" => character.is_ascii_whitespace(),
        "upper" => character.is_ascii_uppercase(),
        "lower" => character.is_ascii_lowercase(),
        "punct" => character.is_ascii_punctuation(),
        "blank" => matches!(character, ' ' | '\t'),
        "xdigit" => character.is_ascii_hexdigit(),
        _ => false,
    }
}

/// The shortest or longest start of `text` that the pattern takes, in characters.
pub(crate) fn prefix(pattern: &[Glyph], text: &[char], longest: bool) -> Option<usize> {
    let mut lengths: Vec<usize> = (0..=text.len()).collect();
    if longest {
        lengths.reverse();
    }
    lengths
        .into_iter()
        .find(|&length| matches(pattern, &text[..length]))
}

/// Where the shortest or longest end of `text` that the pattern takes begins.
pub(crate) fn suffix(pattern: &[Glyph], text: &[char], longest: bool) -> Option<usize> {
    let mut starts: Vec<usize> = (0..=text.len()).collect();
    if !longest {
        starts.reverse();
    }
    starts
        .into_iter()
        .find(|&start| matches(pattern, &text[start..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyphs(pattern: &str) -> Vec<Glyph> {
        pattern
            .chars()
            .map(|character| (character, false))
            .collect()
    }

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn patterns_take_what_posix_says() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*.so.*", "liba.so.1.so.2", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[[:digit:]]*", "7up", true),
            ("[", "[", true),
            ("a[b", "a[b", true),
            ("**", "x", true),
        ] {
            assert_eq!(
                matches(&glyphs(pattern), &chars(text)),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn a_quoted_star_is_a_star() {
        assert!(matches(&[('*', true)], &['*']));
        assert!(!matches(&[('*', true)], &['a']));
    }

    #[test]
    fn prefixes_and_suffixes_are_shortest_or_longest() {
        let text = chars("a/b/c");
        assert_eq!(prefix(&glyphs("*/"), &text, false), Some(2));
        assert_eq!(prefix(&glyphs("*/"), &text, true), Some(4));
        assert_eq!(suffix(&glyphs("/*"), &text, false), Some(3));
        assert_eq!(suffix(&glyphs("/*"), &text, true), Some(1));
        assert_eq!(suffix(&glyphs("x"), &text, true), None);
    }
}
