//! What an advisory is about: one release of a distribution, or one ecosystem.

use std::borrow::Cow;
use std::fmt;

use plimsoll_model::OsRelease;

/// A distribution release (`debian:12`, `alpine:3.20`, `ubuntu:24.04`), or an ecosystem without
/// releases (`pypi`, `npm`, `bitnami`, `wolfi`).
///
/// Distributions have the `ID` of their os-release, releases what their vendors file advisories under
/// (`alpine:3.20`, not `3.20.3`); languages have the type of their package URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    name: String,
    release: String,
}

/// More characters than this are no name.
const LONGEST: usize = 64;

impl Scope {
    /// Parses `NAME` or `NAME:RELEASE`: small letters, digits, `-`, `_` and `.`, as it becomes a
    /// file name.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, release) = match text.split_once(':') {
            Some((name, release)) => (name, Some(release)),
            None => (text, None),
        };
        let sound = |word: &str| {
            let plain = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte)
            };
            (1..=LONGEST).contains(&word.len())
                && word.bytes().all(plain)
                && word.as_bytes()[0].is_ascii_alphanumeric()
        };
        (sound(name) && release.is_none_or(sound)).then(|| Self {
            name: name.to_owned(),
            release: release.unwrap_or_default().to_owned(),
        })
    }

    /// The same from its parts, in any case; an empty release means none.
    pub fn of(name: &str, release: &str) -> Option<Self> {
        let (name, release) = (name.to_ascii_lowercase(), release.to_ascii_lowercase());
        if release.is_empty() {
            Self::parse(&name)
        } else {
            Self::parse(&format!("{name}:{release}"))
        }
    }

    /// The scope whose advisories are about an image with this os-release; `None` where it names no
    /// distribution, or no release of one that has releases.
    ///
    /// Vendors file point releases under the release they are of; a release in the making has the
    /// name of the suite it is made in.
    pub fn of_os(os: &OsRelease) -> Option<Self> {
        let version = os.version_id.as_str();
        let first = |parts: usize| {
            let end = version.match_indices('.').nth(parts - 1);
            end.map_or(version, |(at, _)| &version[..at])
        };
        let release = match os.id.as_str() {
            "wolfi" | "chainguard" | "arch" | "opensuse-tumbleweed" => return Self::parse(&os.id),
            "debian" if version.is_empty() => "sid",
            "alpine" if version.contains("_alpha") => "edge",
            "alpine" | "photon" => first(2),
            "debian" | "almalinux" | "rocky" | "rhel" | "centos" | "ol" | "amzn" => first(1),
            _ => version,
        };
        if release.is_empty() {
            return None;
        }
        Self::of(&os.id, release)
    }

    /// The distribution or the ecosystem.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The release; `None` where there are none.
    pub fn release(&self) -> Option<&str> {
        (!self.release.is_empty()).then_some(&*self.release)
    }

    /// A scope of our own.
    pub(crate) fn fixed(name: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            release: String::new(),
        }
    }

    /// The name under which a package is filed: ecosystems whose names have several writings have one
    /// of them (PEP 503 for Python; small letters for Composer and NuGet).
    pub fn package_key<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match &*self.name {
            "pypi" => {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
                if name.bytes().all(plain) {
                    return Cow::Borrowed(name);
                }
                let mut key = String::with_capacity(name.len());
                for character in name.chars() {
                    match character {
                        '-' | '_' | '.' if key.ends_with('-') => {}
                        '-' | '_' | '.' => key.push('-'),
                        other => key.push(other.to_ascii_lowercase()),
                    }
                }
                Cow::Owned(key)
            }
            "composer" | "nuget" if name.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Cow::Owned(name.to_ascii_lowercase())
            }
            _ => Cow::Borrowed(name),
        }
    }

    /// The name of its file: `debian@12.slice`.
    pub fn file_name(&self) -> String {
        match self.release() {
            Some(release) => format!("{}@{release}.slice", self.name),
            None => format!("{}.slice", self.name),
        }
    }

    /// The scope a file is about, by its name.
    pub fn of_file(name: &str) -> Option<Self> {
        Self::parse(&name.strip_suffix(".slice")?.replacen('@', ":", 1))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.release() {
            Some(release) => write!(f, ":{release}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_what_was_written_and_names_its_file() {
        for (text, file) in [
            ("debian:12", "debian@12.slice"),
            ("opensuse-leap:15.6", "opensuse-leap@15.6.slice"),
            ("pypi", "pypi.slice"),
        ] {
            let scope = Scope::parse(text).unwrap();
            assert_eq!(scope.to_string(), text);
            assert_eq!(scope.file_name(), file);
            assert_eq!(Scope::of_file(file), Some(scope));
        }
    }

    #[test]
    fn point_releases_are_filed_under_their_release() {
        for (id, version, scope) in [
            ("debian", "12", Some("debian:12")),
            ("debian", "", Some("debian:sid")),
            ("alpine", "3.20.3", Some("alpine:3.20")),
            ("alpine", "3.23_alpha20250612", Some("alpine:edge")),
            ("ubuntu", "24.04", Some("ubuntu:24.04")),
            ("rocky", "9.4", Some("rocky:9")),
            ("sles", "15.6", Some("sles:15.6")),
            ("wolfi", "20230201", Some("wolfi")),
            ("void", "", None),
            ("", "1", None),
        ] {
            let os = OsRelease {
                id: id.to_owned(),
                version_id: version.to_owned(),
                ..OsRelease::default()
            };
            let found = Scope::of_os(&os).map(|scope| scope.to_string());
            assert_eq!(found.as_deref(), scope, "{id} {version}");
        }
    }

    #[test]
    fn one_package_has_one_name() {
        let pypi = Scope::parse("pypi").unwrap();
        assert_eq!(pypi.package_key("Zope.Interface__x"), "zope-interface-x");
        let gem = Scope::parse("gem").unwrap();
        assert_eq!(gem.package_key("Ascii85"), "Ascii85");
    }

    #[test]
    fn what_could_leave_a_directory_is_no_scope() {
        for text in [
            "", "a:", ":a", "a/b", "..", "a:../b", "a b", "A", "a:b:c", "a@b",
        ] {
            assert_eq!(Scope::parse(text), None, "{text}");
        }
        assert_eq!(Scope::of("Debian", "12"), Scope::parse("debian:12"));
    }
}
