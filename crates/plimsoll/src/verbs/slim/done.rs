//! A slimmed image that was written: its report, and what is written beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_model::report::{Comparison, DirectFacts, LevelRisk, SlimFacts};
use plimsoll_model::{ImagePath, Plan, Problem, Report};
use plimsoll_slim::{Level, Request};

use super::probes::Asked;
use super::replay::{self, Replayed};
use super::{Begun, Slimmed, bills, known, page};
use crate::cli::SlimOptions;
use crate::facts;
use crate::failure::{Exit, Result};
use crate::plan_file::{self, PlanFile};
use crate::session::{Context, Opened};

/// What is known of how the result does beside the original.
#[derive(Default)]
pub(super) struct Proof {
    /// How it was run.
    pub(super) sandbox: String,
    /// What it answered as the original does.
    pub(super) verified_by: Vec<String>,
    /// In what it differs.
    pub(super) differences: Vec<String>,
    /// What was added when it was missed, and why.
    pub(super) repaired: Vec<(ImagePath, String)>,
    /// How long the original and the result took to answer.
    pub(super) ready: [Option<Duration>; 2],
    /// How long the image's processes ran, all runs together.
    pub(super) ran: Duration,
    /// How it is known that the watch saw everything.
    pub(super) watch: String,
    /// The parts of a run in their order.
    pub(super) scenes: Vec<String>,
    /// What each level would leave ashore, where that is known by now.
    pub(super) risks: Option<Vec<LevelRisk>>,
}

/// A slimmed image that was written.
pub(super) struct Done<'a> {
    /// Where.
    pub(super) target: &'a str,
    /// The original.
    pub(super) opened: &'a Opened,
    /// What was written, read again.
    pub(super) result: &'a Opened,
    /// By what it was planned.
    pub(super) request: &'a Request<'a>,
    /// What stays, and why.
    pub(super) plan: &'a Plan,
    /// The profile it was made by.
    pub(super) replayed: Option<&'a Replayed<'a>>,
    /// What was asked of it, if it was run.
    pub(super) asked: Option<&'a Asked>,
}

/// What is to be said that the images do not say themselves.
#[derive(Default)]
pub(super) struct Said {
    /// What became of its entry.
    pub(super) direct: Option<DirectFacts>,
    /// What could not be judged.
    pub(super) problems: Vec<Problem>,
    /// What the user should know.
    pub(super) notes: Vec<String>,
}

impl Done<'_> {
    /// The report, with all that is written beside the image: the plan, bills of materials, the profile
    /// and the page. It ends as `usual`, unless something has drifted.
    pub(super) fn finish(
        &self,
        begun: Begun<'_>,
        proof: Proof,
        said: Said,
        usual: Exit,
    ) -> Result<Slimmed> {
        let (context, options) = (begun.context, begun.options);
        let parts = page::parts(options, self);
        let learned = (
            self.result.image.digest.to_string(),
            proof.verified_by.clone(),
        );
        let mut report = self.report(begun, proof)?;
        if let Some(slim) = &mut report.slim {
            slim.direct = said.direct;
        }
        report.problems.extend(said.problems);
        report.notes.extend(said.notes);
        let learned = (&*learned.0, &*learned.1);
        let (opened, request, plan) = (self.opened, self.request, self.plan);
        let written = replay::write(options, opened, request, plan, self.asked, learned)?;
        report.notes.extend(written);
        context.progress.done();
        let exit = match usual {
            Exit::Unproved => usual,
            usual => replay::judge(&mut report, options, self.replayed, usual),
        };
        page::write(options, parts, &report)?;
        Ok(Slimmed { report, exit })
    }

    /// The report, its notes what could not be followed; the plan is kept for `why`.
    fn report(&self, begun: Begun<'_>, proof: Proof) -> Result<Report> {
        let Begun {
            context,
            options,
            began,
            mut phases,
            ..
        } = begun;
        let (before, after) = (self.opened.subject(), self.result.subject());
        let name = before.image.name.clone();
        let (comparison, forced, packages, risks, rounds) = phases.time("report", || {
            let footprint = plimsoll_checks::footprint(&after);
            let unwanted = [
                &footprint.shells,
                &footprint.package_managers,
                &footprint.network_tools,
            ];
            let unwanted: Vec<ImagePath> = unwanted.into_iter().flatten().cloned().collect();
            let seconds = |ready: Option<Duration>| ready.map(|ready| ready.as_secs_f64());
            let comparison = Comparison {
                before_name: name,
                after_name: self.target.to_owned(),
                before: plimsoll_checks::footprint(&before),
                after: footprint,
                before_ready: seconds(proof.ready[0]),
                after_ready: seconds(proof.ready[1]),
            };
            (
                comparison,
                plimsoll_slim::forced(&before, self.plan, &unwanted),
                plimsoll_slim::fate(&before, self.plan),
                proof
                    .risks
                    .unwrap_or_else(|| plimsoll_slim::risks(self.request, self.plan)),
                plimsoll_slim::rounds(self.request, self.plan, &proof.scenes),
            )
        });
        let mut forgotten = None;
        phases.time("report", || {
            let (opened, result) = (self.opened, self.result);
            forgotten = remember(context, options, opened, result, self.target, self.plan)?;
            match &options.sbom {
                Some(directory) => bills::write(directory, opened, result),
                None => Ok(()),
            }
        })?;
        let unresolved = self.plan.unresolved.iter();
        let mut known = Report::default();
        phases.time("report", || {
            known::side_by_side(context, self.opened, self.result, &mut known);
        });
        Ok(Report {
            verb: "slim",
            problems: self.opened.problems.clone(),
            notes: unresolved
                .map(|problem| format!("not followed: {problem}"))
                .chain(known.notes)
                .chain(forgotten)
                .collect(),
            scans: known.scans,
            slim: Some(SlimFacts {
                direct: None,
                output: self.target.to_owned(),
                digest: self.result.image.digest.to_string(),
                level: self.request.level.name(),
                sandbox: proof.sandbox,
                verified_by: proof.verified_by,
                differences: proof.differences,
                repaired: proof.repaired,
                forced,
                packages,
                rounds,
                watch: proof.watch,
                layers: facts::layers(&after),
                risks,
                own_seconds: began.elapsed().saturating_sub(proof.ran).as_secs_f64(),
                seconds: phases.0,
                plan: self.plan.clone(),
            }),
            comparison: Some(comparison),
            ..Report::default()
        })
    }
}

/// The proved image as it was written: the same layers, compressed.
pub(super) fn as_written(
    proved: &plimsoll_model::Image,
    name: &str,
    written: &plimsoll_image::Written,
) -> plimsoll_model::Image {
    let mut image = proved.clone();
    name.clone_into(&mut image.name);
    image.digest = written.digest;
    for (layer, stored) in image.layers.iter_mut().zip(&written.layers) {
        layer.blob.descriptor.digest = stored.digest;
        layer.blob.descriptor.size = stored.size;
    }
    image
}

/// Keeps the plan, so that `why` can answer: under the digests of both images.
fn remember(
    context: &Context,
    options: &SlimOptions,
    original: &Opened,
    result: &Opened,
    target: &str,
    plan: &Plan,
) -> Result<Option<String>> {
    let file = PlanFile {
        source: (original.image.name.clone(), original.image.digest),
        result: (target.to_owned(), result.image.digest),
        level: Level::from(options.level).name().to_owned(),
        ashore: ashore(original, plan),
        plan: plan.clone(),
    };
    if let Some(path) = &options.plan {
        file.write(path)?;
    }
    for digest in [original.image.digest, result.image.digest] {
        if let Err(failure) = file.write(&plan_file::in_cache(&context.cache, &digest)) {
            let note = format!("`why` will not know this image: {failure}");
            return Ok(Some(note));
        }
    }
    Ok(None)
}

/// What is left ashore, with the package that owns it.
fn ashore(original: &Opened, plan: &Plan) -> BTreeMap<ImagePath, Option<String>> {
    let owners = original.inventory.owners(&original.rootfs.tree);
    let gone = original
        .rootfs
        .tree
        .iter()
        .filter(|(path, _)| !plan.keeps(path));
    let named = gone.map(|(path, _)| {
        let owner = owners
            .get(path)
            .and_then(|&owner| original.inventory.get(owner));
        (path.clone(), owner.map(|package| package.name.clone()))
    });
    named.collect()
}
