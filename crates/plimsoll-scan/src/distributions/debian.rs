//! Debian: three years by the security team, two more by the LTS team.

use jiff::civil::date;

use super::{Distribution, Release};

pub(super) static DISTRIBUTION: Distribution = Distribution {
    id: "debian",
    name: "Debian",
    // The same dates are in the package distro-info-data, which the table was compared with.
    source: "https://wiki.debian.org/DebianReleases and https://wiki.debian.org/LTS",
    as_of: date(2026, 11, 23),
    release_of: |version_id| Ok(version_id.split('.').next().unwrap_or(version_id)),
    long_term: "the Debian LTS team, for some architectures and most packages",
    file: file!(),
    releases: &[
        Release {
            version: "8",
            codename: "jessie",
            released: date(2015, 4, 26),
            until: date(2018, 6, 17),
            long_term_until: Some(date(2020, 6, 30)),
        },
        Release {
            version: "9",
            codename: "stretch",
            released: date(2017, 6, 17),
            until: date(2020, 7, 18),
            long_term_until: Some(date(2022, 6, 30)),
        },
        Release {
            version: "10",
            codename: "buster",
            released: date(2019, 7, 6),
            until: date(2022, 9, 10),
            long_term_until: Some(date(2024, 6, 30)),
        },
        Release {
            version: "11",
            codename: "bullseye",
            released: date(2021, 8, 14),
            until: date(2024, 8, 14),
            long_term_until: Some(date(2026, 8, 31)),
        },
        Release {
            version: "12",
            codename: "bookworm",
            released: date(2023, 6, 10),
            until: date(2026, 7, 11),
            long_term_until: Some(date(2028, 6, 30)),
        },
        Release {
            version: "13",
            codename: "trixie",
            released: date(2025, 8, 9),
            until: date(2028, 8, 9),
            long_term_until: Some(date(2030, 6, 30)),
        },
    ],
};
