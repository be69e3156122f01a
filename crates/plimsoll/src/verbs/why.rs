//! `why`: why a path of a slimmed image is there, or why it is not.

use plimsoll_model::ImagePath;

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::plan_file::{self, PlanFile};
use crate::print;
use crate::session::{self, Context};

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Why) -> Result<Exit> {
    let opened = session::open(context, &arguments.image, None, None)?;
    let file = match &arguments.plan {
        Some(path) => path.clone(),
        None => plan_file::in_cache(&context.cache, &opened.image.digest),
    };
    if arguments.plan.is_none() && !file.exists() {
        return Err(Failure::new(format!(
            "no plan is known for {} ({})",
            arguments.image, opened.image.digest
        ))
        .hint("slim it here, or name its plan with --plan"));
    }
    let plan = PlanFile::read(&file)?;
    if ![plan.source.1, plan.result.1].contains(&opened.image.digest) {
        return Err(Failure::new(format!(
            "the plan {} is about {} and {}, not about {}",
            file.display(),
            plan.source.1,
            plan.result.1,
            opened.image.digest
        )));
    }
    let path = ImagePath::new(&arguments.path);
    let tree = &opened.rootfs.tree;
    // The slimmed image no longer has what it left ashore: the plan remembers.
    let place = match path.parent().map(|parent| tree.resolve(&parent)) {
        Some(Ok(parent)) => parent.path.join(path.file_name()),
        _ => path.clone(),
    };
    let why = match plan.ashore.get(&place) {
        Some(owner) if plan.source.1 != opened.image.digest => plimsoll_slim::Why::Ashore {
            path: place,
            owner: owner.clone(),
            nearest: None,
        },
        _ => plimsoll_slim::why(&plan.plan, tree, &opened.inventory, &path),
    };
    if why == plimsoll_slim::Why::NoSuchPath {
        return Err(Failure::new(format!(
            "there is no {path} in {}",
            arguments.image
        )));
    }
    print::line(&why.to_string())?;
    Ok(Exit::Fine)
}
