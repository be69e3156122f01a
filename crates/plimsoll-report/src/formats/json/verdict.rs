//! How the image stands against a policy, as JSON.

use plimsoll_model::Severity;
use plimsoll_model::report::{Verdict, Waived};
use serde::Serialize;

use super::{JsonFinding, clean};

#[derive(Serialize)]
pub(super) struct JsonWaived {
    finding: JsonFinding,
    reason: String,
    until: Option<String>,
}

#[derive(Serialize)]
pub(super) struct JsonVerdict {
    environment: String,
    line: Option<&'static str>,
    over: usize,
    demands: Vec<JsonDemand>,
}

#[derive(Serialize)]
struct JsonDemand {
    wanted: String,
    found: String,
    met: bool,
    judged: bool,
}

impl From<&Waived> for JsonWaived {
    fn from(waived: &Waived) -> Self {
        Self {
            finding: JsonFinding::from(&waived.finding),
            reason: clean(&waived.reason),
            until: waived.until.as_deref().map(clean),
        }
    }
}

impl JsonVerdict {
    pub(super) fn new(verdict: &Verdict, over: usize) -> Self {
        let demands = verdict.demands.iter().map(|demand| JsonDemand {
            wanted: clean(&demand.wanted),
            found: clean(&demand.found),
            met: demand.met,
            judged: !demand.unjudged,
        });
        Self {
            environment: clean(&verdict.environment),
            line: verdict.line.map(Severity::name),
            over,
            demands: demands.collect(),
        }
    }
}
