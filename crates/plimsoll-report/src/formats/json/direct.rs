//! `slim.direct`: how an image starts its server itself.

use plimsoll_model::ImagePath;
use plimsoll_model::report::DirectFacts;
use serde::Serialize;

use super::{JsonKept, clean, clean_all};

#[derive(Serialize)]
pub(super) struct JsonDirect {
    before: Vec<String>,
    entrypoint: Vec<String>,
    cmd: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<String>,
    env: Vec<String>,
    baked: Vec<JsonKept>,
    ashore: Vec<String>,
    kept: Vec<String>,
    notes: Vec<String>,
}

impl From<&DirectFacts> for JsonDirect {
    fn from(facts: &DirectFacts) -> Self {
        let paths = |paths: &[ImagePath]| paths.iter().map(ImagePath::to_string).collect();
        let baked = facts.baked.iter().map(|(path, why)| JsonKept {
            path: path.to_string(),
            why: clean(why),
        });
        Self {
            before: clean_all(&facts.before),
            entrypoint: clean_all(&facts.entrypoint),
            cmd: clean_all(&facts.cmd),
            user: facts.user.as_deref().map(clean),
            working_dir: facts.working_dir.as_deref().map(clean),
            env: clean_all(&facts.env),
            baked: baked.collect(),
            ashore: paths(&facts.ashore),
            kept: paths(&facts.kept),
            notes: clean_all(&facts.notes),
        }
    }
}
