//! Alpine: two years for `main`; `community` is looked after only until the next release.

use jiff::civil::date;

use super::{Distribution, Release};

pub(super) static DISTRIBUTION: Distribution = Distribution {
    id: "alpine",
    name: "Alpine",
    source: "https://alpinelinux.org/releases/",
    as_of: date(2026, 1, 27),
    release_of,
    long_term: "",
    file: file!(),
    releases: &[
        Release {
            version: "3.10",
            codename: "",
            released: date(2019, 6, 19),
            until: date(2021, 5, 1),
            long_term_until: None,
        },
        Release {
            version: "3.11",
            codename: "",
            released: date(2019, 12, 19),
            until: date(2021, 11, 1),
            long_term_until: None,
        },
        Release {
            version: "3.12",
            codename: "",
            released: date(2020, 5, 29),
            until: date(2022, 5, 1),
            long_term_until: None,
        },
        Release {
            version: "3.13",
            codename: "",
            released: date(2021, 1, 14),
            until: date(2022, 11, 1),
            long_term_until: None,
        },
        Release {
            version: "3.14",
            codename: "",
            released: date(2021, 6, 15),
            until: date(2023, 5, 1),
            long_term_until: None,
        },
        Release {
            version: "3.15",
            codename: "",
            released: date(2021, 11, 24),
            until: date(2023, 11, 1),
            long_term_until: None,
        },
        Release {
            version: "3.16",
            codename: "",
            released: date(2022, 5, 23),
            until: date(2024, 5, 23),
            long_term_until: None,
        },
        Release {
            version: "3.17",
            codename: "",
            released: date(2022, 11, 22),
            until: date(2024, 11, 22),
            long_term_until: None,
        },
        Release {
            version: "3.18",
            codename: "",
            released: date(2023, 5, 9),
            until: date(2025, 5, 9),
            long_term_until: None,
        },
        Release {
            version: "3.19",
            codename: "",
            released: date(2023, 12, 7),
            until: date(2025, 11, 1),
            long_term_until: None,
        },
        Release {
            version: "3.20",
            codename: "",
            released: date(2024, 5, 22),
            until: date(2026, 4, 1),
            long_term_until: None,
        },
        Release {
            version: "3.21",
            codename: "",
            released: date(2024, 12, 5),
            until: date(2026, 11, 1),
            long_term_until: None,
        },
        Release {
            version: "3.22",
            codename: "",
            released: date(2025, 5, 30),
            until: date(2027, 5, 1),
            long_term_until: None,
        },
        Release {
            version: "3.23",
            codename: "",
            released: date(2025, 12, 4),
            until: date(2027, 11, 1),
            long_term_until: None,
        },
    ],
};

/// `3.20.3` is of release `3.20`; `3.23_alpha20250612` is a snapshot of `edge`.
fn release_of(version_id: &str) -> Result<&str, &'static str> {
    if version_id.contains("_alpha") {
        return Err("it is a snapshot of edge, which has no releases");
    }
    let end = version_id.match_indices('.').nth(1);
    Ok(end.map_or(version_id, |(at, _)| &version_id[..at]))
}
