//! `db build`: slices of feeds that lie on this machine.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use plimsoll_scan::feeds::{Compiler, is_data};
use plimsoll_scan::{Origin, is_database};

use crate::advisories::{Store, verified};
use crate::cli::db;
use crate::failure::{Exit, Failure, Result};
use crate::print;
use crate::session::Context;

/// A larger file is no feed.
const LIMIT: u64 = 4 << 30;
/// Directories of feeds are not deeper.
const DEEPEST: usize = 16;

pub(super) fn run(context: &Context, arguments: &db::Build) -> Result<Exit> {
    let given = arguments.scope.as_deref().map(super::scope).transpose()?;
    let mut compiler = Compiler::new(super::scopes(&arguments.only)?);
    let mut problems = Vec::new();
    for path in &arguments.from {
        context
            .progress
            .step(&format!("reading {}", path.display()));
        let origin = Origin {
            from: path.display().to_string(),
            date: arguments.date.clone().unwrap_or_default(),
            read: super::now().to_string(),
            ..Origin::default()
        };
        compiler.begin(origin, given.clone());
        if path.is_dir() {
            directory(context, path, &mut compiler, &mut problems)?;
        } else if is_database(path) {
            compiler.database(path).map_err(|error| unusable(&error))?;
        } else {
            let bytes = read(path)?;
            let name = path.display().to_string();
            compiler
                .file(&name, &bytes)
                .map_err(|error| unusable(&error))?;
        }
        compiler.end().map_err(|error| unusable(&error))?;
    }
    context.progress.step("writing");
    let compiled = compiler.finish();
    problems.extend(compiled.problems);
    context.progress.done();
    for note in &compiled.notes {
        context.progress.note(note);
    }
    if compiled.slices.is_empty() {
        return Err(
            Failure::new("none of the advisories is about what --only names").details(problems),
        );
    }
    let store = match &arguments.output {
        Some(directory) => Store::at(directory.clone()),
        None => Store::below(&context.cache),
    };
    for (scope, file) in &compiled.slices {
        store.put(scope, file, &context.leftovers)?;
        let (meta, _) = verified(file).map_err(|error| Failure::because(scope, &error))?;
        print::line(&super::line(&meta, file.len() as u64))?;
    }
    if arguments.output.is_some() {
        store.write_index(&context.leftovers)?;
    }
    for problem in &problems {
        context.progress.note(&format!("problem: {problem}"));
    }
    Ok(if problems.is_empty() {
        Exit::Fine
    } else {
        Exit::Incomplete
    })
}

fn unusable(error: &plimsoll_scan::feeds::FeedError) -> Failure {
    Failure::because("cannot use this feed", error)
        .hint("nothing was written; what was there before can be used")
}

/// Reads every file below a directory that can be a feed; a bad one is a problem among others.
fn directory(
    context: &Context,
    root: &Path,
    compiler: &mut Compiler,
    problems: &mut Vec<String>,
) -> Result<()> {
    let root = root.canonicalize().map_err(|error| cannot(root, &error))?;
    // Some layouts say in the names of directories what they are about: this one's counts too.
    let above = root.parent().unwrap_or(&root).to_owned();
    let mut files = Vec::new();
    collect(&root, 0, &mut files)?;
    for (done, path) in files.iter().enumerate() {
        let name = path
            .strip_prefix(&above)
            .unwrap_or(path)
            .display()
            .to_string();
        context.progress.count(&name, done, files.len());
        let read = if is_database(path) {
            compiler.database(path)
        } else {
            compiler.file(&name, &read(path)?)
        };
        if let Err(error) = read {
            problems.push(error.to_string());
        }
    }
    Ok(())
}

/// The files below a directory, sorted; links are not followed.
fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    if depth > DEEPEST {
        return Err(Failure::new(format!(
            "{} is too deep for a directory of feeds",
            directory.display()
        )));
    }
    let failed = |error: std::io::Error| cannot(directory, &error);
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        entries.push(entry.map_err(failed)?);
    }
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            collect(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() && is_data(&name) {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| cannot(path, &error))?;
    let read = file.take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| cannot(path, &error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Failure::new(format!(
            "{} has more than {LIMIT} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::because(format_args!("cannot read {}", path.display()), error)
}
