//! Operating system and architecture, in the words of Go and the OCI image index.

use std::fmt;

/// A platform: `linux/amd64`, `linux/arm/v7` (OCI image specification, `image-index.md`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    /// Operating system (`linux`).
    pub os: String,
    /// Architecture in Go's words (`amd64`, `arm64`).
    pub architecture: String,
    /// Variant of the architecture (`v7`), where one is asked for or said.
    pub variant: Option<String>,
}

impl Platform {
    /// Parses `OS/ARCH[/VARIANT]`, or `ARCH` alone for Linux; words of other worlds (`x86_64`,
    /// `aarch64`) are understood.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, ParsePlatformError> {
        Self::from_words(text).ok_or_else(|| ParsePlatformError(text.to_owned()))
    }

    fn from_words(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match *parts.as_slice() {
            [architecture] => ("linux", architecture, None),
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return None,
        };
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        let all = [Some(os), Some(architecture), variant];
        if !all.into_iter().flatten().all(is_word) {
            return None;
        }
        Some(Self {
            os: os.to_ascii_lowercase(),
            architecture: go_architecture(&architecture.to_ascii_lowercase()).to_owned(),
            variant: variant.map(str::to_owned),
        })
    }

    /// Linux on the architecture this program was compiled for.
    pub fn of_this_machine() -> Self {
        Self {
            os: "linux".into(),
            architecture: go_architecture(std::env::consts::ARCH).into(),
            variant: None,
        }
    }

    /// The platform a document names, where it names an operating system and an architecture.
    pub(crate) fn known(os: &str, architecture: &str, variant: &str) -> Option<Self> {
        (!os.is_empty() && !architecture.is_empty()).then(|| Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: (!variant.is_empty()).then(|| variant.to_owned()),
        })
    }

    /// Whether an image for `other` is what was asked for by `self`: a variant that nobody
    /// mentions fits any.
    pub(crate) fn accepts(&self, other: &Self) -> bool {
        self.os == other.os
            && self.architecture == other.architecture
            && match (&self.variant, &other.variant) {
                (Some(wanted), Some(found)) => wanted == found,
                _ => true,
            }
    }

    /// Attestations are listed in an index under this name (BuildKit's attestation storage).
    pub(crate) fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }
}

/// A text that is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: os/architecture or os/architecture/variant, such as linux/arm64")]
pub struct ParsePlatformError(String);

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

/// The name Go, and so every image, has for an architecture (`go tool dist list`).
fn go_architecture(name: &str) -> &str {
    match name {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" | "i386" | "i686" => "386",
        "powerpc64le" | "ppc64el" => "ppc64le",
        "loongarch64" => "loong64",
        "armhf" | "armv7l" => "arm",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_read_in_several_spellings() {
        for (given, normal) in [
            ("linux/amd64", Some("linux/amd64")),
            ("x86_64", Some("linux/amd64")),
            ("linux/arm/v7", Some("linux/arm/v7")),
            ("Linux/AArch64", Some("linux/arm64")),
            ("", None),
            ("linux/", None),
            ("a/b/c/d", None),
            ("linux/am d64", None),
        ] {
            let found = Platform::parse(given)
                .ok()
                .map(|platform| platform.to_string());
            assert_eq!(found.as_deref(), normal, "{given}");
        }
    }

    #[test]
    fn a_variant_nobody_mentions_fits_any() {
        let parse = |text| Platform::parse(text).unwrap();
        assert!(parse("linux/arm64").accepts(&parse("linux/arm64/v8")));
        assert!(parse("linux/arm64/v8").accepts(&parse("linux/arm64")));
        assert!(!parse("linux/arm/v6").accepts(&parse("linux/arm/v7")));
        assert!(!parse("linux/amd64").accepts(&parse("linux/arm64")));
    }
}
