//! The verbs, one file each.

pub(crate) mod build;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod lineage;
pub(crate) mod lint;
pub(crate) mod slim;
pub(crate) mod why;
