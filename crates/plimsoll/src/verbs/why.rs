//! `why` and `why-not`, which are one: why a path of a slimmed image is there, or why it is not.

use std::path::Path;

use plimsoll_model::{Digest, FileTree, ImagePath, Inventory, Node};
use plimsoll_slim::Why;

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::plan_file::{self, PlanFile};
use crate::print;
use crate::session::{self, Context, Opened};

/// More matches of a glob than this are summed up.
const ONE_BY_ONE: usize = 20;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Why) -> Result<Exit> {
    let opened = session::open(context, &arguments.image, None, None)?;
    let Some(plan) = known(context, &opened.image.digest, arguments.plan.as_deref())? else {
        return Err(Failure::new(format!(
            "no plan is known for {} ({})",
            arguments.image, opened.image.digest
        ))
        .hint("slim it here, or name its plan with --plan"));
    };
    let asked = &arguments.path;
    let answer = if plimsoll_slim::is_pattern(asked.as_bytes()) {
        many(&plan, &opened, asked)
    } else {
        one_of(&plan, &opened, &ImagePath::new(asked))
    };
    let Some(answer) = answer else {
        let image = &arguments.image;
        return Err(Failure::new(format!("there is no {asked} in {image}")));
    };
    print::line(&answer)?;
    Ok(Exit::Fine)
}

/// The plan about the image with this digest: the named one, else the one in the cache, if there is one.
pub(super) fn known(
    context: &Context,
    digest: &Digest,
    named: Option<&Path>,
) -> Result<Option<PlanFile>> {
    let cached = plan_file::in_cache(&context.cache, digest);
    let file = match named {
        Some(path) => path,
        None if cached.exists() => &cached,
        None => return Ok(None),
    };
    let plan = PlanFile::read(file)?;
    if ![plan.source.1, plan.result.1].contains(digest) {
        return Err(Failure::new(format!(
            "the plan {} is about {} and {}, not about {digest}",
            file.display(),
            plan.source.1,
            plan.result.1,
        )));
    }
    Ok(Some(plan))
}

fn one_of(plan: &PlanFile, opened: &Opened, path: &ImagePath) -> Option<String> {
    let (digest, tree) = (&opened.image.digest, &opened.rootfs.tree);
    one(plan, digest, tree, &opened.inventory, path)
}

/// Why one path stays or not; of a directory also what of all below it does.
pub(super) fn one(
    plan: &PlanFile,
    digest: &Digest,
    tree: &FileTree,
    inventory: &Inventory,
    path: &ImagePath,
) -> Option<String> {
    // The slimmed image no longer has what it left ashore: the plan remembers.
    let place = match path.parent().map(|parent| tree.resolve(&parent)) {
        Some(Ok(parent)) => parent.path.join(path.file_name()),
        _ => path.clone(),
    };
    let why = match plan.ashore.get(&place) {
        Some(owner) if plan.source.1 != *digest => Why::Ashore {
            path: place.clone(),
            owner: owner.clone(),
            nearest: None,
        },
        _ => plimsoll_slim::why(&plan.plan, tree, inventory, path),
    };
    if why == Why::NoSuchPath {
        return None;
    }
    let is_directory = tree.get(&place).is_some_and(Node::is_dir);
    let mut answer = why.to_string();
    if is_directory {
        // A pattern in the name of a directory means itself here, and no pattern.
        let summary = plimsoll_slim::summary(&plan.plan, tree, &plan.ashore, &place);
        answer.push_str(&format!("\n{summary}"));
    }
    Some(answer)
}

/// The same of all paths a glob names: each for itself where they are few, else by reason.
fn many(plan: &PlanFile, opened: &Opened, pattern: &str) -> Option<String> {
    let (paths, count) = plimsoll_slim::matching(&plan.plan, &plan.ashore, pattern, ONE_BY_ONE);
    let mut answers: Vec<String> = Vec::new();
    if count <= ONE_BY_ONE {
        answers.extend(paths.iter().filter_map(|path| one_of(plan, opened, path)));
    } else {
        let tree = &opened.rootfs.tree;
        let (asked, ashore) = (&plan.plan, &plan.ashore);
        let summary = plimsoll_slim::summary_of(asked, tree, ashore, pattern);
        answers.push(format!("{count} paths; {summary}"));
    }
    (!answers.is_empty()).then(|| answers.join("\n"))
}
