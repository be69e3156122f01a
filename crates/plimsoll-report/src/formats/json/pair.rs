//! Two images that were looked at.

use plimsoll_model::report::Pair;
use serde::Serialize;

use super::{JsonFinding, JsonImage};

#[derive(Serialize)]
pub(super) struct JsonPair {
    before: JsonImage,
    after: JsonImage,
    shared_layers: u64,
    shared_bytes: u64,
    new: Vec<JsonFinding>,
    gone: Vec<JsonFinding>,
    staying: u64,
}

impl From<&Pair> for JsonPair {
    fn from(pair: &Pair) -> Self {
        Self {
            before: (&pair.before).into(),
            after: (&pair.after).into(),
            shared_layers: pair.shared_layers,
            shared_bytes: pair.shared_bytes,
            new: pair.new.iter().map(JsonFinding::from).collect(),
            gone: pair.gone.iter().map(JsonFinding::from).collect(),
            staying: pair.staying,
        }
    }
}
