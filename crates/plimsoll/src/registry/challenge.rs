//! What a registry demands of somebody it does not know: a `WWW-Authenticate` header.

use std::collections::BTreeMap;

/// One demand (RFC 9110, 11.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// `basic`, `bearer`, in small letters.
    pub(crate) scheme: String,
    /// Its parameters, their names in small letters.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// The demands of a header; what cannot be understood ends the list.
pub(crate) fn parse(header: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut rest = header.trim_start();
    loop {
        let (scheme, behind) = token(rest);
        if scheme.is_empty() {
            return found;
        }
        let mut challenge = Challenge {
            scheme: scheme.to_ascii_lowercase(),
            parameters: BTreeMap::new(),
        };
        rest = behind.trim_start();
        loop {
            let (name, behind) = token(rest);
            let Some(value) = behind.trim_start().strip_prefix('=') else {
                break;
            };
            if name.is_empty() {
                break;
            }
            let Some((value, behind)) = value_of(value.trim_start()) else {
                found.push(challenge);
                return found;
            };
            challenge
                .parameters
                .insert(name.to_ascii_lowercase(), value);
            rest = behind.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        found.push(challenge);
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
}

/// The characters of a token at the start (RFC 9110, 5.6.2), and what is behind them.
fn token(text: &str) -> (&str, &str) {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let end = text.bytes().position(|byte| !is_token(byte));
    text.split_at(end.unwrap_or(text.len()))
}

/// A value, quoted or not, and what is behind it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_are_read_as_registries_write_them() {
        let found = parse(
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#,
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].scheme, "bearer");
        assert_eq!(found[0].parameters["scope"], "repository:a/b:pull,push");
        let found = parse(r#"Basic realm="a \"b\"", Bearer realm=x, service=y"#);
        let schemes: Vec<&str> = found.iter().map(|found| found.scheme.as_str()).collect();
        assert_eq!(schemes, ["basic", "bearer"]);
        assert_eq!(found[0].parameters["realm"], "a \"b\"");
        assert_eq!(found[1].parameters["service"], "y");
        assert_eq!(parse("Negotiate").len(), 1);
    }

    #[test]
    fn nonsense_ends_the_list() {
        for header in ["", " , ", "=", "\u{fc}", "Bearer realm=\"open", "Bearer ="] {
            assert!(parse(header).len() <= 1, "{header}");
        }
    }
}
