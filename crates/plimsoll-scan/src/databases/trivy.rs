//! Trivy's database.
//!
//! Buckets of distribution releases (`debian 12`) and of sources for ecosystems (`pip::GitHub
//! Security Advisory Pip`), in them one of each package, in them the advisories as JSON by identifier;
//! and `vulnerability`, with severities and texts by identifier. Red Hat's own is keyed by products
//! (CPE) and is not read.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use plimsoll_model::Severity;
use serde::Deserialize;

use super::bolt::{Bolt, Bucket, Value};
use super::constraint;
use crate::advisory::{Advisory, PackageKind, Range, Status};
use crate::feeds::{Compiler, Left, json, trivy_report};
use crate::{DISTRIBUTIONS, Scope};

/// How its rows are marked.
const FEED: &str = "trivy-db";

/// More packages than this are in no database.
const MOST_DETAILS: usize = 2_000_000;

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Entry {
    fixed_version: String,
    #[serde(deserialize_with = "json::or_default")]
    status: u8,
    #[serde(deserialize_with = "json::or_default")]
    severity: u8,
    #[serde(rename = "VendorIDs", deserialize_with = "json::list")]
    vendor_ids: Vec<String>,
    #[serde(deserialize_with = "json::list")]
    vulnerable_versions: Vec<String>,
    #[serde(deserialize_with = "json::list")]
    patched_versions: Vec<String>,
}

/// What `vulnerability` says.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Details {
    title: String,
    severity: String,
    #[serde(deserialize_with = "json::or_default")]
    vendor_severity: BTreeMap<String, u8>,
    #[serde(rename = "CVSS", deserialize_with = "json::or_default")]
    cvss: BTreeMap<String, Vectors>,
    published_date: Option<String>,
    last_modified_date: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Vectors {
    v3_vector: String,
    v40_vector: String,
}

pub(super) fn read(path: &Path, into: &mut Compiler) -> Result<(), String> {
    let database = Bolt::open(path)?;
    into.source(FEED, true);
    let mut scopes: Vec<(Scope, PackageKind, String, Bucket)> = Vec::new();
    let mut details: HashMap<String, Details> = HashMap::new();
    let mut unread: Vec<String> = Vec::new();
    database.each(&database.root(), &mut |key, value| {
        let Value::Bucket(bucket) = value else {
            return Ok(());
        };
        let name = text(key)?;
        match name {
            "vulnerability" => database.each(&bucket, &mut |key, value| {
                if let Value::Bytes(bytes) = value
                    && details.len() < MOST_DETAILS
                {
                    details.insert(text(key)?.to_owned(), json::read(&bytes)?);
                }
                Ok(())
            }),
            "data-source" | "vulnerability-id" | "vulnerability-detail" | "advisory-detail" => {
                Ok(())
            }
            name => {
                match scope(name) {
                    Some((scope, kind)) => scopes.push((scope, kind, name.to_owned(), bucket)),
                    None => unread.push(name.to_owned()),
                }
                Ok(())
            }
        }
    })?;
    for name in unread {
        into.problem(format!(
            "{}: advisories of `{name}` are not read",
            path.display()
        ));
    }
    for (scope, kind, name, bucket) in &scopes {
        database.each(bucket, &mut |key, value| {
            let package = text(key)?;
            let Value::Bucket(bucket) = value else {
                return Err(format!("`{name}` holds a value where a package should be"));
            };
            database.each(&bucket, &mut |key, value| {
                if let Value::Bytes(bytes) = value {
                    let id = text(key)?;
                    let entry: Entry = json::read(&bytes)
                        .map_err(|why| format!("`{name}` {package} {id} {why}"))?;
                    add(scope, *kind, package, id, &entry, details.get(id), into);
                }
                Ok(())
            })
        })?;
    }
    Ok(())
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "is a broken database: a key is not UTF-8".to_owned())
}

fn add(
    scope: &Scope,
    kind: PackageKind,
    package: &str,
    id: &str,
    entry: &Entry,
    details: Option<&Details>,
    into: &mut Compiler,
) {
    let (mut ranges, mut versions) = (Vec::new(), Vec::new());
    for constraint in &entry.vulnerable_versions {
        if constraint::read(constraint, &mut ranges, &mut versions).is_none() {
            into.skip(Left::Versionless(format!("{id} in {package}")));
            return;
        }
    }
    if entry.vulnerable_versions.is_empty() {
        if !entry.patched_versions.is_empty() {
            // Only what is good is known, in a language's own words.
            into.skip(Left::Versionless(format!("{id} in {package}")));
            return;
        }
        ranges.push(match &*entry.fixed_version {
            "" => Range::ALL,
            fixed => Range::before(fixed),
        });
    }
    let status = status(entry);
    if status == Status::NotAffected {
        (ranges, versions) = (Vec::new(), Vec::new());
    }
    let default = Details::default();
    let details = details.unwrap_or(&default);
    let vendor = details.vendor_severity.get(scope.name()).copied();
    let own = [vendor, Some(entry.severity)]
        .into_iter()
        .flatten()
        .find_map(severity);
    let vectors = details
        .cvss
        .values()
        .flat_map(|vectors| [&vectors.v40_vector, &vectors.v3_vector]);
    let mut cvss: Vec<&str> = vectors
        .map(|vector| &**vector)
        .filter(|vector| !vector.is_empty())
        .collect();
    cvss.dedup();
    let day = |date: &Option<String>| date.as_deref().and_then(json::day);
    let vendor_ids = entry.vendor_ids.iter().map(|id| &**id);
    into.add(
        scope,
        &Advisory {
            id,
            aliases: vendor_ids.filter(|alias| *alias != id).collect(),
            package: &scope.package_key(package),
            kind,
            status,
            ranges,
            versions,
            severity: own.or_else(|| crate::severity(&details.severity)),
            cvss,
            published: day(&details.published_date),
            modified: day(&details.last_modified_date),
            feed: FEED,
            title: json::title(&details.title),
            url: "",
        },
    );
}

/// Trivy's numbers for what a vendor says.
fn status(entry: &Entry) -> Status {
    match entry.status {
        1 => Status::NotAffected,
        4 => Status::Undetermined,
        5 => Status::Ignored,
        6 => Status::Deferred,
        7 => Status::EndOfLife,
        _ if entry.fixed_version.is_empty() && entry.patched_versions.is_empty() => {
            Status::Affected
        }
        _ => Status::Fixed,
    }
}

/// Trivy's numbers for severities.
fn severity(number: u8) -> Option<Severity> {
    Some(match number {
        1 => Severity::Low,
        2 => Severity::Medium,
        3 => Severity::High,
        4 => Severity::Critical,
        _ => return None,
    })
}

/// What a bucket is about.
fn scope(bucket: &str) -> Option<(Scope, PackageKind)> {
    if let Some((ecosystem, _)) = bucket.split_once("::") {
        let kind = match ecosystem {
            "pip" => "pypi",
            "rubygems" => "gem",
            "go" => "golang",
            "rust" => "cargo",
            "npm" | "maven" | "composer" | "nuget" | "cargo" | "bitnami" | "conan" | "pub"
            | "swift" => ecosystem,
            "erlang" => "hex",
            _ => return None,
        };
        return Some((Scope::parse(kind)?, PackageKind::Binary));
    }
    if matches!(bucket, "wolfi" | "chainguard") {
        return Some((Scope::parse(bucket)?, PackageKind::Source));
    }
    let (family, release) = bucket.rsplit_once(' ')?;
    if !release.starts_with(|character: char| character.is_ascii_digit()) && release != "edge" {
        return None;
    }
    let scope = if (family, release) == ("alpine", "edge") {
        Scope::parse("alpine:edge")?
    } else {
        trivy_report::of_family(family, release)?
    };
    // Rows of deb and apk distributions are about source packages.
    let by_source = DISTRIBUTIONS.iter().any(|known| known.id == scope.name());
    Some((
        scope,
        if by_source {
            PackageKind::Source
        } else {
            PackageKind::Binary
        },
    ))
}
