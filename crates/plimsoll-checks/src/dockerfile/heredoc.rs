//! Here-documents: which ones a line announces.

use super::Span;
use super::expand::{Lexer, Style};

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it.
    pub name: String,
    /// `<<-`: tabs at the head of its lines do not count.
    pub chomp: bool,
    /// Whether variables in it are expanded: its name was not quoted.
    pub expand: bool,
    /// Which file descriptor it goes to; 0 where none is named.
    pub descriptor: u32,
    /// Its lines, without the one that ends it.
    pub body: Span,
    /// The text of its lines.
    pub text: String,
}

/// The here-documents that a line announces, in order.
///
/// # Errors
///
/// When the name of one cannot be read.
pub(super) fn announced(line: &str) -> Result<Vec<Heredoc>, String> {
    let raw = Style {
        raw_quotes: true,
        raw_escapes: true,
        keep_unset: true,
    };
    // A line the lexer cannot read announces nothing; a shell may still read it.
    let words = Lexer::new(line, '\\', raw, &|_| None).words();
    let mut found = Vec::new();
    for word in words.unwrap_or_default() {
        found.extend(one(&word)?);
    }
    Ok(found)
}

/// Whether this word announces one: `<<NAME`, `3<<-"NAME"`.
pub(super) fn one(word: &str) -> Result<Option<Heredoc>, String> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let Some(rest) = word[digits..].strip_prefix("<<") else {
        return Ok(None);
    };
    let chomp = rest.starts_with('-');
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let rest = rest.trim_start_matches([' ', '\t', '\n', '\x0c', '\r']);
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let style = |raw_quotes| Style {
        raw_quotes,
        raw_escapes: false,
        keep_unset: true,
    };
    let names = Lexer::new(rest, '\\', style(false), &|_| None).words()?;
    let [name] = &names[..] else {
        return Ok(None);
    };
    let quoted = Lexer::new(rest, '\\', style(true), &|_| None).words()?;
    let [quoted] = &quoted[..] else {
        return Err(format!("the name of the here-document `{rest}` is unclear"));
    };
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    Ok(Some(Heredoc {
        expand: quotes(name) == quotes(quoted),
        name: name.clone(),
        chomp,
        descriptor: word[..digits].parse().unwrap_or(0),
        body: 0..0,
        text: String::new(),
    }))
}
