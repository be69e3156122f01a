//! `development-file`: headers, which only compilers read.

use plimsoll_model::ImagePath;

use super::documentation::report;
use crate::check::check;
use crate::heaps::Heaps;
use crate::{Findings, Look};

check! {
    /// Development tools stay out of production: header files are read while programs are built and
    /// never while they run.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/include/             dir 0755     # finding
    /// /usr/include/app.h        0644 200k
    /// /usr/local/include/       dir 0755     # finding
    /// /usr/local/include/app.h  0644 200k
    /// ```
    ///
    /// ## Not a finding
    ///
    /// What a language compiles for itself, and what ends alike elsewhere.
    ///
    /// ```image
    /// /usr/lib/x86_64-linux-gnu/perl/5.36.0/CORE/perl.h   0644 300k
    /// /srv/assets/picture.h                               0644 3000k
    /// ```
    ///
    /// ## Remedy
    ///
    /// `COPY --from=build` what runs, by name, in place of `/usr/local` as a whole.
    id: "development-file",
    practice: "development tools stay out of production",
    summary: "headers are in the image",
    severity: Low,
    development: Info,
    run: run,
}

/// Where compilers look for headers.
const HEADERS: &[&str] = &["/usr/include", "/usr/local/include"];

fn run(look: &Look, findings: &mut Findings) {
    let tree = &look.rootfs.tree;
    let mut heaps = Heaps::default();
    for place in HEADERS.iter().map(|place| ImagePath::from(*place)) {
        for (_, node) in tree.subtree(&place).filter(|(_, node)| node.size() > 0) {
            heaps.add(place.clone(), node);
        }
    }
    report(&heaps, "headers", findings);
}
