//! The lineage of what a Dockerfile makes: through its stages and `ARG`s to the image it names.

use std::path::Path;

use plimsoll_checks::dockerfile::stages::{Base, Stage, Stages, split_reference};
use plimsoll_checks::dockerfile::{self, Dockerfile, Keyword};
use plimsoll_model::report::ImageFacts;
use plimsoll_model::{Ancestor, Evidence, Lineage, Problem, Report, Source};

use crate::failure::{Failure, Result};
use crate::verbs::lint::files::is_dockerfile;

/// The report on a Dockerfile; nothing for a name that is none.
pub(super) fn report(name: &str) -> Result<Option<Report>> {
    let path = Path::new(name);
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    if !path.is_file() || !is_dockerfile(&file_name) {
        return Ok(None);
    }
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::because(format_args!("cannot read {name}"), &error))?;
    let mut report = Report {
        verb: "lineage",
        ..Report::default()
    };
    let mut facts = ImageFacts {
        name: name.to_owned(),
        ..ImageFacts::default()
    };
    match dockerfile::parse(&bytes) {
        Ok(file) => {
            let stages = Stages::of(&file);
            facts.lineage = lineage(&file, &stages, name);
            if let Some(Base::Unknown(why)) = stages.all.last().map(|last| stages.root(last)) {
                let root = &stages.all[stages.all.last().map_or(0, |last| last.root)];
                report.problems.push(problem(name, line(&file, root), why));
            }
            report.notes = sources(&file, &stages, name);
        }
        Err(invalid) => {
            let message = format!("is no Dockerfile: {}", invalid.message);
            report.problems.push(problem(name, invalid.line, &message));
        }
    }
    report.subject = Some(facts);
    Ok(Some(report))
}

fn problem(name: &str, line: usize, message: &str) -> Problem {
    Problem {
        message: message.to_owned(),
        evidence: Evidence::Source(Source {
            file: name.to_owned(),
            line,
            column: 1,
            end_line: line,
            end_column: 1,
            excerpt: String::new(),
        }),
    }
}

fn line(file: &Dockerfile, stage: &Stage) -> usize {
    file.position(file.instructions[stage.from].span.start).line
}

/// From the last stage down: stages, the image, scratch.
fn lineage(file: &Dockerfile, stages: &Stages, name: &str) -> Lineage {
    let mut ancestors = Vec::new();
    let mut stage = stages.all.last();
    while let Some(at) = stage {
        let evidence = format!("{name}:{}", line(file, at));
        stage = None;
        let (below, evidence) = match &at.base {
            Base::Stage(below) => {
                let base = &stages.all[*below];
                stage = Some(base);
                let called = base.name.clone();
                let called = called.unwrap_or_else(|| below.to_string());
                (format!("stage {called}"), evidence)
            }
            Base::Image(image) => (image.clone(), named(file, at, image, &evidence)),
            Base::Unknown(_) => {
                let word = file.instructions[at.from].words().first();
                let text = word.map_or("", |word| &word.text);
                (format!("{text}, whatever that is"), evidence)
            }
            Base::Scratch => break,
        };
        ancestors.push(Ancestor {
            name: below,
            layers: None,
            evidence,
        });
    }
    let direct = stages
        .all
        .last()
        .is_some_and(|last| *stages.root(last) == Base::Scratch);
    ancestors.push(Ancestor {
        name: "scratch".to_owned(),
        layers: Some(0),
        evidence: match direct {
            true => format!("{name}: FROM scratch"),
            false => "every image begins there; what lies between, `lineage` of that image says"
                .to_owned(),
        },
    });
    Lineage { ancestors }
}

/// How the image is named: by which `ARG`s, by whom it is published.
fn named(file: &Dockerfile, stage: &Stage, image: &str, place: &str) -> String {
    let mut evidence = place.to_owned();
    let word = file.instructions[stage.from].words().first();
    if let Some(word) = word.filter(|word| word.text != image) {
        evidence.push_str(&format!(", {} with the defaults of its ARGs", word.text));
    }
    let (name, tag, digest) = split_reference(image);
    let hub = name.strip_prefix("docker.io/").unwrap_or(name);
    let official = hub.strip_prefix("library/").unwrap_or(hub);
    if !official.contains('/') {
        evidence.push_str(", an official image of Docker Hub");
    }
    match (tag, digest) {
        (_, Some(_)) => evidence.push_str(", pinned by its digest"),
        (None | Some("latest"), None) => evidence.push_str(", not pinned"),
        _ => {}
    }
    evidence
}

/// Stages and images that files are copied from.
fn sources(file: &Dockerfile, stages: &Stages, name: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for stage in stages.all.iter().filter(|stage| stage.ships) {
        for instruction in &file.instructions[stage.instructions.clone()] {
            let Some(from) = instruction
                .flag("from")
                .filter(|_| instruction.is(Keyword::Copy))
            else {
                continue;
            };
            let what = match stages.named(from, stage.index) {
                Some(source) => match stages.root(source) {
                    Base::Image(image) => format!("stage {from}, which begins from {image}"),
                    Base::Scratch => format!("stage {from}, which begins from scratch"),
                    _ => format!("stage {from}"),
                },
                None => format!("{from}, an image or a build context"),
            };
            let line = file.position(instruction.span.start).line;
            let note = format!("{name}:{line}: files come from {what}");
            if !notes.contains(&note) && notes.len() < 1000 {
                notes.push(note);
            }
        }
    }
    notes
}
