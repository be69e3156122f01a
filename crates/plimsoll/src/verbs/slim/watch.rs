//! What the watch saw in each part of the runs, and whether it saw everything.

use std::collections::BTreeSet;
use std::path::Path;

use plimsoll_model::{Access, Answer, Evidence, Observations, Problem};
use plimsoll_run::{Outcome, Watch};
use plimsoll_slim::Request;

use super::probes::Asked;
use super::room::{Phases, Room, Start, Surroundings};
use crate::failure::Result;
use crate::session::Opened;

/// Missed files that are named.
const SHOWN: usize = 20;
/// Whose doing it is, in the reasons of files the watch has missed.
const BY_TIMES: &str = "a run (seen by its access time alone)";

/// The parts of a run in their order.
pub(super) fn scenes(asked: Option<&Asked>) -> Vec<String> {
    let probes = asked.into_iter().flat_map(|asked| &asked.probes);
    std::iter::once("start".to_owned())
        .chain(probes.map(ToString::to_string))
        .chain(["stop", "reload", "restart"].map(str::to_owned))
        .collect()
}

/// Two equal runs.
pub(super) type Twice = (Outcome, Outcome);

/// Runs the original twice in each way it is started, and answers both of each, with what is to be
/// said of the probes. `between` is told what came of the first runs before the second ones begin.
pub(super) fn originals(
    room: &mut Room<'_>,
    tree: &Path,
    opened: &Opened,
    phases: &mut Phases,
    between: &mut dyn FnMut(&[Outcome]),
) -> Result<(Vec<Twice>, Vec<String>)> {
    let name = &opened.image.name;
    let mut starts = room.starts.clone();
    let (mut firsts, mut seconds, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for start in &starts {
        let mut original = room.run(tree, opened, "original", start, phases)?;
        if start.arguments.is_none() {
            notes.extend(room.asked.settle(&mut original)?);
            let is_asked = original.answers.iter().all(Answer::is_good);
            if room.asked.is_found()
                && original.exit.is_some()
                && !is_asked
                && room.starts.len() > 1
            {
                // What somebody named is how it is used, not what it does without.
                notes.extend(room.asked.give_up(&original));
                room.starts.retain(|start| start.arguments.is_some());
                continue;
            }
            if original.answers.is_empty() {
                original = room.run(tree, opened, "original", start, phases)?;
            }
        }
        room.must_answer(&original, name)?;
        firsts.push(original);
    }
    between(&firsts);
    starts.clone_from(&room.starts);
    // The first way comes last: nobody needs the tree then, and what was read of it can be told.
    for (index, start) in starts.iter().enumerate().rev() {
        let once = Start {
            // Who wants to know what was prepared needs the tree as it was.
            spend: index == 0 && start.surroundings == Surroundings::default(),
            // The first one says how fast it is, this one misses nothing.
            watch: Watch::Everything,
            ..start.once()
        };
        let again = room.run(tree, opened, "original again", &once, phases)?;
        room.must_answer(&again, name)?;
        seconds.push(again);
    }
    seconds.reverse();
    Ok((firsts.into_iter().zip(seconds).collect(), notes))
}

/// What two equal runs have seen together; what only the second asked for says so.
pub(super) fn merge(all: &mut Observations, first: &Outcome, second: &Outcome) {
    all.merge(&first.observations);
    let mut second = second.observations.clone();
    for (path, seen) in &mut second.seen {
        if !first.observations.seen.contains_key(path) {
            seen.during.push_str(", second run");
            let also = std::mem::take(&mut seen.also).into_iter();
            seen.also = also.map(|scene| scene + ", second run").collect();
        }
    }
    all.merge(&second);
}

/// Looks whether the watch of a run that has used up its tree saw all that was read, as access
/// times tell; what it missed is added to what was observed. Answers how it is known, and a problem
/// where something was missed.
pub(super) fn check(
    request: &Request<'_>,
    run: &Outcome,
    observations: &mut Observations,
) -> (String, Option<Problem>) {
    let tree = &request.subject.rootfs.tree;
    let none = BTreeSet::new();
    let read = run.read.as_ref().unwrap_or(&none);
    let count = read.iter().filter(|path| tree.contains(path)).count();
    if count == 0 {
        let why = "not cross-checked: no access time moved where the tree lay";
        return (why.to_owned(), None);
    }
    let missed = plimsoll_slim::read_unseen(request, &run.observations, read);
    for path in &missed {
        observations.add(path.as_bytes(), Access::OPENED, "", BY_TIMES);
    }
    let Some(first) = missed.first() else {
        let how = format!("all {count} files that were read were seen, as their access times tell");
        return (how, None);
    };
    let mut shown: Vec<String> = missed.iter().take(SHOWN).map(ToString::to_string).collect();
    if missed.len() > SHOWN {
        shown.push(format!("{} more", missed.len() - SHOWN));
    }
    let files = if missed.len() == 1 { "file" } else { "files" };
    let message = format!(
        "the watch missed {} {files} that were read, as their access times tell: {}; they stay",
        missed.len(),
        shown.join(", ")
    );
    let node = tree.get(first);
    let evidence = Evidence::Path {
        path: first.clone(),
        layer: node.map_or(0, |node| node.layer),
        size: node.map_or(0, plimsoll_model::Node::size),
    };
    let how = format!(
        "{} of {count} files that were read were missed",
        missed.len()
    );
    (how, Some(Problem { message, evidence }))
}
