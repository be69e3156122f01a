//! Bitnami's vulnerability database: what is known about applications, by their own versions.

use super::{feed, osv};

feed! {
    /// Bitnami's vulnerability database, in the OSV format: version ranges of some two hundred
    /// applications (apache, nginx, redis, postgresql, node, python, php ...), for those an image has
    /// compiled from source and no package database knows.
    ///
    /// Names are products, versions are upstream's. Known only as far as upstream publishes ranges.
    id: "bitnami",
    lists_unfixed: true,
    recognise: |document| osv::is_osv(document) && document.holds("\"Bitnami\""),
    read: osv::read,
}
