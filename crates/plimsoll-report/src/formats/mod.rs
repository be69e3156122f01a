//! The table of formats, sorted by name, one file each.

use crate::Format;

pub mod json;
pub mod text;

/// Every format, sorted by its name.
pub static FORMATS: &[&Format] = &[&json::FORMAT, &text::FORMAT];
