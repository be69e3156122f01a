//! `stale-image`: an image nobody has built for long.

use jiff::tz::TimeZone;
use plimsoll_model::{Evidence, Severity};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Choose a base that is looked after, and build again when it is: fixes reach an image only
    /// when it is built again. (CIS Docker Benchmark 4.4.)
    ///
    /// ## Example
    ///
    /// The image of the examples was made on 1 January 2026.
    ///
    /// ```image
    /// PACKAGE libc6 2.36 libs
    /// TODAY 2027-03-01
    /// CREATED 2026-01-01T00:00:00Z   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A younger one, and one that holds no packages, in which nothing waits for a fix.
    ///
    /// ```image
    /// PACKAGE libc6 2.36 libs
    /// TODAY 2026-03-01
    /// ```
    ///
    /// ```image
    /// TODAY 2028-03-01
    /// ```
    ///
    /// ## Remedy
    ///
    /// Build it again every week, whether its source changed or not:
    /// `docker build --pull --no-cache`.
    id: "stale-image",
    practice: "choose a base that is looked after",
    summary: "the image was not built for a long time",
    severity: Medium,
    development: Low,
    run: run,
}

/// Days from which on it is worth a word, and from which on it weighs in full.
const OLD: i64 = 180;
const VERY_OLD: i64 = 365;

/// Reproducible builds say 1970, 1980 or another day of no meaning: containers are younger.
const FIRST_YEAR: i16 = 2013;

fn run(look: &Look, findings: &mut Findings) {
    let config = &look.image.config;
    let (Some(today), Some(created)) = (look.circumstances.today, &config.created) else {
        return;
    };
    let made: Result<jiff::Timestamp, _> = created.parse();
    let Ok(made) = made else {
        return;
    };
    let made = made.to_zoned(TimeZone::UTC).date();
    if made.year() < FIRST_YEAR || look.inventory.packages.is_empty() {
        return;
    }
    let days = today.duration_since(made).as_hours() / 24;
    let severity = match days {
        VERY_OLD.. => CHECK.severity,
        OLD.. => Severity::Low,
        _ => return,
    };
    let evidence = Evidence::Config {
        key: "CREATED",
        value: made.to_string(),
    };
    findings.add_as(
        severity,
        format!("the image was made on {made}, {days} days ago"),
        vec![evidence],
        "docker build --pull --no-cache, every week",
    );
}
