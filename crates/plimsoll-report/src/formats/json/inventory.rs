//! The inventory in the JSON report.

use plimsoll_model::{Inventory, Package};
use serde::Serialize;

use super::{clean, clean_all};

#[derive(Serialize)]
pub(super) struct JsonInventory {
    distribution: Option<JsonRelease>,
    packages: Vec<JsonInstalled>,
    removed: Vec<JsonInstalled>,
    databases: Vec<String>,
}

#[derive(Serialize)]
struct JsonRelease {
    id: String,
    version_id: String,
    codename: String,
    name: String,
}

#[derive(Serialize)]
struct JsonInstalled {
    kind: &'static str,
    name: String,
    version: String,
    architecture: String,
    source: String,
    source_version: String,
    vendor: String,
    licences: Vec<String>,
    purl: String,
    state: &'static str,
    known_by: &'static str,
    part_of: Option<String>,
    path: Option<String>,
    inside: String,
    files: usize,
}

impl From<&Inventory> for JsonInventory {
    fn from(inventory: &Inventory) -> Self {
        let rows = |packages: &[Package]| {
            packages
                .iter()
                .map(|package| installed(inventory, package))
                .collect()
        };
        Self {
            distribution: inventory.release.as_ref().map(|release| JsonRelease {
                id: clean(&release.id),
                version_id: clean(&release.version_id),
                codename: clean(&release.codename),
                name: clean(&release.pretty_name),
            }),
            packages: rows(&inventory.packages),
            removed: rows(&inventory.removed),
            databases: inventory
                .databases
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

fn installed(inventory: &Inventory, package: &Package) -> JsonInstalled {
    let owner = package.part_of.and_then(|id| inventory.get(id));
    JsonInstalled {
        kind: package.ecosystem,
        name: clean(&package.name),
        version: clean(&package.version),
        architecture: clean(&package.architecture),
        source: clean(package.source_name()),
        source_version: clean(package.source_version()),
        vendor: clean(&package.vendor),
        licences: clean_all(&package.licences),
        purl: package.purl(inventory.release.as_ref()),
        state: package.state.name(),
        known_by: package.known_by.name(),
        part_of: owner.map(|owner| clean(&owner.name)),
        path: package.database.as_ref().map(ToString::to_string),
        inside: clean(&package.inside),
        files: package.files.len(),
    }
}
