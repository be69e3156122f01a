//! HTML in the making: markup is written here, text comes from anywhere and is never markup.

use plimsoll_model::text;

/// HTML as far as it is written.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// The whole.
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// Markup: of this program, never of a report.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text between tags or in a quoted attribute.
    pub(super) fn put(&mut self, text: &str) -> &mut Self {
        escape(&text::printable(text.as_bytes()), &mut self.0);
        self
    }

    /// Text that keeps its lines; tabs are spaces.
    pub(super) fn lines(&mut self, text: &str) -> &mut Self {
        for (number, line) in text.lines().enumerate() {
            if number > 0 {
                self.0.push('\n');
            }
            self.put(&line.replace('\t', " "));
        }
        self
    }

    /// A number, for attributes.
    pub(super) fn number(&mut self, number: impl Into<f64>) -> &mut Self {
        let text = format!("{:.3}", number.into());
        self.0
            .push_str(text.trim_end_matches('0').trim_end_matches('.'));
        self
    }
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            other => into.push(other),
        }
    }
}

/// JSON that may stand in a `script` element: what could end the element, or a line of a script,
/// is written as an escape. Such characters are only ever in strings.
pub(super) fn json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => safe.push(other),
        }
    }
    safe
}
