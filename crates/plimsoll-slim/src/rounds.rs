//! What each part of the runs brought, and whether the watch saw all of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use plimsoll_model::report::Round;
use plimsoll_model::{Access, ImagePath, Node, Observations, Plan};

use crate::Request;
use crate::observed::{self, Weight};
use crate::scene::{Look, Scene};

/// Paths that are named as evidence of each part.
const EXAMPLES: usize = 3;

/// What each part of the runs that made `request.observations` brought to the plan: `order` first, in
/// this order, then all others by name. A part that asked for no file has no row.
pub fn rounds(request: &Request<'_>, plan: &Plan, order: &[String]) -> Vec<Round> {
    let scene = Scene::new(request);
    let tree = scene.tree();
    let mut asked: BTreeMap<ImagePath, BTreeSet<&str>> = BTreeMap::new();
    for (spelt, seen) in &request.observations.seen {
        let follows = match observed::weigh(&scene, spelt, seen) {
            Weight::Nothing => continue,
            Weight::Link => false,
            Weight::Target(_) => true,
        };
        let Ok(found) = tree.walk(&ImagePath::root(), spelt, follows) else {
            continue;
        };
        let is_file = tree.get(&found.path).is_some_and(Node::is_file);
        if is_file && plan.keeps(&found.path) {
            asked.entry(found.path).or_default().extend(seen.scenes());
        }
    }
    let mut rounds: BTreeMap<(usize, &str), Round> = BTreeMap::new();
    for (path, scenes) in &asked {
        for &name in scenes {
            let rank = order.iter().position(|known| known == name);
            let round = rounds
                .entry((rank.unwrap_or(order.len()), name))
                .or_default();
            round.files += 1;
            if scenes.len() == 1 && observed::is_only_reason(plan, path) {
                round.alone += 1;
                round.alone_bytes += tree.get(path).map_or(0, Node::size);
                if round.examples.len() < EXAMPLES {
                    round.examples.push(path.clone());
                }
            }
        }
    }
    let named = rounds.into_iter().map(|((_, name), round)| Round {
        name: name.to_owned(),
        ..round
    });
    named.collect()
}

/// Of the files and links of the tree that a run has read, as their access times tell, those that the
/// watch of that run (`seen`) did not report.
///
/// What the kernel reads by itself is no gap: the links on a way, the loader an executed ELF file
/// names and the interpreter of a script, and the links on the ways a runtime takes. A file read
/// under one of its names is seen under all of them.
pub fn read_unseen(
    request: &Request<'_>,
    seen: &Observations,
    read: &BTreeSet<ImagePath>,
) -> Vec<ImagePath> {
    let scene = Scene::new(request);
    let tree = scene.tree();
    let mut covered: BTreeSet<ImagePath> = BTreeSet::new();
    let mut executed: VecDeque<ImagePath> = VecDeque::new();
    let mut cover = |path: &[u8], is_executed: bool, executed: &mut VecDeque<ImagePath>| {
        for follows in [false, true] {
            match tree.walk(&ImagePath::root(), path, follows) {
                Ok(found) => {
                    covered.extend(found.links);
                    if is_executed && follows {
                        executed.push_back(found.path.clone());
                    }
                    covered.insert(found.path);
                }
                Err(error) => covered.extend(error.links),
            }
        }
    };
    let config = scene.config();
    let by_runtime = config.volumes.iter().chain([&config.working_dir]);
    for path in by_runtime {
        cover(path.as_bytes(), false, &mut executed);
    }
    for (path, seen) in &seen.seen {
        cover(path, seen.access.has(Access::EXECUTED), &mut executed);
    }
    let mut known = BTreeSet::new();
    while let Some(program) = executed.pop_front() {
        if !known.insert(program.clone()) {
            continue;
        }
        match &*scene.look(&program) {
            Look::Elf(elf) => {
                if let Some(interpreter) = &elf.interpreter {
                    cover(interpreter.as_ref(), true, &mut executed);
                }
            }
            Look::Script(line) => {
                let mut words = line.split(u8::is_ascii_whitespace);
                if let Some(word) = words.find(|word| !word.is_empty()) {
                    cover(word, true, &mut executed);
                }
            }
            Look::Other | Look::Unreadable(_) => {}
        }
    }
    let inodes = covered
        .iter()
        .filter_map(|path| Some(tree.get(path)?.inode));
    let inodes: BTreeSet<u32> = inodes.collect();
    let is_missed = |path: &&ImagePath| {
        let node = tree.get(path).filter(|node| !node.is_dir());
        node.is_some_and(|node| !inodes.contains(&node.inode))
    };
    read.iter().filter(is_missed).cloned().collect()
}
