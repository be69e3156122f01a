//! The order in which packages are unpacked and configured.

use std::collections::{BTreeMap, BTreeSet};

use crate::unpack::Unpacked;

/// The packages everything else takes for granted, in the order `debootstrap(8)` sets them up.
const FIRST: [&str; 2] = ["base-passwd", "base-files"];

/// Indexes in the order of installation: what everything takes for granted first, then the
/// essential packages, each after what it depends on; rings are cut where they are first met.
/// Among equals the order is that of the names, so that numbers of users are always the same.
pub(crate) fn installation(packages: &[&Unpacked]) -> Vec<usize> {
    let mut providers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, package) in packages.iter().enumerate() {
        providers.entry(&package.name).or_default().insert(0, index);
        for relation in package.provides.iter().flatten() {
            providers.entry(&relation.name).or_default().push(index);
        }
    }
    let mut starts: Vec<usize> = (0..packages.len()).collect();
    starts.sort_by_key(|&index| {
        let package = packages[index];
        let first = FIRST.iter().position(|name| *name == package.name);
        (
            first.unwrap_or(FIRST.len()),
            !package.essential,
            &package.name,
        )
    });
    let mut order = Vec::with_capacity(packages.len());
    let mut seen = BTreeSet::new();
    for start in starts {
        // The two that come first do so without what they depend on: everything is unpacked when
        // they are configured, and nothing can be owned by a user who is not there yet.
        let alone = FIRST.contains(&packages[start].name.as_str());
        visit(packages, &providers, start, alone, &mut seen, &mut order);
    }
    order
}

/// Depth first, without recursion: a chain of dependencies may be long.
fn visit(
    packages: &[&Unpacked],
    providers: &BTreeMap<&str, Vec<usize>>,
    start: usize,
    alone: bool,
    seen: &mut BTreeSet<usize>,
    order: &mut Vec<usize>,
) {
    if !seen.insert(start) {
        return;
    }
    let mut stack = vec![(start, 0)];
    while let Some((index, step)) = stack.pop() {
        let package = packages[index];
        let mut clauses = package.pre_depends.iter().chain(&package.depends);
        let next = clauses.nth(step).filter(|_| !alone);
        let Some(clause) = next else {
            order.push(index);
            continue;
        };
        stack.push((index, step + 1));
        let chosen = clause
            .iter()
            .find_map(|relation| providers.get(relation.name.as_str()));
        if let Some(&other) = chosen.and_then(|indexes| indexes.first())
            && seen.insert(other)
        {
            stack.push((other, 0));
        }
    }
}
