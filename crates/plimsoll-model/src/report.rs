//! Everything one run learned; the only thing a format may print.

use crate::census::OwnerSum;
use crate::vulnerability::{Counts, VulnerabilityState};
use crate::{
    DirectoryRow, Finding, ImagePath, Inventory, Lineage, Plan, Problem, Rule, ScanFacts, Severity,
    Strangers, Vulnerability, Waste,
};

/// Everything one run learned.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The verb that ran: `inspect`, `slim`, `build`.
    pub verb: &'static str,
    /// The image it is about.
    pub subject: Option<ImageFacts>,
    /// Findings, heaviest first.
    pub findings: Vec<Finding>,
    /// Findings that the policy tolerates, and why.
    pub waived: Vec<Waived>,
    /// The checks that looked, whether they found something or not, sorted by name.
    pub rules: Vec<Rule>,
    /// How the image stands against a policy, where one was asked.
    pub verdict: Option<Verdict>,
    /// What could not be read or judged.
    pub problems: Vec<Problem>,
    /// What was done, for slim.
    pub slim: Option<SlimFacts>,
    /// Before and after, where there are two images.
    pub comparison: Option<Comparison>,
    /// What differs between two images, for diff.
    pub diff: Option<ImageDiff>,
    /// Two images side by side, for inspect of two.
    pub pair: Option<Box<Pair>>,
    /// What is installed, for a bill of materials.
    pub inventory: Option<Inventory>,
    /// What is known about the packages of each image that was scanned, in the order given.
    pub scans: Vec<ScanFacts>,
    /// Sentences worth saying that are neither findings nor problems.
    pub notes: Vec<String>,
    /// The time that documents made of it carry (RFC 3339), where the user says one.
    pub time: Option<String>,
}

impl Report {
    /// Whether a finding is over the line that the policy, or `--fail-on`, draws.
    pub fn is_over(&self, finding: &Finding) -> bool {
        let line = self.verdict.as_ref().and_then(|verdict| verdict.line);
        line.is_some_and(|line| finding.severity >= line)
    }

    /// How many findings and vulnerabilities are over the line.
    pub fn over(&self) -> usize {
        let over = self.findings.iter().filter(|finding| self.is_over(finding));
        over.count() + self.vulnerabilities_over()
    }

    /// How many demands of the policy are not met, those that could not be judged left out.
    pub fn unmet(&self) -> usize {
        let demands = self.verdict.iter().flat_map(|verdict| &verdict.demands);
        demands
            .filter(|demand| !demand.met && !demand.unjudged)
            .count()
    }

    /// How many vulnerabilities of the first image that was scanned are over the line; what its vendor
    /// calls unimportant is not. One without a severity is over the lowest line, which all are over.
    /// They are among those of [`Self::over`].
    pub fn vulnerabilities_over(&self) -> usize {
        let Some(line) = self.verdict.as_ref().and_then(|verdict| verdict.line) else {
            return 0;
        };
        let rows = self.weighed();
        rows.filter(|it| it.severity.unwrap_or(Severity::Info) >= line)
            .count()
    }

    /// How many vulnerabilities of the first image that was scanned, by source package, may be over the
    /// line or not: nobody says how severe they are.
    pub fn unrated(&self) -> u64 {
        let line = self.verdict.as_ref().and_then(|verdict| verdict.line);
        if line.is_none_or(|line| line == Severity::Info) {
            return 0;
        }
        Counts::of(self.weighed().filter(|it| it.severity.is_none())).by_source
    }

    /// The vulnerabilities that are held against the line.
    fn weighed(&self) -> impl Iterator<Item = &Vulnerability> {
        let first = self.scans.iter().take(1);
        let rows = first.flat_map(|facts| &facts.vulnerabilities);
        rows.filter(|it| it.state != VulnerabilityState::Unimportant)
    }

    /// Whether the policy refuses the image.
    pub fn is_refused(&self) -> bool {
        self.over() + self.unmet() > 0
    }
}

/// How an image stands against a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What the image is for: `production`, `development`.
    pub environment: String,
    /// Findings of this severity and above are over the line; none are where it is not set.
    pub line: Option<Severity>,
    /// What the policy demands beyond the checks, and what was found.
    pub demands: Vec<Demand>,
}

/// One demand of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// The demand, in the words of the policy: `bytes at most 120 MB`.
    pub wanted: String,
    /// What was found: `98.1 MB`.
    pub found: String,
    /// Whether it is met.
    pub met: bool,
    /// Whether nobody can know: it is not met then, but the image is not refused for it. What is
    /// missing is among the report's problems.
    pub unjudged: bool,
}

/// The check under which a package is tolerated that could not be judged.
pub const NOT_JUDGED: &str = "not-judged";

/// A finding that the policy tolerates, or a package that nobody can judge and the ignore file accepts
/// ([`NOT_JUDGED`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// The finding.
    pub finding: Finding,
    /// Why it is tolerated, in the words of the policy.
    pub reason: String,
    /// The last day on which it is, as `2026-12-31`, where there is one.
    pub until: Option<String>,
}

/// Whether the tag of an official image is still rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upkeep {
    /// The ancestor it is about, by its name in the lineage.
    pub name: String,
    /// Whether it is; `None` where nobody can know.
    pub rebuilt: Option<bool>,
    /// How that is known, as a phrase.
    pub why: String,
    /// The day it ended, as `2026-12-31`, where that is known.
    pub since: Option<String>,
    /// What to use in its place, where that is known.
    pub instead: Option<String>,
    /// What says so and how old that is, as a phrase.
    pub by: String,
}

/// How a registry calls the publisher of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The image is one of the registry's official ones.
    Official,
    /// The registry has verified who it is.
    Verified,
    /// A project of open source that the registry sponsors.
    OpenSource,
    /// Another mark, in the registry's own word.
    Other(String),
    /// Neither of these.
    Unmarked,
}

impl Standing {
    /// The word for it in documents.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Official => "official",
            Self::Verified => "verified",
            Self::OpenSource => "open-source",
            Self::Other(word) => word,
            Self::Unmarked => "unmarked",
        }
    }
}

/// Who publishes an image, as its registry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// The registry.
    pub registry: String,
    /// The repository, with its namespace.
    pub repository: String,
    /// The namespace, which is the publisher's name there.
    pub name: String,
    /// How the registry calls it.
    pub standing: Standing,
    /// The day the tag was last pushed, as `2026-12-31`; of an image named by its digest alone, its
    /// repository. `None` where the registry does not say.
    pub pushed: Option<String>,
    /// How many days ago that was.
    pub pushed_days: Option<i64>,
}

/// What is known about one image.
#[derive(Debug, Clone, Default)]
pub struct ImageFacts {
    /// Whether a document stands for it: its name, digest and packages are known, and every other number
    /// here is no answer.
    pub is_document: bool,
    /// The name as the user wrote it.
    pub name: String,
    /// The manifest's digest.
    pub digest: String,
    /// `linux/amd64`.
    pub platform: String,
    /// RFC 3339 time the image was made, where it says so.
    pub created: Option<String>,
    /// `USER`, or `root` where it is not set.
    pub user: String,
    /// Program and arguments as started.
    pub command: Vec<String>,
    /// Exposed ports.
    pub ports: Vec<String>,
    /// The numbers.
    pub footprint: Footprint,
    /// What it was made from.
    pub lineage: Lineage,
    /// Which of the official images in it are still rebuilt.
    pub upkeep: Vec<Upkeep>,
    /// Who publishes it, where a registry was asked and knows.
    pub publisher: Option<Publisher>,
    /// The layers, lowest first.
    pub layers: Vec<LayerRow>,
    /// Packages by the bytes they occupy, largest first.
    pub packages: Vec<PackageRow>,
    /// Bytes of files that no package owns.
    pub unowned_bytes: u64,
    /// Where the files lie that no package of any kind owns, heaviest first.
    pub strangers: Vec<Strangers>,
    /// Packages that a database lists and none of whose files is there: name and version.
    pub phantoms: Vec<(String, String)>,
    /// Bytes that are in layers but in no container.
    pub dead_bytes: u64,
    /// How those came to be, and what is there twice.
    pub waste: Waste,
    /// The directories that hold its bytes, heaviest first; each file is counted in one.
    pub directories: Vec<DirectoryRow>,
    /// Whose its bytes are: each kind of owner once.
    pub owners: Vec<OwnerSum>,
}

/// One layer in a table.
#[derive(Debug, Clone, Default)]
pub struct LayerRow {
    /// Its digest as stored.
    pub digest: String,
    /// Bytes as stored.
    pub compressed: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Its files.
    pub files: u64,
    /// Bytes of it that later layers hide.
    pub dead: u64,
    /// The instruction that made it.
    pub created_by: String,
}

/// One package in a table.
#[derive(Debug, Clone, Default)]
pub struct PackageRow {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Bytes of its files that are in the image.
    pub bytes: u64,
    /// Its files that are in the image.
    pub files: u64,
}

/// The numbers of an image that a small image has small.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes of all files a container sees, a file with several names counted once.
    pub bytes: u64,
    /// Bytes of the layers as stored.
    pub compressed: u64,
    /// Regular files, a file with several names counted once.
    pub files: u64,
    /// Packages that databases list.
    pub packages: u64,
    /// Names under which a shell can be started.
    pub shells: Vec<ImagePath>,
    /// Package managers.
    pub package_managers: Vec<ImagePath>,
    /// Network clients.
    pub network_tools: Vec<ImagePath>,
    /// Set-uid and set-gid files.
    pub setuid: Vec<ImagePath>,
}

/// Two images side by side.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Name of the first.
    pub before_name: String,
    /// Name of the second.
    pub after_name: String,
    /// The numbers of the first.
    pub before: Footprint,
    /// The numbers of the second.
    pub after: Footprint,
    /// Seconds from start to the first good answer, of the first, where it was run.
    pub before_ready: Option<f64>,
    /// The same of the second.
    pub after_ready: Option<f64>,
}

/// Two images that were looked at, beside the numbers of [`Comparison`] and the files of
/// [`ImageDiff`].
#[derive(Debug, Clone, Default)]
pub struct Pair {
    /// The first image.
    pub before: ImageFacts,
    /// The second.
    pub after: ImageFacts,
    /// Layers of the second that the first has too, by their digests as stored.
    pub shared_layers: u64,
    /// Their bytes as stored: what a pull of the second saves where the first is.
    pub shared_bytes: u64,
    /// Findings that only the second has, by [`Finding::key`].
    pub new: Vec<Finding>,
    /// Findings that only the first has.
    pub gone: Vec<Finding>,
    /// How many both have.
    pub staying: u64,
}

/// What differs between the files of two images, of any two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageDiff {
    /// All files.
    pub total: DiffRow,
    /// By directory, what changed most first; directories without a difference left out.
    pub directories: Vec<DiffRow>,
    /// Packages with a difference, what changed most first.
    pub packages: Vec<PackageDiff>,
    /// Packages that are the same in both.
    pub same_packages: u64,
    /// Files that no package owns.
    pub unowned: DiffRow,
}

/// Files of one directory or package in two images. Regular files, links, devices and pipes count;
/// of several names of a file only the first has its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiffRow {
    /// The directory or package; empty for a total.
    pub name: String,
    /// Files in the first image.
    pub before_files: u64,
    /// Their bytes.
    pub before_bytes: u64,
    /// Files in the second image.
    pub after_files: u64,
    /// Their bytes.
    pub after_bytes: u64,
    /// Files only the second has.
    pub added: u64,
    /// Files only the first has.
    pub removed: u64,
    /// Files both have, with another kind, content, owner, mode, attribute or target. Times count
    /// for nothing.
    pub changed: u64,
}

impl DiffRow {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.added + self.removed + self.changed == 0
    }
}

/// One package in two images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageDiff {
    /// `added`, `removed`, `changed` (another version, or changed files), `partial` (some of its
    /// files are gone).
    pub fate: &'static str,
    /// Its version in the first image, where its database lists it.
    pub before: Option<String>,
    /// Its version in the second, where its database lists it.
    pub after: Option<String>,
    /// Its files.
    pub files: DiffRow,
}

/// What slim did.
#[derive(Debug, Clone, Default)]
pub struct SlimFacts {
    /// Where the slim image lies.
    pub output: String,
    /// Its digest.
    pub digest: String,
    /// `package`, `app`, `file`.
    pub level: &'static str,
    /// How the image was run: `as root`, `as a plain user ...`.
    pub sandbox: String,
    /// The probes it answered alike, as the user wrote them; empty means nothing was proved.
    pub verified_by: Vec<String>,
    /// What still differed, where it was kept all the same.
    pub differences: Vec<String>,
    /// Files added because the slim image missed them when it ran.
    pub repaired: Vec<(ImagePath, String)>,
    /// Shells and tools that had to stay, each with the chain of reasons up to a root.
    pub forced: Vec<(ImagePath, String)>,
    /// What is kept, and why.
    pub plan: Plan,
    /// Packages: whole, partial, gone.
    pub packages: PackageFate,
    /// How it starts its server itself, where that was asked for and its entry did not.
    pub direct: Option<DirectFacts>,
    /// What each part of the runs brought, in their order.
    pub rounds: Vec<Round>,
    /// How it is known that the watch saw everything: a phrase; empty where nothing was run.
    pub watch: String,
    /// The layers of the result, lowest first.
    pub layers: Vec<LayerRow>,
    /// What each level would keep, and leave ashore of what it touches.
    pub risks: Vec<LevelRisk>,
    /// Seconds by phase, in order.
    pub seconds: Vec<(&'static str, f64)>,
    /// Seconds that plimsoll itself took: all but those in which the image's own processes ran.
    pub own_seconds: f64,
}

/// How an image starts its server itself, and what was baked for that.
#[derive(Debug, Clone, Default)]
pub struct DirectFacts {
    /// The command line of the original.
    pub before: Vec<String>,
    /// The entrypoint of the result.
    pub entrypoint: Vec<String>,
    /// The command of the result.
    pub cmd: Vec<String>,
    /// The user of the result, where it is another.
    pub user: Option<String>,
    /// The working directory of the result, where it is another.
    pub working_dir: Option<String>,
    /// Variables that the original does not set so.
    pub env: Vec<String>,
    /// What was prepared, and by whom.
    pub baked: Vec<(ImagePath, String)>,
    /// Scripts and programs that ran before the server and are no longer there.
    pub ashore: Vec<ImagePath>,
    /// Those that are still there, for another reason.
    pub kept: Vec<ImagePath>,
    /// What is otherwise now, as sentences.
    pub notes: Vec<String>,
}

/// What became of the packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageFate {
    /// Every file of it is still there.
    pub whole: Vec<String>,
    /// Some files are.
    pub partial: Vec<String>,
    /// None is.
    pub gone: Vec<String>,
    /// Each with its numbers: what keeps most bytes first, and of what keeps none what had most.
    pub table: Vec<PackageShare>,
}

/// How much of one package is still there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageShare {
    /// Its name, with the architecture where two of a name are installed.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `whole`, `partial`, `gone`.
    pub fate: &'static str,
    /// Its regular files before.
    pub files: u64,
    /// Their bytes; of several names of one file one counts.
    pub bytes: u64,
    /// Those that are still there.
    pub kept_files: u64,
    /// Their bytes.
    pub kept_bytes: u64,
}

/// What one part of the runs brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// `start`, a probe, `stop`, `reload`, `restart`; with `, second run` behind it for what only the
    /// second of two equal runs asked for.
    pub name: String,
    /// Files that stay and were asked for in it.
    pub files: u64,
    /// Those of them that stay because it asked: no other part did, and no follower found them.
    pub alone: u64,
    /// Their bytes.
    pub alone_bytes: u64,
    /// The first of them.
    pub examples: Vec<ImagePath>,
}

/// What a level keeps of an image, and what it leaves ashore of the packages it touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LevelRisk {
    /// `package`, `app`, `file`.
    pub level: &'static str,
    /// Regular files that stay, a file with several names counted once.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What stays ashore and might be asked for later, by kind; kinds without a file left out.
    pub ashore: Vec<Ashore>,
}

/// Files of one kind that are left ashore although something of their package stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ashore {
    /// `modules`, `plug-ins`, `libraries`, `locale files`, `programs`, `other files`.
    pub what: &'static str,
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of how many packages; files that no package owns belong to none.
    pub packages: u64,
    /// Some of them.
    pub examples: Vec<ImagePath>,
}
