//! `development-package`: packages that only compilers and debuggers read.

use plimsoll_model::{Evidence, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// Development tools stay out of production: packages named `-dev`, `-devel`, `-dbg` hold
    /// headers, static libraries and symbols, for compilers and debuggers alone. A build needs
    /// them, its result does not.
    ///
    /// ## Example
    ///
    /// ```image
    /// PACKAGE libssl-dev 3.0.15 libdevel   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The libraries themselves, whatever they are about.
    ///
    /// ```image
    /// PACKAGE libssl3 3.0.15 libs
    /// PACKAGE libdevmapper1.02.1 2:1.02.185 libs
    /// PACKAGE python3-devtools 0.11 python
    /// ```
    ///
    /// ## Remedy
    ///
    /// Build in a stage of its own; or remove them in the `RUN` that installs them (`apt-get purge
    /// --auto-remove`, `apk add --virtual .build ... && apk del .build`).
    id: "development-package",
    practice: "development tools stay out of production",
    summary: "packages for compilers and debuggers are installed",
    severity: Low,
    development: Info,
    run: run,
}

const ENDS: &[&str] = &[
    "-dbg",
    "-dbgsym",
    "-debug",
    "-debuginfo",
    "-debugsource",
    "-dev",
    "-devel",
    "-headers",
    "-static",
];

fn run(look: &Look, findings: &mut Findings) {
    let system = |ecosystem: &str| matches!(ecosystem, "deb" | "apk" | "rpm" | "alpm");
    let packages = look.inventory.packages.iter();
    let packages: Vec<_> = packages
        .filter(|package| system(package.ecosystem))
        .filter(|package| ENDS.iter().any(|end| package.name.ends_with(end)))
        .collect();
    if packages.is_empty() {
        return;
    }
    let bytes: u64 = packages
        .iter()
        .map(|package| package.installed_size)
        .fold(0, u64::saturating_add);
    let bytes = match bytes {
        0 => String::new(),
        bytes => format!(" ({})", text::bytes(bytes)),
    };
    let message = match packages.as_slice() {
        [one] => format!(
            "`{}` is installed{bytes}",
            text::printable(one.name.as_bytes())
        ),
        many => format!(
            "{} packages for development are installed{bytes}",
            many.len()
        ),
    };
    let evidence = packages.iter().map(|package| Evidence::Package {
        name: package.name.clone(),
        version: package.version.clone(),
    });
    findings.add(
        message,
        evidence.collect(),
        "a build stage of its own, or purge them in the RUN that installs them",
    );
}
