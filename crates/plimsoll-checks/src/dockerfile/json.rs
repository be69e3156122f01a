//! JSON arrays of strings: the exec form.

use super::Word;

/// Deepest nesting that is read, as in BuildKit's JSON library.
const MAX_DEPTH: usize = 10_000;

/// What a text is that might be an exec form.
pub(super) enum Array {
    /// An array of strings.
    Strings(Vec<Word>),
    /// An array, but not of strings only.
    Mixed,
    /// Not JSON, or not an array.
    No,
}

/// Reads a text as a JSON array of strings; `at` is where the text stands.
pub(super) fn array(text: &str, at: usize) -> Array {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        text,
        at: 0,
        base: at,
    };
    while text[reader.at..].starts_with(char::is_whitespace) {
        reader.at += text[reader.at..].chars().next().map_or(1, char::len_utf8);
    }
    if reader.peek() != Some(b'[') {
        return Array::No;
    }
    reader.outer().unwrap_or(Array::No)
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    base: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn outer(&mut self) -> Option<Array> {
        self.at += 1;
        let mut words = Vec::new();
        let mut mixed = false;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                self.blanks();
                if self.peek() == Some(b'"') {
                    words.push(self.string()?);
                } else {
                    self.value()?;
                    mixed = true;
                }
                self.blanks();
                match self.peek()? {
                    b',' => self.at += 1,
                    b']' => {
                        self.at += 1;
                        break;
                    }
                    _ => return None,
                }
            }
        }
        self.blanks();
        match (self.at == self.bytes.len(), mixed) {
            (false, _) => None,
            (true, true) => Some(Array::Mixed),
            (true, false) => Some(Array::Strings(words)),
        }
    }

    /// A string with its quotes.
    fn string(&mut self) -> Option<Word> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let c = rest.chars().next()?;
            self.at += c.len_utf8();
            match c {
                '"' => break,
                '\\' => text.push(self.escape()?),
                c if c < ' ' => return None,
                c => text.push(c),
            }
        }
        Some(Word {
            text,
            at: self.base + start..self.base + self.at,
        })
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hexadecimal()?;
                let surrogate =
                    (0xd800..0xdc00).contains(&high) && self.bytes[self.at..].starts_with(b"\\u");
                if surrogate {
                    let before = self.at;
                    self.at += 2;
                    let low = self.hexadecimal()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        return Some(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                    self.at = before;
                }
                char::from_u32(high).unwrap_or('\u{fffd}')
            }
            _ => return None,
        })
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    /// Any value, passed over without recursion: the nesting is a stranger's.
    fn value(&mut self) -> Option<()> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.blanks();
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'[' => {
                    self.at += 1;
                    self.blanks();
                    if self.peek()? == b']' {
                        self.at += 1;
                    } else {
                        open.push(b']');
                        if open.len() > MAX_DEPTH {
                            return None;
                        }
                        continue;
                    }
                }
                b'{' => {
                    self.at += 1;
                    self.blanks();
                    if self.peek()? == b'}' {
                        self.at += 1;
                    } else {
                        open.push(b'}');
                        if open.len() > MAX_DEPTH {
                            return None;
                        }
                        self.key()?;
                        continue;
                    }
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => self.number()?,
            }
            // A value is over: what encloses it goes on, or is over as well.
            loop {
                let Some(&close) = open.last() else {
                    return Some(());
                };
                self.blanks();
                let byte = self.peek()?;
                self.at += 1;
                if byte == b',' {
                    if close == b'}' {
                        self.key()?;
                    }
                    break;
                }
                if byte != close {
                    return None;
                }
                open.pop();
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.blanks();
        if self.peek()? != b'"' {
            return None;
        }
        self.string()?;
        self.blanks();
        self.literal(b":")
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| {
            self.at += word.len();
        })
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.peek().filter(u8::is_ascii_digit)?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.peek().filter(u8::is_ascii_digit)?;
            self.digits();
        }
        Some(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }
}
