//! The expansions of a word, and what they read.

use brush_parser::ast::{ArithmeticExpr, ArithmeticTarget, Word};
use brush_parser::word::{Parameter, ParameterExpr, WordPiece};

use super::{Reader, options};

impl Reader<'_> {
    pub(super) fn word(&mut self, word: &Word) {
        self.at(word);
        self.word_text(&word.value);
    }

    /// A word as written.
    pub(super) fn word_text(&mut self, text: &str) {
        // Most words are nothing but text.
        if !text.contains(['$', '`']) {
            return;
        }
        match brush_parser::word::parse(text, &options()) {
            Ok(pieces) => {
                for piece in pieces {
                    self.piece(piece.piece);
                }
            }
            Err(error) => self.trouble(format!("a word is not understood: {error}")),
        }
    }

    pub(super) fn here_document(&mut self, text: &str) {
        match brush_parser::word::parse_heredoc(text, &options()) {
            Ok(pieces) => {
                for piece in pieces {
                    self.piece(piece.piece);
                }
            }
            Err(error) => self.trouble(format!("a here-document is not understood: {error}")),
        }
    }

    fn piece(&mut self, piece: WordPiece) {
        match piece {
            WordPiece::DoubleQuotedSequence(pieces)
            | WordPiece::GettextDoubleQuotedSequence(pieces) => {
                for piece in pieces {
                    self.piece(piece.piece);
                }
            }
            WordPiece::ParameterExpansion(expression) => {
                self.deeper(|reader| reader.parameter(expression));
            }
            WordPiece::CommandSubstitution(text)
            | WordPiece::BackquotedCommandSubstitution(text) => {
                self.apart(|reader| reader.inner(&text));
            }
            WordPiece::ArithmeticExpression(expression) => self.arithmetic(&expression.value),
            WordPiece::Text(_)
            | WordPiece::SingleQuotedText(_)
            | WordPiece::AnsiCQuotedText(_)
            | WordPiece::TildeExpansion(_)
            | WordPiece::EscapeSequence(_) => {}
        }
    }

    fn parameter(&mut self, expression: ParameterExpr) {
        use ParameterExpr as E;
        // What is expanded, whether by a name that is a value itself, and the words beside it.
        let (parameter, indirect, others) = match expression {
            E::Parameter {
                parameter,
                indirect,
            }
            | E::ParameterLength {
                parameter,
                indirect,
            }
            | E::Transform {
                parameter,
                indirect,
                ..
            } => (parameter, indirect, vec![]),
            E::AssignDefaultValues {
                parameter,
                indirect,
                default_value,
                ..
            } => {
                self.named(&parameter, indirect);
                self.maybe(default_value);
                if let Parameter::Named(name) = parameter {
                    self.set.insert(name);
                }
                return;
            }
            E::UseDefaultValues {
                parameter,
                indirect,
                default_value: word,
                ..
            }
            | E::IndicateErrorIfNullOrUnset {
                parameter,
                indirect,
                error_message: word,
                ..
            }
            | E::UseAlternativeValue {
                parameter,
                indirect,
                alternative_value: word,
                ..
            }
            | E::RemoveSmallestSuffixPattern {
                parameter,
                indirect,
                pattern: word,
            }
            | E::RemoveLargestSuffixPattern {
                parameter,
                indirect,
                pattern: word,
            }
            | E::RemoveSmallestPrefixPattern {
                parameter,
                indirect,
                pattern: word,
            }
            | E::RemoveLargestPrefixPattern {
                parameter,
                indirect,
                pattern: word,
            }
            | E::UppercaseFirstChar {
                parameter,
                indirect,
                pattern: word,
            }
            | E::UppercasePattern {
                parameter,
                indirect,
                pattern: word,
            }
            | E::LowercaseFirstChar {
                parameter,
                indirect,
                pattern: word,
            }
            | E::LowercasePattern {
                parameter,
                indirect,
                pattern: word,
            } => (parameter, indirect, vec![word]),
            E::ReplaceSubstring {
                parameter,
                indirect,
                pattern,
                replacement,
                ..
            } => (parameter, indirect, vec![Some(pattern), replacement]),
            E::Substring {
                parameter,
                indirect,
                offset,
                length,
            } => {
                self.arithmetic(&offset.value);
                if let Some(length) = length {
                    self.arithmetic(&length.value);
                }
                (parameter, indirect, vec![])
            }
            E::VariableNames { prefix, .. } => {
                return self.any(format!("`${{!{prefix}@}}` lists variables"));
            }
            E::MemberKeys { variable_name, .. } => return self.expands(&variable_name),
        };
        self.named(&parameter, indirect);
        for other in others {
            self.maybe(other);
        }
    }

    fn maybe(&mut self, word: Option<String>) {
        if let Some(word) = word {
            self.deeper(|reader| reader.word_text(&word));
        }
    }

    fn named(&mut self, parameter: &Parameter, indirect: bool) {
        let name = match parameter {
            Parameter::Named(name) | Parameter::NamedWithAllIndices { name, .. } => name,
            Parameter::NamedWithIndex { name, index } => {
                self.arithmetic(index);
                name
            }
            Parameter::Positional(_) | Parameter::Special(_) => {
                if indirect {
                    self.any("a variable is read whose name is computed");
                }
                return;
            }
        };
        self.expands(name);
        if indirect {
            self.any(format!(
                "`${{!{name}}}` reads a variable whose name is computed"
            ));
        }
    }

    pub(super) fn arithmetic(&mut self, text: &str) {
        self.word_text(text);
        // With expansions inside it cannot be parsed before they are made; names are names then too.
        match brush_parser::arithmetic::parse(text) {
            Ok(expression) if !text.contains('$') => self.evaluate(&expression),
            _ => {
                let names =
                    text.split(|character: char| !character.is_alphanumeric() && character != '_');
                let bare: Vec<String> = names.filter_map(super::plain).map(str::to_owned).collect();
                for name in bare {
                    self.expands(&name);
                }
            }
        }
    }

    fn evaluate(&mut self, expression: &ArithmeticExpr) {
        self.deeper(|reader| match expression {
            ArithmeticExpr::Literal(_) => {}
            ArithmeticExpr::Reference(target) | ArithmeticExpr::UnaryAssignment(_, target) => {
                reader.target(target);
            }
            ArithmeticExpr::UnaryOp(_, one) => reader.evaluate(one),
            ArithmeticExpr::BinaryOp(_, one, other) => {
                reader.evaluate(one);
                reader.evaluate(other);
            }
            ArithmeticExpr::Conditional(one, other, third) => {
                [one, other, third]
                    .into_iter()
                    .for_each(|part| reader.evaluate(part));
            }
            ArithmeticExpr::Assignment(target, value) => {
                reader.evaluate(value);
                if let ArithmeticTarget::Variable(name) = target {
                    reader.set.insert(name.clone());
                }
            }
            ArithmeticExpr::BinaryAssignment(_, target, value) => {
                reader.target(target);
                reader.evaluate(value);
            }
        });
    }

    fn target(&mut self, target: &ArithmeticTarget) {
        match target {
            ArithmeticTarget::Variable(name) => self.expands(name),
            ArithmeticTarget::ArrayElement(name, index) => {
                self.expands(name);
                self.evaluate(index);
            }
        }
    }
}

/// The text of words that hold no expansion, joined by blanks; `None` if one does.
pub(crate) fn literal(words: &[String]) -> Option<String> {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        for piece in brush_parser::word::parse(word, &options()).ok()? {
            literal_piece(piece.piece, &mut text)?;
        }
    }
    Some(text)
}

fn literal_piece(piece: WordPiece, text: &mut String) -> Option<()> {
    match piece {
        WordPiece::Text(part) | WordPiece::SingleQuotedText(part) => text.push_str(&part),
        WordPiece::EscapeSequence(part) => {
            let part = part.strip_prefix('\\').unwrap_or(&part);
            if part != "\n" {
                text.push_str(part);
            }
        }
        WordPiece::DoubleQuotedSequence(pieces) => {
            for piece in pieces {
                literal_piece(piece.piece, text)?;
            }
        }
        _ => return None,
    }
    Some(())
}
