//! What a feed says about one package: which versions have a known vulnerability, and what its
//! vendor thinks of it.

use std::cmp::Ordering;

use jiff::civil::Date;
use plimsoll_model::Severity;

use crate::Scope;

/// One vulnerability in one package of one [`Scope`].
///
/// The texts are borrowed: from the feed while it is read, from the [`crate::Slice`] while it is
/// matched. A stranger wrote them: print them through [`plimsoll_model::text::printable`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Advisory<'a> {
    /// The identifier: the CVE number where there is one, else the feed's own (`GHSA-...`,
    /// `TEMP-...`, `XSA-182`).
    pub id: &'a str,
    /// Its other names, without [`Self::id`].
    pub aliases: Vec<&'a str>,
    /// The package, as the feed names it.
    pub package: &'a str,
    /// Whether that is the name of a source package or of an installed one.
    pub kind: PackageKind,
    /// What the vendor says about it in this release.
    pub status: Status,
    /// The versions that have it; any of the ranges counts. Empty with [`Self::versions`] empty too:
    /// no version (see [`Status::NotAffected`]).
    pub ranges: Vec<Range<'a>>,
    /// Single versions that have it, beside the ranges.
    pub versions: Vec<&'a str>,
    /// How bad the vendor calls it; `None` where the vendor has not said.
    pub severity: Option<Severity>,
    /// CVSS vectors, as published (`CVSS:3.1/AV:N/...`; version 2 has no prefix).
    pub cvss: Vec<&'a str>,
    /// The day it was published.
    pub published: Option<Date>,
    /// The day it was last changed.
    pub modified: Option<Date>,
    /// The feed it came from: the identifier of a row of [`crate::FEEDS`].
    pub feed: &'a str,
    /// One line about it; empty if there is none or the slice was read without texts.
    pub title: &'a str,
    /// A page about it; empty where [`Self::page`] can tell.
    pub url: &'a str,
}

/// What the name of a package means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum PackageKind {
    /// A source package (Debian, Ubuntu) or origin (Alpine): all packages built from it have the
    /// flaw, and the versions are those of the source.
    #[default]
    Source,
    /// A package as it is installed: rpm, the packages of languages, applications.
    Binary,
}

/// What a vendor says about a vulnerability in one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Status {
    /// It is there and nothing was said beyond that.
    #[default]
    Affected,
    /// A version without it is out.
    Fixed,
    /// No version of this package in this release ever had it.
    NotAffected,
    /// The vendor plans no update for it (Debian: no-dsa, ignored; others: will not fix).
    Ignored,
    /// The vendor fixes it later, with something else (Debian: postponed; others: deferred).
    Deferred,
    /// The vendor calls it no security problem, or one of no weight (Debian: unimportant). It may
    /// be fixed all the same: see the ranges.
    Unimportant,
    /// The vendor has ended support for this package in this release.
    EndOfLife,
    /// The vendor is looking into it.
    Undetermined,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Affected,
        Self::Fixed,
        Self::NotAffected,
        Self::Ignored,
        Self::Deferred,
        Self::Unimportant,
        Self::EndOfLife,
        Self::Undetermined,
    ];

    /// The word for it, as exchange files and reports write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::NotAffected => "not-affected",
            Self::Ignored => "ignored",
            Self::Deferred => "deferred",
            Self::Unimportant => "unimportant",
            Self::EndOfLife => "end-of-life",
            Self::Undetermined => "undetermined",
        }
    }

    /// The status of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == word)
    }
}

/// Versions from the first that has a flaw up to the first that has it no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range<'a> {
    /// The first version with the flaw; `None`: every one from the beginning.
    pub introduced: Option<&'a str>,
    /// Where it ends.
    pub until: Until<'a>,
}

/// The end of a [`Range`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Until<'a> {
    /// The first version without the flaw: the range does not hold it.
    Fixed(&'a str),
    /// The last version known to have it: the range holds it.
    Last(&'a str),
    /// There is no end yet.
    Open,
}

impl<'a> Range<'a> {
    /// Every version.
    pub const ALL: Self = Self {
        introduced: None,
        until: Until::Open,
    };

    /// Whether this version is in it, by the order `compare`.
    pub(crate) fn holds(&self, version: &str, compare: fn(&str, &str) -> Ordering) -> bool {
        let begun = self
            .introduced
            .is_none_or(|first| first == "0" || compare(first, version).is_le());
        begun
            && match self.until {
                Until::Fixed(fixed) => compare(version, fixed).is_lt(),
                Until::Last(last) => compare(version, last).is_le(),
                Until::Open => true,
            }
    }

    /// Every version before `fixed`.
    pub const fn before(fixed: &'a str) -> Self {
        Self {
            introduced: None,
            until: Until::Fixed(fixed),
        }
    }
}

impl<'a> Advisory<'a> {
    /// The versions that fix it, in the order of the ranges.
    pub fn fixes(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.ranges.iter().filter_map(|range| match range.until {
            Until::Fixed(version) => Some(version),
            _ => None,
        })
    }

    /// The CVE number, where it has one.
    pub fn cve(&self) -> Option<&'a str> {
        std::iter::once(self.id)
            .chain(self.aliases.iter().copied())
            .find(|id| id.starts_with("CVE-"))
    }

    /// The address of a page about it, for a package of `scope`; `None` where nobody keeps one.
    pub fn page(&self, scope: &Scope) -> Option<String> {
        let id = self.id;
        if !self.url.is_empty() {
            return Some(self.url.to_owned());
        }
        // It becomes part of an address.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if !id.bytes().all(plain) {
            return None;
        }
        let prefix = id.split('-').next().unwrap_or_default();
        let base = match (scope.name(), prefix) {
            ("debian", "CVE" | "TEMP") => "https://security-tracker.debian.org/tracker/",
            ("ubuntu" | "ubuntu-pro", "CVE") => "https://ubuntu.com/security/",
            ("alpine", "CVE") => "https://security.alpinelinux.org/vuln/",
            (_, "CVE") => "https://www.cve.org/CVERecord?id=",
            (_, "GHSA") => "https://github.com/advisories/",
            (_, "RUSTSEC" | "PYSEC" | "GO" | "BIT" | "MAL") => "https://osv.dev/vulnerability/",
            _ => return None,
        };
        Some(format!("{base}{id}"))
    }
}

/// The severity a vendor's word means, in any case; `None` for words that say nothing about it
/// (`unknown`, `not yet assigned`, `end-of-life`: that nobody mends it is not that it weighs nothing).
pub fn severity(word: &str) -> Option<Severity> {
    const WORDS: [(&str, Severity); 12] = [
        ("critical", Severity::Critical),
        ("high", Severity::High),
        ("important", Severity::High),
        ("medium", Severity::Medium),
        ("moderate", Severity::Medium),
        ("low", Severity::Low),
        ("minor", Severity::Low),
        ("negligible", Severity::Info),
        ("unimportant", Severity::Info),
        ("info", Severity::Info),
        ("informational", Severity::Info),
        ("none", Severity::Info),
    ];
    // Debian marks what it only presumes with `*` or `**`.
    let word = word.trim().trim_end_matches('*');
    let known = WORDS.iter();
    let found = known
        .copied()
        .find(|(known, _)| known.eq_ignore_ascii_case(word));
    found.map(|(_, severity)| severity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_word_of_its_own() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.name()), Some(status));
        }
        assert_eq!(Status::parse("Fixed"), None);
    }

    #[test]
    fn words_of_vendors_are_understood() {
        assert_eq!(severity("IMPORTANT"), Some(Severity::High));
        assert_eq!(severity("medium**"), Some(Severity::Medium));
        assert_eq!(severity("not yet assigned"), None);
    }

    #[test]
    fn a_page_is_the_feeds_or_the_vendors() {
        let debian = Scope::parse("debian:12").unwrap();
        let mut advisory = Advisory {
            id: "CVE-2024-1",
            ..Advisory::default()
        };
        let tracker = "https://security-tracker.debian.org/tracker/CVE-2024-1";
        assert_eq!(advisory.page(&debian).as_deref(), Some(tracker));
        advisory.url = "https://example.org/";
        assert_eq!(
            advisory.page(&debian).as_deref(),
            Some("https://example.org/")
        );
        advisory.url = "";
        advisory.id = "CVE-1\n";
        assert_eq!(advisory.page(&debian), None);
    }
}
