//! Bills of materials of both images: what was there, and what still is.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::print;
use crate::session::Opened;
use crate::verbs::sbom;

const IMAGES: [&str; 2] = ["before", "after"];
/// The formats, and how their files end: the names both specifications recommend.
const FORMATS: [(&str, &str); 2] = [("cyclonedx", "cdx.json"), ("spdx", "spdx.json")];

/// The files that [`write`] writes.
pub(super) fn files(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let names = IMAGES
        .into_iter()
        .flat_map(|image| FORMATS.map(|(_, ending)| format!("{image}.{ending}")));
    names.map(|name| directory.join(name))
}

/// Writes `before` and `after`, each as CycloneDX and as SPDX, into `directory`.
pub(super) fn write(directory: &Path, before: &Opened, after: &Opened) -> Result<()> {
    std::fs::create_dir_all(directory).map_err(|error| {
        Failure::because(
            format_args!("cannot make the directory {}", directory.display()),
            &error,
        )
    })?;
    let reports = [before, after].map(sbom::report);
    let both = reports
        .iter()
        .flat_map(|report| FORMATS.map(|(format, _)| (report, format)));
    for ((report, format), path) in both.zip(files(directory)) {
        print::write(report, print::format_of(format)?, &path)?;
    }
    Ok(())
}
