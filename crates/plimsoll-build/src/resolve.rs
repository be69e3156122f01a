//! From a recipe to a lock: which archives, exactly.

use std::collections::BTreeSet;

use plimsoll_model::Fetch;
use plimsoll_packages::relation;

use crate::lock::{Lock, LockedArchive, LockedRelease};
use crate::recipe::Recipe;
use crate::repository::{self, Repository};
use crate::solve::{self, Goal, Index, Universe};
use crate::{Error, Event, Progress};

/// Rounds of recommendations of recommendations.
const MAX_ROUNDS: usize = 20;

/// A lock, and what is to be said about it.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The lock.
    pub lock: Lock,
    /// Records of indexes that were left out, and recommendations that cannot be had.
    pub notes: Vec<String>,
}

/// Chooses the packages of a recipe from these repositories. `now` is seconds since 1970: an index
/// whose time is over is not believed.
///
/// # Errors
/// When an index cannot be fetched, is not signed by a key of its keyrings or is out of date, or
/// when no set of packages serves a layer.
pub fn resolve(
    recipe: &Recipe,
    repositories: &[Repository],
    fetch: &dyn Fetch,
    now: i64,
    progress: &Progress<'_>,
) -> Result<Resolution, Error> {
    let architecture = recipe.architecture();
    let offers = repository::load(repositories, architecture, fetch, now, progress)?;
    progress(Event::Solving);
    let universe = Universe::new(&offers.all, architecture);
    let mut notes = offers.notes;
    let mut chosen: BTreeSet<Index> = BTreeSet::new();
    let mut layer_of: Vec<(Index, &str)> = Vec::new();
    for section in &recipe.layers {
        let layer = section.name.get_ref();
        let mut names: Vec<(String, Option<String>)> = Vec::new();
        if section.essential {
            for index in universe.newest() {
                let candidate = &offers.all[index as usize].candidate;
                if candidate.essential || candidate.priority == "required" {
                    names.push((candidate.name.clone(), None));
                }
            }
        }
        for package in &section.packages {
            let package = package.get_ref();
            let (name, version) = match package.split_once('=') {
                Some((name, version)) => (name, Some(version.to_owned())),
                None => (package.as_str(), None),
            };
            names.push((name.to_owned(), version));
        }
        let mut goal = Goal {
            chosen: chosen.clone(),
            names,
            clauses: Vec::new(),
        };
        let unsolvable = |why: String| Error::Unsolvable {
            layer: layer.clone(),
            why: why.trim_end().to_owned(),
        };
        let mut solution = solve::solve(&universe, &goal).map_err(unsolvable)?;
        if section.recommends {
            recommend(&universe, &mut goal, &mut solution, &mut notes);
        }
        layer_of.extend(
            solution
                .difference(&chosen)
                .map(|&index| (index, layer.as_str())),
        );
        chosen = solution;
    }
    let mut lock = Lock::new(architecture, recipe.packages_digest());
    lock.releases = offers
        .origins
        .iter()
        .map(|origin| LockedRelease {
            uri: origin.uri.clone(),
            suite: origin.suite.clone(),
            codename: origin.codename.clone(),
            date: jiff::Timestamp::from_second(origin.date)
                .map(|time| time.to_string())
                .unwrap_or_default(),
            signed_by: origin.signed_by.clone(),
        })
        .collect();
    for (index, layer) in layer_of {
        let offer = &offers.all[index as usize];
        let candidate = &offer.candidate;
        lock.archives.push(LockedArchive {
            name: candidate.name.clone(),
            version: candidate.version.clone(),
            architecture: candidate.architecture.clone(),
            layer: layer.to_owned(),
            release: offer.origin,
            filename: candidate.filename.clone(),
            sha256: candidate.digest.hex(),
            size: candidate.size,
        });
    }
    let position = |name: &str| {
        let mut layers = recipe.layers.iter();
        layers.position(|layer| layer.name.get_ref() == name)
    };
    lock.archives.sort_by(|a, b| {
        position(&a.layer)
            .cmp(&position(&b.layer))
            .then_with(|| a.name.cmp(&b.name))
    });
    Ok(Resolution { lock, notes })
}

/// Adds what the packages that are new recommend, as far as it can be had, until nothing is new.
fn recommend(
    universe: &Universe<'_>,
    goal: &mut Goal,
    solution: &mut BTreeSet<Index>,
    notes: &mut Vec<String>,
) {
    let mut asked: BTreeSet<Index> = goal.chosen.clone();
    for _ in 0..MAX_ROUNDS {
        let new: Vec<Index> = solution.difference(&asked).copied().collect();
        if new.is_empty() {
            return;
        }
        for index in new {
            asked.insert(index);
            let candidate = &universe.offers[index as usize].candidate;
            for clause in relation::parse(&candidate.recommends).0 {
                let words: Vec<String> = clause.iter().map(ToString::to_string).collect();
                let mut wider = goal.clone();
                wider.chosen.clone_from(solution);
                wider.clauses.push(clause.clone());
                match solve::solve(universe, &wider) {
                    Ok(found) => {
                        goal.clauses.push(clause);
                        *solution = found;
                    }
                    Err(_) => notes.push(format!(
                        "{} recommends {}, which cannot be had",
                        candidate.name,
                        words.join(" | ")
                    )),
                }
            }
        }
    }
}
