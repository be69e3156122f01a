//! `build`: recipe → lock → image, from distribution packages.

use std::path::{Component, Path};
use std::sync::Arc;

use plimsoll_build::{Event, Lock, Recipe};
use plimsoll_image::FileSpool;
use plimsoll_model::{Evidence, Problem, Report, text};

use crate::cli::{self, Compress, Mirror};
use crate::failure::{Exit, Failure, Result};
use crate::fetch::{Network, without_credentials};
use crate::mirror;
use crate::print::{self, Has};
use crate::session::{self, Context};
use crate::target::{Delivered, Target};
use crate::verbs::inspect;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Build) -> Result<Exit> {
    print::able("build", Has::Findings, &arguments.format, arguments.json)?;
    let shown = arguments.recipe.display();
    let toml = std::fs::read_to_string(&arguments.recipe)
        .map_err(|error| Failure::because(format_args!("cannot read {shown}"), &error))?;
    let mut recipe = Recipe::parse(&toml)
        .map_err(|error| Failure::because(format_args!("cannot understand {shown}"), &error))?;
    attach(&mut recipe, &arguments.recipe)?;
    let lock = arguments
        .lock
        .clone()
        .unwrap_or_else(|| arguments.recipe.with_extension("lock"));
    let made = build(
        context,
        &recipe,
        Some((&lock, arguments.update)),
        &arguments.mirror,
        &arguments.output,
        arguments.compression,
    )?;
    let delivered = &made.delivered;
    let mut opened = session::open(context, &delivered.name, None, None)?;
    opened.image.name.clone_from(&arguments.output);
    let mut report = Report {
        verb: "build",
        ..inspect::report(&opened, plimsoll_checks::Environment::Production)
    };
    report.problems.extend(made.problems);
    report.notes.extend(made.notes);
    report.notes.push(format!(
        "written to {} as {}",
        arguments.output, delivered.written.digest
    ));
    print::report(&report, &arguments.format, arguments.json)?;
    Ok(print::verdict(&report))
}

/// Reads the files that the recipe names with `from`: they lie beside it or below, never elsewhere.
fn attach(recipe: &mut Recipe, path: &Path) -> Result<()> {
    let beside = path.parent().unwrap_or(Path::new("."));
    let names: Vec<String> = recipe
        .attachments_needed()
        .into_iter()
        .map(str::to_owned)
        .collect();
    for name in names {
        let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !Path::new(&name).components().all(inside) {
            return Err(
                Failure::new(format!("{} wants the file {name}", path.display()))
                    .hint("`from` names a file beside the recipe, or below it"),
            );
        }
        let file = beside.join(&name);
        let bytes = std::fs::read(&file).map_err(|error| {
            Failure::because(format_args!("cannot read {}", file.display()), &error)
        })?;
        recipe.attach(&name, bytes);
    }
    Ok(())
}

/// What a build gave.
pub(crate) struct Built {
    /// What was written.
    pub(crate) delivered: Delivered,
    /// What the image may lack: script lines that nothing emulates.
    pub(crate) problems: Vec<Problem>,
    /// What is worth saying.
    pub(crate) notes: Vec<String>,
    /// What went into it.
    pub(crate) lock: Lock,
}

/// Builds `recipe` into `target`. With a lock file: by the lock if it is there and `update` is not
/// asked for; else the lock is written.
pub(crate) fn build(
    context: &Context,
    recipe: &Recipe,
    lock_file: Option<(&Path, bool)>,
    given: &Mirror,
    target: &str,
    compression: Compress,
) -> Result<Built> {
    let sink = Target::open(context, target, None)?;
    let progress = context.progress.clone();
    let fetched = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let network = Network::new(&context.cache, context.leftovers.clone(), move |bytes| {
        let sum = fetched.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed) + bytes;
        progress.bytes(sum, 0);
    });
    let shown = context.progress.clone();
    let on_event = move |event: Event<'_>| match event {
        Event::Index { url } => shown.step(&format!("fetching {}", without_credentials(url))),
        Event::Solving => shown.step("choosing packages"),
        Event::Unpacked {
            package,
            done,
            count,
        } => shown.count(package, done, count),
        Event::Layer { name } => shown.step(&format!("putting the layer {name} together")),
    };
    let mut notes = Vec::new();
    let mut new_lock = None;
    let lock = match lock_file {
        Some((path, false)) if path.exists() => read_lock(path)?,
        _ => {
            context
                .progress
                .step("asking the package mirror what there is");
            let (repositories, left_out) =
                mirror::repositories(given, &recipe.repositories, &network)?;
            notes.extend(left_out);
            let now = jiff::Timestamp::now().as_second();
            let resolution =
                plimsoll_build::resolve(recipe, &repositories, &network, now, &on_event).map_err(
                    |error| {
                        let failure = Failure::because("cannot resolve the recipe", &error);
                        failure.unreachable(is_unreachable(&error))
                    },
                )?;
            notes.extend(resolution.notes);
            new_lock = lock_file.map(|(path, _)| path);
            resolution.lock
        }
    };
    context.progress.step(&format!(
        "fetching and unpacking {} packages, {}",
        lock.archives.len(),
        text::bytes(lock.download_size())
    ));
    let spool =
        FileSpool::new().map_err(|error| Failure::because("cannot make a work file", &error))?;
    let composed = plimsoll_build::compose(recipe, &lock, &network, Arc::new(spool), &on_event)
        .map_err(|error| Failure::because("cannot compose the image", &error))?;
    notes.extend(composed.notes);
    // Not before every archive was there and had its digest: a lock nobody could obey would stand
    // in the way of the next build.
    if let Some(path) = new_lock {
        write_lock(path, &lock)?;
    }
    context.progress.step(&format!("writing {target}"));
    let delivered = sink.write(context, &composed.draft, compression)?;
    context.progress.done();
    let problems = composed.unemulated.iter().map(|line| Problem {
        message: format!("not emulated: {line}"),
        evidence: Evidence::Image,
    });
    let problems = problems.collect();
    Ok(Built {
        delivered,
        problems,
        notes,
        lock,
    })
}

fn is_unreachable(error: &plimsoll_build::Error) -> bool {
    use plimsoll_model::fetch::FetchErrorKind::Unreachable;
    matches!(error, plimsoll_build::Error::Fetch(error) if matches!(error.kind, Unreachable(_)))
}

fn read_lock(path: &Path) -> Result<Lock> {
    let what = format!("cannot read the lock {}", path.display());
    let toml = std::fs::read_to_string(path).map_err(|error| Failure::because(&what, &error))?;
    Lock::parse(&toml).map_err(|error| {
        Failure::because(&what, &error).hint("--update resolves again and writes it anew")
    })
}

fn write_lock(path: &Path, lock: &Lock) -> Result<()> {
    std::fs::write(path, lock.to_toml()).map_err(|error| {
        Failure::because(
            format_args!("cannot write the lock {}", path.display()),
            &error,
        )
    })
}
