//! One joined line: keyword, flags, and arguments by keyword.

use std::ops::Range;

use super::json::{self, Array};
use super::{Arguments, Flag, Instruction, Keyword, Logical, Pair, Word};

/// Deepest nesting of `ONBUILD ONBUILD ...`, which no build accepts anyway.
const MAX_ONBUILD: usize = 50;

/// Blanks between words. Others, such as a no-break space, belong to a word.
const BLANKS: [char; 5] = ['\t', '\x0b', '\x0c', '\r', ' '];

/// Reads the text from `from` on as an instruction.
pub(super) fn instruction(
    logical: Logical,
    from: usize,
    escape: char,
    depth: usize,
) -> Result<Instruction, String> {
    if depth > MAX_ONBUILD {
        return Err(format!("ONBUILD is nested deeper than {MAX_ONBUILD}"));
    }
    let text = &logical.text;
    let trimmed = trim(text, from..text.len());
    let line = &text[trimmed.clone()];
    let end = line.find(BLANKS).unwrap_or(line.len());
    let keyword = Word {
        text: line[..end].to_owned(),
        at: trimmed.start..trimmed.start + end,
    };
    let rest = &line[end..];
    let blanks = rest.len() - rest.trim_start_matches(BLANKS).len();
    let after = keyword.at.end + blanks;
    let (flags, start) = flags(&text[..trimmed.end], after, escape);
    let rest = trim(text, start..trimmed.end);
    let kind = Keyword::parse(&keyword.text);
    let arguments = arguments(&logical, kind, rest, escape, depth)?;
    Ok(Instruction {
        keyword,
        kind,
        flags,
        arguments,
        heredocs: Vec::new(),
        span: logical.source(&trimmed),
        comments: Vec::new(),
        empty_lines: Vec::new(),
        logical,
    })
}

/// The range without blanks at both ends.
fn trim(text: &str, at: Range<usize>) -> Range<usize> {
    let part = &text[at.clone()];
    let start = at.start + part.len() - part.trim_start().len();
    let end = start + part.trim().len();
    start..end
}

/// A byte that the reading of flags takes for a blank; as there, two bytes that only begin to mean
/// one in Latin-1 are among them.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0)
}

/// The flags from `at` on, and where the arguments begin.
fn flags(line: &str, at: usize, escape: char) -> (Vec<Flag>, usize) {
    let bytes = line.as_bytes();
    let escape = escape as u8;
    let mut flags = Vec::new();
    let mut at = at;
    loop {
        while bytes.get(at).is_some_and(|&byte| is_blank(byte)) {
            at += 1;
        }
        if !bytes[at.min(bytes.len())..].starts_with(b"--") {
            break;
        }
        let start = at;
        let mut word = Vec::new();
        let mut quote = None;
        let mut quoted = false;
        while let Some(&byte) = bytes.get(at) {
            match quote {
                None if is_blank(byte) => break,
                None if byte == b'"' || byte == b'\'' => {
                    quote = Some(byte);
                    quoted = true;
                }
                Some(mark) if byte == mark => quote = None,
                _ if byte == escape => {
                    at += 1;
                    match bytes.get(at) {
                        Some(&next) => word.push(next),
                        None => break,
                    }
                }
                _ => word.push(byte),
            }
            at += 1;
        }
        if word == b"--" {
            break;
        }
        if !word.is_empty() || quoted {
            let word = String::from_utf8_lossy(&word).into_owned();
            let body = word.strip_prefix("--").unwrap_or(&word);
            let (name, value) = match body.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (body.to_owned(), None),
            };
            flags.push(Flag {
                name,
                value,
                at: start..at.min(bytes.len()),
            });
        }
    }
    let mut at = at.min(bytes.len());
    // Where a byte was taken for a blank the place may be inside a character.
    while !line.is_char_boundary(at) {
        at += 1;
    }
    (flags, at)
}

fn arguments(
    logical: &Logical,
    kind: Option<Keyword>,
    at: Range<usize>,
    escape: char,
    depth: usize,
) -> Result<Arguments, String> {
    let rest = &logical.text[at.clone()];
    if rest.is_empty() {
        return Ok(Arguments::None);
    }
    let text = || {
        Arguments::Text(Word {
            text: rest.to_owned(),
            at: at.clone(),
        })
    };
    Ok(match kind {
        None => Arguments::None,
        Some(Keyword::Add | Keyword::Copy | Keyword::Volume) => match exec(rest, at.start)? {
            Some(words) => Arguments::Json(words),
            None => Arguments::Words(fields(rest, at.start)),
        },
        Some(Keyword::Cmd | Keyword::Entrypoint | Keyword::Run | Keyword::Shell) => {
            match exec(rest, at.start)? {
                Some(words) => Arguments::Json(words),
                None => text(),
            }
        }
        Some(Keyword::Expose | Keyword::From) => Arguments::Words(fields(rest, at.start)),
        Some(Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir) => {
            text()
        }
        Some(Keyword::Arg) => {
            let words = words(rest, at.start, escape);
            Arguments::Pairs(words.into_iter().map(optional).collect())
        }
        Some(keyword @ (Keyword::Env | Keyword::Label)) => {
            Arguments::Pairs(pairs(rest, at.start, escape, keyword)?)
        }
        Some(Keyword::Healthcheck) => {
            let bytes = rest.as_bytes();
            let end = bytes.iter().position(|&byte| is_blank(byte));
            let mut end = end.unwrap_or(rest.len());
            while !rest.is_char_boundary(end) {
                end += 1;
            }
            let tail = trim(rest, end..rest.len());
            let word = Word {
                text: rest[..end].to_owned(),
                at: at.start..at.start + end,
            };
            let command = &rest[tail.clone()];
            let place = at.start + tail.start;
            let command = match exec(command, place)? {
                _ if command.is_empty() => Arguments::None,
                Some(words) => Arguments::Json(words),
                None => Arguments::Text(Word {
                    text: command.to_owned(),
                    at: place..place + command.len(),
                }),
            };
            Arguments::Health(word, Box::new(command))
        }
        Some(Keyword::Onbuild) => {
            // What is put off ends where this ends: only its start differs.
            let inner = instruction(logical.clone(), at.start, escape, depth + 1)?;
            Arguments::Onbuild(Box::new(inner))
        }
    })
}

/// The words of an exec form.
fn exec(text: &str, at: usize) -> Result<Option<Vec<Word>>, String> {
    match json::array(text, at) {
        Array::Strings(words) => Ok(Some(words)),
        Array::Mixed => Err("a JSON array here must hold strings only".to_owned()),
        Array::No => Ok(None),
    }
}

/// What stands between blanks.
fn fields(text: &str, at: usize) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let end = start + rest.find(BLANKS).unwrap_or(rest.len());
        words.push(Word {
            text: text[start..end].to_owned(),
            at: at + start..at + end,
        });
        let rest = &text[end..];
        start = end + rest.len() - rest.trim_start_matches(BLANKS).len();
    }
    words
}

/// Words between blanks, where quotes and the escape character hold a blank; both stay.
fn words(text: &str, at: usize, escape: char) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut begun: Option<usize> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.char_indices().peekable();
    while let Some((place, c)) = characters.next() {
        if quote.is_none() && c.is_whitespace() {
            if let Some(start) = begun.take() {
                let text = std::mem::take(&mut word);
                words.push((text, at + start..at + place));
            }
            continue;
        }
        begun.get_or_insert(place);
        if c == escape && quote != Some('\'') {
            // At the very end it escapes nothing and is dropped.
            if let Some((_, next)) = characters.next() {
                word.push(c);
                word.push(next);
            }
            continue;
        }
        match quote {
            Some(mark) if mark == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        word.push(c);
    }
    if let Some(start) = begun {
        words.push((word, at + start..at + text.len()));
    }
    words.retain(|(text, _)| !text.is_empty());
    words
        .into_iter()
        .map(|(text, at)| Word { text, at })
        .collect()
}

/// `NAME` or `NAME=value`.
fn optional(word: Word) -> Pair {
    match word.text.split_once('=') {
        Some((key, value)) => pair(&word, key, value),
        None => Pair {
            key: word,
            value: None,
            legacy: false,
        },
    }
}

fn pair(word: &Word, key: &str, value: &str) -> Pair {
    let middle = (word.at.start + key.len()).min(word.at.end);
    Pair {
        key: Word {
            text: key.to_owned(),
            at: word.at.start..middle,
        },
        value: Some(Word {
            text: value.to_owned(),
            at: (middle + 1).min(word.at.end)..word.at.end,
        }),
        legacy: false,
    }
}

fn pairs(text: &str, at: usize, escape: char, keyword: Keyword) -> Result<Vec<Pair>, String> {
    let words = words(text, at, escape);
    let Some(first) = words.first() else {
        return Ok(Vec::new());
    };
    if !first.text.contains('=') {
        let end = text.find(BLANKS).unwrap_or(text.len());
        let rest = &text[end..];
        let value = rest.trim_start_matches(BLANKS);
        if rest.is_empty() {
            return Err(format!("{} needs a name and a value", keyword.name()));
        }
        let start = at + text.len() - value.len();
        return Ok(vec![Pair {
            key: Word {
                text: text[..end].to_owned(),
                at: at..at + end,
            },
            value: Some(Word {
                text: value.to_owned(),
                at: start..at + text.len(),
            }),
            legacy: true,
        }]);
    }
    let each = words.iter().map(|word| match word.text.split_once('=') {
        Some((key, value)) => Ok(pair(word, key, value)),
        None => Err(format!("`{}` has no = in {}", word.text, keyword.name())),
    });
    each.collect()
}
