//! The numbers of an image that a small image has small: one side of a before/after table.

use plimsoll_model::Subject;
use plimsoll_model::package::ecosystem;
use plimsoll_model::report::Footprint;

use crate::checks::{network_tool, package_manager, setuid, shell};

/// Counts an image by the same rules as the checks: a name that is no finding is not counted.
pub fn footprint(subject: &Subject) -> Footprint {
    let tree = &subject.rootfs.tree;
    Footprint {
        bytes: tree.live_bytes(),
        compressed: subject.image.compressed_size(),
        files: tree.file_count(),
        packages: packages(subject),
        shells: shell::names(subject),
        package_managers: package_manager::names(subject),
        network_tools: network_tool::names(subject),
        setuid: setuid::names(subject),
    }
}

/// How many packages are installed: what a package of the distribution brought is counted with it,
/// and a program that was recognised by its bytes is no package.
fn packages(subject: &Subject) -> u64 {
    let packages = subject.inventory.packages.iter();
    let counted = packages
        .filter(|package| package.part_of.is_none() && package.ecosystem != ecosystem::GENERIC);
    counted.count() as u64
}
