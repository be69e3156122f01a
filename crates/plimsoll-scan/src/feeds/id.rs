//! Identifiers of vulnerabilities.

/// Whether this looks like an identifier: a word of capitals, then at least one part behind a `-`
/// with a digit or a letter in it (`CVE-2024-1`, `GHSA-xxxx-...`, `XSA-182`, `TEMP-0841856-B18BAF`).
pub(crate) fn is_id(word: &str) -> bool {
    let Some((prefix, rest)) = word.split_once('-') else {
        return false;
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+/".contains(&byte);
    prefix.len() >= 2
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && prefix.bytes().any(|byte| byte.is_ascii_uppercase())
        && !rest.is_empty()
        && rest.bytes().all(plain)
        && rest.bytes().any(|byte| byte.is_ascii_digit()) | (prefix == "GHSA")
}

/// Whether this is a CVE number.
pub(crate) fn is_cve(word: &str) -> bool {
    word.starts_with("CVE-") && is_id(word)
}

/// Prefixes of announcements that bring fixes for several vulnerabilities at once.
const ERRATA: &[&str] = &[
    "ALAS",
    "ALBA",
    "ALEA",
    "ALSA",
    "DLA",
    "DSA",
    "DTSA",
    "ELBA",
    "ELEA",
    "ELSA",
    "MGAA",
    "MGASA",
    "OESA",
    "PHSA",
    "RHBA",
    "RHEA",
    "RHSA",
    "RLBA",
    "RLEA",
    "RLSA",
    "RXSA",
    "SUSE",
    "USN",
    "openEuler",
    "openSUSE",
    "AZL-SA",
];

/// Whether this names an announcement rather than a vulnerability.
pub(crate) fn is_erratum(id: &str) -> bool {
    // `SUSE-CVE-...` is a vulnerability.
    let prefix = id.split(['-', '2']).next().unwrap_or_default();
    ERRATA.contains(&prefix) && !id.contains("-CVE-")
}

/// The identifiers in a text with other words around them, CVE numbers first.
pub(crate) fn ids_in(text: &str) -> Vec<&str> {
    let words = text.split(|character: char| {
        character.is_whitespace() || matches!(character, ',' | ';' | '(' | ')' | '[' | ']')
    });
    let mut found: Vec<&str> = words.filter(|word| is_id(word)).collect();
    found.sort_by_key(|word| !is_cve(word));
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_told_from_words() {
        for id in [
            "CVE-2024-1",
            "GHSA-jfh8-c2jp-5v3q",
            "XSA-182",
            "TEMP-0841856-B18BAF",
            "ALSA-2024:1234",
            "BIT-apache-2020-1",
            "GO-2022-0001",
            "RUSTSEC-2020-0001",
        ] {
            assert!(is_id(id), "{id}");
        }
        for word in ["AFS/RX", "", "-", "CVE", "CVE-", "fix-2", "N/A"] {
            assert!(!is_id(word), "{word}");
        }
    }

    #[test]
    fn words_around_identifiers_are_left_out() {
        assert_eq!(ids_in("CVE-2018-14466 (AFS/RX)"), ["CVE-2018-14466"]);
        assert_eq!(
            ids_in("XSA-182 CVE-2016-6258"),
            ["CVE-2016-6258", "XSA-182"]
        );
        assert_eq!(ids_in("see the log"), [""; 0]);
    }

    #[test]
    fn announcements_are_told_from_vulnerabilities() {
        for id in [
            "ALSA-2024:1",
            "SUSE-SU-2024:1-1",
            "openSUSE-SU-2024:1-1",
            "DSA-1-1",
            "USN-1-1",
            "ALAS2-2024-1",
        ] {
            assert!(is_erratum(id), "{id}");
        }
        for id in [
            "CVE-2024-1",
            "DEBIAN-CVE-2024-1",
            "SUSE-CVE-2024-1",
            "GHSA-a-b",
        ] {
            assert!(!is_erratum(id), "{id}");
        }
    }
}
