//! Grype's report of an image, as JSON.

use serde::Deserialize;

use super::json::{self, Text};
use super::{Compiler, Document, feed, id, trivy_report};
use crate::Scope;
use crate::advisory::{Advisory, PackageKind, Range, Status, Until, severity};

feed! {
    /// A report of Grype as JSON: what it matched becomes advisories about the packages it names.
    ///
    /// Only what that image had is in it. A fix is the version the report names. Flaws Grype calls
    /// negligible are those a vendor calls unimportant. What it found in programs without a package
    /// is filed with the applications (`bitnami`).
    id: "grype-report",
    lists_unfixed: true,
    recognise: |document| {
        document.first() == Some(b'{')
            && document.holds("\"matches\"")
            && document.holds("\"vulnerability\"")
            && document.holds("\"artifact\"")
    },
    read: read,
}

#[derive(Deserialize)]
struct Report<'a> {
    #[serde(borrow)]
    matches: Vec<Match<'a>>,
    #[serde(borrow, default)]
    distro: Option<Distro<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    descriptor: Descriptor<'a>,
}

#[derive(Deserialize)]
struct Distro<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    version: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Descriptor<'a> {
    #[serde(borrow)]
    timestamp: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match<'a> {
    #[serde(borrow)]
    vulnerability: Vulnerability<'a>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    related_vulnerabilities: Vec<Related<'a>>,
    #[serde(borrow)]
    artifact: Artifact<'a>,
}

#[derive(Deserialize)]
struct Related<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vulnerability<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, default)]
    data_source: Text<'a>,
    #[serde(borrow, default)]
    severity: Text<'a>,
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    cvss: Vec<Cvss<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    fix: Fix<'a>,
    /// Where reports of 2020 have the fix.
    #[serde(borrow, default)]
    fixed_in_version: Text<'a>,
}

#[derive(Deserialize)]
struct Cvss<'a> {
    #[serde(borrow, default)]
    vector: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Fix<'a> {
    #[serde(borrow, deserialize_with = "json::list")]
    versions: Vec<Text<'a>>,
    #[serde(borrow)]
    state: Text<'a>,
}

#[derive(Deserialize)]
struct Artifact<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default)]
    version: Text<'a>,
    #[serde(borrow, default)]
    r#type: Text<'a>,
}

fn read(document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    let report: Report<'_> = json::read(document.bytes)?;
    for found in &report.matches {
        let Some(scope) = scope(&report, &found.artifact.r#type) else {
            let (name, kind) = (&*found.artifact.name, &*found.artifact.r#type);
            into.problem(format!(
                "{}: of what kind {name} ({kind}) is, is not known",
                document.name
            ));
            continue;
        };
        add(&scope, found, into);
    }
    if !report.descriptor.timestamp.is_empty() {
        into.dated(&report.descriptor.timestamp);
    }
    Ok(())
}

fn add(scope: &Scope, found: &Match<'_>, into: &mut Compiler) {
    let vulnerability = &found.vulnerability;
    let mut fixes: Vec<&str> = vulnerability
        .fix
        .versions
        .iter()
        .map(|version| &**version)
        .collect();
    if fixes.is_empty() && !vulnerability.fixed_in_version.is_empty() {
        fixes.push(&vulnerability.fixed_in_version);
    }
    let ranges = match fixes[..] {
        [] => vec![Range::ALL],
        [fix] => vec![Range::before(fix)],
        _ => {
            let from = Some(&*found.artifact.version).filter(|version| !version.is_empty());
            let ranges = fixes.iter().map(|fix| Range {
                introduced: from,
                until: Until::Fixed(fix),
            });
            ranges.collect()
        }
    };
    let mut names: Vec<&str> = vec![&vulnerability.id];
    names.extend(
        found
            .related_vulnerabilities
            .iter()
            .map(|related| &*related.id),
    );
    let at = names.iter().position(|name| id::is_cve(name)).unwrap_or(0);
    let first = names.remove(at);
    names.retain(|name| *name != first);
    let status = match &*vulnerability.fix.state {
        _ if vulnerability.severity.eq_ignore_ascii_case("negligible") => Status::Unimportant,
        state => fix_state(state, !fixes.is_empty()),
    };
    let cvss = vulnerability.cvss.iter().map(|cvss| &*cvss.vector);
    into.add(
        scope,
        &Advisory {
            id: first,
            aliases: names,
            package: &scope.package_key(&found.artifact.name),
            kind: PackageKind::Binary,
            status,
            ranges,
            severity: severity(&vulnerability.severity),
            cvss: cvss.filter(|vector| !vector.is_empty()).collect(),
            feed: FEED.id,
            title: json::title(&vulnerability.description),
            url: &vulnerability.data_source,
            ..Advisory::default()
        },
    );
}

/// The status Grype means by the state of a fix.
pub(crate) fn fix_state(state: &str, has_fix: bool) -> Status {
    match state {
        "wont-fix" => Status::Ignored,
        _ if has_fix => Status::Fixed,
        _ => Status::Affected,
    }
}

fn scope(report: &Report<'_>, kind: &str) -> Option<Scope> {
    if let Some(language) = language(kind) {
        return Scope::parse(language);
    }
    if !matches!(kind, "deb" | "apk" | "rpm") {
        return None;
    }
    let distro = report.distro.as_ref()?;
    trivy_report::of_family(&distro.name, &distro.version)
}

/// The package-URL type of what Grype calls a type of package.
pub(crate) fn language(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "python" => "pypi",
        "npm" => "npm",
        "gem" => "gem",
        "java-archive" | "jenkins-plugin" => "maven",
        "go-module" => "golang",
        "rust-crate" => "cargo",
        "php-composer" => "composer",
        "dotnet" => "nuget",
        "binary" | "bitnami" => "bitnami",
        _ => return None,
    })
}
