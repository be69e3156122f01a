//! `json`: a report for a program.
//!
//! One object, its fields in the order below, every one of them always there (`null`, `[]` where
//! there is nothing to say). The field `schema` names this shape; it changes when a field goes or
//! means something else, not when one is added.
//!
//! | field | holds |
//! |---|---|
//! | `schema` | `plimsoll.report/1` |
//! | `verb` | `inspect`, `slim`, `build` |
//! | `complete` | `false` where `problems` has entries: something could not be judged |
//! | `image` | the image, or `null`; see below |
//! | `findings[]` | `check`, `aliases[]` (other tools' names for it), `severity` (`info` to `critical`), `message`, `evidence[]`, `remedy`, `key` |
//! | `waived[]` | findings the policy tolerates: `finding`, `reason`, `until` |
//! | `verdict` | how the image stands against a policy, or `null` |
//! | `problems[]` | `message`, `evidence` |
//! | `slim` | what slim did, or `null` |
//! | `comparison` | `before` and `after`, or `null` |
//! | `diff` | what differs between the files of `comparison`'s images, or `null` |
//! | `pair` | both images of `inspect A B`, and what of their findings differs, or `null` |
//! | `inventory` | what is installed, of `sbom`, or `null` |
//! | `scans[]` | what is known about the packages of each image that was scanned; see below |
//! | `notes[]` | sentences |
//!
//! `image` has `name`, `digest`, `platform`, `created`, `user`, `command[]`, `ports[]`,
//! `is_document` (a bill of materials or a list stands for it: what is not known is `null`: platform, user,
//! every number here but `packages`, and every list of paths in `footprint`),
//! `footprint`, `lineage[]` (`name`, `layers`, `evidence`; nearest first, scratch last; of an official image
//! `rebuilt`: `state`: `yes`, `no`, `unknown`; `why`, `since`, `instead`, `by`; of others `null`),
//! `publisher` (`registry`, `repository`, `name`, `standing`: `official`, `verified`, `open-source`,
//! `unmarked` or the registry's own word; `pushed`, `pushed_days`; `null` where nobody was asked or
//! knows), `layers[]`
//! (`digest`, `compressed`, `bytes`, `files`, `dead`, `created_by`; lowest first), `packages[]`
//! (`name`, `version`, `bytes`, `files`; largest first), `unowned_bytes`, `dead_bytes`,
//! `strangers[]` (`directory`, `bytes`, `files` that no package of any kind owns), `phantoms[]` (`name`,
//! `version` of packages whose files are gone), `waste` (`deleted`, `overwritten`, `again`: the dead bytes
//! by how they came to be, the last written a second time with the same content; `duplicate`: bytes of
//! visible files whose content another file has too), `directories[]` (`directory`, `bytes`, `files`,
//! `alone`: whether only files directly in it are counted; they do not overlap, the heaviest hundred),
//! `owners[]` (`kind`: `package`, `language-package`, `application`, `nobody`; `bytes`, `files`).
//!
//! `footprint` has the numbers `bytes`, `compressed`, `files`, `packages`, and the paths
//! `shells[]`, `package_managers[]`, `network_tools[]`, `setuid[]`. `comparison.before` and
//! `.after` have `name`, `footprint` and `ready_seconds` (a number or `null`).
//!
//! `slim` has `output`, `digest`, `level`, `sandbox`, `verified`, `verified_by[]`,
//! `differences[]`, `repaired[]` and `forced[]` (each `path`, `why`), `packages` (`whole[]`,
//! `partial[]`, `gone[]`, and `table[]` of all of them: `name`, `version`, `fate`, `files`, `bytes`,
//! `kept_files`, `kept_bytes`), with --direct-entry `direct` (`before[]`, `entrypoint[]`, `cmd[]`, `user`
//! and `working_dir` where they are others, `env[]` that is new, `baked[]` (`path`, `why`), `ashore[]` and
//! `kept[]` of the programs that ran before the server, `notes[]`), `rounds[]` (what each part of the runs brought: `name`, `files` it
//! asked for, `alone` and `alone_bytes` of those that only it brought, `examples[]`), `watch` (how it
//! is known that the watch saw everything), `kept` (how many paths the plan keeps), `unresolved[]` (as `problems[]`),
//! `risks[]` (by level, the most careful first: `level`, `files`, `bytes`, and `ashore[]`: `what`,
//! `files`, `bytes`, `packages`, `examples[]` of what it leaves behind of packages it touches),
//! `layers[]` of the result (as of `image`),
//! `seconds[]` (`phase`, `seconds`; in order), `own_seconds` (without the application's own).
//!
//! `diff` has `total`, `directories[]`, `unowned` (each `name`, `before_files`, `before_bytes`,
//! `after_files`, `after_bytes`, `added`, `removed`, `changed`), `packages[]` (the same, and `fate`:
//! `added`, `removed`, `changed`, `partial`; `before` and `after`, its versions or `null`), and
//! `same_packages` (how many).
//!
//! `pair` has `before` and `after` (each as `image`), `shared_layers` and `shared_bytes` (layers of the
//! second, as stored, that the first has too), `new[]` and `gone[]` (findings that only the second,
//! only the first has), `staying` (how many both have). The report's `findings[]` are `new[]` then.
//!
//! `inventory` has `distribution` (`id`, `version_id`, `codename`, `name`, or `null`), `packages[]` and
//! `removed[]` (each `kind` in package-URL words, `name`, `version`, `architecture`, `source`,
//! `source_version`, `vendor`, `licences[]`, `purl`, `state`, `known_by`, `part_of`, `path`, `inside`,
//! `files`, a number), `databases[]`.
//!
//! A scan has `name`, `distribution`, `day` (it was judged by), `ended` (that nobody fixes the distribution
//! release any more: `on`, the last day; `by`, what says so; `accepted`, as below, or `null`; `null` where
//! that is not so or not known), `complete` (everything was judged), `packages` and `judged` (how
//! many), `unjudged[]` (`why`, `packages[]`), `accepted[]` (packages that are not judged and were accepted so:
//! `package`, `why`, `by`, `reason`, `until`), `data[]` that were asked (`scope`, `feeds[]`, `date`: the last
//! day on which they are known to have been the newest there were, `age_days` since then, `content`: of which
//! moment they are by their own account, `advisories`, `lists_unfixed`), `exploited_unknown` (why nobody
//! knows which are known to be exploited, or `null`: the number below is `null` then, or what was found all the same), `counts` and by `parts` (`base`, `application`, `unknown`)
//! the same (`by_package`, `by_source`, `distinct`; of `by_source`: `fixable`, `unfixed`, `unimportant`,
//! `exploited`, `severities`), `vulnerabilities[]` (`id`, `aliases[]`, `package`, `state`: `fixable`,
//! `unfixed`, `unimportant`; `status` in the vendor's words, `fixed[]`, `severity` and `severity_by`,
//! `cvss`, `exploited`, `epss`, `feed`, `title`, `url`), `quiet[]` (what counts for nothing: `by`,
//! `status`, `reason`, `justification`, `until`, `vulnerability`), `stale_ignores[]`,
//! `phantoms[]` (packages that are listed and of which no file is there, counted all the same), `unversioned[]` (packages
//! whose version is not known, and about no version of which there is an advisory), and `matching_ms`, the milliseconds that looking all of it up took, reading not counted.
//!
//! An evidence has `kind` and, by kind: `path` — `path`, `layer`, `size`; `package` — `name`,
//! `version`; `advisory` — `id`, `source`, `url`; `config` — `key`, `value`; `line` — `path`, `line`; `source` — `file`, `line`, `column`,
//! `end_line`, `end_column` (from 1, in characters; the end is behind the last), `excerpt` (the first
//! line); `layer` — `layer`; `image` — nothing more.
//!
//! A finding's `key` stays the same from build to build. `verdict` has `environment`, `line` (the
//! severity from which findings are over it, or `null`), `over` (how many are), and `demands[]`
//! (`wanted`, `found`, `met`, `judged`: nobody can know where it is `false`, and `met` is then, too).
//!
//! Sizes are bytes, layers are counted from 0. Paths are text: control characters, characters that
//! turn the direction of text, and bytes that are not UTF-8 are written `\xNN`; so are they in
//! every other text that an image brings.

mod diff;
mod direct;
mod inventory;
mod origin;
mod pair;
mod place;
mod scan;
mod verdict;

use std::io::{self, Write};

use plimsoll_model::report::{
    Comparison, Footprint, ImageFacts, LayerRow, LevelRisk, PackageFate, PackageRow, PackageShare,
    Round, SlimFacts,
};
use plimsoll_model::{Evidence, Finding, ImagePath, Problem, Report, text};
use serde::Serialize;

use crate::{Format, Needs};

/// The row.
pub static FORMAT: Format = Format {
    id: "json",
    extension: "json",
    help: "one JSON object, for programs",
    needs: Needs::Anything,
    write,
    file: file!(),
};

/// The name of the shape.
pub const SCHEMA: &str = "plimsoll.report/1";

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document::from(report))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    verb: &'static str,
    complete: bool,
    image: Option<JsonImage>,
    findings: Vec<JsonFinding>,
    waived: Vec<verdict::JsonWaived>,
    verdict: Option<verdict::JsonVerdict>,
    problems: Vec<JsonProblem>,
    slim: Option<JsonSlim>,
    comparison: Option<JsonComparison>,
    diff: Option<diff::JsonDiff>,
    pair: Option<pair::JsonPair>,
    inventory: Option<inventory::JsonInventory>,
    scans: Vec<scan::JsonScan>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct JsonImage {
    name: String,
    digest: String,
    platform: Option<String>,
    created: Option<String>,
    user: Option<String>,
    command: Vec<String>,
    ports: Vec<String>,
    is_document: bool,
    footprint: JsonFootprint,
    lineage: Vec<origin::JsonAncestor>,
    publisher: Option<origin::JsonPublisher>,
    layers: Vec<JsonLayer>,
    packages: Vec<JsonPackage>,
    unowned_bytes: Option<u64>,
    strangers: Vec<JsonStrangers>,
    phantoms: Vec<JsonPhantom>,
    dead_bytes: Option<u64>,
    waste: Option<place::JsonWaste>,
    directories: Vec<place::JsonDirectory>,
    owners: Vec<place::JsonOwner>,
}

#[derive(Default, Serialize)]
struct JsonFootprint {
    bytes: Option<u64>,
    compressed: Option<u64>,
    files: Option<u64>,
    packages: u64,
    shells: Option<Vec<String>>,
    package_managers: Option<Vec<String>>,
    network_tools: Option<Vec<String>>,
    setuid: Option<Vec<String>>,
}

#[derive(Serialize)]
struct JsonLayer {
    digest: String,
    compressed: u64,
    bytes: u64,
    files: u64,
    dead: u64,
    created_by: String,
}

#[derive(Serialize)]
struct JsonPackage {
    name: String,
    version: String,
    bytes: Option<u64>,
    files: Option<u64>,
}

#[derive(Serialize)]
struct JsonStrangers {
    directory: String,
    bytes: u64,
    files: u64,
}

#[derive(Serialize)]
struct JsonPhantom {
    name: String,
    version: String,
}

#[derive(Serialize)]
struct JsonFinding {
    check: &'static str,
    aliases: &'static [&'static str],
    severity: &'static str,
    message: String,
    evidence: Vec<JsonEvidence>,
    remedy: Option<String>,
    key: String,
}

#[derive(Serialize)]
struct JsonProblem {
    message: String,
    evidence: JsonEvidence,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum JsonEvidence {
    Path {
        path: String,
        layer: u32,
        size: u64,
    },
    Package {
        name: String,
        version: String,
    },
    Advisory {
        id: String,
        source: String,
        url: Option<String>,
    },
    Config {
        key: &'static str,
        value: String,
    },
    Line {
        path: String,
        line: usize,
    },
    Source {
        file: String,
        line: usize,
        column: usize,
        end_line: usize,
        end_column: usize,
        excerpt: String,
    },
    Layer {
        layer: u32,
    },
    Image,
}

#[derive(Serialize)]
struct JsonSlim {
    output: String,
    digest: String,
    level: &'static str,
    sandbox: String,
    verified: bool,
    verified_by: Vec<String>,
    differences: Vec<String>,
    repaired: Vec<JsonKept>,
    forced: Vec<JsonKept>,
    packages: JsonFate,
    #[serde(skip_serializing_if = "Option::is_none")]
    direct: Option<direct::JsonDirect>,
    rounds: Vec<JsonRound>,
    watch: String,
    kept: usize,
    layers: Vec<JsonLayer>,
    risks: Vec<JsonRisk>,
    unresolved: Vec<JsonProblem>,
    seconds: Vec<JsonPhase>,
    own_seconds: f64,
}

#[derive(Serialize)]
struct JsonKept {
    path: String,
    why: String,
}

#[derive(Serialize)]
struct JsonFate {
    whole: Vec<String>,
    partial: Vec<String>,
    gone: Vec<String>,
    table: Vec<JsonShare>,
}

#[derive(Serialize)]
struct JsonShare {
    name: String,
    version: String,
    fate: &'static str,
    files: u64,
    bytes: u64,
    kept_files: u64,
    kept_bytes: u64,
}

#[derive(Serialize)]
struct JsonRound {
    name: String,
    files: u64,
    alone: u64,
    alone_bytes: u64,
    examples: Vec<String>,
}

#[derive(Serialize)]
struct JsonRisk {
    level: &'static str,
    files: u64,
    bytes: u64,
    ashore: Vec<JsonAshore>,
}

#[derive(Serialize)]
struct JsonAshore {
    what: &'static str,
    files: u64,
    bytes: u64,
    packages: u64,
    examples: Vec<String>,
}

#[derive(Serialize)]
struct JsonPhase {
    phase: &'static str,
    seconds: f64,
}

#[derive(Serialize)]
struct JsonComparison {
    before: JsonSide,
    after: JsonSide,
}

#[derive(Serialize)]
struct JsonSide {
    name: String,
    footprint: JsonFootprint,
    ready_seconds: Option<f64>,
}

impl From<&Report> for Document {
    fn from(report: &Report) -> Self {
        Self {
            schema: SCHEMA,
            verb: report.verb,
            complete: report.problems.is_empty(),
            image: report.subject.as_ref().map(JsonImage::from),
            findings: report.findings.iter().map(JsonFinding::from).collect(),
            waived: report
                .waived
                .iter()
                .map(verdict::JsonWaived::from)
                .collect(),
            verdict: report
                .verdict
                .as_ref()
                .map(|verdict| verdict::JsonVerdict::new(verdict, report.over())),
            problems: report.problems.iter().map(JsonProblem::from).collect(),
            slim: report.slim.as_ref().map(JsonSlim::from),
            comparison: report.comparison.as_ref().map(JsonComparison::from),
            diff: report.diff.as_ref().map(diff::JsonDiff::from),
            pair: report.pair.as_deref().map(pair::JsonPair::from),
            inventory: report
                .inventory
                .as_ref()
                .map(inventory::JsonInventory::from),
            scans: report.scans.iter().map(scan::JsonScan::from).collect(),
            notes: clean_all(&report.notes),
        }
    }
}

impl From<&ImageFacts> for JsonImage {
    fn from(facts: &ImageFacts) -> Self {
        // Nobody knows how large the files are of which a document says nothing.
        let has_files = !facts.is_document;
        let packages = facts.packages.iter();
        Self {
            is_document: facts.is_document,
            name: clean(&facts.name),
            digest: clean(&facts.digest),
            platform: has_files.then(|| clean(&facts.platform)),
            created: facts.created.as_deref().map(clean),
            user: has_files.then(|| clean(&facts.user)),
            command: clean_all(&facts.command),
            ports: clean_all(&facts.ports),
            footprint: match has_files {
                true => JsonFootprint::from(&facts.footprint),
                false => JsonFootprint {
                    packages: facts.footprint.packages,
                    ..JsonFootprint::default()
                },
            },
            lineage: facts
                .lineage
                .ancestors
                .iter()
                .map(|ancestor| origin::JsonAncestor::of(ancestor, &facts.upkeep))
                .collect(),
            publisher: facts.publisher.as_ref().map(Into::into),
            layers: facts.layers.iter().map(JsonLayer::from).collect(),
            packages: packages.map(|it| JsonPackage::of(it, has_files)).collect(),
            unowned_bytes: has_files.then_some(facts.unowned_bytes),
            strangers: facts
                .strangers
                .iter()
                .map(|row| JsonStrangers {
                    directory: row.directory.to_string(),
                    bytes: row.bytes,
                    files: row.files,
                })
                .collect(),
            phantoms: facts
                .phantoms
                .iter()
                .map(|(name, version)| JsonPhantom {
                    name: clean(name),
                    version: clean(version),
                })
                .collect(),
            dead_bytes: has_files.then_some(facts.dead_bytes),
            waste: has_files.then(|| (&facts.waste).into()),
            directories: facts
                .directories
                .iter()
                .take(place::ROWS)
                .map(Into::into)
                .collect(),
            owners: facts.owners.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Footprint> for JsonFootprint {
    fn from(footprint: &Footprint) -> Self {
        Self {
            bytes: Some(footprint.bytes),
            compressed: Some(footprint.compressed),
            files: Some(footprint.files),
            packages: footprint.packages,
            shells: Some(paths(&footprint.shells)),
            package_managers: Some(paths(&footprint.package_managers)),
            network_tools: Some(paths(&footprint.network_tools)),
            setuid: Some(paths(&footprint.setuid)),
        }
    }
}

impl From<&LayerRow> for JsonLayer {
    fn from(layer: &LayerRow) -> Self {
        Self {
            digest: clean(&layer.digest),
            compressed: layer.compressed,
            bytes: layer.bytes,
            files: layer.files,
            dead: layer.dead,
            created_by: clean(&layer.created_by),
        }
    }
}

impl JsonPackage {
    fn of(package: &PackageRow, has_files: bool) -> Self {
        Self {
            name: clean(&package.name),
            version: clean(&package.version),
            bytes: has_files.then_some(package.bytes),
            files: has_files.then_some(package.files),
        }
    }
}

impl From<&Finding> for JsonFinding {
    fn from(finding: &Finding) -> Self {
        Self {
            check: finding.check,
            aliases: finding.aliases,
            severity: finding.severity.name(),
            message: clean(&finding.message),
            evidence: finding.evidence.iter().map(JsonEvidence::from).collect(),
            remedy: finding.remedy.as_deref().map(clean),
            key: clean(&finding.key()),
        }
    }
}

impl From<&Problem> for JsonProblem {
    fn from(problem: &Problem) -> Self {
        Self {
            message: clean(&problem.message),
            evidence: JsonEvidence::from(&problem.evidence),
        }
    }
}

impl From<&Evidence> for JsonEvidence {
    fn from(evidence: &Evidence) -> Self {
        match evidence {
            Evidence::Path { path, layer, size } => Self::Path {
                path: path.to_string(),
                layer: *layer,
                size: *size,
            },
            Evidence::Package { name, version } => Self::Package {
                name: clean(name),
                version: clean(version),
            },
            Evidence::Advisory { id, source, url } => Self::Advisory {
                id: clean(id),
                source: clean(source),
                url: url.as_deref().map(clean),
            },
            Evidence::Config { key, value } => Self::Config {
                key,
                value: clean(value),
            },
            Evidence::Line { path, line } => Self::Line {
                path: path.to_string(),
                line: *line,
            },
            Evidence::Source(source) => Self::Source {
                file: clean(&source.file),
                line: source.line,
                column: source.column,
                end_line: source.end_line,
                end_column: source.end_column,
                excerpt: clean(&source.excerpt),
            },
            Evidence::Layer(layer) => Self::Layer { layer: *layer },
            Evidence::Image => Self::Image,
        }
    }
}

impl From<&SlimFacts> for JsonSlim {
    fn from(slim: &SlimFacts) -> Self {
        let kept = |rows: &[(ImagePath, String)]| {
            let rows = rows.iter().map(|(path, why)| JsonKept {
                path: path.to_string(),
                why: clean(why),
            });
            rows.collect()
        };
        Self {
            output: clean(&slim.output),
            digest: clean(&slim.digest),
            level: slim.level,
            sandbox: clean(&slim.sandbox),
            verified: !slim.verified_by.is_empty() && slim.differences.is_empty(),
            verified_by: clean_all(&slim.verified_by),
            differences: clean_all(&slim.differences),
            repaired: kept(&slim.repaired),
            forced: kept(&slim.forced),
            packages: JsonFate::from(&slim.packages),
            direct: slim.direct.as_ref().map(direct::JsonDirect::from),
            rounds: slim.rounds.iter().map(JsonRound::from).collect(),
            watch: clean(&slim.watch),
            kept: slim.plan.keep.len(),
            layers: slim.layers.iter().map(JsonLayer::from).collect(),
            risks: slim.risks.iter().map(JsonRisk::from).collect(),
            unresolved: slim.plan.unresolved.iter().map(JsonProblem::from).collect(),
            seconds: slim
                .seconds
                .iter()
                .map(|&(phase, seconds)| JsonPhase { phase, seconds })
                .collect(),
            own_seconds: slim.own_seconds,
        }
    }
}

impl From<&LevelRisk> for JsonRisk {
    fn from(risk: &LevelRisk) -> Self {
        let ashore = risk.ashore.iter().map(|row| JsonAshore {
            what: row.what,
            files: row.files,
            bytes: row.bytes,
            packages: row.packages,
            examples: paths(&row.examples),
        });
        Self {
            level: risk.level,
            files: risk.files,
            bytes: risk.bytes,
            ashore: ashore.collect(),
        }
    }
}

impl From<&PackageFate> for JsonFate {
    fn from(fate: &PackageFate) -> Self {
        Self {
            whole: clean_all(&fate.whole),
            partial: clean_all(&fate.partial),
            gone: clean_all(&fate.gone),
            table: fate.table.iter().map(JsonShare::from).collect(),
        }
    }
}

impl From<&PackageShare> for JsonShare {
    fn from(share: &PackageShare) -> Self {
        Self {
            name: clean(&share.name),
            version: clean(&share.version),
            fate: share.fate,
            files: share.files,
            bytes: share.bytes,
            kept_files: share.kept_files,
            kept_bytes: share.kept_bytes,
        }
    }
}

impl From<&Round> for JsonRound {
    fn from(round: &Round) -> Self {
        Self {
            name: clean(&round.name),
            files: round.files,
            alone: round.alone,
            alone_bytes: round.alone_bytes,
            examples: paths(&round.examples),
        }
    }
}

impl From<&Comparison> for JsonComparison {
    fn from(comparison: &Comparison) -> Self {
        let side = |name: &str, footprint, ready_seconds| JsonSide {
            name: clean(name),
            footprint: JsonFootprint::from(footprint),
            ready_seconds,
        };
        Self {
            before: side(
                &comparison.before_name,
                &comparison.before,
                comparison.before_ready,
            ),
            after: side(
                &comparison.after_name,
                &comparison.after,
                comparison.after_ready,
            ),
        }
    }
}

fn paths(paths: &[ImagePath]) -> Vec<String> {
    paths.iter().map(ImagePath::to_string).collect()
}

fn clean(text: &str) -> String {
    text::printable(text.as_bytes())
}

fn clean_all(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| clean(text)).collect()
}
