//! Ubuntu: five years for a release called LTS, nine months for the others.

use jiff::civil::date;

use super::{Distribution, Release};

pub(super) static DISTRIBUTION: Distribution = Distribution {
    id: "ubuntu",
    name: "Ubuntu",
    // The same dates are in the package distro-info-data, which the table was compared with.
    source: "https://ubuntu.com/about/release-cycle",
    as_of: date(2026, 11, 23),
    release_of: |version_id| Ok(version_id),
    // Expanded Security Maintenance needs a subscription, and an image that is handed on has none:
    // it is not counted.
    long_term: "",
    file: file!(),
    releases: &[
        Release {
            version: "14.04",
            codename: "trusty",
            released: date(2014, 4, 17),
            until: date(2019, 4, 25),
            long_term_until: None,
        },
        Release {
            version: "16.04",
            codename: "xenial",
            released: date(2016, 4, 21),
            until: date(2021, 4, 30),
            long_term_until: None,
        },
        Release {
            version: "18.04",
            codename: "bionic",
            released: date(2018, 4, 26),
            until: date(2023, 5, 31),
            long_term_until: None,
        },
        Release {
            version: "20.04",
            codename: "focal",
            released: date(2020, 4, 23),
            until: date(2025, 5, 29),
            long_term_until: None,
        },
        Release {
            version: "22.04",
            codename: "jammy",
            released: date(2022, 4, 21),
            until: date(2027, 6, 1),
            long_term_until: None,
        },
        Release {
            version: "23.04",
            codename: "lunar",
            released: date(2023, 4, 20),
            until: date(2024, 1, 25),
            long_term_until: None,
        },
        Release {
            version: "23.10",
            codename: "mantic",
            released: date(2023, 10, 12),
            until: date(2024, 7, 11),
            long_term_until: None,
        },
        Release {
            version: "24.04",
            codename: "noble",
            released: date(2024, 4, 25),
            until: date(2029, 5, 31),
            long_term_until: None,
        },
        Release {
            version: "24.10",
            codename: "oracular",
            released: date(2024, 10, 10),
            until: date(2025, 7, 10),
            long_term_until: None,
        },
        Release {
            version: "25.04",
            codename: "plucky",
            released: date(2025, 4, 17),
            until: date(2026, 1, 15),
            long_term_until: None,
        },
        Release {
            version: "25.10",
            codename: "questing",
            released: date(2025, 10, 9),
            until: date(2026, 7, 9),
            long_term_until: None,
        },
        Release {
            version: "26.04",
            codename: "resolute",
            released: date(2026, 4, 23),
            until: date(2031, 5, 29),
            long_term_until: None,
        },
    ],
};
