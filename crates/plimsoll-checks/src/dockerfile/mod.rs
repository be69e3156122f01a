//! The text of a Dockerfile as instructions, each with its place.
//!
//! What is taken and what is refused is what BuildKit's parser takes and refuses, quirks included:
//! parser directives, continuation lines with comments and empty lines among them, here-documents,
//! JSON and shell forms, flags. A file it refuses is [`Invalid`]; an instruction that it reads and
//! then cannot build is [`instruction::fault`]'s to tell.
//!
//! The parser is our own because two things are needed that the library `parse-dockerfile` does not
//! aim at: to read what BuildKit reads although no build would accept it, and to know the place of
//! every word after continuation lines are joined.

pub mod expand;
mod heredoc;
pub mod instruction;
mod json;
mod lines;
pub mod shell;
mod split;
pub mod stages;

use std::ops::Range;

pub use heredoc::Heredoc;
pub use instruction::Keyword;
pub use lines::Logical;

/// Largest file that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// Longest line with its end, in bytes: BuildKit's own limit.
pub const MAX_LINE: usize = 64 << 10;

/// Bytes of the file, end excluded.
pub type Span = Range<usize>;

/// A Dockerfile, parsed.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    text: String,
    starts: Vec<usize>,
    /// The escape character: `\`, or what the directive `escape` says.
    pub escape: char,
    /// The parser directives at the head of the file.
    pub directives: Vec<Directive>,
    /// The instructions in order.
    pub instructions: Vec<Instruction>,
}

/// `# name=value` at the head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// `syntax`, `escape` or `check`.
    pub name: &'static str,
    /// What it is set to.
    pub value: String,
    /// The whole line.
    pub span: Span,
}

/// A comment line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its text without the sign and without blanks around it.
    pub text: String,
    /// The comment, from its sign to the end of the line.
    pub span: Span,
}

/// One instruction with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The lines it is written on, joined: every other place is one of this text.
    pub logical: Logical,
    /// The keyword, as written.
    pub keyword: Word,
    /// What the keyword is; `None` for a word that is no instruction.
    pub kind: Option<Keyword>,
    /// The flags behind the keyword.
    pub flags: Vec<Flag>,
    /// What follows the flags.
    pub arguments: Arguments,
    /// The here-documents that follow.
    pub heredocs: Vec<Heredoc>,
    /// All of it in the file, here-documents included.
    pub span: Span,
    /// The comments above it, back to the previous instruction or an empty comment.
    pub comments: Vec<Comment>,
    /// Empty lines among its continuation lines.
    pub empty_lines: Vec<Span>,
}

/// A word, and where it stands in the joined text of its instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its text: as written, quotes included; a JSON string is decoded.
    pub text: String,
    /// Where it stands.
    pub at: Range<usize>,
}

/// `--name` or `--name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The name without dashes.
    pub name: String,
    /// What follows `=`, quotes removed.
    pub value: Option<String>,
    /// Where it stands.
    pub at: Range<usize>,
}

/// `KEY=value` of `ENV`, `LABEL` and `ARG`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key as written.
    pub key: Word,
    /// The value as written; `None` for an `ARG` without one.
    pub value: Option<Word>,
    /// Whether it is written `KEY value`, without `=`.
    pub legacy: bool,
}

/// What follows the flags of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// Nothing, or nothing that is read: an unknown keyword.
    None,
    /// A JSON array: the exec form.
    Json(Vec<Word>),
    /// One text to the end: the shell form, a user, a directory.
    Text(Word),
    /// Words between blanks.
    Words(Vec<Word>),
    /// Keys and values.
    Pairs(Vec<Pair>),
    /// `HEALTHCHECK`: its kind, and the command.
    Health(Word, Box<Arguments>),
    /// `ONBUILD`: the instruction that is put off.
    Onbuild(Box<Instruction>),
}

/// Why a file is no Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, without a full stop.
    pub message: String,
}

/// A place for a person: both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Reads a Dockerfile. Bytes that are not UTF-8 become U+001A, one each, so that places stay right.
///
/// # Errors
///
/// When BuildKit's parser refuses the file, or it is larger than [`MAX_BYTES`].
pub fn parse(bytes: &[u8]) -> Result<Dockerfile, Invalid> {
    if bytes.len() > MAX_BYTES {
        let message = format!("has more than the limit of {MAX_BYTES} bytes");
        return Err(Invalid { line: 1, message });
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.utf8_chunks().fold(String::new(), |mut text, chunk| {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| '\u{1a}'));
            text
        }),
    };
    lines::parse(text)
}

impl Dockerfile {
    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte.
    pub fn position(&self, offset: usize) -> Position {
        let line = self.line_index(offset);
        let start = self.starts[line];
        let end = offset.min(self.text.len()).max(start);
        let column = match self.text.get(start..end) {
            Some(before) if start == 0 => before.trim_start_matches('\u{feff}').chars().count(),
            Some(before) => before.chars().count(),
            None => end - start,
        };
        Position {
            line: line + 1,
            column: column + 1,
        }
    }

    /// The line (from 0) that holds a byte.
    pub fn line_index(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|&start| start <= offset)
            .saturating_sub(1)
    }

    /// A line (from 0) without its end.
    pub fn line(&self, index: usize) -> &str {
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        let end = self.starts.get(index + 1).copied();
        let line = &self.text[start..end.unwrap_or(self.text.len())];
        let line = line.trim_end_matches(['\r', '\n']);
        line.strip_prefix('\u{feff}').unwrap_or(line)
    }
}

impl Instruction {
    /// Where a stretch of the joined text is in the file.
    pub fn source(&self, at: &Range<usize>) -> Span {
        self.logical.source(at)
    }

    /// Whether it is this one; an `ONBUILD` is not what it puts off.
    pub fn is(&self, kind: Keyword) -> bool {
        self.kind == Some(kind)
    }

    /// The value of a flag, an empty one for a flag without.
    pub fn flag(&self, name: &str) -> Option<&str> {
        let flag = self.flags.iter().find(|flag| flag.name == name)?;
        Some(flag.value.as_deref().unwrap_or_default())
    }

    /// Its words: of a list, of a JSON array, or the one text.
    pub fn words(&self) -> &[Word] {
        self.arguments.words()
    }

    /// Its keys and values.
    pub fn pairs(&self) -> &[Pair] {
        match &self.arguments {
            Arguments::Pairs(pairs) => pairs,
            _ => &[],
        }
    }

    /// The one text it has, where it has one.
    pub fn text(&self) -> Option<&Word> {
        match &self.arguments {
            Arguments::Text(word) => Some(word),
            _ => None,
        }
    }
}

impl Arguments {
    /// The words of a list, of a JSON array, or the one text.
    pub fn words(&self) -> &[Word] {
        match self {
            Self::Json(words) | Self::Words(words) => words,
            Self::Text(word) => std::slice::from_ref(word),
            _ => &[],
        }
    }

    /// Whether it is a JSON array.
    pub fn is_json(&self) -> bool {
        matches!(self, Self::Json(_))
    }
}

#[cfg(test)]
mod tests;
