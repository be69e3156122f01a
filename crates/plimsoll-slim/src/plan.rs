//! The closure: roots, observations and followers to a fixed point, then level and skeleton.

use plimsoll_model::{ImagePath, Observations, Plan, Reason};

use crate::followers::FOLLOWERS;
use crate::keep::{Keep, Pull};
use crate::observed::{self, Weight};
use crate::scene::Scene;
use crate::{Level, Request, inventory, level, own, packages, roots, skeleton};

/// The rule of reasons that [`repair`] gives.
const REPAIR: &str = "repair";

/// What stays of the image, each path with its reasons, and what could not be followed.
///
/// Purely a function of the request: the same image and observations give the same plan.
pub fn plan(request: &Request<'_>) -> Plan {
    build(request, &[])
}

/// Adds paths to a plan, with all they need in turn: what [`repair`] found, or the user.
///
/// The plan is made anew from the same request; paths added before stay added.
pub fn add(plan: &mut Plan, request: &Request<'_>, extra: &[(ImagePath, Reason)]) {
    let mut all = repairs(plan);
    all.extend(extra.iter().map(|(path, reason)| {
        let reason = Reason {
            rule: REPAIR,
            ..reason.clone()
        };
        (path.clone(), reason)
    }));
    *plan = build(request, &all);
}

/// What was added to the plan by [`add`].
pub(crate) fn repairs(plan: &Plan) -> Vec<(ImagePath, Reason)> {
    let repaired = plan.keep.iter().flat_map(|(path, reasons)| {
        let repairs = reasons.iter().filter(|reason| reason.rule == REPAIR);
        repairs.map(move |reason| (path.clone(), reason.clone()))
    });
    repaired.collect()
}

/// What a run of the slim image asked for, that the original has and the plan leaves ashore.
///
/// Both trees are walked, links on the way included; what leads nowhere in the original either (a
/// search through `PATH`) is none, and neither is what says too little to be believed, unless the
/// original was never seen to ask for it: then the slim image went another way, and the lookup
/// that failed is why. Add what is found with [`add`] and run again until nothing is found.
pub fn repair(
    request: &Request<'_>,
    plan: &Plan,
    seen_in_result: &Observations,
) -> Vec<(ImagePath, Reason)> {
    let scene = Scene::new(request);
    let tree = scene.tree();
    let mut missing = Vec::new();
    for (path, seen) in &seen_in_result.seen {
        let is_new = !request.observations.seen.contains_key(path);
        let follows = match observed::weigh(&scene, path, seen) {
            Weight::Nothing if !is_new => continue,
            Weight::Link => false,
            Weight::Nothing | Weight::Target(_) => true,
        };
        let Ok(found) = tree.walk(&ImagePath::root(), path, follows) else {
            continue;
        };
        let ashore = found.links.iter().chain([&found.path]);
        let is_ashore = ashore
            .into_iter()
            .any(|path| tree.contains(path) && !plan.keeps(path));
        if is_ashore {
            missing.push((found.path, observed::reason(REPAIR, seen)));
        }
    }
    missing.sort();
    missing.dedup_by(|one, other| one.0 == other.0);
    let exclude = request.exclude;
    missing.retain(|(path, _)| {
        !exclude
            .iter()
            .any(|pattern| crate::glob::covers(pattern, path))
    });
    missing
}

fn build(request: &Request<'_>, extra: &[(ImagePath, Reason)]) -> Plan {
    let scene = Scene::new(request);
    let mut keep = reach(&scene, extra);
    complete(&scene, &mut keep, request.level);
    inventory::declare(&scene, &mut keep);
    keep.finish()
}

/// What has a reason of its own: roots, observations, what the user keeps, and all these need.
pub(crate) fn reach<'a>(scene: &'a Scene<'a>, extra: &[(ImagePath, Reason)]) -> Keep<'a> {
    let mut keep = Keep::new(scene);
    roots::add(scene, &mut keep);
    observed::add(scene, &mut keep);
    packages::keep_whole(scene, &mut keep);
    own::working_directory(scene, &mut keep);
    for (path, reason) in extra {
        let node = scene.tree().get(path);
        let pull = match node {
            Some(node) if node.is_executable() => Pull::Executed,
            _ => Pull::Opened,
        };
        if keep.path(path, pull, reason.clone()).is_none() {
            keep.place(path.as_bytes(), reason.clone());
        }
    }
    settle(scene, &mut keep);
    keep
}

/// What comes along with what was reached, at this level.
pub(crate) fn complete(scene: &Scene<'_>, keep: &mut Keep<'_>, level: Level) {
    level::add(scene, keep, level);
    inventory::add(scene, keep);
    skeleton::add(scene, keep);
}

/// Follows what is kept until nothing new comes.
pub(crate) fn settle(scene: &Scene<'_>, keep: &mut Keep<'_>) {
    while let Some(path) = keep.next() {
        for follower in FOLLOWERS {
            (follower.follow)(scene, &path, keep);
        }
    }
}
