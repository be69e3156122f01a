//! Which installed packages fulfil the dependencies of others: Debian policy 7.

use std::collections::BTreeMap;

use plimsoll_model::{Evidence, Inventory, Package, PackageId, Problem};

use super::ECOSYSTEM;
use crate::deb822;
use crate::relation::{self, Relation};

/// Resolves `Depends` and `Pre-Depends` of every Debian package to the installed packages that
/// fulfil them: of the alternatives the first that is there, the package itself before one that
/// provides it.
pub(crate) fn link(inventory: &mut Inventory) {
    let mut requires: BTreeMap<PackageId, Vec<PackageId>> = BTreeMap::new();
    let mut problems = Vec::new();
    {
        let installed = Installed::of(inventory);
        for (id, package) in inventory.iter().filter(|(_, p)| p.ecosystem == ECOSYSTEM) {
            let mut found = Vec::new();
            for field in ["Pre-Depends", "Depends"] {
                let (clauses, unread) = relation::parse(&field_of(package, field));
                for clause in &clauses {
                    let one = clause
                        .iter()
                        .find_map(|wanted| installed.find(wanted, package));
                    found.extend(one.filter(|&one| one != id));
                }
                problems.extend(unread.into_iter().map(|why| Problem {
                    message: format!("{field} cannot be read: {why}"),
                    evidence: Evidence::Package {
                        name: package.name.clone(),
                        version: package.version.clone(),
                    },
                }));
            }
            found.sort();
            found.dedup();
            requires.insert(id, found);
        }
    }
    for (id, found) in requires {
        if let Some(package) = inventory.packages.get_mut(id.0 as usize) {
            package.requires = found;
        }
    }
    inventory.problems.append(&mut problems);
}

fn field_of(package: &Package, field: &str) -> String {
    let stanza = deb822::stanzas(package.record.as_bytes()).next();
    let value = stanza
        .and_then(Result::ok)
        .and_then(|stanza| stanza.get(field));
    value.unwrap_or_default().into_owned()
}

/// What is installed, by the names it answers to.
struct Installed<'a> {
    real: BTreeMap<&'a str, Vec<(PackageId, &'a Package)>>,
    /// Virtual name → who provides it, and in which version.
    provided: BTreeMap<String, Vec<(PackageId, Option<String>)>>,
}

impl<'a> Installed<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let mut real: BTreeMap<&str, Vec<(PackageId, &Package)>> = BTreeMap::new();
        let mut provided: BTreeMap<String, Vec<(PackageId, Option<String>)>> = BTreeMap::new();
        for (id, package) in inventory.iter().filter(|(_, p)| p.ecosystem == ECOSYSTEM) {
            real.entry(&package.name).or_default().push((id, package));
            let (clauses, _) = relation::parse(&field_of(package, "Provides"));
            for one in clauses.into_iter().flatten() {
                let version = one.version.map(|(_, version)| version);
                provided.entry(one.name).or_default().push((id, version));
            }
        }
        Self { real, provided }
    }

    /// The package that fulfils what `by` wants: one of its own architecture if there is.
    fn find(&self, wanted: &Relation, by: &Package) -> Option<PackageId> {
        let real = self.real.get(&*wanted.name).into_iter().flatten();
        let mut real: Vec<_> = real
            .filter(|(_, package)| wanted.satisfied_by_version(&package.version))
            .collect();
        real.sort_by_key(|(id, package)| (package.architecture != by.architecture, *id));
        let provided = || {
            let mut all = self.provided.get(&wanted.name).into_iter().flatten();
            // Policy 7.5: a relation with a version is only met by a provision with one.
            all.find(|(_, version)| match version {
                Some(version) => wanted.satisfied_by_version(version),
                None => wanted.version.is_none(),
            })
            .map(|(id, _)| *id)
        };
        real.first().map(|(id, _)| *id).or_else(provided)
    }
}
