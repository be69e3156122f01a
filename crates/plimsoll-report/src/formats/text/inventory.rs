//! What is installed, package by package.

use plimsoll_model::{Inventory, Package};

use super::layout::{Column, Page, clean, short};

pub(super) fn write(inventory: &Inventory, page: &mut Page) {
    page.heading(&format!("Installed ({})", inventory.packages.len()));
    let rows = inventory
        .packages
        .iter()
        .map(|package| row(inventory, package));
    use Column::{Left, Rest};
    page.table(
        &[Left, Left, Left, Left, Rest],
        &["kind", "package", "version", "known by", "where"],
        rows.collect(),
    );
    if !inventory.removed.is_empty() {
        let names = inventory.removed.iter().map(|package| clean(&package.name));
        let names = names.collect::<Vec<_>>().join(", ");
        page.paragraph(
            2,
            &format!("removed, their configuration still there: {names}"),
        );
    }
}

fn row(inventory: &Inventory, package: &Package) -> Vec<String> {
    let owner = package.part_of.and_then(|id| inventory.get(id));
    let place = match (owner, &package.database) {
        (Some(owner), _) => format!("part of {}", clean(&owner.name)),
        (None, Some(path)) if package.inside.is_empty() => path.to_string(),
        (None, Some(path)) => format!("{path}!/{}", clean(&package.inside)),
        (None, None) => String::new(),
    };
    let version = match package.version.as_str() {
        "" => "unknown".to_owned(),
        version => clean(version),
    };
    vec![
        package.ecosystem.to_owned(),
        short(&clean(&package.name), 40),
        short(&version, 32),
        package.known_by.name().to_owned(),
        short(&place, 80),
    ]
}
