//! Products that no package knows: servers, interpreters and tools that were compiled into an image
//! or copied there. They are told by the name of a file and words in it that only they have.
//!
//! A file that a package of the distribution owns is that package's. What is left is looked at, and
//! the inventory says by what it is known: a pattern is good evidence of a version, a file's name
//! alone is evidence of a product whose version nobody knows.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use plimsoll_model::package::ecosystem;
use plimsoll_model::{ImagePath, Inventory, KnownBy, Package, Problem, Rootfs};
use regex::bytes::{Regex, RegexBuilder};

pub use self::table::PRODUCTS;
use crate::databases::Found;
use crate::windows;

mod note;
mod table;

/// One way to tell a product. A product may have several rows.
pub struct Product {
    /// Its name, as vulnerability data and people call it.
    pub name: &'static str,
    /// The files it is told by, as globs relative to the root.
    pub names: &'static [&'static str],
    /// What says its version, best first: regular expressions over bytes whose group `v` is the
    /// version. `{file}` stands for the digits and dots in the name of the file.
    pub says: &'static [&'static str],
    /// Whether a program of such a name is reported where nothing says its version.
    pub by_name: bool,
}

/// Adds the products that no package of the inventory answers for.
pub(crate) fn read(rootfs: &Rootfs, found: &Found, inventory: &mut Inventory) {
    if found.products.iter().all(Vec::is_empty) && found.noted.is_empty() {
        return;
    }
    let owners = inventory.owners(&rootfs.tree);
    let mut products: BTreeMap<(&str, String), Vec<ImagePath>> = BTreeMap::new();
    let mut problems = Vec::new();
    for (row, paths) in found.products.iter().enumerate() {
        let product = &PRODUCTS[row];
        for path in paths.iter().filter(|path| !owners.contains_key(*path)) {
            match version(rootfs, row, path) {
                Ok(Some(version)) => products
                    .entry((product.name, version))
                    .or_default()
                    .push(path.clone()),
                Ok(None) => {
                    let built = built(inventory, path);
                    if built.is_some() || product.by_name && is_program(rootfs, path) {
                        let key = (product.name, built.unwrap_or_default());
                        products.entry(key).or_default().push(path.clone());
                    }
                }
                Err(error) => problems.push(Problem::at(path, format!("cannot be read: {error}"))),
            }
        }
    }
    for ((name, version), mut paths) in products.clone() {
        // Where one file says the version, another that does not is no second product.
        let is_told = products
            .keys()
            .any(|(other, told)| *other == name && !told.is_empty());
        if version.is_empty() && is_told {
            continue;
        }
        paths.sort();
        paths.dedup();
        inventory.packages.push(Package {
            ecosystem: ecosystem::GENERIC,
            name: name.to_owned(),
            known_by: if version.is_empty() {
                KnownBy::FileName
            } else {
                KnownBy::Pattern
            },
            version,
            database: paths.first().cloned(),
            files: paths,
            ..Package::default()
        });
    }
    note::read(rootfs, found, &owners, inventory);
    inventory.problems.append(&mut problems);
}

/// The version of the main module of a Go program.
fn built(inventory: &Inventory, path: &ImagePath) -> Option<String> {
    let mut modules = inventory.packages.iter().filter(|package| {
        package.ecosystem == ecosystem::GOLANG
            && package.name != "stdlib"
            && package.files.contains(path)
    });
    let version = modules
        .next()
        .map(|package| package.version.trim_start_matches('v').to_owned());
    version.filter(|version| !version.is_empty() && !version.starts_with("0.0.0-"))
}

fn is_program(rootfs: &Rootfs, path: &ImagePath) -> bool {
    let is_executable = rootfs
        .tree
        .get(path)
        .is_some_and(|node| node.is_executable());
    is_executable
        && rootfs
            .read_head(path, 4)
            .is_ok_and(|head| head == b"\x7fELF")
}

/// What the file says its version is, by the best of the row's expressions.
fn version(rootfs: &Rootfs, row: usize, path: &ImagePath) -> std::io::Result<Option<String>> {
    let name = String::from_utf8_lossy(path.file_name()).into_owned();
    let own;
    let says: &[Regex] = match PRODUCTS[row]
        .says
        .iter()
        .any(|text| text.contains("{file}"))
    {
        false => &expressions()[row],
        true => {
            let first = name.find(|character: char| character.is_ascii_digit());
            let digits: String = first
                .map(|first| {
                    name[first..]
                        .chars()
                        .take_while(|c| c.is_ascii_digit() || *c == '.')
                        .collect()
                })
                .unwrap_or_default();
            let digits = digits.trim_end_matches('.').replace('.', r"\.");
            if digits.is_empty() {
                return Ok(None);
            }
            own = PRODUCTS[row]
                .says
                .iter()
                .filter_map(|text| expression(&text.replace("{file}", &digits)))
                .collect::<Vec<_>>();
            &own
        }
    };
    let mut best: Option<(usize, String)> = None;
    let mut reader = rootfs.open(path)?;
    windows::each(&mut reader, |window| {
        let better = best.as_ref().map_or(says.len(), |(rank, _)| *rank);
        for (rank, says) in says.iter().enumerate().take(better) {
            let found = says.captures(window).and_then(|found| found.name("v"));
            if let Some(version) = found {
                best = Some((
                    rank,
                    String::from_utf8_lossy(version.as_bytes()).into_owned(),
                ));
                break;
            }
        }
        best.as_ref().is_none_or(|(rank, _)| *rank > 0)
    })?;
    Ok(best.map(|(_, version)| version))
}

fn expressions() -> &'static [Vec<Regex>] {
    static EXPRESSIONS: OnceLock<Vec<Vec<Regex>>> = OnceLock::new();
    EXPRESSIONS.get_or_init(|| {
        let rows = PRODUCTS.iter().map(|product| {
            let plain = product.says.iter().filter(|text| !text.contains("{file}"));
            plain.filter_map(|text| expression(text)).collect()
        });
        rows.collect()
    })
}

/// `None` only for an expression that a test would have found to be none.
fn expression(text: &str) -> Option<Regex> {
    RegexBuilder::new(text)
        .unicode(false)
        .size_limit(4 << 20)
        .build()
        .ok()
}

#[cfg(test)]
mod tests;
