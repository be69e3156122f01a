//! dpkg's own database.

use plimsoll_model::{Inventory, Rootfs};

use super::database;

database! {
    /// dpkg.
    id: "dpkg",
    ecosystem: "deb",
    wants: &["var/lib/dpkg/status"],
    read: read,
    link: None,
}

fn read(_rootfs: &Rootfs, _inventory: &mut Inventory) {}
