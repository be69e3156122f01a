//! `scan`: what is known to be wrong with what is in an image, and what could not be judged.

mod archive;
mod data;
mod subject;

use std::path::Path;

use plimsoll_model::report::Verdict;
use plimsoll_model::vulnerability::Unjudged;
use plimsoll_model::{Evidence, Problem, Report, ScanFacts, Severity};
use plimsoll_scan::{Date, Ignores, ImageNames, ScanRequest, Vex};

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::print;
use crate::session::Context;
use data::Known;
use subject::Subject;

/// The ignore file that is read where none is named.
const IGNORES: &str = "plimsoll.ignore";
/// A larger ignore file or VEX document is none.
const LIMIT: u64 = 64 << 20;
/// Packages that a sentence about what could not be judged names.
const NAMED: usize = 10;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Scan) -> Result<Exit> {
    let look = &arguments.look;
    let names = std::iter::once(&look.image).chain(&arguments.against);
    let subjects = names
        .map(|name| {
            let (platform, distribution) = (look.platform.as_deref(), arguments.distro.as_deref());
            subject::open(context, name, platform, distribution)
        })
        .collect::<Result<Vec<_>>>()?;
    let documents = Documents::read(arguments)?;
    let store = arguments
        .db
        .clone()
        .unwrap_or_else(|| data::directory(&context.cache));
    let line = arguments.fail_on.as_deref().and_then(Severity::parse);
    let mut asked = report(&subjects, &store, &documents, arguments.max_age);
    if arguments.archive {
        for (subject, facts) in subjects.iter().zip(&mut asked.scans) {
            facts.archive = Some(archive::evidence(context, subject, &arguments.mirror)?);
        }
    }
    let report = Report {
        verdict: line.map(|line| Verdict {
            environment: "production".to_owned(),
            line: Some(line),
            ..Verdict::default()
        }),
        ..asked
    };
    print::report(&report, &look.format, look.json)?;
    hint(&report, &store);
    Ok(print::verdict(&report))
}

/// The proof of `demo`: what is known about two images, side by side, from the data that are there.
pub(crate) fn side_by_side(context: &Context, names: [&str; 2]) -> Result<()> {
    let subjects = names
        .map(|name| subject::open(context, name, None, None))
        .into_iter()
        .collect::<Result<Vec<_>>>()?;
    let store = data::directory(&context.cache);
    let report = report(&subjects, &store, &Documents::default(), cli::MAX_AGE);
    print::report(&report, "text", false)?;
    hint(&report, &store);
    Ok(())
}

/// What is known about these images.
fn report(subjects: &[Subject], store: &Path, documents: &Documents, max_age: i64) -> Report {
    let known = Known::load(store, subjects.iter().map(|subject| &subject.inventory));
    let now = jiff::Zoned::now();
    let scans: Vec<ScanFacts> = subjects
        .iter()
        .map(|subject| ScanFacts {
            moment: now.timestamp().to_string(),
            ..judge(subject, &known, documents, now.date(), max_age)
        })
        .collect();
    let mut problems = Vec::new();
    for (subject, facts) in subjects.iter().zip(&scans) {
        problems.extend(subject.problems.iter().cloned());
        problems.extend(
            facts
                .unjudged
                .iter()
                .map(|it| problem(facts, it, scans.len() > 1)),
        );
    }
    Report {
        verb: "scan",
        notes: plimsoll_scan::explain(&scans),
        problems,
        scans,
        ..Report::default()
    }
}

/// What a scan of one image finds, what is ignored taken out.
fn judge(
    subject: &Subject,
    known: &Known,
    documents: &Documents,
    today: Date,
    max_age: i64,
) -> ScanFacts {
    let mut facts = plimsoll_scan::scan(&ScanRequest {
        name: &subject.name,
        inventory: &subject.inventory,
        tree: subject.tree(),
        base_layers: subject.base_layers,
        data: &known.data,
        exploited: &|id| known.exploited(id),
        epss: &|id| known.epss(id),
        today,
        max_age,
    });
    facts.digest.clone_from(&subject.digest);
    let image = ImageNames {
        name: &subject.name,
        digest: &subject.digest,
    };
    for vex in &documents.vex {
        vex.apply(&mut facts, image);
    }
    for ignores in &documents.ignores {
        ignores.apply(&mut facts, today);
    }
    facts
}

/// What somebody said about vulnerabilities beforehand.
#[derive(Default)]
struct Documents {
    ignores: Vec<Ignores>,
    vex: Vec<Vex>,
}

impl Documents {
    fn read(arguments: &cli::Scan) -> Result<Self> {
        let mut documents = Self::default();
        let mut files = arguments.ignore.clone();
        if files.is_empty() && Path::new(IGNORES).exists() {
            files.push(IGNORES.into());
        }
        for file in files {
            let text = read(&file)?;
            let name = file.display().to_string();
            let text = String::from_utf8(text)
                .map_err(|error| Failure::because(format_args!("cannot read {name}"), &error))?;
            let read = Ignores::parse(&name, &text);
            documents.ignores.push(read.map_err(|error| {
                Failure::because(format_args!("cannot understand {name}"), &error)
                    .hint("one line each: `CVE-2026-1 until=2026-12-31 package=zlib* # why`")
            })?);
        }
        for file in &arguments.vex {
            let name = file.display().to_string();
            let read = Vex::parse(&name, &read(file)?);
            documents.vex.push(read.map_err(|error| {
                Failure::because(format_args!("cannot use {name} as VEX"), &error)
            })?);
        }
        Ok(documents)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    let done = file.and_then(|file| file.take(LIMIT).read_to_end(&mut bytes));
    done.map_err(|error| Failure::because(format_args!("cannot read {}", path.display()), &error))?;
    Ok(bytes)
}

/// What could not be judged, as the report says it.
fn problem(facts: &ScanFacts, unjudged: &Unjudged, several: bool) -> Problem {
    let mut message = unjudged.why.clone();
    if several {
        message = format!("{}: {message}", facts.name);
    }
    let packages = &unjudged.packages;
    if !packages.is_empty() {
        let shown = packages
            .iter()
            .take(NAMED)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let count = packages.len();
        let more = count.saturating_sub(NAMED);
        let noun = if count == 1 { "package" } else { "packages" };
        message = format!("{message}; {count} {noun} not judged: {shown}");
        if more > 0 {
            message = format!("{message} and {more} more");
        }
    }
    Problem {
        message,
        evidence: Evidence::Image,
    }
}

/// Where advisories come from, for whom there are none.
fn hint(report: &Report, store: &Path) {
    use std::io::Write as _;
    let missing = |problem: &Problem| problem.message.contains("there are no data about");
    if !report.problems.iter().any(missing) {
        return;
    }
    let _ = writeln!(
        std::io::stderr(),
        "\nhint: `plimsoll db update` fetches advisories, `plimsoll db build --from DIR` makes them from files \
         you have; {} was looked in",
        store.display()
    );
}
