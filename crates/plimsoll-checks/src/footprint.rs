//! The numbers of an image that a small image has small: one side of a before/after table.

use plimsoll_model::Subject;
use plimsoll_model::report::Footprint;

use crate::checks::{network_tool, package_manager, setuid, shell};

/// Counts an image by the same rules as the checks: a name that is no finding is not counted.
pub fn footprint(subject: &Subject) -> Footprint {
    let tree = &subject.rootfs.tree;
    Footprint {
        bytes: tree.live_bytes(),
        compressed: subject.image.compressed_size(),
        files: tree.file_count(),
        packages: subject.inventory.packages.len() as u64,
        shells: shell::names(subject),
        package_managers: package_manager::names(subject),
        network_tools: network_tool::names(subject),
        setuid: setuid::names(subject),
    }
}
