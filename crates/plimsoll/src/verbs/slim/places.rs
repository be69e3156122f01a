//! Where a slim writes: the name of a target nobody named, and what is tried before anything is run.

use super::bills;
use crate::cli::SlimOptions;
use crate::failure::Result;
use crate::plan_file;
use crate::session::Context;
use crate::writable;

/// A layout in this directory, named after the image; inside it the image has its tag, so that two of
/// one repository lie side by side.
pub(super) fn default_target(image: &str) -> String {
    match plimsoll_image::called(image) {
        (name, Some(version)) => format!("oci:{name}-slim:{version}"),
        (name, None) => format!("oci:{name}-slim"),
    }
}

/// Sees that what is written beside the image can be.
pub(super) fn check(context: &Context, options: &SlimOptions) -> Result<()> {
    if let Some(path) = &options.html {
        writable::in_place(path)?;
    }
    if let Some(path) = &options.plan {
        writable::replaced(path, true)?;
    }
    if let Some(path) = &options.profile.write_profile {
        writable::replaced(path, false)?;
    }
    if let Some(directory) = &options.sbom {
        writable::directory(directory)?;
        for file in bills::files(directory).filter(|file| file.exists()) {
            writable::in_place(&file)?;
        }
    }
    writable::directory(&plan_file::directory(&context.cache))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_target_is_named_after_the_image() {
        for (image, target) in [
            ("httpd", "oci:httpd-slim:latest"),
            ("localhost:5000/x", "oci:x-slim:latest"),
            ("httpd:2.4", "oci:httpd-slim:2.4"),
            ("dir:/", "oci:image-slim"),
        ] {
            assert_eq!(default_target(image), target);
        }
    }
}
