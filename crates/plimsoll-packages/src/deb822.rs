//! Debian control data: stanzas of `Field: value` lines, borrowed from the text.
//!
//! Source: Debian policy 5.1 and `deb822(5)`. Field names have no case, a line that begins with a
//! blank or a tab continues the one before, a line of nothing but blanks ends a stanza, a line that
//! begins with `#` is a comment. Lines end with LF or CRLF.

use std::borrow::Cow;

/// One stanza (policy: paragraph).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stanza<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> Stanza<'a> {
    /// The value of the first field of this name, without the white space around it. Of several
    /// lines the ends and the leading blanks are kept, comments are not.
    pub fn get(&self, field: &str) -> Option<Cow<'a, str>> {
        self.fields()
            .find(|(name, _)| name.eq_ignore_ascii_case(field))
            .map(|(_, value)| value)
    }

    /// The stanza as written, without the blank lines around it.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The line of the text on which it begins, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Every field in the order of the text: name as written, value as [`Self::get`] gives it.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + use<'a> {
        Fields { rest: self.text }
    }
}

/// The stanzas of `text`, in order. One that cannot be read is an error with the line (counted
/// from 1) and what is wrong there; reading goes on behind it.
pub fn stanzas(text: &[u8]) -> impl Iterator<Item = Result<Stanza<'_>, (usize, String)>> {
    Stanzas {
        text,
        at: 0,
        line: 1,
    }
}

struct Stanzas<'a> {
    text: &'a [u8],
    at: usize,
    /// The line that begins at `at`.
    line: usize,
}

impl<'a> Iterator for Stanzas<'a> {
    type Item = Result<Stanza<'a>, (usize, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        // The first line that belongs to a stanza, and the end of the last one.
        let mut first = None;
        let mut end = self.at;
        let mut fields = 0_usize;
        let mut wrong = None;
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let (length, next) = match memchr::memchr(b'\n', rest) {
                Some(newline) => (newline, newline + 1),
                None => (rest.len(), rest.len()),
            };
            let line = &rest[..length];
            let number = self.line;
            let blank = is_blank(line);
            // A stanza begins with its first line that is neither blank nor a comment.
            let before = first.is_none() && (blank || line[0] == b'#');
            if blank && !before {
                break;
            }
            if !before {
                first.get_or_insert((self.at, number));
                let verdict = match line[0] {
                    b'#' => Ok(()),
                    b' ' | b'\t' if fields > 0 => Ok(()),
                    b' ' | b'\t' => Err("a continuation without a field before it"),
                    _ => match memchr::memchr(b':', line) {
                        Some(colon) if is_name(&line[..colon]) => {
                            fields += 1;
                            Ok(())
                        }
                        Some(_) => Err("not a field name before the colon"),
                        None => Err("neither a field nor a continuation"),
                    },
                };
                if let (Err(why), None) = (verdict, &wrong) {
                    wrong = Some((number, why.to_owned()));
                }
                end = self.at + length;
            }
            self.at += next;
            self.line += 1;
        }
        let (start, line) = first?;
        if let Some(wrong) = wrong {
            return Some(Err(wrong));
        }
        let text = &self.text[start..end];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Some(match std::str::from_utf8(text) {
            Ok(text) => Ok(Stanza { text, line }),
            Err(error) => {
                let before = &text[..error.valid_up_to()];
                let at = line + memchr::memchr_iter(b'\n', before).count();
                Err((at, "not UTF-8".to_owned()))
            }
        })
    }
}

/// Whether the line has nothing but blanks.
fn is_blank(line: &[u8]) -> bool {
    match line.first() {
        None => true,
        Some(b' ' | b'\t' | b'\r') => line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')),
        Some(_) => false,
    }
}

/// Policy 5.1: printable ASCII without blank and colon, not beginning with `#` or `-`.
fn is_name(name: &[u8]) -> bool {
    // Blanks between name and colon are taken, as dpkg takes them.
    let name = name.trim_ascii_end();
    !name.is_empty() && name[0] != b'-' && name.iter().all(u8::is_ascii_graphic)
}

struct Fields<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let (line, after) = split_line(self.rest);
            if line.starts_with('#') {
                self.rest = after;
                continue;
            }
            let (field, commented) = self.take_field(line.len());
            // The stanza was checked: every line that is no continuation has a colon.
            let Some(colon) = memchr::memchr(b':', field.as_bytes()) else {
                continue;
            };
            let name = field[..colon].trim_ascii_end();
            let value = field[colon + 1..].trim_ascii();
            let value = if commented {
                // The first line is what stands behind the colon, and so never a comment.
                let lines = value.split_inclusive('\n').enumerate();
                let kept: String = lines
                    .filter(|(index, line)| *index == 0 || !line.starts_with('#'))
                    .map(|(_, line)| line)
                    .collect();
                Cow::Owned(kept.trim_ascii_end().to_owned())
            } else {
                Cow::Borrowed(value)
            };
            return Some((name, value));
        }
    }
}

impl<'a> Fields<'a> {
    /// Takes the field that begins here, its first line so long, with its continuation lines;
    /// answers whether there are comments between them.
    fn take_field(&mut self, first: usize) -> (&'a str, bool) {
        let text = self.rest;
        let bytes = text.as_bytes();
        let mut end = first;
        let mut after = (first + 1).min(text.len());
        let mut commented = false;
        while let Some(b' ' | b'\t' | b'#') = bytes.get(after) {
            let comment = bytes[after] == b'#';
            let length = memchr::memchr(b'\n', &bytes[after..]).unwrap_or(text.len() - after);
            if !comment {
                commented |= memchr::memmem::find(&bytes[end..after], b"\n#").is_some();
                end = after + length;
            }
            after = (after + length + 1).min(text.len());
        }
        self.rest = &text[after..];
        (&text[..end], commented)
    }
}

/// The first line without its end, and what follows.
fn split_line(text: &str) -> (&str, &str) {
    match memchr::memchr(b'\n', text.as_bytes()) {
        Some(newline) => (&text[..newline], &text[newline + 1..]),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests;
