//! The Open Source Vulnerability format.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use plimsoll_model::Severity;
use plimsoll_model::package::ecosystem;
use plimsoll_packages::version;
use serde::Deserialize;

use super::compile::Left;
use super::json::{self, Text};
use super::{Compiler, Document, feed, id, osv_ecosystem};
use crate::Scope;
use crate::advisory::{Advisory, PackageKind, Range, Status, Until, severity};

feed! {
    /// The OSV format, in which Ubuntu, AlmaLinux, Rocky, SUSE, Chainguard and the ecosystems of
    /// languages (PyPI, npm, RubyGems, Maven, Go, crates.io, Packagist, NuGet ...) publish: a file a
    /// vulnerability, single, in directories, in lists, or in the `all.zip` of an ecosystem.
    ///
    /// Withdrawn records are left out, and ranges of commits, which no package has. Where a record
    /// gives ranges and also counts versions out, a version in either has the flaw. An announcement
    /// (`ALSA-2024:1234`, `SUSE-SU-...`) becomes one advisory for each CVE number it names, so that
    /// counts can be compared. SUSE's name the packages that were built too: those are matched.
    ///
    /// For Debian and Alpine their own data say more; read from OSV they lack the words `no-dsa` and
    /// `unimportant` in part.
    id: "osv",
    lists_unfixed: true,
    recognise: |document| is_osv(document) && !document.holds("\"Bitnami\""),
    read: read,
}

/// Whether this is a record of OSV, or a list of them.
pub(super) fn is_osv(document: &Document<'_>) -> bool {
    matches!(document.first(), Some(b'{' | b'['))
        && document.holds("\"id\"")
        && (document.holds("\"affected\"") && document.holds("\"package\"")
            || document.holds("\"withdrawn\"") && document.holds("\"modified\""))
}

/// Reads a record, a list of them, or an answer of the OSV interface (`vulns`).
pub(super) fn read(document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    let feed = if document.holds("\"Bitnami\"") {
        super::bitnami::FEED.id
    } else {
        FEED.id
    };
    if document.first() == Some(b'[') {
        let records: Vec<Record<'_>> = json::read(document.bytes)?;
        records.iter().for_each(|record| add(record, feed, into));
        return Ok(());
    }
    if document.holds("\"vulns\"") && !document.holds("\"schema_version\": \"") {
        let answer: Answer<'_> = json::read(document.bytes)?;
        if !answer.vulns.is_empty() {
            answer
                .vulns
                .iter()
                .for_each(|record| add(record, feed, into));
            return Ok(());
        }
    }
    add(&json::read(document.bytes)?, feed, into);
    Ok(())
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default, deserialize_with = "json::list")]
    vulns: Vec<Record<'a>>,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, default)]
    modified: Text<'a>,
    #[serde(borrow, default)]
    published: Text<'a>,
    #[serde(borrow, default)]
    withdrawn: Text<'a>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    aliases: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    related: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    upstream: Vec<Text<'a>>,
    #[serde(borrow, default)]
    summary: Text<'a>,
    #[serde(borrow, default)]
    details: Text<'a>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    severity: Vec<Score<'a>>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    affected: Vec<Affected<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    database_specific: Specific<'a>,
}

#[derive(Deserialize)]
struct Score<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    score: Text<'a>,
}

#[derive(Deserialize)]
struct Affected<'a> {
    #[serde(borrow)]
    package: Option<Package<'a>>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    ranges: Vec<Events<'a>>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    versions: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    severity: Vec<Score<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    ecosystem_specific: Specific<'a>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    database_specific: Specific<'a>,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow)]
    ecosystem: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct Events<'a> {
    #[serde(borrow, default)]
    r#type: Text<'a>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default)]
    introduced: Text<'a>,
    #[serde(borrow, default)]
    fixed: Text<'a>,
    #[serde(borrow, default)]
    last_affected: Text<'a>,
}

/// What each database adds in its own way, as far as it is understood: a value of another type is
/// nothing.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Specific<'a> {
    #[serde(borrow)]
    severity: Loose<'a>,
    #[serde(borrow)]
    urgency: Loose<'a>,
    #[serde(borrow)]
    priority: Loose<'a>,
    #[serde(borrow)]
    ubuntu_priority: Loose<'a>,
    #[serde(borrow)]
    binaries: Loose<'a>,
}

/// A text, a list of packages built, or something else.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Loose<'a> {
    Text(#[serde(borrow)] std::borrow::Cow<'a, str>),
    Packages(Vec<BTreeMap<String, String>>),
    Other(serde::de::IgnoredAny),
    #[default]
    Nothing,
}

impl Loose<'_> {
    fn severity(&self) -> Option<Severity> {
        match self {
            Self::Text(word) => severity(word),
            _ => None,
        }
    }
}

fn add(record: &Record<'_>, feed: &'static str, into: &mut Compiler) {
    if !record.withdrawn.is_empty() {
        into.skip(Left::Withdrawn);
        return;
    }
    let names = Names::of(record);
    let mut title = json::title(&record.summary);
    if title.is_empty() {
        title = json::title(&record.details);
    }
    for affected in &record.affected {
        let known = affected
            .package
            .as_ref()
            .and_then(|package| Some((package, osv_ecosystem::scope(&package.ecosystem)?)));
        let Some((package, (scope, kind))) = known else {
            into.skip(Left::Elsewhere);
            continue;
        };
        let order = order(&scope);
        let ranges = ranges(&affected.ranges, order);
        // A version has the flaw that is counted out or in a range: most are both.
        let counted = affected.versions.iter().map(|version| &**version);
        let versions: Vec<&str> = match (ranges.is_empty(), order) {
            (true, _) => counted.collect(),
            (false, Some(compare)) => counted
                .filter(|version| !ranges.iter().any(|range| range.holds(version, compare)))
                .collect(),
            (false, None) => Vec::new(),
        };
        if ranges.is_empty() && versions.is_empty() {
            into.skip(Left::Versionless(format!(
                "{} in {}",
                &*record.id, &*package.name
            )));
            continue;
        }
        let (severity, unimportant) = judged(record, affected);
        let status = if unimportant {
            Status::Unimportant
        } else if ranges
            .iter()
            .any(|range| matches!(range.until, Until::Fixed(_)))
        {
            Status::Fixed
        } else {
            Status::Affected
        };
        let scores = affected.severity.iter().chain(&record.severity);
        let mut cvss: Vec<&str> = scores
            .filter(|score| score.r#type.starts_with("CVSS"))
            .map(|score| &*score.score)
            .collect();
        cvss.dedup();
        let name = scope.package_key(&package.name);
        let advisory = Advisory {
            package: &name,
            kind,
            status,
            ranges,
            versions,
            severity,
            cvss,
            published: json::day(&record.published),
            modified: json::day(&record.modified),
            feed,
            title,
            ..Advisory::default()
        };
        for (id, aliases) in &names.0 {
            let advisory = Advisory {
                id,
                aliases: aliases.clone(),
                ..advisory.clone()
            };
            match &affected.ecosystem_specific.binaries {
                Loose::Packages(built)
                    if scope.name().contains("suse") || scope.name() == "sles" =>
                {
                    for (binary, version) in built.iter().flatten() {
                        into.add(
                            &scope,
                            &Advisory {
                                package: binary,
                                kind: PackageKind::Binary,
                                ranges: vec![Range::before(version)],
                                ..advisory.clone()
                            },
                        );
                    }
                }
                _ => into.add(&scope, &advisory),
            }
        }
    }
}

/// The identifiers a record gives rows to, each with its other names.
struct Names<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl<'a> Names<'a> {
    fn of(record: &'a Record<'_>) -> Self {
        let own: &str = &record.id;
        let texts = |list: &'a [Text<'_>]| list.iter().map(|text| &**text);
        if id::is_erratum(own) {
            let named = texts(&record.aliases)
                .chain(texts(&record.upstream))
                .chain(texts(&record.related));
            let mut cves: Vec<&str> = named.filter(|id| id::is_cve(id)).collect();
            cves.sort_unstable();
            cves.dedup();
            if !cves.is_empty() {
                return Self(cves.into_iter().map(|cve| (cve, vec![own])).collect());
            }
        }
        // `UBUNTU-CVE-2024-1` is CVE-2024-1 in Ubuntu; some say so under `upstream` only.
        let mut names: Vec<&str> = vec![own];
        names.extend(texts(&record.aliases));
        names.extend(texts(&record.upstream).filter(|name| own.ends_with(name)));
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(*name));
        let at = names.iter().position(|name| id::is_cve(name)).unwrap_or(0);
        let first = names.remove(at);
        Self(vec![(first, names)])
    }
}

/// How bad it is called, nearest to the package first; and whether it is called no problem at all.
fn judged(record: &Record<'_>, affected: &Affected<'_>) -> (Option<Severity>, bool) {
    let specifics = [
        &affected.ecosystem_specific,
        &affected.database_specific,
        &record.database_specific,
    ];
    let words = specifics.iter().flat_map(|specific| {
        [
            &specific.urgency,
            &specific.ubuntu_priority,
            &specific.priority,
            &specific.severity,
        ]
    });
    let unimportant = words
        .clone()
        .any(|word| matches!(word, Loose::Text(word) if *word == "unimportant"));
    // Ubuntu's priority is a severity without a vector.
    let scores = affected.severity.iter().chain(&record.severity);
    let mut words = words.filter_map(Loose::severity).chain(
        scores
            .filter(|score| !score.r#type.starts_with("CVSS"))
            .filter_map(|score| severity(&score.score)),
    );
    (words.next(), unimportant)
}

/// How versions of this scope follow each other, where that is known.
fn order(scope: &Scope) -> Option<fn(&str, &str) -> Ordering> {
    let kind = match scope.name() {
        "debian" | "ubuntu" | "ubuntu-pro" => "deb",
        "alpine" | "alpaquita" | "chainguard" | "minimos" | "wolfi" => "apk",
        "almalinux"
        | "azurelinux"
        | "mageia"
        | "openeuler"
        | "opensuse-leap"
        | "opensuse-tumbleweed"
        | "photon"
        | "rhel"
        | "rocky"
        | "sles" => "rpm",
        "bitnami" => ecosystem::GENERIC,
        language => language,
    };
    version::order_of(kind).map(|order| order.compare)
}

/// The version an event is about, first what begins a range of all there are.
fn place<'a>(event: &'a Event<'_>) -> Option<&'a str> {
    let all = [&event.introduced, &event.fixed, &event.last_affected];
    all.into_iter()
        .map(|text| &**text)
        .find(|text| !text.is_empty())
}

/// The ranges of versions; those of commits are left out. Events may come in any order (OSV schema, on how
/// they are evaluated).
fn ranges<'a>(
    given: &'a [Events<'_>],
    order: Option<fn(&str, &str) -> Ordering>,
) -> Vec<Range<'a>> {
    let mut ranges = Vec::new();
    for events in given.iter().filter(|events| &*events.r#type != "GIT") {
        let mut open: Option<Option<&str>> = None;
        let mut sorted: Vec<&Event<'_>> = events.events.iter().collect();
        if let Some(compare) = order {
            sorted.sort_by(|a, b| match (place(a), place(b)) {
                (Some("0"), Some("0")) => Ordering::Equal,
                (Some("0"), _) => Ordering::Less,
                (_, Some("0")) => Ordering::Greater,
                (Some(a), Some(b)) => compare(a, b),
                (a, b) => a.cmp(&b),
            });
        }
        for event in sorted {
            let until = match event {
                Event { fixed, .. } if !fixed.is_empty() => Until::Fixed(fixed),
                Event { last_affected, .. } if !last_affected.is_empty() => {
                    Until::Last(last_affected)
                }
                Event { introduced, .. } if !introduced.is_empty() => {
                    // A range that is open still has no end of its own.
                    if let Some(introduced) =
                        open.replace(Some(&**introduced).filter(|&version| version != "0"))
                    {
                        ranges.push(Range {
                            introduced,
                            until: Until::Open,
                        });
                    }
                    continue;
                }
                _ => continue,
            };
            if let Some(introduced) = open.take() {
                ranges.push(Range { introduced, until });
            }
        }
        if let Some(introduced) = open {
            ranges.push(Range {
                introduced,
                until: Until::Open,
            });
        }
    }
    ranges
}
