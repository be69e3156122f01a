//! Which packages: apt's preferences in a solver that can explain itself.
//!
//! `resolvo` decides; what it is given makes it decide as apt would in an empty root: of a name only
//! the highest version (all versions only where that has no solution), of alternatives the one
//! that is chosen already, else the leftmost; a package of the very name before those that provide
//! it, of these the essential first, then by priority, then in the order of the index.
//! One preference is our own: `usr-is-merged` before `usrmerge`, because our trees are born merged.
//! Source: Debian policy 7, `apt_preferences(5)`, the multiarch specification.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use plimsoll_packages::relation::{self, Clause, Relation};
use plimsoll_packages::version::deb;
use resolvo::utils::{Pool, VersionSet};
use resolvo::{
    Candidates, Condition, ConditionId, ConditionalRequirement, Dependencies, DependencyProvider,
    HintDependenciesAvailable, Interner, KnownDependencies, NameId, Problem, Requirement,
    SolvableId, Solver, SolverCache, StringId, UnsolvableOrCancelled, VersionSetId,
    VersionSetUnionId,
};

use crate::repository::Offer;

/// The package of one request or dependency: index into the offers.
pub(crate) type Index = u32;

/// What is offered, by name and by what it provides.
pub(crate) struct Universe<'a> {
    pub(crate) offers: &'a [Offer],
    architecture: &'a str,
    /// Name → offers, the highest version first.
    by_name: BTreeMap<&'a str, Vec<Index>>,
    /// Name → who provides it, with the version provided.
    providers: BTreeMap<String, Vec<(Index, Option<String>)>>,
}

impl<'a> Universe<'a> {
    pub(crate) fn new(offers: &'a [Offer], architecture: &'a str) -> Self {
        let mut by_name: BTreeMap<&str, Vec<Index>> = BTreeMap::new();
        let mut providers: BTreeMap<String, Vec<(Index, Option<String>)>> = BTreeMap::new();
        for (index, offer) in offers.iter().enumerate() {
            let candidate = &offer.candidate;
            let versions = by_name.entry(&candidate.name).or_default();
            let same = versions.iter().any(|&other| {
                let other = &offers[other as usize].candidate;
                other.version == candidate.version
            });
            if same {
                // The same package in two repositories: the first one serves.
                continue;
            }
            versions.push(index as Index);
            if candidate.provides.is_empty() {
                continue;
            }
            for relation in relation::parse(&candidate.provides).0.into_iter().flatten() {
                let version = relation.version.map(|(_, version)| version);
                let list = providers.entry(relation.name).or_default();
                list.push((index as Index, version));
            }
        }
        for versions in by_name.values_mut() {
            versions.sort_by(|&a, &b| {
                let version = |index: Index| &offers[index as usize].candidate.version;
                deb::compare(version(b), version(a)).then(a.cmp(&b))
            });
        }
        Self {
            offers,
            architecture,
            by_name,
            providers,
        }
    }

    /// The highest version of every name, in the order of the names.
    pub(crate) fn newest(&self) -> Vec<Index> {
        let mut newest: Vec<Index> = Vec::with_capacity(self.by_name.len());
        for (index, offer) in self.offers.iter().enumerate() {
            let versions = &self.by_name[offer.candidate.name.as_str()];
            if versions.first() == Some(&(index as Index)) {
                newest.push(index as Index);
            }
        }
        newest.sort_by_key(|&index| &self.offers[index as usize].candidate.name);
        newest
    }

    fn candidate(&self, index: Index) -> &'a plimsoll_packages::index::Candidate {
        &self.offers[index as usize].candidate
    }

    /// Whether a relation can be about packages of this architecture at all.
    fn concerns_us(&self, relation: &Relation) -> bool {
        let qualifier = relation.qualifier.as_deref();
        relation.applies_to(self.architecture)
            && qualifier.is_none_or(|q| q == "any" || q == "native" || q == self.architecture)
    }

    /// The offers of the very name that a relation accepts.
    fn named(&self, relation: &Relation, wanted: impl Fn(Index) -> bool) -> Vec<Index> {
        let versions = self.by_name.get(relation.name.as_str());
        let versions = versions.into_iter().flatten().copied();
        versions
            .filter(|&index| wanted(index))
            .filter(|&index| {
                let candidate = self.candidate(index);
                // `:any` asks for packages that allow it.
                let any = relation.qualifier.as_deref() == Some("any");
                (!any || candidate.multi_arch == "allowed")
                    && relation.satisfied_by_version(&candidate.version)
            })
            .collect()
    }

    /// The offers that provide what a relation asks for, the most fitting first.
    fn provided(&self, relation: &Relation, wanted: impl Fn(Index) -> bool) -> Vec<Index> {
        let providers = self.providers.get(&relation.name);
        let mut found: Vec<Index> = providers
            .into_iter()
            .flatten()
            .filter(|(index, version)| {
                let candidate = self.candidate(*index);
                let any = relation.qualifier.as_deref() == Some("any");
                let fits = match (&relation.version, version) {
                    (None, _) => true,
                    // What is provided without a version satisfies no version (policy 7.5).
                    (Some(_), None) => false,
                    (Some(_), Some(version)) => relation.satisfied_by_version(version),
                };
                wanted(*index)
                    && fits
                    && candidate.name != relation.name
                    && (!any || candidate.multi_arch == "allowed")
            })
            .map(|(index, _)| *index)
            .collect();
        found.sort_by_key(|&index| {
            let candidate = self.candidate(index);
            (!candidate.essential, priority(&candidate.priority), index)
        });
        found.dedup();
        found
    }
}

fn priority(word: &str) -> usize {
    let words = ["required", "important", "standard", "optional", "extra"];
    words
        .iter()
        .position(|known| *known == word)
        .unwrap_or(words.len())
}

/// What one run is asked for.
#[derive(Default, Clone)]
pub(crate) struct Goal {
    /// Packages that are chosen already.
    pub(crate) chosen: BTreeSet<Index>,
    /// Names that are asked for, with the exact version if one was given.
    pub(crate) names: Vec<(String, Option<String>)>,
    /// Clauses that are asked for.
    pub(crate) clauses: Vec<Clause>,
}

/// The packages that serve a goal, those chosen already included.
///
/// # Errors
/// When there are none: the packages and clauses that stand against each other, one a line.
pub(crate) fn solve(universe: &Universe<'_>, goal: &Goal) -> Result<BTreeSet<Index>, String> {
    for (name, version) in &goal.names {
        let Some(versions) = universe.by_name.get(name.as_str()) else {
            let providers = universe.providers.get(name).into_iter().flatten();
            let mut names: Vec<&str> = providers
                .map(|(index, _)| universe.candidate(*index).name.as_str())
                .collect();
            names.sort_unstable();
            names.dedup();
            return Err(match names[..] {
                [] => format!("there is no package `{name}`"),
                _ => format!(
                    "`{name}` is not a package; name one that provides it: {}",
                    names.join(", ")
                ),
            });
        };
        let has = |wanted: &String| {
            let mut offered = versions
                .iter()
                .map(|&index| &universe.candidate(index).version);
            offered.any(|version| version == wanted)
        };
        if let Some(version) = version.as_ref().filter(|version| !has(version)) {
            let offered: Vec<&str> = versions
                .iter()
                .map(|&index| universe.candidate(index).version.as_str())
                .collect();
            return Err(format!(
                "there is no `{name}={version}`, only {}",
                offered.join(", ")
            ));
        }
    }
    match attempt(universe, goal, true) {
        Ok(solution) => Ok(solution),
        // Where the highest versions do not go together, older ones may.
        Err(why) => attempt(universe, goal, false).map_err(|_| why),
    }
}

fn attempt(
    universe: &Universe<'_>,
    goal: &Goal,
    newest_only: bool,
) -> Result<BTreeSet<Index>, String> {
    let provider = Provider {
        universe,
        pool: Pool::default(),
        solvables: RefCell::default(),
        newest_only,
        exact: goal
            .names
            .iter()
            .filter_map(|(n, v)| Some((n.clone(), v.clone()?)))
            .collect(),
        chosen: goal
            .chosen
            .iter()
            .map(|&i| (universe.candidate(i).name.as_str(), i))
            .collect(),
    };
    let mut requirements: Vec<ConditionalRequirement> = Vec::new();
    for &index in &goal.chosen {
        let name = &universe.candidate(index).name;
        let set = provider.set(name, vec![index], String::new());
        requirements.push(set.into());
    }
    for (name, version) in &goal.names {
        let versions = universe
            .by_name
            .get(name.as_str())
            .into_iter()
            .flatten()
            .copied();
        let offers = versions
            .filter(|&index| provider.considers(index))
            .collect();
        let text = version
            .as_ref()
            .map_or(String::new(), |version| format!("(= {version})"));
        requirements.push(provider.set(name, offers, text).into());
    }
    for clause in &goal.clauses {
        requirements.extend(
            provider
                .requirement(clause)
                .map(ConditionalRequirement::from),
        );
    }
    let mut solver = Solver::new(provider);
    match solver.solve(Problem::new().requirements(requirements)) {
        Ok(solution) => {
            let pool = &solver.provider().pool;
            Ok(solution
                .into_iter()
                .map(|id| pool.resolve_solvable(id).record.index)
                .collect())
        }
        Err(UnsolvableOrCancelled::Unsolvable(conflict)) => {
            Err(conflict.display_user_friendly(&solver).to_string())
        }
        Err(UnsolvableOrCancelled::Cancelled(_)) => Err("the search was cancelled".to_owned()),
    }
}

/// One offer, as the solver shows it.
struct Record {
    index: Index,
    version: String,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.version)
    }
}

/// Some offers of one name, named one by one, and the words for them.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Set {
    offers: Vec<Index>,
    words: String,
}

impl VersionSet for Set {
    type V = Record;
}

struct Provider<'a, 'u> {
    universe: &'a Universe<'u>,
    pool: Pool<Set>,
    solvables: RefCell<HashMap<Index, SolvableId>>,
    newest_only: bool,
    /// Names for which the user gave a version.
    exact: BTreeMap<String, String>,
    /// Names that are chosen already.
    chosen: BTreeMap<&'a str, Index>,
}

impl Provider<'_, '_> {
    /// Whether an offer is looked at: as apt, one version of a name, unless that fails.
    fn considers(&self, index: Index) -> bool {
        let candidate = self.universe.candidate(index);
        if let Some(&chosen) = self.chosen.get(candidate.name.as_str()) {
            return chosen == index;
        }
        if let Some(version) = self.exact.get(&candidate.name) {
            return candidate.version == *version;
        }
        let versions = self.universe.by_name.get(candidate.name.as_str());
        !self.newest_only || versions.and_then(|versions| versions.first()) == Some(&index)
    }

    fn solvable(&self, index: Index) -> SolvableId {
        *self.solvables.borrow_mut().entry(index).or_insert_with(|| {
            let candidate = self.universe.candidate(index);
            let name = self.pool.intern_package_name(candidate.name.as_str());
            let version = candidate.version.clone();
            self.pool.intern_solvable(name, Record { index, version })
        })
    }

    fn set(&self, name: &str, offers: Vec<Index>, words: String) -> VersionSetId {
        let name = self.pool.intern_package_name(name);
        self.pool.intern_version_set(name, Set { offers, words })
    }

    /// The sets of one clause, the preferred first; `None` where it is about other architectures.
    fn requirement(&self, clause: &[Relation]) -> Option<Requirement> {
        let mut sets = Vec::new();
        let mut any = false;
        // Our trees are merged from the start: the package that says so, not the one that converts.
        let mut clause: Vec<&Relation> = clause.iter().collect();
        clause.sort_by_key(|relation| relation.name != "usr-is-merged");
        for relation in clause {
            if !self.universe.concerns_us(relation) {
                continue;
            }
            any = true;
            let words = match &relation.version {
                Some((operator, version)) => format!("({} {version})", operator.sign()),
                None => String::new(),
            };
            let considers = |index| self.considers(index);
            let named = self.universe.named(relation, considers);
            let provided = self.universe.provided(relation, considers);
            // A name that nothing answers to is named in the explanation all the same.
            if !named.is_empty() || provided.is_empty() {
                sets.push(self.set(&relation.name, named, words.clone()));
            }
            for index in provided {
                let name = &self.universe.candidate(index).name;
                let words = format!("(provides {})", relation.name);
                sets.push(self.set(name, vec![index], words));
            }
        }
        let mut sets = sets.into_iter();
        let first = sets.next().filter(|_| any)?;
        let rest: Vec<VersionSetId> = sets.collect();
        Some(if rest.is_empty() {
            first.into()
        } else {
            self.pool
                .intern_version_set_union(first, rest.into_iter())
                .into()
        })
    }

    /// What must not be there beside a package: per name, what may be.
    fn constraints(&self, index: Index, field: &str, word: &str, found: &mut Vec<VersionSetId>) {
        let own = &self.universe.candidate(index).name;
        for relation in relation::parse(field).0.iter().flatten() {
            if !self.universe.concerns_us(relation) {
                continue;
            }
            let considers = |index| self.considers(index);
            let named = self.universe.named(relation, considers);
            let provided = self.universe.provided(relation, considers);
            let mut banned: BTreeMap<&str, BTreeSet<Index>> = BTreeMap::new();
            for other in named.into_iter().chain(provided) {
                let name = &self.universe.candidate(other).name;
                // Nothing stands against itself (policy 7.4).
                if name != own {
                    banned.entry(name).or_default().insert(other);
                }
            }
            for (name, banned) in banned {
                let versions = self
                    .universe
                    .by_name
                    .get(name)
                    .into_iter()
                    .flatten()
                    .copied();
                let allowed = versions
                    .filter(|v| !banned.contains(v) && self.considers(*v))
                    .collect();
                found.push(self.set(name, allowed, format!("({word} {relation})")));
            }
        }
    }
}

impl Interner for Provider<'_, '_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl fmt::Display + '_ {
        let solvable = self.pool.resolve_solvable(solvable);
        format!(
            "{} {}",
            self.pool.resolve_package_name(solvable.name),
            solvable.record
        )
    }

    fn display_name(&self, name: NameId) -> impl fmt::Display + '_ {
        self.pool.resolve_package_name(name)
    }

    fn display_version_set(&self, set: VersionSetId) -> impl fmt::Display + '_ {
        &self.pool.resolve_version_set(set).words
    }

    fn display_string(&self, string: StringId) -> impl fmt::Display + '_ {
        self.pool.resolve_string(string)
    }

    fn version_set_name(&self, set: VersionSetId) -> NameId {
        self.pool.resolve_version_set_package_name(set)
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        self.pool.resolve_solvable(solvable).name
    }

    fn version_sets_in_union(
        &self,
        union: VersionSetUnionId,
    ) -> impl Iterator<Item = VersionSetId> {
        self.pool.resolve_version_set_union(union)
    }

    fn resolve_condition(&self, condition: ConditionId) -> Condition {
        self.pool.resolve_condition(condition).clone()
    }
}

impl DependencyProvider for Provider<'_, '_> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        set: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let set = self.pool.resolve_version_set(set);
        candidates
            .iter()
            .copied()
            .filter(|&id| {
                let index = self.pool.resolve_solvable(id).record.index;
                set.offers.contains(&index) != inverse
            })
            .collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates> {
        let versions = self
            .universe
            .by_name
            .get(self.pool.resolve_package_name(name).as_str())?;
        let considered = versions.iter().filter(|&&index| self.considers(index));
        Some(Candidates {
            candidates: considered.map(|&index| self.solvable(index)).collect(),
            // Everything is in memory: the solver sees what follows from what before it decides.
            hint_dependencies_available: HintDependenciesAvailable::All,
            ..Candidates::default()
        })
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        solvables.sort_by(|&a, &b| {
            let record = |id| &self.pool.resolve_solvable(id).record;
            let (a, b) = (record(a), record(b));
            deb::compare(&b.version, &a.version).then(a.index.cmp(&b.index))
        });
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let index = self.pool.resolve_solvable(solvable).record.index;
        let candidate = self.universe.candidate(index);
        let mut known = KnownDependencies::default();
        for field in [&candidate.pre_depends, &candidate.depends] {
            for clause in relation::parse(field).0 {
                let own = clause.iter().any(|relation| {
                    relation.name == candidate.name
                        && relation.satisfied_by_version(&candidate.version)
                });
                if !own {
                    let requirement = self.requirement(&clause);
                    known
                        .requirements
                        .extend(requirement.map(ConditionalRequirement::from));
                }
            }
        }
        self.constraints(
            index,
            &candidate.conflicts,
            "conflicts with",
            &mut known.constrains,
        );
        self.constraints(index, &candidate.breaks, "breaks", &mut known.constrains);
        Dependencies::Known(known)
    }
}

#[cfg(test)]
mod tests;
