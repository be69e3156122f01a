//! `slim --profile` and `--write-profile`: what a slim taught, written down and read again.

use plimsoll_model::report::Verdict;
use plimsoll_model::{ImagePath, Observations, Plan, Reason, Report, Rule, Severity};
use plimsoll_slim::{Replay, Request};

use super::probes::Asked;
use crate::cli::SlimOptions;
use crate::failure::{Exit, Result};
use crate::print;
use crate::profile_file::{self, Made, ProfileFile, Proof};
use crate::session::Opened;

/// The profile to slim by, if one is given.
pub(super) fn read(options: &SlimOptions) -> Result<Option<ProfileFile>> {
    let path = options.profile.profile.as_deref();
    path.map(ProfileFile::read).transpose()
}

/// A profile, and what it names in the image at hand.
pub(super) struct Replayed<'a> {
    file: &'a ProfileFile,
    replay: Replay,
    /// Whether the image is the one it was written about.
    is_same: bool,
}

impl<'a> Replayed<'a> {
    /// What this profile names in this image.
    pub(super) fn of(file: &'a ProfileFile, opened: &Opened) -> Self {
        let subject = opened.subject();
        let mut replay = plimsoll_slim::replay(&file.profile, &subject);
        let is_same = file.image.1 == opened.image.digest.to_string();
        if !is_same {
            let drift = plimsoll_slim::drift(&file.source, &subject);
            replay.findings.splice(0..0, drift);
        }
        replay
            .findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Self {
            file,
            replay,
            is_same,
        }
    }

    /// What stands for the runs.
    pub(super) fn observations(&self) -> &Observations {
        &self.replay.observations
    }

    /// What the result missed when the profile was written.
    pub(super) fn missed(&self) -> &[(ImagePath, Reason)] {
        &self.replay.missed
    }

    /// What the result answered when the profile was written, if this is that very result.
    pub(super) fn verified_by(&self, digest: &str) -> Vec<String> {
        match self.is_same && self.file.proof.result == digest {
            true => self.file.proof.verified_by.clone(),
            false => Vec::new(),
        }
    }
}

/// Adds what the profiles of other runs taught to what these have; answers what their results missed.
pub(super) fn merge(
    options: &SlimOptions,
    opened: &Opened,
    observations: &mut Observations,
) -> Result<Vec<(ImagePath, Reason)>> {
    let mut missed = Vec::new();
    for path in &options.profile.merge_profiles {
        let file = ProfileFile::read(path)?;
        let replay = plimsoll_slim::replay(&file.profile, &opened.subject());
        observations.merge(&replay.observations);
        missed.extend(replay.missed);
    }
    Ok(missed)
}

/// The plan of a request, with what results have missed.
pub(super) fn plan(request: &Request<'_>, missed: &[(ImagePath, Reason)]) -> Plan {
    let mut plan = plimsoll_slim::plan(request);
    if !missed.is_empty() {
        plimsoll_slim::add(&mut plan, request, missed);
    }
    plan
}

/// Puts what has drifted into the report; answers the exit code, `usual` where neither that nor a
/// problem stands against it.
pub(super) fn judge(
    report: &mut Report,
    options: &SlimOptions,
    replayed: Option<&Replayed<'_>>,
    usual: Exit,
) -> Exit {
    if let Some(replayed) = replayed {
        report.findings.clone_from(&replayed.replay.findings);
        report.rules.push(Rule {
            id: plimsoll_slim::DRIFT,
            summary: "the image has moved on since its profile was written",
            severity: Severity::Medium,
            page: profile_file::PAGE.to_owned(),
        });
    }
    let line = options.profile.fail_on.as_deref().and_then(Severity::parse);
    report.verdict = line.map(|line| Verdict {
        environment: "production".to_owned(),
        line: Some(line),
        ..Verdict::default()
    });
    match print::verdict(report) {
        Exit::Fine => usual,
        exit => exit,
    }
}

/// Writes the profile of a slim, if one is asked for; answers what is to be said of it.
pub(super) fn write(
    options: &SlimOptions,
    opened: &Opened,
    request: &Request<'_>,
    plan: &Plan,
    asked: Option<&Asked>,
    (result, verified_by): (&str, &[String]),
) -> Result<Option<String>> {
    let Some(path) = &options.profile.write_profile else {
        return Ok(None);
    };
    let scenes = super::watch::scenes(asked);
    let (profile, is_whole) = plimsoll_slim::condense(request, plan, &scenes);
    let config = &opened.image.config;
    let file = ProfileFile {
        image: (
            opened.image.name.clone(),
            opened.image.digest.to_string(),
            super::room::platform_of(config),
        ),
        source: plimsoll_slim::Source::of(&opened.subject(), plan),
        made: Made::of(options),
        proof: Proof {
            result: result.to_owned(),
            verified_by: verified_by.to_vec(),
            probes: asked.map_or_else(Vec::new, Asked::given),
            args: options.arguments.clone(),
        },
        profile,
    };
    file.write(path)?;
    let shown = path.display();
    Ok(Some(match is_whole {
        true => format!(
            "the profile is in {shown}: plimsoll slim IMAGE --profile {shown} makes the same image without a run"
        ),
        false => format!(
            "the profile in {shown} is not the whole of it: a replay does not make the same plan"
        ),
    }))
}
