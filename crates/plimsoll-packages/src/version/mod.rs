//! The order of versions, one file per rule.

pub mod deb;
