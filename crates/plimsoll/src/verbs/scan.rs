//! `scan`: what is known to be wrong with what is in an image, and what could not be judged.

mod archive;
mod data;

use std::path::{Path, PathBuf};
use std::time::Instant;

use plimsoll_model::report::{Demand, NOT_JUDGED, Verdict, Waived};
use plimsoll_model::vulnerability::{Ended, Unjudged};
use plimsoll_model::{Evidence, Finding, Problem, Report, Rule, ScanFacts, Severity};
use plimsoll_packages::listing;
use plimsoll_report::html::Side;
use plimsoll_scan::{Date, Ignores, ImageNames, ScanRequest, Vex};

use crate::advisories::Store;
use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::page;
use crate::print::{self, Has};
use crate::session::{self, Context, Opened};
use crate::verbs::{inspect, sbom};
use data::Known;

/// The ignore file that is read where none is named.
const IGNORES: &str = "plimsoll.ignore";
/// A larger ignore file or VEX document is none.
const LIMIT: u64 = 64 << 20;
/// The check of a release that nobody fixes any more.
const END_OF_LIFE: &str = "end-of-life";
/// Packages that a sentence about what could not be judged names.
const NAMED: usize = 10;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Scan) -> Result<Exit> {
    let look = &arguments.look;
    let has = match arguments.against {
        Some(_) => Has::Scans,
        None => Has::Scan,
    };
    print::able("scan", has, &look.format, look.json)?;
    let day = Day::of(arguments.today);
    let distribution = arguments.distro.as_deref();
    let names = std::iter::once(&look.image).chain(&arguments.against);
    let images = names
        .map(|name| open(context, name, look.platform.as_deref(), distribution))
        .collect::<Result<Vec<_>>>()?;
    let documents = Documents::read(&arguments.ignore, &arguments.vex, day.0)?;
    let store = match &arguments.db {
        Some(directory) => Store::at(directory.clone()),
        None => Store::below(&context.cache),
    };
    let line = arguments.fail_on.as_deref().and_then(Severity::parse);
    let images: Vec<&Opened> = images.iter().collect();
    let mut scanned = scan(&images, &store, &documents, day, arguments.max_age);
    if arguments.archive {
        for (image, facts) in images.iter().zip(&mut scanned.facts) {
            facts.archive = Some(archive::evidence(context, image, &arguments.mirror)?);
        }
    }
    let own = images.iter().flat_map(|image| &image.problems);
    let stale = scanned.facts.iter().flat_map(|facts| &facts.stale_ignores);
    let stale = stale.map(|sentence| format!("stale: {sentence}"));
    let notes = day
        .note()
        .into_iter()
        .chain(plimsoll_scan::explain(&scanned.facts))
        .chain(stale)
        .collect();
    let over: Vec<Finding> = scanned.facts.first().and_then(over).into_iter().collect();
    let mut report = Report {
        verb: "scan",
        verdict: line.map(|line| Verdict {
            environment: "production".to_owned(),
            line: Some(line),
            ..Verdict::default()
        }),
        rules: rules(&over),
        findings: over,
        waived: accepted_ends(&scanned.facts)
            .chain(accepted(&scanned.facts))
            .collect(),
        notes,
        problems: own.cloned().chain(scanned.problems).collect(),
        scans: scanned.facts,
        time: sbom::source_date(),
        ..Report::default()
    };
    if let (Some(line), unrated @ 1..) = (line, report.unrated()) {
        let what = without_severity(unrated);
        report.problems.push(Problem {
            message: format!("{what}, so that nobody knows which of them are at {line} or above"),
            evidence: Evidence::Image,
        });
    }
    if let Some(path) = &arguments.html {
        write_page(&report, &images, path)?;
    }
    let format = if look.json { "json" } else { &look.format };
    if let Some(inventory) = sbom::inventory(format, images[0]) {
        report.subject = sbom::report(images[0]).subject;
        report.inventory = Some(inventory);
    }
    print::report(&report, format, false)?;
    hint(&report, &store);
    Ok(print::verdict(&report))
}

/// Writes the report as a page. Of one image it also says what the checks find; of a list of packages there
/// are no files to show.
fn write_page(report: &Report, images: &[&Opened], path: &Path) -> Result<()> {
    let mut report = report.clone();
    let verdict = demanded(&report);
    let has_files = |image: &Opened| !image.is_document;
    if let [image] = images
        && has_files(image)
    {
        let day = report
            .scans
            .first()
            .and_then(|facts| facts.day.parse().ok());
        let production = plimsoll_checks::Environment::Production;
        let inspected = inspect::report_of(image, production, Day::of(day).0);
        report.subject = inspected.subject;
        report.findings = inspected.findings;
        report.rules = inspected.rules;
        for problem in inspected.problems {
            if !report.problems.contains(&problem) {
                report.problems.push(problem);
            }
        }
        report.notes.extend(inspected.notes);
    }
    report.verdict = verdict;
    let images = images.iter().copied().filter(|image| has_files(image));
    let sides: Vec<Side> = images
        .map(|image| page::side(&image.image.name, image, None))
        .collect();
    page::write(&report, &sides, path)
}

/// The line as a demand, met or not: it is about vulnerabilities, and not about what the checks find.
fn demanded(report: &Report) -> Option<Verdict> {
    let verdict = report.verdict.as_ref()?;
    let line = verdict.line?;
    let over = report.vulnerabilities_over() as u64;
    let judged = report.problems.is_empty();
    let found = plimsoll_model::text::count(over);
    let ended = report.findings.iter().filter(|it| it.severity >= line);
    let ended = ended.map(|finding| Demand {
        wanted: "a distribution release that gets fixes".to_owned(),
        found: finding.message.clone(),
        ..Demand::default()
    });
    let demand = Demand {
        wanted: format!("no vulnerability at {line} or above"),
        found: match judged {
            true => found,
            false => format!("{found} in what could be judged"),
        },
        met: over == 0 && judged,
        unjudged: over == 0 && !judged,
    };
    Some(Verdict {
        line: None,
        demands: std::iter::once(demand).chain(ended).collect(),
        ..verdict.clone()
    })
}

/// Opens what the user named, said to be of this distribution release.
fn open(
    context: &Context,
    name: &str,
    platform: Option<&str>,
    distribution: Option<&str>,
) -> Result<Opened> {
    let mut opened = session::inventory_of(context, name, platform)?;
    if let Some(text) = distribution {
        let release = listing::distribution(text).ok_or_else(|| {
            Failure::new(format!("`{text}` is no distribution release"))
                .hint("write it as debian:12")
        })?;
        opened.inventory.release = Some(release);
    }
    Ok(opened)
}

/// What is known about images, and what could not be judged of them.
pub(crate) struct Scanned {
    /// One for each image, in their order.
    pub(crate) facts: Vec<ScanFacts>,
    /// What could not be judged.
    pub(crate) problems: Vec<Problem>,
}

/// What is known about images of which something else is reported, from the data that are there;
/// `None` where there are none at all about what is in them.
pub(crate) fn beside(context: &Context, images: &[&Opened]) -> Result<Option<Scanned>> {
    let store = Store::below(&context.cache);
    let known = Known::load(&store, images.iter().map(|image| &image.inventory));
    if known.is_nothing() {
        return Ok(None);
    }
    let day = Day::of(None);
    let documents = Documents::read(&[], &[], day.0)?;
    Ok(Some(judge_all(
        images,
        &known,
        &documents,
        day,
        cli::MAX_AGE,
    )))
}

/// What is known about one image, with the ignore file of this directory, if it has one.
pub(crate) fn one(context: &Context, image: &Opened, day: Day, max_age: i64) -> Result<Scanned> {
    let documents = Documents::read(&[], &[], day.0)?;
    let store = Store::below(&context.cache);
    Ok(scan(&[image], &store, &documents, day, max_age))
}

/// The day to judge by, and whether it is another than today.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day(pub(crate) Date, bool);

impl Day {
    /// The one that is given, else today.
    pub(crate) fn of(given: Option<Date>) -> Self {
        let today = jiff::Zoned::now().date();
        let day = given.unwrap_or(today);
        Self(day, day != today)
    }

    /// What must be said where it is not today.
    pub(crate) fn note(self) -> Option<String> {
        let Self(day, is_another) = self;
        is_another.then(|| {
            format!(
                "judged as on {day} (--today): ages, ends of releases and exceptions are of that day"
            )
        })
    }
}

/// That the release of this image is over, where it is and nobody accepts it: the finding of the check of that
/// name, which is made of a list of packages too.
fn over(facts: &ScanFacts) -> Option<Finding> {
    let ended = facts.ended.as_ref().filter(|it| it.accepted.is_none())?;
    Some(end_of_life(facts, ended))
}

fn end_of_life(facts: &ScanFacts, ended: &Ended) -> Finding {
    let place = ended.place.as_ref().map(|path| Evidence::Path {
        path: path.clone(),
        layer: 0,
        size: 0,
    });
    Finding {
        check: END_OF_LIFE,
        aliases: &[],
        severity: Severity::High,
        message: format!("{} gets no fixes since {}", facts.distribution, ended.on),
        evidence: vec![place.unwrap_or(Evidence::Image)],
        remedy: Some("FROM the next release of the base".to_owned()),
    }
}

/// The pages of the checks that these findings are of.
fn rules(findings: &[Finding]) -> Vec<Rule> {
    let mut rules = plimsoll_checks::rules();
    rules.retain(|rule| findings.iter().any(|finding| finding.check == rule.id));
    rules
}

/// The releases that are over which the ignore file accepts, in the same way.
fn accepted_ends(scans: &[ScanFacts]) -> impl Iterator<Item = Waived> {
    scans.iter().filter_map(|facts| {
        let ended = facts.ended.as_ref()?;
        let accepted = ended.accepted.as_ref()?;
        Some(Waived {
            finding: end_of_life(facts, ended),
            reason: format!("{} ({})", accepted.reason, accepted.by),
            until: Some(accepted.until.clone()),
        })
    })
}

/// The packages nobody can judge that the ignore file accepts: as what the policy tolerates, which every
/// format shows.
pub(crate) fn accepted(scans: &[ScanFacts]) -> Vec<Waived> {
    let several = scans.len() > 1;
    let all = scans.iter().flat_map(|facts| {
        let rows = facts.accepted.iter();
        rows.map(move |it| (&facts.name, it))
    });
    let waived = all.map(|(name, it)| {
        let image = if several {
            format!("{name}: ")
        } else {
            String::new()
        };
        let (package, version) = it.package.split_once(' ').unwrap_or((&it.package, ""));
        Waived {
            finding: Finding {
                check: NOT_JUDGED,
                aliases: &[],
                severity: Severity::Info,
                message: format!("{image}{} is not judged: {}", it.package, it.why),
                evidence: vec![Evidence::Package {
                    name: package.to_owned(),
                    version: version.to_owned(),
                }],
                remedy: None,
            },
            reason: format!("{} ({})", it.reason, it.by),
            until: Some(it.until.clone()),
        }
    });
    waived.collect()
}

/// What is known about these images.
fn scan(
    images: &[&Opened],
    store: &Store,
    documents: &Documents,
    day: Day,
    max_age: i64,
) -> Scanned {
    let known = Known::load(store, images.iter().map(|image| &image.inventory));
    judge_all(images, &known, documents, day, max_age)
}

fn judge_all(
    images: &[&Opened],
    known: &Known,
    documents: &Documents,
    day: Day,
    max_age: i64,
) -> Scanned {
    let now = jiff::Timestamp::now();
    let facts: Vec<ScanFacts> = images
        .iter()
        .map(|image| ScanFacts {
            moment: now.to_string(),
            ..judge(image, known, documents, day.0, max_age)
        })
        .collect();
    let mut problems = known.problems.clone();
    for facts in &facts {
        let unjudged = facts.unjudged.iter();
        problems.extend(unjudged.map(|it| problem(facts, it, images.len() > 1)));
    }
    Scanned { facts, problems }
}

/// What a scan of one image finds, what is ignored taken out.
fn judge(
    image: &Opened,
    known: &Known,
    documents: &Documents,
    today: Date,
    max_age: i64,
) -> ScanFacts {
    let name = &*image.image.name;
    let digest = match image.is_named {
        true => image.image.digest.to_string(),
        false => String::new(),
    };
    let began = Instant::now();
    let mut facts = plimsoll_scan::scan(&ScanRequest {
        name,
        inventory: &image.inventory,
        tree: Some(&image.rootfs.tree),
        base_layers: image.lineage.base_layers(),
        data: &known.data,
        exploited: &|id| known.exploited(id),
        epss: &|id| known.epss(id),
        today,
        max_age,
    });
    facts.matching = began.elapsed();
    facts.data.extend(known.marks(today));
    facts.exploited_unknown = known.exploited_unknown(today, max_age);
    let phantoms = image.inventory.phantoms(&image.rootfs.tree).into_iter();
    facts.phantoms = phantoms
        .filter_map(|id| image.inventory.get(id))
        .map(|package| format!("{} {}", package.name, package.version))
        .collect();
    let names = ImageNames {
        name,
        digest: &digest,
    };
    for vex in &documents.vex {
        vex.apply(&mut facts, names);
    }
    for ignores in &documents.ignores {
        ignores.apply(&mut facts, today);
    }
    facts.digest = digest;
    facts
}

/// What somebody said about vulnerabilities beforehand.
#[derive(Default)]
struct Documents {
    ignores: Vec<Ignores>,
    vex: Vec<Vex>,
}

impl Documents {
    /// Reads ignore files, that of this directory where none is named, and VEX documents.
    fn read(ignores: &[PathBuf], vex: &[PathBuf], today: Date) -> Result<Self> {
        let mut documents = Self::default();
        let mut files = ignores.to_vec();
        if files.is_empty() && Path::new(IGNORES).exists() {
            files.push(IGNORES.into());
        }
        for file in files {
            let text = read(&file)?;
            let name = file.display().to_string();
            let text = String::from_utf8(text)
                .map_err(|error| Failure::because(format_args!("cannot read {name}"), &error))?;
            let read = Ignores::parse(&name, &text, today);
            documents.ignores.push(read.map_err(|error| {
                Failure::because(format_args!("cannot understand {name}"), &error)
                    .hint(Ignores::form(&text))
            })?);
        }
        for file in vex {
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

/// So many vulnerabilities have none, as the beginning of a sentence.
pub(crate) fn without_severity(unrated: u64) -> String {
    let (noun, verb) = match unrated {
        1 => ("vulnerability", "has"),
        _ => ("vulnerabilities", "have"),
    };
    let count = plimsoll_model::text::count(unrated);
    format!("{count} {noun} {verb} no severity from the vendor and no score")
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
fn hint(report: &Report, store: &Store) {
    use std::io::Write as _;
    let missing = |problem: &Problem| problem.message.contains("there are no data about");
    if !report.problems.iter().any(missing) {
        return;
    }
    let _ = writeln!(
        std::io::stderr(),
        "\nhint: `plimsoll db update` fetches advisories, `plimsoll db build --from DIR` makes them from files \
         you have; {} was looked in",
        store.directory().display()
    );
}
