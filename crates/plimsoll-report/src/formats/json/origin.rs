//! What is known of where an image comes from: who publishes it, and whether its bases are kept up.

use plimsoll_model::Ancestor;
use plimsoll_model::report::{Publisher, Upkeep};
use serde::Serialize;

use super::clean;

#[derive(Serialize)]
pub(super) struct JsonAncestor {
    name: String,
    layers: Option<usize>,
    evidence: String,
    rebuilt: Option<JsonUpkeep>,
}

impl JsonAncestor {
    pub(super) fn of(ancestor: &Ancestor, upkeep: &[Upkeep]) -> Self {
        let known = upkeep.iter().find(|known| known.name == ancestor.name);
        Self {
            rebuilt: known.map(Into::into),
            name: clean(&ancestor.name),
            layers: ancestor.layers,
            evidence: clean(&ancestor.evidence),
        }
    }
}

#[derive(Serialize)]
pub(super) struct JsonUpkeep {
    state: &'static str,
    why: String,
    since: Option<String>,
    instead: Option<String>,
    by: String,
}

impl From<&Upkeep> for JsonUpkeep {
    fn from(upkeep: &Upkeep) -> Self {
        Self {
            state: match upkeep.rebuilt {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            },
            why: clean(&upkeep.why),
            since: upkeep.since.clone(),
            instead: upkeep.instead.as_deref().map(clean),
            by: clean(&upkeep.by),
        }
    }
}

#[derive(Serialize)]
pub(super) struct JsonPublisher {
    registry: String,
    repository: String,
    name: String,
    standing: String,
    pushed: Option<String>,
    pushed_days: Option<i64>,
}

impl From<&Publisher> for JsonPublisher {
    fn from(publisher: &Publisher) -> Self {
        Self {
            registry: clean(&publisher.registry),
            repository: clean(&publisher.repository),
            name: clean(&publisher.name),
            standing: clean(publisher.standing.as_str()),
            pushed: publisher.pushed.clone(),
            pushed_days: publisher.pushed_days,
        }
    }
}
