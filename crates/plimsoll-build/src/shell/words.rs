//! Word expansion: parameters, command substitution, arithmetic, field splitting, pathnames.

use brush_parser::ast::{ArithmeticExpr, ArithmeticTarget, BinaryOperator, UnaryOperator};
use brush_parser::word::{
    Parameter, ParameterExpr, ParameterTestType, SpecialParameter, WordPiece,
};
use plimsoll_model::ImagePath;

use super::pattern::{self, Glyph};
use super::{Shell, Stop};

/// A part of a word after expansion, before splitting.
enum Part {
    /// Written so in the script, not quoted.
    Literal(String),
    /// Quoted: neither split nor a pattern.
    Quoted(String),
    /// The result of an unquoted expansion: split, and a pattern.
    Expanded(String),
    /// Here one field ends and the next begins, whatever is around it.
    Break,
}

impl Shell<'_> {
    /// The fields a word becomes.
    pub(super) fn fields(&mut self, word: &str) -> Result<Vec<String>, Stop> {
        let parts = self.parts(word, false)?;
        let mut fields: Vec<Vec<Glyph>> = Vec::new();
        let mut open: Option<Vec<Glyph>> = None;
        let separators = self.variable("IFS").unwrap_or_else(|| " \t\n".to_owned());
        for part in parts {
            match part {
                Part::Literal(text) => {
                    let glyphs = text.chars().map(|character| (character, false));
                    open.get_or_insert_default().extend(glyphs);
                }
                Part::Quoted(text) => {
                    let glyphs = text.chars().map(|character| (character, true));
                    open.get_or_insert_default().extend(glyphs);
                }
                Part::Expanded(text) => {
                    for character in text.chars() {
                        if !separators.contains(character) {
                            open.get_or_insert_default().push((character, false));
                        } else if character.is_ascii_whitespace() {
                            fields.extend(open.take());
                        } else {
                            fields.push(open.take().unwrap_or_default());
                        }
                    }
                }
                Part::Break => fields.extend(open.take()),
            }
        }
        fields.extend(open);
        let mut expanded = Vec::with_capacity(fields.len());
        for field in fields {
            let found = if pattern::is_special(&field) {
                self.pathnames(&field)
            } else {
                Vec::new()
            };
            if found.is_empty() {
                expanded.push(field.iter().map(|glyph| glyph.0).collect());
            } else {
                expanded.extend(found);
            }
        }
        Ok(expanded)
    }

    /// The one string a word becomes where it is not split: assignments, redirections, `case`.
    pub(super) fn string(&mut self, word: &str) -> Result<String, Stop> {
        let glyphs = self.glyphs(word)?;
        Ok(glyphs.into_iter().map(|glyph| glyph.0).collect())
    }

    /// As [`Self::string`], remembering what was quoted: for patterns.
    pub(super) fn glyphs(&mut self, word: &str) -> Result<Vec<Glyph>, Stop> {
        let mut glyphs = Vec::new();
        for part in self.parts(word, false)? {
            match part {
                Part::Literal(text) | Part::Expanded(text) => {
                    glyphs.extend(text.chars().map(|character| (character, false)));
                }
                Part::Quoted(text) => glyphs.extend(text.chars().map(|c| (c, true))),
                Part::Break => glyphs.push((' ', true)),
            }
        }
        Ok(glyphs)
    }

    /// The text of a here-document with its expansions done.
    pub(super) fn here_document(&mut self, text: &str) -> Result<String, Stop> {
        let pieces = brush_parser::word::parse_heredoc(text, &self.options())
            .map_err(|error| self.stop(format!("a here-document is not understood: {error}")))?;
        let mut result = String::new();
        for piece in pieces {
            let mut parts = Vec::new();
            self.piece(piece.piece, true, &mut parts)?;
            for part in parts {
                match part {
                    Part::Literal(text) | Part::Quoted(text) | Part::Expanded(text) => {
                        result.push_str(&text);
                    }
                    Part::Break => result.push(' '),
                }
            }
        }
        Ok(result)
    }

    /// A value that grows without end is stopped.
    fn within_limit(&self, bytes: usize) -> Result<(), Stop> {
        if bytes > super::MAX_OUTPUT {
            let limit = super::MAX_OUTPUT;
            return Err(self.stop(format!(
                "makes a word of more than the limit of {limit} bytes"
            )));
        }
        Ok(())
    }

    fn parts(&mut self, word: &str, quoted: bool) -> Result<Vec<Part>, Stop> {
        let pieces = brush_parser::word::parse(word, &self.options())
            .map_err(|error| self.stop(format!("a word is not understood: {error}")))?;
        let mut parts = Vec::new();
        for piece in pieces {
            self.piece(piece.piece, quoted, &mut parts)?;
        }
        let length = parts.iter().map(|part| match part {
            Part::Literal(text) | Part::Quoted(text) | Part::Expanded(text) => text.len(),
            Part::Break => 0,
        });
        self.within_limit(length.sum())?;
        Ok(parts)
    }

    fn piece(&mut self, piece: WordPiece, quoted: bool, parts: &mut Vec<Part>) -> Result<(), Stop> {
        let result = |text: String| match quoted {
            true => Part::Quoted(text),
            false => Part::Expanded(text),
        };
        match piece {
            WordPiece::Text(text) if quoted => parts.push(Part::Quoted(text)),
            WordPiece::Text(text) => parts.push(Part::Literal(text)),
            WordPiece::SingleQuotedText(text) => parts.push(Part::Quoted(text)),
            WordPiece::AnsiCQuotedText(text) => {
                let unescaped = super::builtins::unescape(&text);
                parts.push(Part::Quoted(unescaped));
            }
            WordPiece::DoubleQuotedSequence(pieces)
            | WordPiece::GettextDoubleQuotedSequence(pieces) => {
                // `"$@"` without arguments is no field at all; any other quotes make one.
                let only_arguments = pieces.len() == 1
                    && matches!(
                        &pieces[0].piece,
                        WordPiece::ParameterExpansion(ParameterExpr::Parameter {
                            parameter: Parameter::Special(
                                SpecialParameter::AllPositionalParameters { concatenate: false }
                            ),
                            ..
                        })
                    );
                if !only_arguments {
                    parts.push(Part::Quoted(String::new()));
                }
                for piece in pieces {
                    self.piece(piece.piece, true, parts)?;
                }
            }
            WordPiece::TildeExpansion(_) => parts.push(Part::Quoted("/root".to_owned())),
            WordPiece::EscapeSequence(text) => {
                let text = text.strip_prefix('\\').unwrap_or(&text);
                // A backslash and a line end are nothing at all.
                if text != "\n" {
                    parts.push(Part::Quoted(text.to_owned()));
                }
            }
            WordPiece::CommandSubstitution(script)
            | WordPiece::BackquotedCommandSubstitution(script) => {
                parts.push(result(self.substitute(&script)?));
            }
            WordPiece::ArithmeticExpression(expression) => {
                let value = self.arithmetic(&expression.value)?;
                parts.push(result(value.to_string()));
            }
            WordPiece::ParameterExpansion(expression) => {
                self.parameter(expression, quoted, parts)?;
            }
        }
        Ok(())
    }

    fn parameter(
        &mut self,
        expression: ParameterExpr,
        quoted: bool,
        parts: &mut Vec<Part>,
    ) -> Result<(), Stop> {
        let result = |text: String| match quoted {
            true => Part::Quoted(text),
            false => Part::Expanded(text),
        };
        let absent = |value: &Option<String>, test: &ParameterTestType| match (value, test) {
            (None, _) => true,
            (Some(text), ParameterTestType::UnsetOrNull) => text.is_empty(),
            (Some(_), ParameterTestType::Unset) => false,
        };
        match expression {
            ParameterExpr::Parameter {
                parameter:
                    Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate }),
                ..
            } if !(concatenate && quoted) => {
                let arguments: Vec<String> = self.arguments().to_vec();
                for (index, argument) in arguments.into_iter().enumerate() {
                    if index > 0 {
                        parts.push(Part::Break);
                    }
                    parts.push(result(argument));
                }
            }
            ParameterExpr::Parameter { parameter, .. } => {
                let value = self.value(&parameter)?.unwrap_or_default();
                parts.push(result(value));
            }
            ParameterExpr::UseDefaultValues {
                parameter,
                test_type,
                default_value,
                ..
            } => {
                let value = self.value(&parameter)?;
                if absent(&value, &test_type) {
                    parts.extend(self.parts(&default_value.unwrap_or_default(), quoted)?);
                } else {
                    parts.push(result(value.unwrap_or_default()));
                }
            }
            ParameterExpr::AssignDefaultValues {
                parameter,
                test_type,
                default_value,
                ..
            } => {
                let mut value = self.value(&parameter)?;
                if absent(&value, &test_type) {
                    let text = self.string(&default_value.unwrap_or_default())?;
                    if let Parameter::Named(name) = &parameter {
                        self.assign(name, text.clone());
                    }
                    value = Some(text);
                }
                parts.push(result(value.unwrap_or_default()));
            }
            ParameterExpr::UseAlternativeValue {
                parameter,
                test_type,
                alternative_value,
                ..
            } => {
                let value = self.value(&parameter)?;
                if !absent(&value, &test_type) {
                    parts.extend(self.parts(&alternative_value.unwrap_or_default(), quoted)?);
                }
            }
            ParameterExpr::IndicateErrorIfNullOrUnset {
                parameter,
                test_type,
                error_message,
                ..
            } => {
                let value = self.value(&parameter)?;
                if absent(&value, &test_type) {
                    let message = error_message.unwrap_or_else(|| "parameter not set".into());
                    return Err(self.stop(message));
                }
                parts.push(result(value.unwrap_or_default()));
            }
            ParameterExpr::ParameterLength { parameter, .. } => {
                let value = self.value(&parameter)?.unwrap_or_default();
                parts.push(result(value.chars().count().to_string()));
            }
            ParameterExpr::RemoveSmallestPrefixPattern {
                parameter, pattern, ..
            } => parts.push(result(self.cut(&parameter, pattern, true, false)?)),
            ParameterExpr::RemoveLargestPrefixPattern {
                parameter, pattern, ..
            } => parts.push(result(self.cut(&parameter, pattern, true, true)?)),
            ParameterExpr::RemoveSmallestSuffixPattern {
                parameter, pattern, ..
            } => parts.push(result(self.cut(&parameter, pattern, false, false)?)),
            ParameterExpr::RemoveLargestSuffixPattern {
                parameter, pattern, ..
            } => parts.push(result(self.cut(&parameter, pattern, false, true)?)),
            other => return Err(self.stop(format!("an expansion is not emulated: {other:?}"))),
        }
        Ok(())
    }

    fn cut(
        &mut self,
        parameter: &Parameter,
        pattern: Option<String>,
        front: bool,
        longest: bool,
    ) -> Result<String, Stop> {
        let value = self.value(parameter)?.unwrap_or_default();
        let text: Vec<char> = value.chars().collect();
        let glyphs = self.glyphs(&pattern.unwrap_or_default())?;
        let kept = if front {
            &text[pattern::prefix(&glyphs, &text, longest).unwrap_or(0)..]
        } else {
            &text[..pattern::suffix(&glyphs, &text, longest).unwrap_or(text.len())]
        };
        Ok(kept.iter().collect())
    }

    fn value(&mut self, parameter: &Parameter) -> Result<Option<String>, Stop> {
        Ok(match parameter {
            Parameter::Positional(0) | Parameter::Special(SpecialParameter::ShellName) => Some(
                format!("/var/lib/dpkg/info/{}.{}", self.package(), self.script()),
            ),
            Parameter::Positional(index) => self.arguments().get(*index as usize - 1).cloned(),
            Parameter::Special(SpecialParameter::AllPositionalParameters { .. }) => {
                Some(self.arguments().join(" "))
            }
            Parameter::Special(SpecialParameter::PositionalParameterCount) => {
                Some(self.arguments().len().to_string())
            }
            Parameter::Special(SpecialParameter::LastExitStatus) => {
                Some(self.last_status().to_string())
            }
            Parameter::Special(SpecialParameter::CurrentOptionFlags) => Some("e".to_owned()),
            // Any number will do, if it is always the same.
            Parameter::Special(_) => Some("1000".to_owned()),
            Parameter::Named(name) => self.variable(name),
            Parameter::NamedWithIndex { .. } | Parameter::NamedWithAllIndices { .. } => {
                return Err(self.stop("arrays are not emulated".to_owned()));
            }
        })
    }

    /// The paths of the tree a pattern takes, sorted; none where it takes none.
    fn pathnames(&self, pattern: &[Glyph]) -> Vec<String> {
        let absolute = pattern.first().is_some_and(|glyph| glyph.0 == '/');
        let parts: Vec<&[Glyph]> = pattern
            .split(|glyph| glyph.0 == '/')
            .filter(|part| !part.is_empty())
            .collect();
        let start = if absolute {
            ImagePath::root()
        } else {
            self.directory().clone()
        };
        let mut found: Vec<(ImagePath, String)> = vec![(start, String::new())];
        for part in parts {
            let mut next = Vec::new();
            for (directory, written) in found {
                let join = |name: &str| match (written.is_empty(), absolute) {
                    (true, true) => format!("/{name}"),
                    (true, false) => name.to_owned(),
                    (false, _) => format!("{written}/{name}"),
                };
                if !pattern::is_special(part) {
                    let name: String = part.iter().map(|glyph| glyph.0).collect();
                    let path = directory.join(&name);
                    if self.stage.node_itself(&path).is_some() {
                        next.push((path, join(&name)));
                    }
                    continue;
                }
                let hidden = part[0].0 == '.';
                for path in self.stage.list(&directory) {
                    let name = String::from_utf8_lossy(path.file_name()).into_owned();
                    let characters: Vec<char> = name.chars().collect();
                    if (hidden || !name.starts_with('.')) && pattern::matches(part, &characters) {
                        next.push((directory.join(&name), join(&name)));
                    }
                }
            }
            found = next;
        }
        found.into_iter().map(|(_, written)| written).collect()
    }

    /// The value of an arithmetic expression.
    pub(super) fn arithmetic(&mut self, text: &str) -> Result<i64, Stop> {
        let text = self.string(text)?;
        let expression = brush_parser::arithmetic::parse(&text)
            .map_err(|_| self.stop(format!("arithmetic is not understood: {text}")))?;
        self.evaluate(&expression)
    }

    fn evaluate(&mut self, expression: &ArithmeticExpr) -> Result<i64, Stop> {
        let unknown = |shell: &Self| shell.stop("arithmetic that is not emulated".to_owned());
        Ok(match expression {
            ArithmeticExpr::Literal(value) => *value,
            ArithmeticExpr::Reference(ArithmeticTarget::Variable(name)) => self
                .variable(name)
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0),
            ArithmeticExpr::UnaryOp(operator, operand) => {
                let value = self.evaluate(operand)?;
                match operator {
                    UnaryOperator::UnaryPlus => value,
                    UnaryOperator::UnaryMinus => value.wrapping_neg(),
                    UnaryOperator::BitwiseNot => !value,
                    UnaryOperator::LogicalNot => i64::from(value == 0),
                }
            }
            ArithmeticExpr::BinaryOp(operator, left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                match operator {
                    BinaryOperator::Add => left.wrapping_add(right),
                    BinaryOperator::Subtract => left.wrapping_sub(right),
                    BinaryOperator::Multiply => left.wrapping_mul(right),
                    BinaryOperator::Divide => {
                        left.checked_div(right).ok_or_else(|| unknown(self))?
                    }
                    BinaryOperator::Modulo => {
                        left.checked_rem(right).ok_or_else(|| unknown(self))?
                    }
                    BinaryOperator::LessThan => i64::from(left < right),
                    BinaryOperator::LessThanOrEqualTo => i64::from(left <= right),
                    BinaryOperator::GreaterThan => i64::from(left > right),
                    BinaryOperator::GreaterThanOrEqualTo => i64::from(left >= right),
                    BinaryOperator::Equals => i64::from(left == right),
                    BinaryOperator::NotEquals => i64::from(left != right),
                    BinaryOperator::LogicalAnd => i64::from(left != 0 && right != 0),
                    BinaryOperator::LogicalOr => i64::from(left != 0 || right != 0),
                    BinaryOperator::BitwiseAnd => left & right,
                    BinaryOperator::BitwiseOr => left | right,
                    _ => return Err(unknown(self)),
                }
            }
            _ => return Err(unknown(self)),
        })
    }
}
