//! Releases on chosen days, and the soundness of the table.

use jiff::civil::date;
use plimsoll_model::OsRelease;

use super::*;

fn on(id: &str, version_id: &str, today: Date) -> String {
    let os = OsRelease {
        id: id.into(),
        version_id: version_id.into(),
        ..OsRelease::default()
    };
    support(&os, today).to_string()
}

#[test]
fn a_release_lives_through_its_last_day_and_not_longer() {
    let by = DISTRIBUTIONS[1].long_term;
    let long_term = format!("long-term support until 2028-06-30 ({by})");
    for (today, says) in [
        (date(2026, 7, 11), "supported until 2026-07-11"),
        (date(2026, 7, 12), &*long_term),
        (date(2028, 6, 30), &*long_term),
        (date(2028, 7, 1), "support ended on 2028-06-30"),
    ] {
        assert_eq!(on("debian", "12", today), says, "{today}");
    }
}

#[test]
fn a_point_release_is_its_release() {
    let today = date(2026, 11, 23);
    assert_eq!(on("debian", "13.1", today), "supported until 2028-08-09");
    assert_eq!(on("debian", "8", today), "support ended on 2020-06-30");
    assert_eq!(on("alpine", "3.20.3", today), "support ended on 2026-04-01");
    assert_eq!(on("alpine", "3.22.0", today), "supported until 2027-05-01");
    assert_eq!(on("ubuntu", "24.04", today), "supported until 2029-05-31");
    assert_eq!(on("ubuntu", "23.10", today), "support ended on 2024-07-11");
}

#[test]
fn what_is_not_known_is_never_supported() {
    let today = date(2026, 11, 23);
    for (id, version_id, why) in [
        ("", "12", "os-release has no ID"),
        (
            "kali",
            "2026.3",
            "nothing is known about the distribution `kali`",
        ),
        (
            "k\x1b[2J",
            "1",
            "nothing is known about the distribution `k\\x1b[2J`",
        ),
        (
            "debian",
            "",
            "os-release of Debian has no VERSION_ID: a release in the making, or a rolling one",
        ),
        (
            "debian",
            "14",
            "Debian 14 is not in our table, which was made on 2026-11-23",
        ),
        (
            "debian",
            "1",
            "Debian 1 is not in our table, which was made on 2026-11-23",
        ),
        (
            "alpine",
            "3.23_alpha20250612",
            "Alpine 3.23_alpha20250612: it is a snapshot of edge, which has no releases",
        ),
        (
            "alpine",
            "3.2.3",
            "Alpine 3.2.3 is not in our table, which was made on 2026-01-27",
        ),
    ] {
        let says = on(id, version_id, today);
        assert_eq!(says, format!("support is not known: {why}"));
    }
    let before = on("debian", "13", date(2025, 8, 8));
    assert_eq!(
        before,
        "support is not known: Debian 13 came out on 2025-08-09, after today"
    );
}

#[test]
fn the_table_is_sound() {
    let ids: Vec<_> = DISTRIBUTIONS.iter().map(|known| known.id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    for known in DISTRIBUTIONS {
        assert!(known.file.ends_with(&format!("/{}.rs", known.id)));
        assert!(known.source.starts_with("https://"));
        for pair in known.releases.windows(2) {
            assert!(pair[0].released < pair[1].released, "{pair:?}");
        }
        for release in known.releases {
            let found = (known.release_of)(release.version);
            assert_eq!(found, Ok(release.version));
            assert!(release.released < release.until, "{release:?}");
            assert!(release.released <= known.as_of, "{release:?}");
            if let Some(long_term) = release.long_term_until {
                assert!(release.until < long_term, "{release:?}");
                assert_ne!(known.long_term, "", "{release:?}");
            }
        }
    }
}
