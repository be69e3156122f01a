//! How bytes that a stranger chose become text for a person.

/// UTF-8 as it is, except that control characters, and bytes that are not UTF-8, become `\xNN`:
/// text taken from an image can neither move the cursor nor forge a line of a report.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || is_separator(character) || is_bidirectional(character) {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    push_escaped(&mut text, byte);
                }
            } else {
                text.push(character);
            }
        }
        for &byte in chunk.invalid() {
            push_escaped(&mut text, byte);
        }
    }
    text
}

/// Characters that reorder the text around them and so can make a name read as another.
fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that some readers take for the end of a line.
fn is_separator(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}')
}

fn push_escaped(text: &mut String, byte: u8) {
    use std::fmt::Write as _;
    let _ = write!(text, "\\x{byte:02x}");
}

/// The instruction of a Dockerfile behind what a builder wrote into the history (`created_by`).
///
/// The classic builder wraps it as `/bin/sh -c #(nop) CMD ...` or, for `RUN`, `|1 ARG=x /bin/sh -c
/// ...`; BuildKit writes `RUN /bin/sh -c ... # buildkit`. Anything else is answered as it is.
pub fn instruction(created_by: &str) -> String {
    const SHELL: &str = "/bin/sh -c ";
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    if let Some(command) = text
        .strip_prefix("RUN ")
        .unwrap_or(text)
        .strip_prefix(SHELL)
    {
        return match command.strip_prefix("#(nop)") {
            Some(instruction) => instruction.trim_start().to_owned(),
            None => format!("RUN {}", command.trim_start()),
        };
    }
    // Build arguments: their number behind a bar, then each of them.
    let arguments = text.strip_prefix("RUN ").unwrap_or(text).strip_prefix('|');
    match arguments.and_then(|arguments| arguments.split_once(SHELL)) {
        Some((_, command)) => format!("RUN {}", command.trim_start()),
        None => text.to_owned(),
    }
}

/// How deep the text of a shell script nests at most: brackets and compound commands, quoted or not. A
/// parser of such scripts goes one step deeper with each, and its stack has an end.
pub fn nesting(source: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for word in source.split_whitespace() {
        match word.trim_matches(';') {
            "if" | "do" | "case" => depth += 1,
            "fi" | "done" | "esac" => depth = depth.saturating_sub(1),
            _ => {}
        }
        for byte in word.bytes() {
            match byte {
                b'(' | b'{' | b'[' => depth += 1,
                b')' | b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// A number of bytes for a person: decimal units as registries and disks count them, three
/// significant digits (`999 B`, `1.00 kB`, `27.6 MB`).
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64;
    let mut unit = "B";
    for next in UNITS {
        // 999.95 kB would print as 1000.0: it is the next unit's.
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let decimals = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.decimals$} {unit}")
}

/// A number with a comma between thousands: `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_moves_the_eye_or_the_cursor_is_written_as_an_escape() {
        for (bytes, text) in [
            (&b"a\x1b[2J\n"[..], "a\\x1b[2J\\x0a"),
            ("\u{202e}\u{61c}".as_bytes(), "\\xe2\\x80\\xae\\xd8\\x9c"),
            ("\u{2028}".as_bytes(), "\\xe2\\x80\\xa8"),
            (b"\xff", "\\xff"),
            ("ü".as_bytes(), "ü"),
        ] {
            assert_eq!(super::printable(bytes), text);
        }
    }

    #[test]
    fn what_nests_is_counted_and_what_only_stands_in_a_row_is_not() {
        for (script, depth) in [
            ("", 0),
            ("a; b", 0),
            ("if a; then b; fi; if c; then d; fi", 1),
            ("while a; do if b; then (c); fi; done", 3),
            ("case $(a \"${b[1]}\") in c) d;; esac", 4),
            ("fi fi ((", 2),
        ] {
            assert_eq!(super::nesting(script), depth, "{script}");
        }
        assert_eq!(super::nesting(&"(".repeat(9_999)), 9_999);
    }

    #[test]
    fn bytes_have_three_significant_digits() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_999, "10.0 kB"),
            (27_600_000, "27.6 MB"),
            (999_600, "1.00 MB"),
            (419_000_000, "419 MB"),
        ] {
            assert_eq!(super::bytes(count), text);
        }
    }

    #[test]
    fn an_instruction_is_found_in_what_builders_wrap_around_it() {
        for (created_by, instruction) in [
            ("/bin/sh -c #(nop)  CMD [\"httpd\"]", "CMD [\"httpd\"]"),
            ("/bin/sh -c #(nop) ADD file:1 in / ", "ADD file:1 in /"),
            ("/bin/sh -c apt-get update", "RUN apt-get update"),
            (
                "RUN /bin/sh -c apt-get update # buildkit",
                "RUN apt-get update",
            ),
            ("|1 A=b /bin/sh -c make", "RUN make"),
            ("RUN |2 A=b C=d /bin/sh -c make # buildkit", "RUN make"),
            ("COPY a b # buildkit", "COPY a b"),
            ("debian rootfs", "debian rootfs"),
            ("", ""),
        ] {
            assert_eq!(super::instruction(created_by), instruction);
        }
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(super::count(7), "7");
        assert_eq!(super::count(1234), "1,234");
        assert_eq!(super::count(1_234_567), "1,234,567");
    }
}
