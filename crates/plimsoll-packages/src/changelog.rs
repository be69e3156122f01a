//! What a Debian changelog says was fixed, and in which version.
//!
//! Source: Debian policy 4.4 and `deb-changelog(5)`: an entry begins with `source (version) suites;
//! key=value` in the first column, its lines are set in. A changelog in an archive may end early: old
//! entries are cut off.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::version::deb;

/// The vulnerabilities that the entries later than `installed`, up to `offered`, name, each with the first
/// version that names it. `source` is whose changelog it must be.
///
/// `None` where the text is no changelog of that source, or has no entry of the version offered or
/// none of the installed one or older: then it does not tell the whole way between the two.
pub fn fixes(
    text: &str,
    source: &str,
    installed: &str,
    offered: &str,
) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut inside = false;
    let (mut begins, mut ends) = (false, false);
    let mut version = "";
    for line in text.lines() {
        if let Some((name, found_version)) = header(line) {
            if name != source {
                return None;
            }
            version = found_version;
            begins |= deb::compare(version, offered) == Ordering::Equal;
            ends |= deb::compare(version, installed) != Ordering::Greater;
            inside = deb::compare(version, installed) == Ordering::Greater
                && deb::compare(version, offered) != Ordering::Greater;
        } else if inside {
            for id in identifiers(line) {
                // Entries go back in time: what is older overwrites.
                found.insert(id.to_owned(), version.to_owned());
            }
        }
    }
    (begins && ends).then_some(found)
}

/// Source and version of the first line of an entry.
fn header(line: &str) -> Option<(&str, &str)> {
    if line.starts_with(char::is_whitespace) {
        return None;
    }
    let (source, rest) = line.split_once(" (")?;
    let (version, rest) = rest.split_once(')')?;
    rest.contains(';').then_some((source, version))
}

/// The CVE numbers in a line.
fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("CVE-").filter_map(|(at, _)| {
        let rest = &line[at + 4..];
        let year = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest.get(year..)?.strip_prefix('-')?;
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        (year == 4 && digits >= 4).then(|| &line[at..at + 4 + year + 1 + digits])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "zlib (1:1.3-3) trixie-security; urgency=high\n\n  * Fix CVE-2026-0001 and\n    CVE-2026-10002 (Closes: #1).\n\n -- A <a@b>  Mon, 01 Jun 2026 00:00:00 +0000\n\n\
        zlib (1:1.3-2) trixie; urgency=low\n\n  * CVE-2026-0001: first part. CVE-26-1 CVE-2026-1.\n\n -- A <a@b>  x\n\n\
        zlib (1:1.3-1) unstable; urgency=low\n\n  * CVE-2020-1234\n\n -- A <a@b>  x\n";

    fn found(installed: &str, offered: &str) -> Option<Vec<String>> {
        let fixes = fixes(TEXT, "zlib", installed, offered)?;
        Some(
            fixes
                .iter()
                .map(|(id, version)| format!("{id} {version}"))
                .collect(),
        )
    }

    #[test]
    fn what_lies_between_two_versions_is_found_with_the_first_that_fixes_it() {
        let both = ["CVE-2026-0001 1:1.3-2", "CVE-2026-10002 1:1.3-3"];
        assert_eq!(found("1:1.3-1", "1:1.3-3").unwrap(), both);
        assert_eq!(
            found("1:1.3-2", "1:1.3-3").unwrap(),
            ["CVE-2026-0001 1:1.3-3", "CVE-2026-10002 1:1.3-3"]
        );
        assert_eq!(found("1:1.3-3", "1:1.3-3").unwrap(), [""; 0]);
    }

    #[test]
    fn a_changelog_that_does_not_tell_the_whole_way_tells_nothing() {
        assert_eq!(
            found("1:1.2-1", "1:1.3-3"),
            None,
            "cut off before the installed version"
        );
        assert_eq!(
            found("1:1.3-1", "1:1.3-4"),
            None,
            "older than what is offered"
        );
        assert_eq!(fixes(TEXT, "bzip2", "1:1.3-1", "1:1.3-3"), None);
        assert_eq!(fixes("no changelog", "zlib", "1", "2"), None);
    }
}
