//! Known vulnerabilities as JSON.

use std::collections::BTreeMap;

use plimsoll_model::vulnerability::{
    Accepted, ArchiveFacts, AskedData, Counts, Part, Quiet, Unjudged,
};
use plimsoll_model::{ScanFacts, Severity, Vulnerability, text};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct JsonScan {
    name: String,
    distribution: String,
    day: Option<String>,
    ended: Option<JsonEnded>,
    complete: bool,
    packages: u64,
    judged: u64,
    unjudged: Vec<JsonUnjudged>,
    accepted: Vec<JsonAccepted>,
    phantoms: Vec<String>,
    unversioned: Vec<String>,
    data: Vec<JsonData>,
    exploited_unknown: Option<String>,
    counts: JsonCounts,
    parts: BTreeMap<&'static str, JsonCounts>,
    vulnerabilities: Vec<JsonVulnerability>,
    quiet: Vec<JsonQuiet>,
    stale_ignores: Vec<String>,
    archive: Option<JsonArchive>,
    matching_ms: f64,
}

#[derive(Serialize)]
struct JsonEnded {
    on: String,
    by: String,
    accepted: Option<JsonAccepted>,
}

#[derive(Serialize)]
struct JsonArchive {
    mirrors: Vec<String>,
    current: u64,
    foreign: Vec<String>,
    upgrades: Vec<JsonUpgrade>,
}

#[derive(Serialize)]
struct JsonUpgrade {
    source: String,
    installed: String,
    offered: String,
    packages: Vec<String>,
    fixes: Option<BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct JsonUnjudged {
    why: String,
    packages: Vec<String>,
}

#[derive(Serialize)]
struct JsonAccepted {
    package: String,
    why: String,
    by: String,
    reason: String,
    until: String,
}

#[derive(Serialize)]
struct JsonData {
    scope: String,
    feeds: Vec<String>,
    date: Option<String>,
    content: Option<String>,
    age_days: Option<i64>,
    advisories: u64,
    lists_unfixed: bool,
}

#[derive(Serialize)]
struct JsonCounts {
    by_package: u64,
    by_source: u64,
    distinct: u64,
    fixable: u64,
    unfixed: u64,
    unimportant: u64,
    exploited: Option<u64>,
    severities: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct JsonVulnerability {
    id: String,
    aliases: Vec<String>,
    package: JsonAffected,
    state: &'static str,
    status: &'static str,
    fixed: Vec<String>,
    severity: Option<&'static str>,
    severity_by: &'static str,
    cvss: Option<JsonCvss>,
    exploited: Option<JsonExploited>,
    epss: Option<f64>,
    feed: String,
    title: String,
    url: Option<String>,
}

#[derive(Serialize)]
struct JsonAffected {
    ecosystem: &'static str,
    name: String,
    version: String,
    source: String,
    source_version: String,
    purl: String,
    part: &'static str,
    layer: Option<u32>,
    path: Option<String>,
    maker: Option<String>,
}

#[derive(Serialize)]
struct JsonCvss {
    vector: String,
    score: f64,
}

#[derive(Serialize)]
struct JsonExploited {
    since: String,
    ransomware: bool,
}

#[derive(Serialize)]
struct JsonQuiet {
    by: String,
    status: String,
    reason: String,
    justification: String,
    until: Option<String>,
    vulnerability: JsonVulnerability,
}

impl From<&ScanFacts> for JsonScan {
    fn from(facts: &ScanFacts) -> Self {
        let mut parts = BTreeMap::new();
        for part in [Part::Base, Part::Application, Part::Unknown] {
            let members = facts.vulnerabilities.iter();
            let counts = Counts::of(members.filter(|it| it.package.part == part));
            if counts.rows > 0 {
                parts.insert(part.name(), JsonCounts::of(facts, &counts));
            }
        }
        Self {
            name: clean(&facts.name),
            distribution: clean(&facts.distribution),
            day: (!facts.day.is_empty()).then(|| facts.day.clone()),
            ended: facts.ended.as_ref().map(|ended| JsonEnded {
                on: clean(&ended.on),
                by: clean(&ended.by),
                accepted: ended.accepted.as_ref().map(JsonAccepted::from),
            }),
            complete: facts.is_complete(),
            packages: facts.packages,
            judged: facts.judged,
            unjudged: facts.unjudged.iter().map(JsonUnjudged::from).collect(),
            accepted: facts.accepted.iter().map(JsonAccepted::from).collect(),
            phantoms: facts.phantoms.iter().map(|it| clean(it)).collect(),
            unversioned: facts.unversioned.iter().map(|it| clean(it)).collect(),
            data: facts.data.iter().map(JsonData::from).collect(),
            exploited_unknown: facts.exploited_unknown.as_deref().map(clean),
            counts: JsonCounts::of(facts, &facts.counts()),
            parts,
            vulnerabilities: facts
                .vulnerabilities
                .iter()
                .map(JsonVulnerability::from)
                .collect(),
            quiet: facts.quiet.iter().map(JsonQuiet::from).collect(),
            stale_ignores: facts.stale_ignores.iter().map(|it| clean(it)).collect(),
            archive: facts.archive.as_ref().map(JsonArchive::from),
            matching_ms: facts.matching.as_micros() as f64 / 1e3,
        }
    }
}

impl From<&ArchiveFacts> for JsonArchive {
    fn from(facts: &ArchiveFacts) -> Self {
        let upgrades = facts.upgrades.iter().map(|it| JsonUpgrade {
            source: clean(&it.source),
            installed: clean(&it.installed),
            offered: clean(&it.offered),
            packages: it.packages.iter().map(|name| clean(name)).collect(),
            fixes: it.fixes.as_ref().map(|fixes| {
                let fixes = fixes.iter();
                fixes
                    .map(|(id, version)| (clean(id), clean(version)))
                    .collect()
            }),
        });
        Self {
            mirrors: facts.mirrors.iter().map(|it| clean(it)).collect(),
            current: facts.current,
            foreign: facts.foreign.iter().map(|it| clean(it)).collect(),
            upgrades: upgrades.collect(),
        }
    }
}

impl From<&Unjudged> for JsonUnjudged {
    fn from(it: &Unjudged) -> Self {
        Self {
            why: clean(&it.why),
            packages: it.packages.iter().map(|name| clean(name)).collect(),
        }
    }
}

impl From<&Accepted> for JsonAccepted {
    fn from(it: &Accepted) -> Self {
        Self {
            package: clean(&it.package),
            why: clean(&it.why),
            by: clean(&it.by),
            reason: clean(&it.reason),
            until: clean(&it.until),
        }
    }
}

impl From<&AskedData> for JsonData {
    fn from(data: &AskedData) -> Self {
        Self {
            scope: data.scope.clone(),
            feeds: data.feeds.iter().map(|feed| clean(feed)).collect(),
            date: (!data.date.is_empty()).then(|| clean(&data.date)),
            content: (!data.content.is_empty()).then(|| clean(&data.content)),
            age_days: data.age,
            advisories: data.rows,
            lists_unfixed: data.lists_unfixed,
        }
    }
}

impl JsonCounts {
    fn of(facts: &ScanFacts, counts: &Counts) -> Self {
        let severities = counts.severities.iter();
        Self {
            by_package: counts.rows,
            by_source: counts.by_source,
            distinct: counts.distinct,
            fixable: counts.fixable,
            unfixed: counts.unfixed,
            unimportant: counts.unimportant,
            exploited: facts.exploited(counts),
            severities: severities
                .map(|(severity, &count)| (severity.map_or("unknown", Severity::name), count))
                .collect(),
        }
    }
}

impl From<&Vulnerability> for JsonVulnerability {
    fn from(it: &Vulnerability) -> Self {
        let package = &it.package;
        Self {
            id: clean(&it.id),
            aliases: it.aliases.iter().map(|alias| clean(alias)).collect(),
            package: JsonAffected {
                ecosystem: package.ecosystem,
                name: clean(&package.name),
                version: clean(&package.version),
                source: clean(&package.source),
                source_version: clean(&package.source_version),
                purl: clean(&package.purl),
                part: package.part.name(),
                layer: package.layer,
                path: package.place.as_ref().map(ToString::to_string),
                maker: package.maker.as_deref().map(clean),
            },
            state: it.state.name(),
            status: it.status,
            fixed: it.fixed.iter().map(|version| clean(version)).collect(),
            severity: it.severity.map(Severity::name),
            severity_by: it.severity_by.name(),
            cvss: it.cvss.as_ref().map(|cvss| JsonCvss {
                vector: clean(&cvss.vector),
                score: f64::from(cvss.score) / 10.0,
            }),
            exploited: it.exploited.as_ref().map(|it| JsonExploited {
                since: clean(&it.since),
                ransomware: it.ransomware,
            }),
            epss: it.epss.map(|millionths| f64::from(millionths) / 1e6),
            feed: clean(&it.feed),
            title: clean(&it.title),
            url: it.url.as_ref().map(|url| clean(url)),
        }
    }
}

impl From<&Quiet> for JsonQuiet {
    fn from(it: &Quiet) -> Self {
        Self {
            by: clean(&it.by),
            status: clean(&it.status),
            reason: clean(&it.reason),
            justification: clean(&it.justification),
            until: it.until.clone(),
            vulnerability: JsonVulnerability::from(&it.vulnerability),
        }
    }
}

fn clean(words: &str) -> String {
    text::printable(words.as_bytes())
}
