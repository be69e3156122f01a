//! What the report says of an image: its layers and packages by size, and its numbers.

use std::collections::BTreeMap;

use plimsoll_model::census::{self, OwnerSum};
use plimsoll_model::directories::Directories;
use plimsoll_model::report::{ImageFacts, LayerRow, PackageRow};
use plimsoll_model::{PackageId, Subject, Waste};

/// Everything the report says of an image.
pub(crate) fn facts(subject: &Subject<'_>) -> ImageFacts {
    let config = &subject.image.config;
    let (packages, unowned_bytes) = packages(subject);
    let mut directories = Directories::default();
    let mut owners = OwnerSum::none();
    census::count(subject, &mut |kind, file| {
        directories.add(&file);
        OwnerSum::add(&mut owners, kind, file.bytes);
    });
    ImageFacts {
        is_document: false,
        name: subject.image.name.clone(),
        digest: subject.image.digest.to_string(),
        platform: match &config.variant {
            Some(variant) => format!("{}/{}/{variant}", config.os, config.architecture),
            None => format!("{}/{}", config.os, config.architecture),
        },
        created: config.created.clone(),
        user: if config.user.is_empty() {
            "root".to_owned()
        } else {
            config.user.clone()
        },
        command: config.command_line(),
        ports: config.exposed_ports.clone(),
        footprint: plimsoll_checks::footprint(subject),
        lineage: subject.lineage.clone(),
        upkeep: Vec::new(),
        publisher: None,
        layers: layers(subject),
        packages,
        unowned_bytes,
        strangers: subject.inventory.strangers(&subject.rootfs.tree),
        phantoms: phantoms(subject),
        dead_bytes: subject.rootfs.tree.dead_bytes(),
        waste: Waste::of(subject.rootfs),
        directories: directories.rows(),
        owners: owners.to_vec(),
    }
}

/// Packages none of whose files is there.
fn phantoms(subject: &Subject<'_>) -> Vec<(String, String)> {
    let inventory = subject.inventory;
    let phantoms = inventory.phantoms(&subject.rootfs.tree).into_iter();
    let packages = phantoms.filter_map(|id| inventory.get(id));
    packages
        .map(|package| (package.name.clone(), package.version.clone()))
        .collect()
}

/// The layers, lowest first.
pub(crate) fn layers(subject: &Subject<'_>) -> Vec<LayerRow> {
    let tree = &subject.rootfs.tree;
    let mut dead: BTreeMap<u32, u64> = BTreeMap::new();
    for bytes in &tree.dead {
        *dead.entry(bytes.layer).or_default() += bytes.size;
    }
    let rows = subject
        .image
        .layers
        .iter()
        .enumerate()
        .map(|(index, layer)| {
            let facts = tree.layers.get(index).cloned().unwrap_or_default();
            LayerRow {
                digest: layer.blob.descriptor.digest.to_string(),
                compressed: layer.blob.descriptor.size,
                bytes: facts.bytes,
                files: facts.files,
                dead: dead.get(&(index as u32)).copied().unwrap_or(0),
                created_by: layer.created_by.clone().unwrap_or_default(),
            }
        });
    rows.collect()
}

/// Packages by the bytes they occupy, largest first, and the bytes that no package owns.
fn packages(subject: &Subject<'_>) -> (Vec<PackageRow>, u64) {
    let tree = &subject.rootfs.tree;
    let owners = subject.inventory.owners(tree);
    let mut occupied: BTreeMap<PackageId, (u64, u64)> = BTreeMap::new();
    // A file with several names occupies its bytes once, for the owner of its first name.
    let mut unowned = 0;
    for (path, node) in tree.files() {
        match owners.get(path) {
            Some(&package) => {
                let (bytes, files) = occupied.entry(package).or_default();
                *bytes += node.size();
                *files += 1;
            }
            None => unowned += node.size(),
        }
    }
    let mut rows: Vec<PackageRow> = subject
        .inventory
        .iter()
        .map(|(id, package)| {
            let (bytes, files) = occupied.get(&id).copied().unwrap_or_default();
            let (name, version) = (package.name.clone(), package.version.clone());
            PackageRow {
                name,
                version,
                bytes,
                files,
            }
        })
        .collect();
    rows.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    (rows, unowned)
}
