//! Trivy's report of an image, as JSON.

use std::collections::BTreeMap;

use plimsoll_model::OsRelease;
use serde::Deserialize;

use super::json::{self, Text};
use super::{Compiler, Document, feed};
use crate::Scope;
use crate::advisory::{Advisory, PackageKind, Range, Status, Until, severity};

feed! {
    /// A report of Trivy as JSON, of its first form (a list) or its second: what it found becomes
    /// advisories about the packages it names.
    ///
    /// Only what that image had is in it. A fix is the version that the report names; where it names
    /// several (one a branch), everything from the installed version to each of them counts. Trivy
    /// reports Debian's unimportant flaws as low ones.
    id: "trivy-report",
    lists_unfixed: true,
    recognise: |document| {
        matches!(document.first(), Some(b'{' | b'['))
            && document.holds("\"Target\"")
            && document.holds("\"Type\"")
            && (document.holds("\"Vulnerabilities\"") || document.holds("\"SchemaVersion\""))
    },
    read: read,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report<'a> {
    #[serde(borrow, default)]
    created_at: Text<'a>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    metadata: Metadata<'a>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    results: Vec<Target<'a>>,
}

#[derive(Deserialize, Default)]
struct Metadata<'a> {
    #[serde(borrow, default, rename = "OS")]
    os: Option<Os<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Os<'a> {
    #[serde(borrow)]
    family: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target<'a> {
    #[serde(borrow, default)]
    target: Text<'a>,
    #[serde(borrow, default)]
    r#type: Text<'a>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    vulnerabilities: Vec<Found<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found<'a> {
    #[serde(borrow, rename = "VulnerabilityID")]
    id: Text<'a>,
    #[serde(borrow)]
    pkg_name: Text<'a>,
    #[serde(borrow, default)]
    installed_version: Text<'a>,
    #[serde(borrow, default)]
    fixed_version: Text<'a>,
    #[serde(borrow, default)]
    status: Text<'a>,
    #[serde(borrow, default)]
    severity: Text<'a>,
    #[serde(borrow, default)]
    title: Text<'a>,
    #[serde(borrow, default, rename = "PrimaryURL")]
    url: Text<'a>,
    #[serde(
        borrow,
        default,
        rename = "CVSS",
        deserialize_with = "json::or_default"
    )]
    cvss: BTreeMap<Text<'a>, Vectors<'a>>,
    #[serde(borrow, default)]
    published_date: Text<'a>,
    #[serde(borrow, default)]
    last_modified_date: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vectors<'a> {
    #[serde(borrow, default)]
    v40_vector: Text<'a>,
    #[serde(borrow, default)]
    v3_vector: Text<'a>,
    #[serde(borrow, default)]
    v2_vector: Text<'a>,
}

fn read(document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    let report = if document.first() == Some(b'[') {
        Report {
            created_at: Text::default(),
            metadata: Metadata::default(),
            results: json::read(document.bytes)?,
        }
    } else {
        json::read(document.bytes)?
    };
    for target in &report.results {
        if target.vulnerabilities.is_empty() {
            continue;
        }
        let Some((scope, kind)) = scope(&report, target) else {
            let shown = format!("{} ({})", &*target.target, &*target.r#type);
            into.problem(format!(
                "{}: of what kind {shown} is, is not known",
                document.name
            ));
            continue;
        };
        for found in &target.vulnerabilities {
            add(&scope, kind, found, into);
        }
    }
    if !report.created_at.is_empty() {
        into.dated(&report.created_at);
    }
    Ok(())
}

fn add(scope: &Scope, kind: PackageKind, found: &Found<'_>, into: &mut Compiler) {
    let fixes: Vec<&str> = found
        .fixed_version
        .split(',')
        .map(str::trim)
        .filter(|fix| !fix.is_empty())
        .collect();
    let ranges = match fixes[..] {
        [] => vec![Range::ALL],
        [fix] => vec![Range::before(fix)],
        _ => {
            let from = Some(&*found.installed_version).filter(|version| !version.is_empty());
            let ranges = fixes.iter().map(|fix| Range {
                introduced: from,
                until: Until::Fixed(fix),
            });
            ranges.collect()
        }
    };
    let status = status(&found.status).unwrap_or(if fixes.is_empty() {
        Status::Affected
    } else {
        Status::Fixed
    });
    let vectors = found.cvss.values().flat_map(|vectors| {
        [&vectors.v40_vector, &vectors.v3_vector, &vectors.v2_vector].into_iter()
    });
    let mut cvss: Vec<&str> = vectors
        .map(|vector| &**vector)
        .filter(|vector| !vector.is_empty())
        .collect();
    cvss.sort_unstable_by(|a, b| b.cmp(a));
    cvss.dedup();
    into.add(
        scope,
        &Advisory {
            id: &found.id,
            package: &scope.package_key(&found.pkg_name),
            kind,
            status,
            ranges,
            severity: severity(&found.severity),
            cvss,
            published: json::day(&found.published_date),
            modified: json::day(&found.last_modified_date),
            feed: FEED.id,
            title: json::title(&found.title),
            url: &found.url,
            ..Advisory::default()
        },
    );
}

/// The status Trivy means by a word.
pub(crate) fn status(word: &str) -> Option<Status> {
    Some(match word {
        "affected" => Status::Affected,
        "fixed" => Status::Fixed,
        "not_affected" => Status::NotAffected,
        "will_not_fix" => Status::Ignored,
        "fix_deferred" => Status::Deferred,
        "end_of_life" => Status::EndOfLife,
        "under_investigation" => Status::Undetermined,
        _ => return None,
    })
}

fn scope(report: &Report<'_>, target: &Target<'_>) -> Option<(Scope, PackageKind)> {
    if let Some(language) = language(&target.r#type) {
        return Some((Scope::parse(language)?, PackageKind::Binary));
    }
    let release = match &report.metadata.os {
        Some(os) => of_family(&os.family, &os.name),
        // The first form says it in the target only: `name (debian 10.8)`.
        None => {
            let (_, inside) = target.target.strip_suffix(')')?.rsplit_once(" (")?;
            let (family, release) = inside.rsplit_once(' ')?;
            of_family(family, release)
        }
    };
    Some((release?, PackageKind::Binary))
}

/// The package-URL type of what Trivy calls a type of target.
fn language(target: &str) -> Option<&'static str> {
    Some(match target {
        "pip" | "pipenv" | "poetry" | "uv" | "python-pkg" | "conda-pkg" => "pypi",
        "npm" | "node-pkg" | "yarn" | "pnpm" | "bun" => "npm",
        "gemspec" | "bundler" => "gem",
        "jar" | "pom" | "gradle" | "sbt" => "maven",
        "gobinary" | "gomod" => "golang",
        "rustbinary" | "cargo" => "cargo",
        "composer" | "composer-vendor" => "composer",
        "nuget" | "dotnet-core" | "packages-props" => "nuget",
        "bitnami" => "bitnami",
        _ => return None,
    })
}

/// The scope of a distribution by the name Trivy has for it.
pub(crate) fn of_family(family: &str, release: &str) -> Option<Scope> {
    let family = family.to_ascii_lowercase();
    let id = match &*family {
        "alma" => "almalinux",
        "redhat" | "red hat" => "rhel",
        "oracle" | "oracle linux" => "ol",
        "amazon" | "amazon linux" => "amzn",
        "opensuse.leap" | "opensuse leap" => "opensuse-leap",
        "opensuse.tumbleweed" | "opensuse tumbleweed" => "opensuse-tumbleweed",
        "suse linux enterprise server" | "suse linux enterprise" | "slem" => "sles",
        "cbl-mariner" => "mariner",
        "azure linux" => "azurelinux",
        other => other,
    };
    Scope::of_os(&OsRelease {
        id: id.to_owned(),
        version_id: release.to_owned(),
        ..OsRelease::default()
    })
}
