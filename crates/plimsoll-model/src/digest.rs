//! The digest of some bytes: `sha256:` and 64 hexadecimal digits, parsed once.

use std::fmt;
use std::str::FromStr;

/// A SHA-256 digest as the OCI image specification writes it (`sha256:<hex>`), kept as bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Why a text is not a digest we can verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseDigestError {
    /// No `algorithm:hex` form.
    Malformed(String),
    /// A registered algorithm other than SHA-256 (`sha512`), or an unknown one.
    Algorithm(String),
}

impl Digest {
    /// The digest made of these 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Parses `sha256:<64 lower-case hexadecimal digits>`.
    ///
    /// # Errors
    /// When the text has another form or names another algorithm.
    pub fn parse(text: &str) -> Result<Self, ParseDigestError> {
        let malformed = || ParseDigestError::Malformed(text.to_owned());
        let (algorithm, hex) = text.split_once(':').ok_or_else(malformed)?;
        if algorithm != "sha256" {
            return Err(ParseDigestError::Algorithm(algorithm.to_owned()));
        }
        Self::from_hex(hex).ok_or_else(malformed)
    }

    /// Parses 64 lower-case hexadecimal digits, without an algorithm in front.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let hex = hex.as_bytes();
        if hex.len() != 64 {
            return None;
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits: the file name below `blobs/sha256` of an OCI layout.
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    /// The first twelve digits: enough to tell digests apart in a table.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for ParseDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) => write!(f, "`{text}` is not a digest"),
            Self::Algorithm(name) => write!(f, "digest algorithm `{name}` is not supported"),
        }
    }
}

impl std::error::Error for ParseDigestError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_prints_as_it_was_written() {
        let text = format!("sha256:{}", "0123456789abcdef".repeat(4));
        assert_eq!(Digest::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn what_is_not_a_sha256_digest_is_refused() {
        let hex = "0".repeat(64);
        for text in [
            "",
            "sha256",
            &hex,
            "sha256:00",
            &format!("sha256:{}", "G".repeat(64)),
        ] {
            assert!(
                matches!(Digest::parse(text), Err(ParseDigestError::Malformed(_))),
                "{text}"
            );
        }
        assert!(matches!(
            Digest::parse(&format!("sha512:{}", "0".repeat(128))),
            Err(ParseDigestError::Algorithm(_))
        ));
        assert!(
            Digest::parse(&format!("sha256:{}", "A".repeat(64))).is_err(),
            "upper case"
        );
    }
}
