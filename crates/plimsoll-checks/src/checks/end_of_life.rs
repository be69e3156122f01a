//! `end-of-life`: a distribution release nobody fixes any more.

use plimsoll_model::{ImagePath, Severity, os_release};

use crate::check::check;
use crate::look::{Lifetime, State};
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Choose a base that is looked after: when a release is over, no fix comes any more, whatever
    /// is found in it. Scanners may even fall silent, because nobody writes advisories for it.
    ///
    /// ## Example
    ///
    /// ```image
    /// /etc/os-release  0644 "ID=debian\nVERSION_ID=\"9\"\n"   # finding
    /// SUPPORT ended 2022-06-30
    /// ```
    ///
    /// Long-term support keeps the door shut, for fewer packages, and not for ever:
    ///
    /// ```image
    /// /etc/os-release  0644 "ID=debian\nVERSION_ID=\"11\"\n"  # finding
    /// SUPPORT long-term 2026-08-31
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A release that gets fixes, and one nothing is known about.
    ///
    /// ```image
    /// /etc/os-release  0644 "ID=debian\nVERSION_ID=\"13\"\n"
    /// SUPPORT supported
    /// ```
    ///
    /// ## Remedy
    ///
    /// The next release of the base in `FROM`.
    id: "end-of-life",
    practice: "choose a base that is looked after",
    summary: "the distribution release gets no fixes any more, or soon will not",
    severity: High,
    development: Medium,
    run: run,
}

fn run(look: &Look, findings: &mut Findings) {
    let Some(Lifetime { release, state }) = &look.circumstances.lifetime else {
        return;
    };
    let (severity, message) = match state {
        State::Supported => return,
        State::Ended { on } => (
            CHECK.severity,
            format!("{release} gets no fixes since {on}"),
        ),
        State::LongTerm { until, by } => (
            Severity::Info,
            format!("{release} is in long-term support until {until} ({by})"),
        ),
    };
    let tree = &look.rootfs.tree;
    let paths = os_release::PATHS.map(ImagePath::from);
    let path = paths.iter().find(|path| tree.contains(path));
    let evidence = programs::evidence(tree, path.unwrap_or(&paths[0]));
    let remedy = "FROM the next release of the base";
    findings.add_as(severity, message, vec![evidence], remedy);
}
