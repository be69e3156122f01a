//! Variables and quotes in the words of an instruction, as BuildKit's own lexer expands them:
//! `$x`, `${x}`, `${x:-word}` and its kin, `${x#pattern}`, `${x/pattern/word}`.

use std::collections::BTreeSet;

/// Deepest nesting of `${a:-${b:-...}}`.
const MAX_DEPTH: usize = 100;
/// Longest text an expansion may give, in bytes: text can name itself and double each time.
const MAX_RESULT: usize = 64 << 10;
/// Most steps that patterns may take in one word.
const MAX_WORK: usize = 200_000;

/// What a lexer leaves as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    /// Quotes stay.
    pub(super) raw_quotes: bool,
    /// Escape characters stay.
    pub(super) raw_escapes: bool,
    /// A variable that is not set stays as written.
    pub(super) keep_unset: bool,
}

/// A word expanded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expanded {
    /// What it became.
    pub text: String,
    /// The variables it names that are set.
    pub used: BTreeSet<String>,
    /// The variables it names that are not.
    pub missing: BTreeSet<String>,
}

/// Expands a word; `variable` answers the value of a variable.
///
/// # Errors
///
/// When the word is not understood, a variable it demands (`${x:?}`) is not there, or the result
/// is longer than any real one.
pub fn expand(
    word: &str,
    escape: char,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Expanded, String> {
    let mut lexer = Lexer::new(word, escape, Style::default(), variable);
    let (text, _) = lexer.until(None)?;
    Ok(Expanded {
        text,
        used: lexer.used,
        missing: lexer.missing,
    })
}

/// The lexer on its way through a word.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    escape: char,
    style: Style,
    variable: &'a dyn Fn(&str) -> Option<String>,
    depth: usize,
    work: usize,
    used: BTreeSet<String>,
    missing: BTreeSet<String>,
}

/// Words as they are found.
#[derive(Default)]
struct Words {
    word: String,
    words: Vec<String>,
}

impl Words {
    fn character(&mut self, c: char) {
        if !c.is_whitespace() {
            self.word.push(c);
        } else if !self.word.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    fn finish(mut self) -> Vec<String> {
        if !self.word.is_empty() {
            self.words.push(self.word);
        }
        self.words
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(
        text: &'a str,
        escape: char,
        style: Style,
        variable: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            text,
            at: 0,
            escape,
            style,
            variable,
            depth: 0,
            work: 0,
            used: BTreeSet::new(),
            missing: BTreeSet::new(),
        }
    }

    /// The words the text is split into, after expansion.
    pub(super) fn words(mut self) -> Result<Vec<String>, String> {
        Ok(self.until(None)?.1)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Everything up to a character, which is passed over; the text, and the same as words.
    fn until(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), String> {
        let mut result = String::new();
        let mut words = Words::default();
        while let Some(c) = self.peek() {
            if result.len() > MAX_RESULT {
                return Err(format!("becomes longer than {MAX_RESULT} bytes"));
            }
            if Some(c) == stop {
                self.next();
                return Ok((result, words.finish()));
            }
            match c {
                '\'' => {
                    let text = self.single()?;
                    words.word.push_str(&text);
                    result.push_str(&text);
                }
                '"' => {
                    let text = self.double()?;
                    words.word.push_str(&text);
                    result.push_str(&text);
                }
                '$' => {
                    let text = self.dollar()?;
                    text.chars().for_each(|c| words.character(c));
                    result.push_str(&text);
                }
                '<' => {
                    let text = self.less();
                    words.word.push_str(text);
                    result.push_str(text);
                }
                c => {
                    self.next();
                    if c != self.escape {
                        words.character(c);
                        result.push(c);
                        continue;
                    }
                    if self.style.raw_escapes {
                        words.word.push(c);
                        result.push(c);
                    }
                    if let Some(c) = self.next() {
                        words.word.push(c);
                        result.push(c);
                    }
                }
            }
        }
        match stop {
            Some(stop) => Err(format!("`{stop}` is missing")),
            None => Ok((result, words.finish())),
        }
    }

    /// `<`, or `<<` with the blanks behind it: they belong to the name of a here-document.
    fn less(&mut self) -> &'a str {
        let start = self.at;
        self.at += 1;
        if self.peek() == Some('<') {
            self.at += 1;
            while matches!(self.peek(), Some('\t' | '\r' | ' ')) {
                self.at += 1;
            }
        }
        &self.text[start..self.at]
    }

    fn single(&mut self) -> Result<String, String> {
        let start = self.at;
        self.at += 1;
        let Some(length) = self.text[self.at..].find('\'') else {
            return Err("a single quote is not closed".to_owned());
        };
        let end = self.at + length;
        self.at = end + 1;
        Ok(match self.style.raw_quotes {
            true => self.text[start..=end].to_owned(),
            false => self.text[start + 1..end].to_owned(),
        })
    }

    fn double(&mut self) -> Result<String, String> {
        let mut result = String::new();
        self.at += 1;
        if self.style.raw_quotes {
            result.push('"');
        }
        loop {
            match self.peek() {
                None => return Err("a double quote is not closed".to_owned()),
                Some('"') => {
                    self.at += 1;
                    if self.style.raw_quotes {
                        result.push('"');
                    }
                    return Ok(result);
                }
                Some('$') => {
                    let value = self.dollar()?;
                    result.push_str(&value);
                }
                Some(c) => {
                    self.next();
                    if c != self.escape {
                        result.push(c);
                        continue;
                    }
                    if self.style.raw_escapes {
                        result.push(c);
                    }
                    match self.peek() {
                        None => {}
                        Some(next) if next == '"' || next == '$' || next == self.escape => {
                            self.next();
                            result.push(next);
                        }
                        Some(_) => result.push(c),
                    }
                }
            }
        }
    }

    fn dollar(&mut self) -> Result<String, String> {
        self.at += 1;
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(match self.value(&name) {
                Some(value) => value,
                None if self.style.keep_unset => format!("${name}"),
                None => String::new(),
            });
        }
        self.at += 1;
        match self.peek() {
            None => return Err("`}` is missing".to_owned()),
            Some('{' | '}' | ':') => return Err("`${` without a name".to_owned()),
            Some(_) => {}
        }
        let name = self.name();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("variables are nested deeper than {MAX_DEPTH}"));
        }
        let result = self.braces(&name);
        self.depth -= 1;
        result
    }

    /// What follows the name in `${name...}`.
    fn braces(&mut self, name: &str) -> Result<String, String> {
        let keep = self.style.keep_unset;
        let mut sign = self.next();
        if sign == Some('}') {
            return Ok(match self.value(name) {
                Some(value) => value,
                None if keep => format!("${{{name}}}"),
                None => String::new(),
            });
        }
        let colon = sign == Some(':');
        if colon {
            sign = self.next();
        }
        let shown = if colon { ":" } else { "" };
        match sign {
            Some(sign @ ('+' | '-' | '?' | '#' | '%')) => {
                let pattern = matches!(sign, '#' | '%');
                if colon && pattern {
                    return Err(format!("`${{{name}:{sign}` is not known"));
                }
                let word = self.with_escapes(pattern, '}')?;
                let value = self.value(name);
                if keep && value.is_none() {
                    return Ok(format!("${{{name}{shown}{sign}{word}}}"));
                }
                let set = value
                    .as_deref()
                    .is_some_and(|value| !colon || !value.is_empty());
                let value = value.unwrap_or_default();
                match sign {
                    '-' => Ok(if set { value } else { word }),
                    '+' => Ok(if set { word } else { String::new() }),
                    '?' if set => Ok(value),
                    '?' if word.is_empty() => Err(format!("{name} must be set")),
                    '?' => Err(format!("{name}: {word}")),
                    sign => {
                        let longest = word.starts_with(sign);
                        let word = word.strip_prefix(sign).unwrap_or(&word);
                        let pattern = Pattern::parse(word)?;
                        self.spend(pattern.0.len() * (value.len() + 1))?;
                        Ok(match sign {
                            '#' => pattern.trim_start(&value, longest),
                            _ => pattern.trim_end(&value, longest),
                        })
                    }
                }
            }
            Some('/') if !colon => {
                let all = self.peek() == Some('/');
                if all {
                    self.at += 1;
                }
                let pattern = self.with_escapes(true, '/')?;
                let word = self.with_escapes(true, '}')?;
                let value = self.value(name);
                if keep && value.is_none() {
                    return Ok(format!("${{{name}/{pattern}/{word}}}"));
                }
                let value = value.unwrap_or_default();
                let pattern = Pattern::parse(&pattern)?;
                let places = value.len() + 1;
                self.spend((pattern.0.len() * places + word.len()).saturating_mul(places))?;
                Ok(pattern.replace(&value, &word, all))
            }
            Some(sign) => Err(format!("`${{{name}{shown}{sign}` is not known")),
            None => Err("`}` is missing".to_owned()),
        }
    }

    /// Takes steps off what one word may cost.
    fn spend(&mut self, steps: usize) -> Result<(), String> {
        self.work = self.work.saturating_add(steps);
        match self.work > MAX_WORK {
            true => Err(format!("takes more than {MAX_WORK} steps")),
            false => Ok(()),
        }
    }

    fn with_escapes(&mut self, raw: bool, stop: char) -> Result<String, String> {
        let before = std::mem::replace(&mut self.style.raw_escapes, raw);
        let result = self.until(Some(stop));
        self.style.raw_escapes = before;
        Ok(result?.0)
    }

    /// A name: letters, digits and `_`, a number, or one of the special parameters.
    fn name(&mut self) -> String {
        let rest = &self.text[self.at..];
        let length = match rest.chars().next() {
            Some(c) if c.is_numeric() => rest.find(|c: char| !c.is_numeric()).unwrap_or(rest.len()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
            _ => rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len()),
        };
        self.at += length;
        rest[..length].to_owned()
    }

    fn value(&mut self, name: &str) -> Option<String> {
        let value = (self.variable)(name);
        match value {
            Some(_) => self.used.insert(name.to_owned()),
            None => self.missing.insert(name.to_owned()),
        };
        value
    }
}

/// A pattern with `*` and `?`.
struct Pattern(Vec<Piece>);

#[derive(PartialEq)]
enum Piece {
    Any,
    One,
    Exactly(char),
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            pieces.push(match c {
                '*' => Piece::Any,
                '?' => Piece::One,
                '\\' => match characters.next() {
                    Some(c @ ('*' | '?' | '\\' | '}' | '/')) => Piece::Exactly(c),
                    Some(c) => return Err(format!("`\\{c}` is not known in a pattern")),
                    None => return Err("a pattern ends with an escape".to_owned()),
                },
                c => Piece::Exactly(c),
            });
        }
        pieces.dedup_by(|one, other| *one == Piece::Any && *other == Piece::Any);
        Ok(Self(pieces))
    }

    /// The lengths (in characters) of the starts of a text that match, smallest first.
    fn starts(&self, text: &[char]) -> Vec<usize> {
        // What can be matched so far, for each number of characters: one row a piece.
        let mut reach = vec![false; text.len() + 1];
        reach[0] = true;
        for piece in &self.0 {
            let mut next = vec![false; text.len() + 1];
            let mut any = false;
            for at in 0..=text.len() {
                match piece {
                    Piece::Any => {
                        any |= reach[at];
                        next[at] = any;
                    }
                    Piece::One => next[at] = at > 0 && reach[at - 1],
                    Piece::Exactly(c) => next[at] = at > 0 && reach[at - 1] && text[at - 1] == *c,
                }
            }
            reach = next;
        }
        let lengths = reach.iter().enumerate().filter(|(_, reached)| **reached);
        lengths.map(|(length, _)| length).collect()
    }

    fn trim_start(&self, value: &str, longest: bool) -> String {
        let text: Vec<char> = value.chars().collect();
        let starts = self.starts(&text);
        let cut = if longest {
            starts.last()
        } else {
            starts.first()
        };
        text[cut.copied().unwrap_or(0)..].iter().collect()
    }

    fn trim_end(&self, value: &str, longest: bool) -> String {
        let text: Vec<char> = value.chars().rev().collect();
        let reversed = Self(
            self.0
                .iter()
                .rev()
                .map(|piece| match piece {
                    Piece::Any => Piece::Any,
                    Piece::One => Piece::One,
                    Piece::Exactly(c) => Piece::Exactly(*c),
                })
                .collect(),
        );
        let starts = reversed.starts(&text);
        let cut = if longest {
            starts.last()
        } else {
            starts.first()
        };
        text[cut.copied().unwrap_or(0)..].iter().rev().collect()
    }

    fn replace(&self, value: &str, word: &str, all: bool) -> String {
        let text: Vec<char> = value.chars().collect();
        let mut result = String::new();
        let mut at = 0;
        let mut done = false;
        while at <= text.len() {
            let rest = &text[at..];
            let longest = match done && !all {
                true => None,
                false => self.starts(rest).last().copied(),
            };
            match longest {
                Some(length) => {
                    result.push_str(word);
                    done = true;
                    at += length;
                    if length > 0 {
                        if at == text.len() {
                            break;
                        }
                        continue;
                    }
                }
                None if done && !all => {
                    result.extend(rest);
                    break;
                }
                None => {}
            }
            result.extend(rest.first());
            at += 1;
        }
        result
    }
}
