//! `copy`: an image from one place to another, byte for byte.

use plimsoll_model::text::{bytes, count};
use serde_json::json;

use crate::cli;
use crate::failure::{Exit, Result};
use crate::print;
use crate::session::Context;
use crate::target::Target;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Copy) -> Result<Exit> {
    let (source, named) = (&arguments.source, &arguments.target);
    let target = Target::open_for_copy(context, named, source)?;
    context
        .progress
        .step(&format!("copying {source} to {named}"));
    let copied = target.copy(context, arguments)?;
    context.progress.done();
    if arguments.json {
        print::json(&json!({
            "schema": "plimsoll.copy.v1",
            "source": source,
            "target": named,
            "digest": copied.digest.to_string(),
            "manifests": copied.manifests,
            "blobs": copied.blobs,
            "bytes": copied.bytes,
        }))?;
        return Ok(Exit::Fine);
    }
    let platforms = match copied.manifests {
        1 => String::new(),
        manifests => format!("{manifests} manifests, "),
    };
    print::line(&format!(
        "{}  {platforms}{} blobs, {}, in {named}",
        copied.digest,
        count(copied.blobs as u64),
        bytes(copied.bytes)
    ))?;
    Ok(Exit::Fine)
}
