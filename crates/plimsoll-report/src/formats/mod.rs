//! The table of formats, sorted by name, one file each.

use crate::Format;

pub mod cyclonedx;
pub mod github;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod openvex;
pub mod sarif;
pub mod spdx;
pub mod text;

/// Every format, sorted by its name.
pub static FORMATS: &[&Format] = &[
    &cyclonedx::FORMAT,
    &github::FORMAT,
    &json::FORMAT,
    &junit::FORMAT,
    &markdown::FORMAT,
    &openvex::FORMAT,
    &sarif::FORMAT,
    &spdx::FORMAT,
    &text::FORMAT,
];
