//! CVSS vectors: the base score, and the severity it stands for.

use std::str::FromStr;

use cvss::Cvss as Parsed;
use plimsoll_model::Severity;
use plimsoll_model::vulnerability::Cvss;

/// The vector of the newest version among those published, with its base score; nothing where none
/// can be read.
pub(super) fn newest(vectors: &[&str]) -> Option<Cvss> {
    let read = vectors.iter().filter_map(|vector| {
        let score = score(vector)?;
        // `CVSS:4.0/`, `CVSS:3.1/`; version 2 has no prefix and sorts first.
        let version = vector.strip_prefix("CVSS:").unwrap_or_default();
        Some((version.get(..3).unwrap_or_default(), *vector, score))
    });
    // The first of a version is its publisher's own.
    let best = read.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, vector, score)| Cvss {
        vector: vector.to_owned(),
        score,
    })
}

/// The base score in tenths.
fn score(vector: &str) -> Option<u8> {
    let vector = vector.trim_matches(['(', ')']);
    // A vector that lacks a metric would read as harmless.
    let needed: &[&str] = match vector.split('/').next()? {
        "CVSS:4.0" => &[
            "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
        ],
        "CVSS:3.0" | "CVSS:3.1" => &["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
        _ => &["AV", "AC", "Au", "C", "I", "A"],
    };
    let has = |metric: &&str| {
        let mut names = vector
            .split('/')
            .filter_map(|field| field.split(':').next());
        names.any(|name| name == *metric)
    };
    if !needed.iter().all(has) {
        return None;
    }
    let score = Parsed::from_str(vector).ok()?.score();
    // Scores have one decimal and are at most 10.
    Some((score * 10.0).round().clamp(0.0, 100.0) as u8)
}

/// The qualitative rating of a score in tenths (CVSS 3.1, section 5).
pub(super) fn rating(score: u8) -> Severity {
    match score {
        0 => Severity::Info,
        1..=39 => Severity::Low,
        40..=69 => Severity::Medium,
        70..=89 => Severity::High,
        _ => Severity::Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_specification() {
        for (vector, expected) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N", 37),
            ("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 78),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", 75),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                93,
            ),
        ] {
            let found = newest(&[vector]).unwrap_or_else(|| panic!("{vector}"));
            assert_eq!(found.score, expected, "{vector}");
        }
        assert_eq!(newest(&["CVSS:3.1/AV:N", "nonsense", ""]), None);
    }

    #[test]
    fn the_newest_version_counts() {
        let old = "AV:N/AC:L/Au:N/C:P/I:P/A:P";
        let new = "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N";
        assert_eq!(newest(&[old, new]).unwrap().vector, new);
        assert_eq!(newest(&[new, old]).unwrap().vector, new);
    }

    #[test]
    fn ratings_begin_where_the_specification_says() {
        assert_eq!(rating(39), Severity::Low);
        assert_eq!(rating(40), Severity::Medium);
        assert_eq!(rating(90), Severity::Critical);
    }
}
