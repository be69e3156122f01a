//! Bills of materials of both images: what was there, and what still is.

use std::path::Path;

use crate::failure::{Failure, Result};
use crate::print;
use crate::session::Opened;
use crate::verbs::sbom;

/// Writes `before` and `after`, each as CycloneDX and as SPDX (`before.cdx.json`,
/// `before.spdx.json`, the names both specifications recommend), into `directory`.
pub(super) fn write(directory: &Path, before: &Opened, after: &Opened) -> Result<()> {
    std::fs::create_dir_all(directory).map_err(|error| {
        Failure::because(
            format_args!("cannot make the directory {}", directory.display()),
            &error,
        )
    })?;
    for (name, image) in [("before", before), ("after", after)] {
        let report = sbom::report(image);
        for (format, ending) in [("cyclonedx", "cdx"), ("spdx", "spdx")] {
            let path = directory.join(format!("{name}.{ending}.json"));
            print::write(&report, print::format_of(format)?, &path)?;
        }
    }
    Ok(())
}
