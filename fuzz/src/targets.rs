//! The rows, one file each.

pub(crate) mod archive;
pub(crate) mod check;
pub(crate) mod control;
pub(crate) mod database;
pub(crate) mod deb;
pub(crate) mod dockerfile;
pub(crate) mod feed;
pub(crate) mod follow;
pub(crate) mod layers;
pub(crate) mod names;
pub(crate) mod sbom;
pub(crate) mod script;
pub(crate) mod signature;
pub(crate) mod slice;
pub(crate) mod version;
