//! `slim --no-run` and `slim --profile`: nothing is started. By reading alone, for an image of another
//! architecture or one nobody may start; or by what earlier runs taught.

use plimsoll_model::Observations;
use plimsoll_slim::Known;

use super::done::{Done, Proof, Said, as_written};
use super::replay::{self, Replayed};
use super::{Begun, Slimmed, request};
use crate::cli::SlimOptions;
use crate::failure::{Exit, Result};
use crate::profile_file::ProfileFile;
use crate::session::{self, Context, Opened};

/// Slims the image called `name` into `target` without starting it. Unless the result is the very one
/// that was verified when the profile was written, the report says that nothing was verified, and the
/// exit code that it could not be judged.
pub(super) fn slim(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    target: &str,
    options: &SlimOptions,
    profile: Option<&ProfileFile>,
) -> Result<Slimmed> {
    let (mut begun, opened) = Begun::of(context, options, name, platform, target)?;
    let phases = &mut begun.phases;
    let replayed = profile.map(|profile| Replayed::of(profile, &opened));
    let nothing = Observations::default();
    let observations = replayed.as_ref().map_or(&nothing, Replayed::observations);
    let known = Known::about(opened.subject());
    let request = request(&opened, &known, observations, options);
    let missed = replayed.as_ref().map_or(&[][..], Replayed::missed);
    context.progress.step("planning what must stay");
    let plan = phases.time("plan", || replay::plan(&request, missed));
    let draft = phases.time("plan", || plimsoll_slim::draft(&request, &plan));
    context.progress.step(&format!("writing {target}"));
    let sink = &begun.sink;
    let written = phases.time("write", || sink.write(context, &draft, options.compression))?;
    let config = &opened.image.config;
    let platform = super::room::platform_of(config);
    let read = phases.time("read", || {
        session::read(context, &written.name, Some(&platform), None)
    })?;
    let result = Opened {
        image: as_written(&read.image, target, &written.written),
        ..read
    };
    let digest = result.image.digest.to_string();
    let verified_by = replayed
        .as_ref()
        .map(|replayed| replayed.verified_by(&digest));
    let verified_by = verified_by.unwrap_or_default();
    let proof = Proof {
        sandbox: match verified_by.is_empty() {
            true => "not run".to_owned(),
            false => {
                "not run now: this very result was verified when the profile was written".to_owned()
            }
        },
        verified_by,
        ..Proof::default()
    };
    let mut said = Said::default();
    let usual = if proof.verified_by.is_empty() {
        let why = match &replayed {
            Some(_) => "what the profile does not name may be missing; --verify runs it",
            None => "files that are found only at run time may be missing",
        };
        said.notes
            .push(format!("not verified: nothing was run, so {why}"));
        Exit::Incomplete
    } else {
        Exit::Fine
    };
    let done = Done {
        target,
        opened: &opened,
        result: &result,
        request: &request,
        plan: &plan,
        replayed: replayed.as_ref(),
        asked: None,
    };
    done.finish(begun, proof, said, usual)
}
