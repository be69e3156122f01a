//! From lines to instructions: directives, comments, continuation lines, here-documents.

use std::ops::Range;

use super::{
    Arguments, Comment, Directive, Dockerfile, Instruction, Invalid, Keyword, MAX_LINE, Span,
    heredoc, split,
};

/// The text of continuation lines joined, and where each piece of it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logical {
    /// The text.
    pub text: String,
    /// Where a piece begins: here, and in the file.
    pieces: Vec<(usize, usize)>,
}

impl Logical {
    fn push(&mut self, text: &str, source: usize) {
        self.pieces.push((self.text.len(), source));
        self.text.push_str(text);
    }

    /// Where a place of the text is in the file.
    pub fn offset(&self, at: usize) -> usize {
        let piece = self.pieces.partition_point(|&(start, _)| start <= at);
        match self.pieces.get(piece.saturating_sub(1)) {
            Some(&(start, source)) => source + at.saturating_sub(start),
            None => at,
        }
    }

    /// Where a stretch of the text is in the file.
    pub fn source(&self, at: &Range<usize>) -> Span {
        let start = self.offset(at.start);
        // The end of a piece is not the start of the next one.
        let end = match at.end > at.start {
            true => self.offset(at.end - 1) + 1,
            false => start,
        };
        start..end.max(start)
    }
}

/// The lines of the file, one at a time.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    number: usize,
}

/// A line with its end.
#[derive(Clone, Copy)]
struct Line<'a> {
    raw: &'a str,
    /// Where it begins in the file.
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<Option<Line<'a>>, Invalid> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let ended = rest.as_bytes()[length - 1] == b'\n';
        if length > MAX_LINE || (!ended && length == MAX_LINE) {
            let limit = MAX_LINE - 1;
            let message = format!("a line is longer than the limit of {limit} bytes");
            let line = self.number + 1;
            return Err(Invalid { line, message });
        }
        let line = Line {
            raw: &rest[..length],
            at: self.at,
        };
        self.at += length;
        self.number += 1;
        Ok(Some(line))
    }
}

impl<'a> Line<'a> {
    fn bare(self) -> &'a str {
        self.raw.trim_end_matches(['\r', '\n'])
    }

    fn is_comment(self) -> bool {
        self.bare().trim_start().starts_with('#')
    }
}

/// What is known of the directives at the head of the file.
struct Directives {
    open: bool,
    found: Vec<Directive>,
}

impl Directives {
    /// Whether this line is a directive. The first line that is none ends them.
    fn take(&mut self, bare: &str, at: usize) -> Result<bool, String> {
        if !self.open {
            return Ok(false);
        }
        let Some((name, value)) = directive(bare) else {
            self.open = false;
            return Ok(false);
        };
        if self.found.iter().any(|known| known.name == name) {
            return Err(format!("the parser directive {name} is given twice"));
        }
        if name == "escape" && !matches!(value, "\\" | "`") {
            return Err(format!(
                "the escape character `{value}` is neither \\ nor `"
            ));
        }
        self.found.push(Directive {
            name,
            value: value.to_owned(),
            span: at..at + bare.len(),
        });
        Ok(true)
    }
}

/// `# name = value`, where the name is one of those that are known.
fn directive(line: &str) -> Option<(&'static str, &str)> {
    let (name, value) = line.strip_prefix('#')?.trim_start().split_once('=')?;
    let name = name.trim_end_matches([' ', '\t', '\x0c', '\r', '\n']);
    let value = value.trim_matches([' ', '\t', '\x0c', '\r', '\n']);
    let known = ["syntax", "escape", "check"];
    let name = known
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))?;
    (!value.is_empty()).then_some((name, value))
}

/// The line without the character that continues it, and whether it had one. A character that is
/// itself escaped continues nothing.
fn continued(line: &str, escape: char) -> (&str, bool) {
    let bare = line.trim_end_matches([' ', '\t']);
    match bare.strip_suffix(escape) {
        Some(rest) if rest.is_empty() || !rest.ends_with(escape) => (rest, true),
        _ => (line, false),
    }
}

/// Reads the text; see [`super::parse`].
pub(super) fn parse(text: String) -> Result<Dockerfile, Invalid> {
    let mut lines = Lines {
        text: &text,
        at: 0,
        number: 0,
    };
    let mut directives = Directives {
        open: true,
        found: Vec::new(),
    };
    let mut escape = '\\';
    let mut comments: Vec<Comment> = Vec::new();
    let mut instructions = Vec::new();
    while let Some(mut line) = lines.next()? {
        if line.at == 0
            && let Some(rest) = line.raw.strip_prefix('\u{feff}')
        {
            line.at = line.raw.len() - rest.len();
            line.raw = rest;
        }
        let bare = line.bare();
        let start = bare.trim_start();
        let at = line.at + bare.len() - start.len();
        let is_directive = directives.take(start, at).map_err(|message| Invalid {
            line: lines.number,
            message,
        })?;
        if is_directive {
            if let Some(directive) = directives.found.last()
                && directive.name == "escape"
            {
                escape = if directive.value == "`" { '`' } else { '\\' };
            }
            continue;
        }
        if let Some(comment) = start.strip_prefix('#') {
            match comment.trim() {
                "" => comments.clear(),
                text => comments.push(Comment {
                    text: text.to_owned(),
                    span: at..at + start.len(),
                }),
            }
            continue;
        }
        let (first, mut goes_on) = continued(start, escape);
        if first.is_empty() && !goes_on {
            continue;
        }
        let begun = lines.number;
        let mut logical = Logical::default();
        logical.push(first, at);
        let mut empty_lines = Vec::new();
        while goes_on {
            let Some(line) = lines.next()? else { break };
            let bare = line.bare();
            if line.is_comment() {
                continue;
            }
            if bare.trim_start().is_empty() {
                empty_lines.push(line.at..line.at + line.raw.len());
                continue;
            }
            let (more, further) = continued(bare, escape);
            goes_on = further;
            logical.push(more, line.at);
        }
        let invalid = |message| Invalid {
            line: begun,
            message,
        };
        let mut instruction = split::instruction(logical, 0, escape, 0).map_err(invalid)?;
        let mut end = at + first.len();
        if !instruction.logical.text.is_empty() {
            end = end.max(
                instruction
                    .logical
                    .offset(instruction.logical.text.len() - 1)
                    + 1,
            );
        }
        if may_have_heredocs(&instruction) && instruction.logical.text.contains("<<") {
            for mut heredoc in heredoc::announced(&instruction.logical.text).map_err(invalid)? {
                let body = lines.at;
                loop {
                    let Some(line) = lines.next()? else {
                        let name = &heredoc.name;
                        return Err(invalid(format!("the here-document {name} does not end")));
                    };
                    let bare = line.bare();
                    let candidate = match heredoc.chomp {
                        true => bare.trim_start_matches('\t'),
                        false => bare,
                    };
                    end = line.at + bare.len();
                    if candidate == heredoc.name {
                        heredoc.body = body..line.at;
                        break;
                    }
                }
                heredoc.text = text[heredoc.body.clone()].to_owned();
                instruction.heredocs.push(heredoc);
            }
            // The instruction that is put off has them, too: it is what will be run.
            if let Arguments::Onbuild(inner) = &mut instruction.arguments {
                inner.heredocs = instruction.heredocs.clone();
            }
        }
        instruction.span = at..end;
        instruction.comments = std::mem::take(&mut comments);
        instruction.empty_lines = empty_lines;
        instructions.push(instruction);
    }
    if instructions.is_empty() {
        return Err(Invalid {
            line: lines.number.max(1),
            message: "has no instruction".to_owned(),
        });
    }
    let starts = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    Ok(Dockerfile {
        starts,
        escape,
        directives: directives.found,
        instructions,
        text,
    })
}

/// `RUN`, `COPY` and `ADD`, also behind `ONBUILD`, but not in exec form.
fn may_have_heredocs(instruction: &Instruction) -> bool {
    let instruction = match &instruction.arguments {
        Arguments::Onbuild(inner) => inner,
        _ => instruction,
    };
    matches!(
        instruction.kind,
        Some(Keyword::Add | Keyword::Copy | Keyword::Run)
    ) && !instruction.arguments.is_json()
}
