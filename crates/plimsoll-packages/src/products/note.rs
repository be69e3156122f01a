//! Programs that say which package they were built for: the note `.note.package`.
//!
//! Source: systemd, "Package Metadata for Executable Files". Its content is JSON: `type`, `name`,
//! `version`, `architecture`.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::package::ecosystem::{APK, DEB, GENERIC, RPM};
use plimsoll_model::{ImagePath, Inventory, KnownBy, Package, PackageId, Rootfs};
use serde_json::Value;

use crate::databases::Found;

/// The note stands in the first page.
const FIRST_PAGE: u64 = 4096;
/// Type (little-endian) and name of the note.
const MARK: &[u8] = b"\x7e\x1a\xfe\xcaFDO\0";

/// Adds the packages of programs that no package owns.
pub(super) fn read(
    rootfs: &Rootfs,
    found: &Found,
    owners: &BTreeMap<ImagePath, PackageId>,
    inventory: &mut Inventory,
) {
    let mut packages: BTreeMap<(&'static str, String, String), Package> = BTreeMap::new();
    for path in found
        .noted
        .iter()
        .filter(|path| !owners.contains_key(*path))
    {
        let Some(package) = rootfs
            .read_head(path, FIRST_PAGE)
            .ok()
            .and_then(|page| package(&page))
        else {
            continue;
        };
        let key = (
            package.ecosystem,
            package.name.clone(),
            package.version.clone(),
        );
        let package = packages.entry(key).or_insert(package);
        package.database.get_or_insert_with(|| path.clone());
        package.files.push(path.clone());
    }
    // A package that a database lists is no second one because a file of it was copied.
    let known: BTreeSet<(&str, String, String)> = inventory
        .packages
        .iter()
        .map(|package| {
            (
                package.ecosystem,
                package.name.clone(),
                package.version.clone(),
            )
        })
        .collect();
    let new = packages.into_iter().filter(|(key, _)| !known.contains(key));
    inventory.packages.extend(new.map(|(_, package)| package));
}

fn package(page: &[u8]) -> Option<Package> {
    let at = memchr::memmem::find(page, MARK)?;
    let size = page.get(at.checked_sub(4)?..at)?;
    let size = u32::from_le_bytes(size.try_into().ok()?) as usize;
    let text = page.get(at + MARK.len()..)?.get(..size)?;
    let text = text.split(|&byte| byte == 0).next()?;
    let json: Value = serde_json::from_slice(text).ok()?;
    let word = |key: &str| {
        json.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let ecosystem = match &*word("type") {
        "deb" => DEB,
        "rpm" => RPM,
        "apk" => APK,
        _ => GENERIC,
    };
    let (name, version) = (word("name"), word("version"));
    (!name.is_empty()).then_some(Package {
        ecosystem,
        name,
        version,
        architecture: word("architecture"),
        known_by: KnownBy::Note,
        ..Package::default()
    })
}

#[cfg(test)]
mod tests {
    use super::package;

    #[test]
    fn a_note_names_a_package() {
        let json =
            br#"{"type":"rpm","name":"demo","version":"1.0-1.fc41","architecture":"x86_64"}"#;
        let mut page = vec![0; 100];
        page.extend_from_slice(&4_u32.to_le_bytes());
        page.extend_from_slice(&(json.len() as u32 + 1).to_le_bytes());
        page.extend_from_slice(super::MARK);
        page.extend_from_slice(json);
        page.push(0);
        let found = package(&page).unwrap();
        assert_eq!(
            (found.ecosystem, &*found.name, &*found.version),
            ("rpm", "demo", "1.0-1.fc41")
        );
        assert!(package(&page[..page.len() - 10]).is_none());
        assert!(package(b"\x7fELF").is_none());
    }
}
