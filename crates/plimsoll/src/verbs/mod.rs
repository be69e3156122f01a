//! The verbs, one file each.

pub(crate) mod build;
pub(crate) mod cat;
pub(crate) mod check;
pub(crate) mod copy;
pub(crate) mod db;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod explore;
pub(crate) mod extract;
pub(crate) mod inspect;
pub(crate) mod lineage;
pub(crate) mod lint;
pub(crate) mod ls;
pub(crate) mod referrers;
pub(crate) mod sbom;
pub(crate) mod scan;
pub(crate) mod slim;
pub(crate) mod tree;
pub(crate) mod why;

mod files;
