//! Advisories one JSON object a line: plimsoll's own form of exchange.

use serde::Deserialize;

use super::json::{self, Text};
use super::{Compiler, Document, alpine, feed, id};
use crate::Scope;
use crate::advisory::{Advisory, PackageKind, Range, Status, Until, severity};

feed! {
    /// The form of exchange of plimsoll: one JSON object a line, for data of your own and for what
    /// other tools know.
    ///
    /// ```text
    /// {"scope": "debian:12", "date": "2026-11-01"}
    /// {"package": "zlib", "kind": "source", "id": "CVE-2023-45853", "fixed": "1:1.3-1", "severity": "high"}
    /// {"package": "zlib", "kind": "source", "id": "CVE-2026-1", "status": "ignored"}
    /// {"scope": "bitnami", "package": "nginx", "id": "CVE-2026-2", "ranges": [[["introduced", "1.3.0"], ["fixed", "1.29.1"]]]}
    /// ```
    ///
    /// A line without `id` says what holds for those after it: `scope`, `date`, `lists_unfixed`.
    /// Of an advisory `id` and `package` are needed. Without `fixed`, `ranges` and `versions` every
    /// version has the flaw; `fixed: "1.2"` is every version before it. Events in `ranges` are
    /// `introduced`, `fixed` and `last_affected`, a list of them a range or several. `kind` is `source`
    /// or `binary` (taken if not said), `status` a word of `affected`, `fixed`, `not-affected`,
    /// `ignored`, `deferred`, `unimportant`, `end-of-life`, `undetermined`. More keys: `aliases`,
    /// `severity`, `cvss` (one or a list), `published`, `modified`, `title`, `url`.
    ///
    /// Short forms are understood: `pkg`, `cve`, `sev`, `pub`, `mod`, `sum`; severities of two tools in
    /// one row (`trivy_sev` before `grype_sev`; `Negligible` is `unimportant`); and Alpine's own rows,
    /// `release`, `name` and `secfixes`. The scope may be given with the file instead.
    id: "exchange",
    lists_unfixed: true,
    recognise: |document| {
        let line = document.bytes.split(|&byte| byte == b'\n').next();
        let named = document.name.ends_with(".jsonl");
        named || line.is_some_and(|line| serde_json::from_slice::<Known>(line).is_ok())
    },
    read: read,
}

/// What a first line must have to be ours.
#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "that it can be read is what is asked")]
enum Known {
    Row {
        id: String,
        #[serde(alias = "pkg")]
        package: String,
    },
    Head {
        scope: String,
    },
    Fixes {
        release: String,
        name: String,
        secfixes: serde::de::IgnoredAny,
    },
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Row<'a> {
    #[serde(borrow)]
    scope: Text<'a>,
    #[serde(borrow)]
    date: Text<'a>,
    lists_unfixed: Option<bool>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, alias = "cve", deserialize_with = "json::list")]
    aliases: Vec<Text<'a>>,
    #[serde(borrow, alias = "pkg")]
    package: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    fixed: Text<'a>,
    #[serde(borrow)]
    ranges: Vec<Vec<(Text<'a>, Text<'a>)>>,
    #[serde(borrow)]
    versions: Vec<Text<'a>>,
    #[serde(borrow, alias = "sev")]
    severity: Text<'a>,
    #[serde(borrow)]
    trivy_sev: Text<'a>,
    #[serde(borrow)]
    grype_sev: Text<'a>,
    #[serde(borrow, deserialize_with = "json::or_default")]
    cvss: OneOrMore<'a>,
    #[serde(borrow, alias = "pub")]
    published: Text<'a>,
    #[serde(borrow, alias = "mod")]
    modified: Text<'a>,
    #[serde(borrow, alias = "sum")]
    title: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
    // Alpine's rows.
    #[serde(borrow)]
    release: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    secfixes: Option<alpine::Fixes<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(untagged)]
enum OneOrMore<'a> {
    One(#[serde(borrow)] std::borrow::Cow<'a, str>),
    More(#[serde(borrow)] Vec<std::borrow::Cow<'a, str>>),
    #[default]
    None,
}

fn read(document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    let text = std::str::from_utf8(document.bytes).map_err(|_| "is not UTF-8")?;
    if !text.ends_with('\n') {
        return Err("is cut short: its last line has no end".to_owned());
    }
    let mut scope = into.given().cloned();
    // Every line is read before one counts: half a file is none.
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let row = serde_json::from_str(line);
        rows.push(row.map_err(|error| format!("line {}: {}", number + 1, json::said(&error)))?);
    }
    for (number, row) in rows.iter().enumerate() {
        add(row, &mut scope, into).map_err(|why| format!("record {}: {why}", number + 1))?;
    }
    Ok(())
}

fn add(row: &Row<'_>, scope: &mut Option<Scope>, into: &mut Compiler) -> Result<(), String> {
    let own = match &*row.scope {
        "" => None,
        text => Some(Scope::parse(text).ok_or_else(|| format!("`{text}` is no scope"))?),
    };
    if let Some(fixes) = &row.secfixes {
        into.source(FEED.id, false);
        let scope = alpine::release(&row.release).ok_or("names no release")?;
        alpine::fixes(&scope, &row.name, fixes, into);
        return Ok(());
    }
    if row.id.is_empty() {
        let own = own.ok_or("has neither an id nor a scope")?;
        *scope = Some(own);
        if let Some(lists_unfixed) = row.lists_unfixed {
            into.source(FEED.id, lists_unfixed);
        }
        if !row.date.is_empty() {
            into.dated(&row.date);
        }
        return Ok(());
    }
    let bitnami = row.id.starts_with("BIT-").then(|| Scope::parse("bitnami"));
    let scope = own.or_else(|| scope.clone()).or_else(|| bitnami.flatten());
    let scope = scope.ok_or("does not say which distribution or ecosystem it is about (scope)")?;
    if row.package.is_empty() {
        return Err(format!("{} names no package", &*row.id));
    }
    let name = scope.package_key(&row.package);
    let mut names: Vec<&str> = std::iter::once(&row.id)
        .chain(&row.aliases)
        .map(|id| &**id)
        .collect();
    let at = names.iter().position(|name| id::is_cve(name)).unwrap_or(0);
    let first = names.remove(at);
    names.retain(|name| *name != first);
    let (status, ranges) = judged(row)?;
    let words = [&row.severity, &row.trivy_sev, &row.grype_sev];
    let cvss = match &row.cvss {
        OneOrMore::One(vector) => vec![&**vector],
        OneOrMore::More(vectors) => vectors.iter().map(|vector| &**vector).collect(),
        OneOrMore::None => Vec::new(),
    };
    into.add(
        &scope,
        &Advisory {
            id: first,
            aliases: names,
            package: &name,
            kind: match &*row.kind {
                "source" => PackageKind::Source,
                "" | "binary" => PackageKind::Binary,
                other => return Err(format!("`{other}` is no kind of package")),
            },
            status,
            ranges,
            versions: row.versions.iter().map(|version| &**version).collect(),
            severity: words.into_iter().find_map(|word| severity(word)),
            cvss,
            published: json::day(&row.published),
            modified: json::day(&row.modified),
            feed: FEED.id,
            title: json::title(&row.title),
            url: &row.url,
        },
    );
    Ok(())
}

fn judged<'a>(row: &'a Row<'_>) -> Result<(Status, Vec<Range<'a>>), String> {
    let mut ranges = Vec::new();
    for events in &row.ranges {
        let mut open: Option<Option<&str>> = None;
        for (event, version) in events {
            let version: &str = version;
            let until = match &**event {
                "introduced" => {
                    open = Some(Some(version).filter(|version| *version != "0"));
                    continue;
                }
                "fixed" => Until::Fixed(version),
                "last_affected" => Until::Last(version),
                other => return Err(format!("`{other}` is no event of a range")),
            };
            let introduced = open.take().unwrap_or_default();
            ranges.push(Range { introduced, until });
        }
        if let Some(introduced) = open {
            let until = Until::Open;
            ranges.push(Range { introduced, until });
        }
    }
    if !row.fixed.is_empty() {
        ranges.push(Range::before(&row.fixed));
    }
    let said = match &*row.status {
        "" => None,
        word => Some(Status::parse(word).ok_or_else(|| format!("`{word}` is no status"))?),
    };
    if said == Some(Status::NotAffected) {
        return Ok((Status::NotAffected, Vec::new()));
    }
    let has_fix = ranges
        .iter()
        .any(|range| matches!(range.until, Until::Fixed(_)));
    if ranges.is_empty() && row.versions.is_empty() {
        ranges.push(Range::ALL);
    }
    let negligible = row.grype_sev.eq_ignore_ascii_case("negligible");
    let status = said.unwrap_or(match (negligible, has_fix) {
        (true, _) => Status::Unimportant,
        (false, true) => Status::Fixed,
        (false, false) => Status::Affected,
    });
    Ok((status, ranges))
}
