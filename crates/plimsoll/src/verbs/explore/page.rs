//! A text to page through: the head of a file, reasons, help.

use plimsoll_model::text::printable;

/// How much of a file is shown.
pub(super) const HEAD: u64 = 256 << 10;
/// Columns to the next tab stop.
const TAB: usize = 8;
/// A line longer than this is cut: nobody reads a minified program sideways.
const LONGEST: usize = 4096;

/// Lines and a place in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    /// The first line on the screen.
    pub(super) top: usize,
    /// The first column.
    pub(super) left: usize,
    /// What the lines are made of, if it is a text that is laid out anew for each width.
    text: String,
    width: usize,
    /// The bytes behind it, if it is a file.
    bytes: Vec<u8>,
    is_hex: bool,
}

impl Page {
    /// A text of our own, or what was made printable before.
    pub(super) fn text(title: impl Into<String>, text: &str) -> Self {
        Self {
            title: title.into(),
            lines: text.lines().map(|line| shown(line.as_bytes())).collect(),
            top: 0,
            left: 0,
            text: text.to_owned(),
            width: 0,
            bytes: Vec::new(),
            is_hex: false,
        }
    }

    /// The head of a file of `size` bytes.
    pub(super) fn file(title: impl Into<String>, bytes: Vec<u8>, size: u64) -> Self {
        let mut title = title.into();
        if size > bytes.len() as u64 {
            let shown = plimsoll_model::text::bytes(bytes.len() as u64);
            title.push_str(&format!(" (the first {shown})"));
        }
        let mut page = Self {
            title,
            lines: Vec::new(),
            top: 0,
            left: 0,
            text: String::new(),
            width: 0,
            is_hex: !is_text(&bytes),
            bytes,
        };
        page.lay_out();
        page
    }

    fn lay_out(&mut self) {
        self.lines = match self.is_hex {
            true => hexdump(&self.bytes),
            false => self.bytes.split(|&byte| byte == b'\n').map(shown).collect(),
        };
        if self.bytes.is_empty() {
            self.lines = vec!["(empty)".to_owned()];
        }
    }

    /// Lays a text out for a screen of so many columns.
    pub(super) fn fit(&mut self, width: usize) {
        if self.text.is_empty() || width == self.width {
            return;
        }
        self.width = width;
        let lines = self.text.lines().map(|line| shown(line.as_bytes()));
        self.lines = lines.flat_map(|line| wrapped(&line, width)).collect();
        self.go(0);
    }

    /// Text as numbers, numbers as text.
    pub(super) fn toggle(&mut self) {
        if !self.bytes.is_empty() {
            self.is_hex = !self.is_hex;
            (self.top, self.left) = (0, 0);
            self.lay_out();
        }
    }

    /// Moves by lines, not over the ends.
    pub(super) fn go(&mut self, lines: isize) {
        let last = self.lines.len().saturating_sub(1);
        self.top = self.top.saturating_add_signed(lines).min(last);
    }

    /// Moves sideways.
    pub(super) fn aside(&mut self, columns: isize) {
        self.left = self.left.saturating_add_signed(columns).min(LONGEST);
    }
}

/// No zeros, and almost all of it UTF-8.
fn is_text(bytes: &[u8]) -> bool {
    let invalid: usize = bytes.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    !bytes.contains(&0) && invalid <= bytes.len() / 20
}

/// A line with its tabs as spaces and without anything a terminal would obey.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.get(..LONGEST).unwrap_or(line);
    let mut text = String::new();
    for (number, part) in line.split(|&byte| byte == b'\t').enumerate() {
        if number > 0 {
            let column = text.chars().count();
            text.push_str(&" ".repeat(TAB - column % TAB));
        }
        text.push_str(&printable(part));
    }
    text
}

/// A line as several, broken between words; all but the first are set in.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let mut lines = Vec::new();
    let mut last = " ".repeat(indent);
    let mut used = indent;
    for word in line.split(' ').skip_while(|word| word.is_empty()) {
        let long = word.chars().count();
        if used + long > width && used > indent {
            lines.push(last.trim_end().to_owned());
            last = " ".repeat(indent + 2);
            used = indent + 2;
        }
        last.push_str(word);
        last.push(' ');
        used += long + 1;
    }
    lines.push(last.trim_end().to_owned());
    lines
}

/// Sixteen bytes a line: offset, numbers, characters.
fn hexdump(bytes: &[u8]) -> Vec<String> {
    let line = |(number, bytes): (usize, &[u8])| {
        let mut line = format!("{:08x} ", number * 16);
        for at in 0..16 {
            if at == 8 {
                line.push(' ');
            }
            match bytes.get(at) {
                Some(byte) => line.push_str(&format!(" {byte:02x}")),
                None => line.push_str("   "),
            }
        }
        line.push_str("  ");
        let plain = |&byte: &u8| match byte {
            b' '..=b'~' => char::from(byte),
            _ => '.',
        };
        line.extend(bytes.iter().map(plain));
        line
    };
    bytes.chunks(16).enumerate().map(line).collect()
}

/// What a file is, by its first bytes (`magic(5)`).
pub(super) fn content_type(bytes: &[u8]) -> &'static str {
    const MAGIC: &[(&[u8], &str)] = &[
        (b"\x7fELF", "program or library (ELF)"),
        (b"#!", "script"),
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
        (b"PK\x03\x04", "zip or jar"),
        (b"!<arch>\n", "static library or package (ar)"),
        (b"SQLite format 3\0", "SQLite database"),
        (b"-----BEGIN ", "PEM: key or certificate"),
        (b"\x89PNG", "PNG image"),
        (b"\xff\xd8\xff", "JPEG image"),
        (b"\xca\xfe\xba\xbe", "Java class"),
        (b"\0asm", "WebAssembly"),
        (b"%PDF", "PDF"),
        (b"\xde\x12\x04\x95", "translations (mo)"),
        (b"<?xml", "XML"),
    ];
    let found = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
    match found {
        Some((_, name)) => name,
        None if bytes.is_empty() => "empty",
        None if is_text(bytes) => "text",
        None => "data",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_as_text_or_as_numbers_and_never_obeyed() {
        let page = Page::file("x", b"a\tb\r\n\x1b[2Jc\xe2\x80\xae".to_vec(), 12);
        assert_eq!(page.lines, ["a       b", "\\x1b[2Jc\\xe2\\x80\\xae"]);
        let mut page = Page::file("x", b"\x7fELF\0\x01".to_vec(), 6);
        let numbers =
            "00000000  7f 45 4c 46 00 01                                 .ELF..".to_owned();
        assert_eq!(page.lines, [numbers]);
        page.toggle();
        assert_eq!(page.lines, ["\\x7fELF\\x00\\x01"]);
        let page = Page::file("x", Vec::new(), 0);
        assert_eq!(page.lines, ["(empty)"]);
        let page = Page::file("x", b"abc".to_vec(), 9_000);
        assert_eq!(page.title, "x (the first 3 B)");
    }

    #[test]
    fn a_text_is_laid_out_for_the_screen() {
        let mut page = Page::text("x", "short\n  why it is here and not there\nunbreakable");
        page.fit(14);
        let lines = [
            "short",
            "  why it is",
            "    here and",
            "    not there",
            "unbreakable",
        ];
        assert_eq!(page.lines, lines);
        page.fit(40);
        assert_eq!(page.lines.len(), 3);
        page.go(2);
        page.fit(0);
        page.fit(100);
        assert_eq!((page.lines.len(), page.top), (3, 2));
    }

    #[test]
    fn a_file_is_known_by_its_first_bytes() {
        for (bytes, name) in [
            (&b"\x7fELF\x02"[..], "program or library (ELF)"),
            (b"#!/bin/sh\n", "script"),
            (b"hello\n", "text"),
            (b"\x00\x01", "data"),
            (b"", "empty"),
        ] {
            assert_eq!(content_type(bytes), name);
        }
    }
}
