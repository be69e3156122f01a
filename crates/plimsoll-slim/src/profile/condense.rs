//! From what was observed to what must be written down.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{Access, ImagePath, Node, Observations, Plan, Reason};

use super::fold::{self, Rule};
use super::{Group, How, Pattern, Profile, replay};
use crate::Request;
use crate::keep::Pull;
use crate::observed::{self, Weight};
use crate::plan::{add, plan as plan_of, repairs};
use crate::scene::Scene;

/// Rounds of adding what is still missing; each makes a plan.
const ROUNDS: usize = 6;

/// One thing a run touched that counts.
#[derive(Debug, Clone)]
struct Sight {
    /// Links in its directories followed.
    path: ImagePath,
    /// What it leads to.
    target: ImagePath,
    how: How,
    is_dir: bool,
    during: String,
    by: String,
}

/// The profile of an image: what of `request.observations` and of the repairs of `plan` (which was
/// made of this request) must be known to make the same plan of the same image again, and whether
/// it does. `scenes` are the parts of a run in their order.
///
/// Makes a few plans, so it takes a few times as long as one.
pub fn condense(request: &Request<'_>, plan: &Plan, scenes: &[String]) -> (Profile, bool) {
    let sights = sights(request, plan);
    let needed = needed(request, plan, &sights);
    let all: Vec<&Sight> = sights.iter().collect();
    let attempts = [
        (&needed, Rule::Reached, true),
        (&needed, Rule::Touched, true),
        (&needed, Rule::Nothing, true),
        (&needed, Rule::Nothing, false),
        (&all, Rule::Nothing, false),
    ];
    let mut last = Profile::default();
    for (sights, rule, loosen) in attempts {
        last = write(request, plan, sights, rule, loosen, scenes);
        let replayed = replay(&last, &request.subject);
        let again = made_of(request, &replayed.observations, &replayed.missed);
        if again.keep.keys().eq(plan.keep.keys()) {
            return (last, true);
        }
    }
    (last, false)
}

/// The plan of other observations, with what was repaired.
fn made_of(
    request: &Request<'_>,
    observations: &Observations,
    repaired: &[(ImagePath, Reason)],
) -> Plan {
    let request = Request {
        observations,
        ..*request
    };
    let mut plan = plan_of(&request);
    if !repaired.is_empty() {
        add(&mut plan, &request, repaired);
    }
    plan
}

/// What counts of what runs touched, sorted, each path and way once.
fn sights(request: &Request<'_>, plan: &Plan) -> Vec<Sight> {
    let scene = Scene::new(request);
    let tree = scene.tree();
    let mut sights: BTreeMap<(ImagePath, How), Sight> = BTreeMap::new();
    for (spelt, seen) in &request.observations.seen {
        let how = match observed::weigh(&scene, spelt, seen) {
            Weight::Nothing => continue,
            Weight::Link => How::Link,
            Weight::Target(Pull::Executed) => How::Run,
            Weight::Target(_) => How::Open,
        };
        let root = ImagePath::root();
        let Ok(name) = tree.walk(&root, spelt, false) else {
            continue;
        };
        let target = match how {
            How::Link => name.path.clone(),
            _ => match tree.walk(&root, spelt, true) {
                Ok(found) => found.path,
                Err(_) => continue,
            },
        };
        if !plan.keeps(&target) {
            continue;
        }
        let is_dir = tree.get(&target).is_some_and(Node::is_dir);
        let (during, by) = (seen.during.clone(), seen.by.clone());
        let path = name.path;
        sights.entry((path.clone(), how)).or_insert(Sight {
            path,
            target,
            how,
            is_dir,
            during,
            by,
        });
    }
    sights.into_values().collect()
}

/// The sights without which something would be missing from the plan.
fn needed<'s>(request: &Request<'_>, plan: &Plan, sights: &'s [Sight]) -> Vec<&'s Sight> {
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for (index, sight) in sights.iter().enumerate() {
        if !sight.is_dir && observed::is_only_reason(plan, &sight.target) {
            taken.insert(index);
        }
    }
    let mut at: BTreeMap<&ImagePath, Vec<usize>> = BTreeMap::new();
    for (index, sight) in sights.iter().enumerate() {
        at.entry(&sight.path).or_default().push(index);
        if sight.target != sight.path {
            at.entry(&sight.target).or_default().push(index);
        }
    }
    let repaired = repairs(plan);
    for _ in 0..ROUNDS {
        let mut seen = Observations::default();
        see_root(&mut seen);
        for &index in &taken {
            see(&mut seen, &sights[index]);
        }
        let now = made_of(request, &seen, &repaired);
        let missing = plan.keep.keys().filter(|path| !now.keeps(path));
        let before = taken.len();
        let mut is_all = true;
        for path in missing {
            is_all = false;
            // The nearest on the way up to a root that a run touched and that is not taken yet.
            let chain = plan.chain(path);
            let news = chain.iter().find_map(|(path, _)| {
                let new = at
                    .get(path)?
                    .iter()
                    .copied()
                    .filter(|index| !taken.contains(index));
                let new: Vec<usize> = new.collect();
                (!new.is_empty()).then_some(new)
            });
            taken.extend(news.into_iter().flatten());
        }
        if is_all || taken.len() == before {
            break;
        }
    }
    taken.into_iter().map(|index| &sights[index]).collect()
}

/// That the image was run at all.
pub(super) fn see_root(seen: &mut Observations) {
    seen.add(b"/", Access::LOOKED_UP, "", "");
}

fn see(seen: &mut Observations, sight: &Sight) {
    seen.add(
        sight.path.as_bytes(),
        access(sight.how),
        &sight.by,
        &sight.during,
    );
}

/// What stands for a way of touching in observations that are made again.
pub(super) const fn access(how: How) -> Access {
    match how {
        How::Run => Access::EXECUTED,
        How::Open => Access::OPENED,
        How::Link => Access::LOOKED_UP.with(Access::NOFOLLOW),
    }
}

/// Writes sights down, folded and loosened where that means the same in this image.
fn write(
    request: &Request<'_>,
    plan: &Plan,
    sights: &[&Sight],
    rule: Rule,
    loosen: bool,
    scenes: &[String],
) -> Profile {
    let tree = &request.subject.rootfs.tree;
    let opened = sights
        .iter()
        .filter(|sight| sight.how != How::Run && !sight.is_dir);
    let named: BTreeSet<ImagePath> = opened.map(|sight| sight.path.clone()).collect();
    let directories = fold::fold(tree, plan, &named, rule);
    let is_same = |pattern: &Pattern| {
        // A pattern means no directories: one of which only the name was asked for is written as it is.
        let matches = pattern.matches(tree);
        let is_kept = |path| named.contains(path) || fold::is_reached(plan, path);
        !matches.is_empty() && matches.iter().all(is_kept)
    };
    let written = |path: &ImagePath| {
        let literal = Pattern::literal(path);
        let open = literal.loosened().filter(|_| loosen);
        open.filter(|open| is_same(open)).unwrap_or(literal)
    };
    let mut profile = Profile {
        was_run: !request.observations.seen.is_empty(),
        ..Profile::default()
    };
    profile.missed = repairs(plan)
        .iter()
        .map(|(path, _)| written(path))
        .collect();
    profile.missed.sort();
    profile.missed.dedup();
    let rank = |during: &str| {
        let known = scenes.iter().position(|scene| scene == during);
        known.unwrap_or(scenes.len())
    };
    let mut groups: BTreeMap<(usize, &str, &str), Group> = BTreeMap::new();
    let mut folded: BTreeSet<&ImagePath> = BTreeSet::new();
    for sight in sights {
        let key = (rank(&sight.during), &*sight.during, &*sight.by);
        let group = groups.entry(key).or_default();
        let pattern = match sight.how {
            How::Run => written(&sight.path),
            _ => match directories.iter().find(|top| sight.path.starts_with(top)) {
                Some(top) if !folded.insert(top) => continue,
                Some(top) => {
                    let literal = Pattern::literal(top);
                    let below = Pattern::below(&literal);
                    let open = literal.loosened().filter(|_| loosen);
                    let open = open.map(|open| Pattern::below(&open));
                    let below = open.filter(|open| is_same(open)).unwrap_or(below);
                    let seal = fold::seal(&below, &below.matches(tree));
                    profile.folded.insert(below.clone(), seal);
                    below
                }
                None => written(&sight.path),
            },
        };
        let list = match sight.how {
            How::Run => &mut group.run,
            How::Link if !pattern.is_folded() => &mut group.link,
            _ => &mut group.open,
        };
        list.push(pattern);
    }
    for ((_, during, by), mut group) in groups {
        for list in [&mut group.run, &mut group.open, &mut group.link] {
            list.sort();
            list.dedup();
        }
        if group.run.len() + group.open.len() + group.link.len() > 0 {
            (group.during, group.by) = (during.to_owned(), by.to_owned());
            profile.groups.push(group);
        }
    }
    profile
}
