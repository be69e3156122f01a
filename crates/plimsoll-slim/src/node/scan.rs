//! What a script asks for by name, read without understanding the rest of it.
//!
//! Words, punctuation, strings and templates are told apart (ECMA-262, clause 12); what is asked
//! for is found by the few shapes in which modules are loaded. A name too many costs a look-up.

use std::collections::BTreeSet;

use crate::known::{Learned, weight_of};

/// More names than this are not read from one script.
const NAME_LIMIT: usize = 20_000;

/// What a script asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Names in `require("...")`, `import ... from "..."`, `import("...")`, `new URL("...")`.
    pub(crate) names: BTreeSet<String>,
    /// It also loads what it puts together while it runs: names nobody can read off.
    pub(crate) computes: bool,
}

impl Learned for Asked {
    fn weight(&self) -> usize {
        weight_of(&self.names)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Punctuation(u8),
    Text(String),
    /// A template with something computed in it.
    Computed,
}

/// Reads a script.
pub(crate) fn scan(source: &str) -> Asked {
    let mut asked = Asked::default();
    let mut rest = Source {
        bytes: source.as_bytes(),
        text: source,
        at: 0,
        after_value: false,
    };
    let mut last: [Option<Token<'_>>; 4] = [None, None, None, None];
    while let Some(token) = rest.next() {
        if asked.names.len() >= NAME_LIMIT {
            asked.computes = true;
            break;
        }
        notice(&last, &token, &mut asked);
        last.rotate_left(1);
        last[3] = Some(token);
    }
    asked
}

/// `last` are the four tokens before `token`, the nearest at the end.
fn notice(last: &[Option<Token<'_>>; 4], token: &Token<'_>, asked: &mut Asked) {
    let word = |at: usize, text: &str| last[at].as_ref() == Some(&Token::Word(text));
    let mark = |at: usize, byte: u8| last[at] == Some(Token::Punctuation(byte));
    let calls = mark(3, b'(')
        && ((word(2, "require") && !word(1, "function"))
            || (word(2, "import") && !mark(1, b'.'))
            || (word(2, "resolve") && mark(1, b'.')));
    let makes = mark(3, b'(') && word(1, "new") && (word(2, "URL") || word(2, "Worker"));
    match token {
        Token::Text(name) => {
            if calls || makes || word(3, "from") || (word(3, "import") && !mark(2, b'.')) {
                asked.names.insert(name.clone());
            }
        }
        Token::Computed => asked.computes |= calls,
        Token::Word("__dirname" | "__filename") => asked.computes = true,
        Token::Word(_) => {
            let is_real = word(2, "require") || word(2, "import");
            asked.computes |= calls && is_real && !mark(1, b'.');
        }
        Token::Punctuation(b'+') => {
            // `require("./x/" + name)`
            let is_text = matches!(last[3], Some(Token::Text(_)));
            asked.computes |= is_text && mark(2, b'(') && (word(1, "require") || word(1, "import"));
        }
        Token::Punctuation(_) => {}
    }
}

struct Source<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    /// The token before ends a value: a slash divides. Else it begins a regular expression.
    after_value: bool,
}

impl<'a> Source<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            let start = self.at;
            self.at += 1;
            match byte {
                b'/' if self.peek() == Some(b'/') => self.skip_line(),
                b'/' if self.peek() == Some(b'*') => {
                    let end = memchr::memmem::find(&self.bytes[self.at..], b"*/");
                    self.at = end.map_or(self.bytes.len(), |end| self.at + end + 2);
                }
                b'/' if !self.after_value => {
                    self.skip_expression();
                    self.after_value = true;
                }
                b'#' if start == 0 => self.skip_line(),
                b'"' | b'\'' => {
                    self.after_value = true;
                    return Some(Token::Text(self.string(byte)));
                }
                b'`' => {
                    self.after_value = true;
                    return Some(self.template());
                }
                _ if is_word(byte) => {
                    while self.peek().is_some_and(is_word) {
                        self.at += 1;
                    }
                    let word = self.text.get(start..self.at).unwrap_or_default();
                    self.after_value = !matches!(
                        word,
                        "return"
                            | "typeof"
                            | "case"
                            | "in"
                            | "of"
                            | "delete"
                            | "void"
                            | "throw"
                            | "new"
                            | "else"
                            | "do"
                            | "await"
                            | "yield"
                    );
                    return Some(Token::Word(word));
                }
                _ if byte.is_ascii_whitespace() => {}
                _ => {
                    self.after_value = matches!(byte, b')' | b']' | b'}');
                    return Some(Token::Punctuation(byte));
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_line(&mut self) {
        let end = memchr::memchr(b'\n', &self.bytes[self.at..]);
        self.at = end.map_or(self.bytes.len(), |end| self.at + end);
    }

    /// Up to the closing slash, or to the end of the line if it was no expression after all.
    fn skip_expression(&mut self) {
        let start = self.at;
        let mut in_class = false;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => return,
                b'\n' => break,
                _ => {}
            }
        }
        self.at = start;
    }

    /// The string that `quote` opened; escapes are left as they are, no module's name has one.
    fn string(&mut self, quote: u8) -> String {
        let start = self.at;
        while let Some(byte) = self.peek() {
            if byte == quote || byte == b'\n' {
                break;
            }
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        let end = self.at.min(self.bytes.len());
        self.at = end + 1;
        self.text.get(start..end).unwrap_or_default().to_owned()
    }

    /// A template: its text, if nothing is computed in it. What is computed is read as code.
    fn template(&mut self) -> Token<'a> {
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'`' => {
                    let text = self.text.get(start..self.at).unwrap_or_default();
                    self.at += 1;
                    return Token::Text(text.to_owned());
                }
                b'\\' => self.at += 2,
                b'$' if self.bytes.get(self.at + 1) == Some(&b'{') => {
                    self.skip_template();
                    return Token::Computed;
                }
                _ => self.at += 1,
            }
        }
        Token::Computed
    }

    /// To the end of a template with holes in it, templates inside the holes included.
    fn skip_template(&mut self) {
        // One entry per open template: how many braces are open in its hole.
        let mut open: Vec<Option<u32>> = vec![None];
        loop {
            let depth = open.len();
            let (Some(byte), Some(state)) = (self.peek(), open.last_mut()) else {
                return;
            };
            self.at += 1;
            match (byte, state) {
                (b'\\', _) => self.at += 1,
                (b'`', None) => {
                    open.pop();
                }
                (b'$', state @ None) if self.peek() == Some(b'{') => {
                    self.at += 1;
                    *state = Some(0);
                }
                (b'{', Some(braces)) => *braces = braces.saturating_add(1),
                (b'}', state @ Some(0)) => *state = None,
                (b'}', Some(braces)) => *braces -= 1,
                (b'`', Some(_)) if depth < 64 => open.push(None),
                (quote @ (b'"' | b'\''), Some(_)) => {
                    self.string(quote);
                }
                _ => {}
            }
            if open.is_empty() {
                return;
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::scan;

    fn names(source: &str) -> Vec<String> {
        scan(source).names.into_iter().collect()
    }

    #[test]
    fn every_way_of_loading_is_seen() {
        let source = "#!/usr/bin/env node\nimport a from 'one'; import 'two'; export * from \"three\";
            const b = require( 'four' ), c = await import(`five`);
            new Worker(new URL('./six.js', import.meta.url)); require.resolve('seven/package.json')";
        assert_eq!(
            names(source),
            [
                "./six.js",
                "five",
                "four",
                "one",
                "seven/package.json",
                "three",
                "two"
            ]
        );
        assert!(!scan(source).computes);
    }

    #[test]
    fn comments_strings_and_expressions_are_not_code() {
        let source = "// require('a')\n/* import 'b' */ x = 'require(\"c\")';
            y = /require('d')[/'\"]/g; z = a / b; `${'x'} require('e') ${`}`}`; from = 'f'; obj.from('g');
            require('real')";
        assert_eq!(names(source), ["real"]);
    }

    #[test]
    fn what_is_computed_is_said() {
        for source in [
            "require(name)",
            "require('./x/' + name)",
            "import(`./x/${name}.js`)",
            "fs.readFileSync(path.join(__dirname, 'x'))",
        ] {
            assert!(scan(source).computes, "{source}");
        }
        assert!(!scan("function require(name) {} obj.resolve(value); `${x}`").computes);
    }

    #[test]
    fn nonsense_ends() {
        for source in [
            "`${",
            "'\\",
            "/[",
            "require(\"",
            "/*",
            "`\\",
            "require(`a${`b${",
        ] {
            scan(source);
        }
    }
}
