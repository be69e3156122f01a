//! Grype's database, of its versions 5 and 6.
//!
//! Version 6: handles (`vulnerability_handles`, `affected_package_handles`) with names and keys, and
//! JSON in `blobs`. Version 5: `vulnerability` with a namespace (`debian:distro:debian:12`) and
//! `vulnerability_metadata`. What is keyed by CPE is not read: it matches by product names, of which
//! every third match is wrong.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};
use serde::Deserialize;

use super::constraint;
use crate::Scope;
use crate::advisory::{Advisory, PackageKind, Range, Status, severity};
use crate::feeds::{Compiler, Left, grype_report, id, json};

/// How its rows are marked.
const FEED: &str = "grype-db";

pub(super) fn read(path: &Path, into: &mut Compiler) -> Result<(), String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(|error| said(&error))?;
    into.source(FEED, true);
    if has_table(&database, "affected_package_handles")? {
        return sixth(&database, into).map_err(|error| said(&error));
    }
    if has_table(&database, "vulnerability")? {
        return fifth(&database, into).map_err(|error| said(&error));
    }
    Err("is a SQLite file, but not Grype's database of version 5 or 6".to_owned())
}

fn said(error: &rusqlite::Error) -> String {
    format!("is a broken database (was it cut short?): {error}")
}

fn has_table(database: &Connection, name: &str) -> Result<bool, String> {
    let query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let found = database.query_row(query, [name], |row| row.get::<_, i64>(0));
    found.map(|count| count > 0).map_err(|error| said(&error))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Vulnerability {
    #[serde(deserialize_with = "json::or_default")]
    description: String,
    #[serde(deserialize_with = "json::list")]
    severities: Vec<Given>,
    #[serde(deserialize_with = "json::list")]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
struct Given {
    value: Said,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Word(String),
    Cvss { vector: String },
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Package {
    #[serde(deserialize_with = "json::list")]
    cves: Vec<String>,
    #[serde(deserialize_with = "json::list")]
    ranges: Vec<Affected>,
}

#[derive(Deserialize)]
struct Affected {
    version: Constraint,
    #[serde(default, deserialize_with = "json::or_default")]
    fix: Fix,
}

#[derive(Deserialize)]
struct Constraint {
    #[serde(default, deserialize_with = "json::or_default")]
    constraint: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Fix {
    #[serde(deserialize_with = "json::or_default")]
    state: String,
}

fn sixth(database: &Connection, into: &mut Compiler) -> rusqlite::Result<()> {
    let built = "SELECT CAST(build_timestamp AS TEXT) FROM db_metadata";
    if let Ok(date) = database.query_row(built, [], |row| row.get::<_, String>(0)) {
        into.dated(&rfc3339(&date));
    }
    // The first builds of version 6 called it `type`.
    let columns = "SELECT count(*) FROM pragma_table_info('packages') WHERE name = 'ecosystem'";
    let has = database.query_row(columns, [], |row| row.get::<_, i64>(0))?;
    let ecosystem = if has > 0 { "ecosystem" } else { "type" };
    let mut query = database.prepare(&format!(
        "SELECT v.name, v.status, CAST(v.published_date AS TEXT), CAST(v.modified_date AS TEXT),
                vb.value, p.{ecosystem}, p.name, os.name, os.major_version, os.minor_version,
                os.label_version, ab.value
         FROM affected_package_handles a
         JOIN vulnerability_handles v ON v.id = a.vulnerability_id
         JOIN packages p ON p.id = a.package_id
         LEFT JOIN operating_systems os ON os.id = a.operating_system_id
         LEFT JOIN blobs vb ON vb.id = v.blob_id
         LEFT JOIN blobs ab ON ab.id = a.blob_id"
    ))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if let Err(why) = sixth_row(row, into)? {
            into.problem(why);
        }
    }
    Ok(())
}

/// One package of one vulnerability; or what is wrong with it.
fn sixth_row(row: &Row<'_>, into: &mut Compiler) -> rusqlite::Result<Result<(), String>> {
    let text =
        |index| Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(index)?.unwrap_or_default());
    let (name, state) = (text(0)?, text(1)?);
    let (ecosystem, package) = (text(5)?, text(6)?);
    if matches!(&*state, "rejected" | "withdrawn") {
        into.skip(Left::Withdrawn);
        return Ok(Ok(()));
    }
    let (os, major, minor, label) = (text(7)?, text(8)?, text(9)?, text(10)?);
    let scope = if os.is_empty() {
        grype_report::language(&ecosystem).and_then(Scope::parse)
    } else {
        distribution(&os, &major, &minor, &label)
    };
    let Some(scope) = scope else {
        into.skip(Left::Elsewhere);
        return Ok(Ok(()));
    };
    let read = |index| -> rusqlite::Result<String> {
        let json = text(index)?;
        Ok(if json.is_empty() {
            "{}".to_owned()
        } else {
            json
        })
    };
    let (vulnerability, affected) = (read(4)?, read(11)?);
    let parsed = serde_json::from_str::<Vulnerability>(&vulnerability)
        .and_then(|vulnerability| Ok((vulnerability, serde_json::from_str::<Package>(&affected)?)));
    let (vulnerability, affected) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(format!("{package} {name}: {}", json::said(&error)))),
    };
    let mut ids: Vec<&str> = vec![&name];
    ids.extend(
        affected
            .cves
            .iter()
            .chain(&vulnerability.aliases)
            .map(|id| &**id),
    );
    let words = vulnerability
        .severities
        .iter()
        .filter_map(|given| match &given.value {
            Said::Word(word) => Some(&**word),
            _ => None,
        });
    let cvss = vulnerability
        .severities
        .iter()
        .filter_map(|given| match &given.value {
            Said::Cvss { vector } => Some(&**vector),
            _ => None,
        });
    let ranges = affected
        .ranges
        .iter()
        .map(|range| (&*range.version.constraint, &*range.fix.state));
    let found = Found {
        ids,
        package: &package,
        ranges: ranges.collect(),
        words: words.collect(),
        cvss: cvss.collect(),
        published: json::day(&text(2)?),
        modified: json::day(&text(3)?),
        title: json::title(&vulnerability.description),
    };
    Ok(found.add(&scope, into))
}

fn fifth(database: &Connection, into: &mut Compiler) -> rusqlite::Result<()> {
    let built = "SELECT CAST(build_timestamp AS TEXT) FROM id";
    if let Ok(date) = database.query_row(built, [], |row| row.get::<_, String>(0)) {
        into.dated(&rfc3339(&date));
    }
    let mut query = database.prepare(
        "SELECT v.id, v.package_name, v.namespace, v.version_constraint, v.fix_state,
                v.related_vulnerabilities, m.severity, m.description
         FROM vulnerability v
         LEFT JOIN vulnerability_metadata m ON m.id = v.id AND m.namespace = v.namespace",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let text = |index| {
            Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(index)?.unwrap_or_default())
        };
        let (name, package, namespace) = (text(0)?, text(1)?, text(2)?);
        let Some(scope) = namespace_scope(&namespace) else {
            into.skip(Left::Elsewhere);
            continue;
        };
        #[derive(Deserialize)]
        struct Related {
            id: String,
        }
        let related = text(5)?;
        let related: Vec<Related> = serde_json::from_str(&related).unwrap_or_default();
        let (constraint, state) = (text(3)?, text(4)?);
        let (severity, description) = (text(6)?, text(7)?);
        let mut ids: Vec<&str> = vec![&name];
        ids.extend(related.iter().map(|related| &*related.id));
        let found = Found {
            ids,
            package: &package,
            ranges: vec![(&constraint, &state)],
            words: vec![&severity],
            cvss: Vec::new(),
            published: None,
            modified: None,
            title: json::title(&description),
        };
        if let Err(why) = found.add(&scope, into) {
            into.problem(why);
        }
    }
    Ok(())
}

/// One package of one vulnerability, of either version.
struct Found<'a> {
    ids: Vec<&'a str>,
    package: &'a str,
    /// Constraints and states of fixes.
    ranges: Vec<(&'a str, &'a str)>,
    words: Vec<&'a str>,
    cvss: Vec<&'a str>,
    published: Option<jiff::civil::Date>,
    modified: Option<jiff::civil::Date>,
    title: &'a str,
}

impl Found<'_> {
    fn add(mut self, scope: &Scope, into: &mut Compiler) -> Result<(), String> {
        let at = self
            .ids
            .iter()
            .position(|name| id::is_cve(name))
            .unwrap_or(0);
        let first = self.ids.remove(at);
        self.ids.retain(|name| *name != first);
        let (mut ranges, mut versions): (Vec<Range<'_>>, Vec<&str>) = (Vec::new(), Vec::new());
        let mut state = "";
        for (constraint, fix) in &self.ranges {
            state = fix;
            if constraint::read(constraint, &mut ranges, &mut versions).is_none() {
                return Err(format!(
                    "{} {first}: `{constraint}` is no constraint",
                    self.package
                ));
            }
        }
        if self.ranges.is_empty() {
            into.skip(Left::Versionless(format!("{first} in {}", self.package)));
            return Ok(());
        }
        let negligible = self
            .words
            .iter()
            .any(|word| word.eq_ignore_ascii_case("negligible"));
        let has_fix = state == "fixed";
        let status = match state {
            _ if negligible => Status::Unimportant,
            "unaffected" => Status::NotAffected,
            state => grype_report::fix_state(state, has_fix),
        };
        let by_source = matches!(
            scope.name(),
            "debian" | "ubuntu" | "alpine" | "wolfi" | "chainguard"
        );
        into.add(
            scope,
            &Advisory {
                id: first,
                aliases: self.ids,
                package: &scope.package_key(self.package),
                kind: if by_source {
                    PackageKind::Source
                } else {
                    PackageKind::Binary
                },
                status,
                ranges: if status == Status::NotAffected {
                    Vec::new()
                } else {
                    ranges
                },
                versions: if status == Status::NotAffected {
                    Vec::new()
                } else {
                    versions
                },
                severity: self.words.into_iter().find_map(severity),
                cvss: self.cvss,
                published: self.published,
                modified: self.modified,
                feed: FEED,
                title: self.title,
                url: "",
            },
        );
        Ok(())
    }
}

fn distribution(name: &str, major: &str, minor: &str, label: &str) -> Option<Scope> {
    let id = match name {
        "redhat" => "rhel",
        "amazonlinux" | "amazon" => "amzn",
        "oraclelinux" | "oracle" => "ol",
        "rockylinux" => "rocky",
        other => other,
    };
    if matches!(id, "wolfi" | "chainguard" | "arch") {
        return Scope::parse(id);
    }
    let release = match (major, minor, label) {
        ("", _, label) => label.to_owned(),
        (major, "", _) => major.to_owned(),
        (major, minor, _) => format!("{major}.{minor}"),
    };
    // Without a release an advisory about a distribution cannot be matched.
    (!release.is_empty())
        .then(|| Scope::of(id, &release))
        .flatten()
}

/// `debian:distro:debian:12`, `github:language:python`.
fn namespace_scope(namespace: &str) -> Option<Scope> {
    let mut parts = namespace.splitn(4, ':');
    let (_, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
    match kind {
        "distro" => {
            let release = parts.next().unwrap_or_default();
            let release = if release == "rolling" { "" } else { release };
            distribution(name, release, "", "")
        }
        "language" => Scope::parse(match name {
            "python" => "pypi",
            "javascript" => "npm",
            "ruby" => "gem",
            "java" => "maven",
            "go" => "golang",
            "rust" => "cargo",
            "php" => "composer",
            "dotnet" => "nuget",
            _ => return None,
        }),
        _ => None,
    }
}

/// SQLite's `2026-01-02 03:04:05+00:00` as RFC 3339 wants it.
fn rfc3339(date: &str) -> String {
    date.replacen(' ', "T", 1)
}
