//! How bytes that a stranger chose become text for a person.

/// UTF-8 as it is, except that control characters, and bytes that are not UTF-8, become `\xNN`:
/// text taken from an image can neither move the cursor nor forge a line of a report.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || is_bidirectional(character) {
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
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn push_escaped(text: &mut String, byte: u8) {
    use std::fmt::Write as _;
    let _ = write!(text, "\\x{byte:02x}");
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
    fn thousands_are_separated() {
        assert_eq!(super::count(7), "7");
        assert_eq!(super::count(1234), "1,234");
        assert_eq!(super::count(1_234_567), "1,234,567");
    }
}
