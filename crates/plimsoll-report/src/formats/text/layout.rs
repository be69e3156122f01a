//! Lines, paragraphs and tables of at most [`WIDTH`] columns.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use plimsoll_model::text;

/// Columns of the page.
pub(super) const WIDTH: usize = 100;

/// The page as far as it is written.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

/// A column of a table.
pub(super) enum Column {
    /// Text, as wide as it is.
    Left,
    /// Numbers, as wide as they are.
    Right,
    /// Text that gets what the others leave, and is wrapped.
    Rest,
}

/// Lines break at blanks alone: a date, a version or a package's name is one word.
fn options<'a>() -> textwrap::Options<'a> {
    textwrap::Options::new(WIDTH)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
}

impl Page {
    /// What is written.
    pub(super) fn text(self) -> String {
        self.text
    }

    /// Begins a section, with an empty line before it.
    pub(super) fn heading(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.paragraph(0, title);
    }

    /// A line of words, wrapped where it is too long; what follows the first line is set in by two
    /// more columns.
    pub(super) fn paragraph(&mut self, indent: usize, words: &str) {
        let first = " ".repeat(indent);
        let next = " ".repeat(indent + 2);
        let options = options().initial_indent(&first).subsequent_indent(&next);
        for line in textwrap::wrap(words, options) {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    /// A line as it is, never wrapped.
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// A name and what it is, the second set off to the column all of a section share.
    /// What is not known has no line.
    pub(super) fn fact(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        const VALUE_AT: usize = 14;
        let first = format!("  {name:<width$}", width = VALUE_AT - 2);
        let next = " ".repeat(VALUE_AT);
        let options = options().initial_indent(&first).subsequent_indent(&next);
        for line in textwrap::wrap(value, options) {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    /// A table, set in by two columns.
    pub(super) fn table(&mut self, columns: &[Column], header: &[&str], rows: Vec<Vec<String>>) {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(WIDTH as u16 - 1)
            .set_header(header.iter().copied())
            .add_rows(rows);
        for (column, kind) in table.column_iter_mut().zip(columns) {
            column.set_padding((1, 1));
            match kind {
                Column::Left => {
                    column.set_constraint(ColumnConstraint::UpperBoundary(Width::Percentage(40)));
                }
                Column::Right => {
                    column.set_cell_alignment(CellAlignment::Right);
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                Column::Rest => {}
            }
        }
        for line in table.lines() {
            self.text.push(' ');
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }
}

/// Text that may come from a stranger, without control characters.
pub(super) fn clean(text: &str) -> String {
    text::printable(text.as_bytes())
}

/// The first `characters` of a text, and a sign where that is not all.
pub(super) fn short(text: &str, characters: usize) -> String {
    let mut short: String = text.chars().take(characters).collect();
    if short.len() < text.len() {
        short.pop();
        short.push('…');
    }
    short
}
