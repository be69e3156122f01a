//! `lint`: what is wrong in Dockerfiles, in one process for any number of them.

pub(super) mod files;
mod join;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_checks::dockerfile::{self, Dockerfile};
use plimsoll_checks::lint::{self, Context as Beside, Hit, Ignored};
use plimsoll_model::report::Verdict;
use plimsoll_model::{Evidence, Problem, Report, Severity, Source};

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::officials::Officials;
use crate::print::{self, Has};
use crate::session::{self, Context};
use files::Input;

/// A file with what the rules say of it.
struct Linted {
    /// The name as the user wrote it.
    name: String,
    /// The file; why it is none, where it is none.
    file: std::result::Result<Dockerfile, Problem>,
    hits: Vec<Hit>,
}

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Lint) -> Result<Exit> {
    print::able("lint", Has::Findings, &arguments.format, arguments.json)?;
    for name in &arguments.ignore {
        if lint::by_name(name).is_none() {
            return Err(Failure::new(format!("there is no rule `{name}`"))
                .hint("plimsoll list rules names them, with what other tools call them"));
        }
    }
    let inputs = files::find(&arguments.files)?;
    // What is left is read again when it was written, which standard input cannot be either.
    if arguments.write && inputs.iter().any(|input| input.path.is_none()) {
        return Err(Failure::new("standard input cannot be written to")
            .hint("without --write, --fix shows the diff"));
    }
    let officials = Officials::of(&context.cache);
    let mut linted = all(&inputs, &arguments.ignore, &officials)?;
    if arguments.fix {
        if !arguments.write {
            return show_diffs(&linted);
        }
        write(&mut linted, &inputs)?;
        linted = all(
            &files::find(&arguments.files)?,
            &arguments.ignore,
            &officials,
        )?;
    }
    let mut report = report(&linted, arguments);
    if let Some(problem) = &officials.problem {
        context.progress.note(&format!("problem: {problem}"));
    }
    if let Some(image) = &arguments.image {
        let [one] = &linted[..] else {
            return Err(Failure::new(
                "--image goes with one file, the one it was built from",
            ));
        };
        let opened = session::open(context, image, arguments.platform.as_deref(), None)?;
        join::join(one, &opened, &mut report);
    }
    print::report(&report, &arguments.format, arguments.json)?;
    Ok(print::verdict(&report))
}

/// Every file read and judged, several at a time, in the order they were named.
fn all(inputs: &[Input], ignore: &[String], officials: &Officials) -> Result<Vec<Linted>> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(input) = inputs.get(index) else {
                return done;
            };
            done.push((index, one(input, ignore, officials)));
        }
    };
    let mut done: Vec<(usize, Result<Linted>)> = match threads.min(inputs.len()) {
        0 | 1 => work(),
        threads => std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().map(|worker| match worker.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.flatten().collect()
        }),
    };
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, linted)| linted).collect()
}

fn one(input: &Input, ignore: &[String], officials: &Officials) -> Result<Linted> {
    let name = input.name.clone();
    let bytes = input.read()?;
    let file = match dockerfile::parse(&bytes) {
        Ok(file) => file,
        Err(invalid) => {
            let problem = Problem {
                message: format!("is no Dockerfile: {}", invalid.message),
                evidence: Evidence::Source(Source {
                    file: name.clone(),
                    line: invalid.line,
                    column: 1,
                    end_line: invalid.line,
                    end_column: 1,
                    excerpt: String::new(),
                }),
            };
            return Ok(Linted {
                name,
                file: Err(problem),
                hits: Vec::new(),
            });
        }
    };
    let ignored = input.ignored();
    let beside = Beside {
        ignored: match &ignored {
            files::Ignored::Unknown => Ignored::Unknown,
            files::Ignored::Missing => Ignored::Missing,
            files::Ignored::Text(text) => Ignored::Text(text),
        },
        bases: Some(officials),
    };
    let mut hits = lint::lint(&file, &beside);
    hits.retain(|hit| {
        !ignore.iter().any(|name| {
            let mut aliases = hit.aliases.iter();
            hit.rule.id == name || aliases.any(|alias| alias.eq_ignore_ascii_case(name))
        })
    });
    Ok(Linted {
        name,
        file: Ok(file),
        hits,
    })
}

fn report(linted: &[Linted], arguments: &cli::Lint) -> Report {
    let mut report = Report {
        verb: "lint",
        rules: lint::rules(),
        ..Report::default()
    };
    for one in linted {
        match &one.file {
            Ok(file) => {
                let found = one.hits.iter();
                let found = found.map(|hit| lint::finding(hit, file, &one.name));
                report.findings.extend(found);
            }
            Err(problem) => report.problems.push(problem.clone()),
        }
    }
    if linted.is_empty() {
        report
            .notes
            .push("there is no Dockerfile and no Containerfile here".to_owned());
    }
    let line = arguments.fail_on.as_deref().and_then(Severity::parse);
    report.verdict = line.map(|line| Verdict {
        environment: "production".to_owned(),
        line: Some(line),
        ..Verdict::default()
    });
    report
}

/// The text of a file with what can be mended, where that changes anything.
fn mended(one: &Linted) -> Option<(&str, String)> {
    let text = one.file.as_ref().ok()?.text();
    let fixed = lint::fixed(text, &one.hits);
    (fixed != text).then_some((text, fixed))
}

fn show_diffs(linted: &[Linted]) -> Result<Exit> {
    for one in linted {
        if let Some((text, fixed)) = mended(one) {
            let diff = similar::TextDiff::from_lines(text, &fixed);
            let name = &one.name;
            let mut unified = diff.unified_diff();
            let unified = unified
                .header(&format!("a/{name}"), &format!("b/{name}"))
                .to_string();
            print::line(unified.trim_end_matches('\n'))?;
        }
    }
    let broken = linted.iter().any(|one| one.file.is_err());
    Ok(if broken { Exit::Incomplete } else { Exit::Fine })
}

fn write(linted: &mut [Linted], inputs: &[Input]) -> Result<()> {
    for (one, input) in linted.iter().zip(inputs) {
        let Some((text, fixed)) = mended(one) else {
            continue;
        };
        let Some(path) = &input.path else {
            return Err(Failure::new("standard input cannot be written to"));
        };
        // Bytes that are not text were replaced when it was read, and would be lost.
        if text.contains('\u{1a}') {
            return Err(Failure::new(format!(
                "{}: is not UTF-8 throughout, and is left as it is",
                one.name
            )));
        }
        store(path, &fixed)?;
    }
    Ok(())
}

fn store(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)
        .map_err(|error| Failure::because(format_args!("cannot write {}", path.display()), &error))
}
