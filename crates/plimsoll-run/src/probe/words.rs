//! The words behind a probe: separated by spaces, quoted as in a shell, with the escapes of C.

/// Splits a text into words. `'...'` is taken as it stands; elsewhere `\r \n \t \0 \\ \" \xHH` are
/// the bytes they name, so that a line of a protocol can be written down.
pub(super) fn split(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            (Some('"') | None, '\\') => {
                let byte = escape(&mut characters)?;
                word.get_or_insert_default().push(byte);
            }
            (_, other) => {
                let mut bytes = [0; 4];
                let bytes = other.encode_utf8(&mut bytes).as_bytes();
                word.get_or_insert_default().extend_from_slice(bytes);
            }
        }
    }
    if let Some(quote) = quote {
        return Err(format!("a {quote} is opened and not closed"));
    }
    words.extend(word);
    Ok(words)
}

fn escape(characters: &mut std::str::Chars<'_>) -> Result<u8, String> {
    let simple = match characters.next() {
        Some('r') => b'\r',
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('0') => 0,
        Some(same @ ('\\' | '"' | '\'' | ' ')) => same as u8,
        Some('x') => {
            let digits: String = characters.by_ref().take(2).collect();
            return match u8::from_str_radix(&digits, 16) {
                Ok(byte) if digits.len() == 2 && !digits.starts_with('+') => Ok(byte),
                _ => Err(format!(
                    "`\\x{digits}` is no byte; write two hexadecimal digits"
                )),
            };
        }
        other => {
            let other = other.map(String::from).unwrap_or_default();
            return Err(format!(
                "`\\{other}` stands for nothing; there are \\r \\n \\t \\0 \\\\ \\\" \\xHH"
            ));
        }
    };
    Ok(simple)
}

/// Writes a word so that [`split`] reads it as it is.
pub(super) fn quote(word: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"'\"\\".contains(byte);
    if !word.is_empty() && word.iter().all(is_plain) {
        return String::from_utf8_lossy(word).into_owned();
    }
    let mut quoted = String::from("\"");
    for chunk in word.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\r' => quoted.push_str("\\r"),
                '\n' => quoted.push_str("\\n"),
                '\t' => quoted.push_str("\\t"),
                '"' | '\\' => quoted.extend(['\\', character]),
                control if control.is_ascii_control() => {
                    quoted.push_str(&format!("\\x{:02x}", control as u32));
                }
                other => quoted.push(other),
            }
        }
        for byte in chunk.invalid() {
            quoted.push_str(&format!("\\x{byte:02x}"));
        }
    }
    quoted.push('"');
    quoted
}

/// `NAME=VALUE` as a name and bytes; a word without `=` is an error that says so.
pub(super) fn option(word: &[u8]) -> Result<(&str, &[u8]), String> {
    let shown = || String::from_utf8_lossy(word).into_owned();
    let at = word.iter().position(|&byte| byte == b'=');
    let Some((name, value)) = at.map(|at| (&word[..at], &word[at + 1..])) else {
        return Err(format!(
            "`{}` is no option; options are NAME=VALUE",
            shown()
        ));
    };
    let name = std::str::from_utf8(name).map_err(|_| format!("`{}` is no option", shown()))?;
    Ok((name, value))
}

/// The text of a value.
pub(super) fn text(name: &str, value: &[u8]) -> Result<String, String> {
    String::from_utf8(value.to_vec()).map_err(|_| format!("{name} is not UTF-8"))
}

/// A number within bounds.
pub(super) fn number(name: &str, value: &[u8], least: usize, most: usize) -> Result<usize, String> {
    let text = text(name, value)?;
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "{name} is `{text}` and no number from {least} to {most}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would() {
        for (text, words) in [
            ("", vec![]),
            ("  a  b ", vec![&b"a"[..], b"b"]),
            ("a='x y'\"z\"", vec![b"a=x yz"]),
            (
                "'\\r' \"\\r\\n\" \\x00\\xff",
                vec![b"\\r", b"\r\n", b"\0\xff"],
            ),
            ("'' \"\"", vec![b"", b""]),
            ("é", vec!["é".as_bytes()]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        for (text, why) in [
            ("'a", "a ' is opened and not closed"),
            ("\\q", "`\\q` stands for nothing"),
            ("\\", "`\\` stands for nothing"),
            ("\\x1", "`\\x1` is no byte"),
            ("\\x+1", "`\\x+1` is no byte"),
        ] {
            let error = split(text).unwrap_err();
            assert!(error.starts_with(why), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_quoted_is_read_back() {
        for word in [
            &b"plain"[..],
            b"",
            b"a b",
            b"it's \"so\" \\ here",
            b"PING\r\n\t\0\xff\x7f",
            "höhe\u{a0}".as_bytes(),
        ] {
            let quoted = quote(word);
            assert_eq!(split(&quoted).unwrap(), [word.to_vec()], "{quoted}");
        }
        assert_eq!(quote(b"PING\r\n"), "\"PING\\r\\n\"");
    }
}
