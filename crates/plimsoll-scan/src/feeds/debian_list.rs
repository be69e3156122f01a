//! The Debian security tracker's source lists, as JSON, one file per vulnerability.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_packages::version::deb;
use serde::Deserialize;

use super::debian::{self, scope};
use super::json::{self, Text};
use super::{Compiler, Document, feed, id};
use crate::advisory::{Advisory, Range, Status, Until, severity};
use crate::{DISTRIBUTIONS, Scope};

feed! {
    /// The lists the Debian security tracker is made from, as Trivy's `vuln-list-debian` keeps them:
    /// `tracker/CVE/2025/CVE-....json`, `tracker/DSA/...`, `tracker/DLA/...`, each a `Header` and
    /// `Annotations`.
    ///
    /// An annotation without a release is about unstable: the version that fixed it there ends it in
    /// every release that has no word of its own. A release's own word (`fixed`, `not-affected`,
    /// `no-dsa`, `ignored`, `postponed`, `end-of-life`, `unfixed`) comes before that, and the fixed
    /// version of an announcement before a word that leaves it open.
    ///
    /// `source/RELEASE/main/c/curl.json` (and `updates-source`) say which version a release has: what
    /// was fixed in unstable alone is not fixed there. Without them every fix counts.
    id: "debian-list",
    lists_unfixed: true,
    recognise: |document| {
        document.first() == Some(b'{')
            && (document.holds("\"Annotations\"") && document.holds("\"Header\"")
                || suite(document.name).is_some() && document.holds("\"Version\""))
    },
    read: read,
}

/// What was read, until all of it is there: announcements name vulnerabilities of other files.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// By vulnerability and package.
    words: BTreeMap<(String, String), Words>,
    titles: BTreeMap<String, String>,
    /// Fixes of announcements, by vulnerability, package and release.
    fixes: BTreeMap<(String, String, String), String>,
    /// The newest version each release has of a package.
    versions: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Default)]
struct Words {
    /// About unstable.
    general: Option<Word>,
    /// About a release, by its code name.
    releases: BTreeMap<String, Word>,
}

#[derive(Debug, Clone)]
struct Word {
    kind: String,
    version: String,
    urgency: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File<'a> {
    #[serde(borrow)]
    header: Header<'a>,
    #[serde(borrow, default, deserialize_with = "json::list")]
    annotations: Vec<Annotation<'a>>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow, rename = "ID")]
    id: Text<'a>,
    #[serde(borrow, rename = "Description", default)]
    description: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Annotation<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    release: Text<'a>,
    #[serde(borrow)]
    package: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    severity: Text<'a>,
    #[serde(borrow, deserialize_with = "json::list")]
    bugs: Vec<Text<'a>>,
}

/// The release a file of a package source is about, by its path.
fn suite(name: &str) -> Option<&str> {
    let (_, rest) = name.rsplit_once("source/")?;
    rest.split_once('/').map(|(suite, _)| suite)
}

/// A package source; every field is a list of one.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Source<'a> {
    #[serde(borrow)]
    package: Vec<Text<'a>>,
    #[serde(borrow)]
    version: Vec<Text<'a>>,
}

fn source(suite: &str, document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    let source: Source<'_> = json::read(document.bytes)?;
    let (Some(package), Some(version)) = (source.package.first(), source.version.first()) else {
        return Err("is a package without a name or a version".to_owned());
    };
    let versions = into.list.versions.entry(suite.to_owned()).or_default();
    let known = versions.entry(package.to_string()).or_default();
    if known.is_empty() || deb::compare(known, version).is_lt() {
        *known = version.to_string();
    }
    Ok(())
}

fn read(document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    if let Some(suite) = suite(document.name) {
        return source(suite, document, into);
    }
    let file: File<'_> = json::read(document.bytes)?;
    let packages = file
        .annotations
        .iter()
        .filter(|annotation| &*annotation.r#type == "package" && !annotation.package.is_empty());
    if id::is_erratum(&file.header.id) {
        // Annotations of type `xref` name what is fixed.
        let fixed = file
            .annotations
            .iter()
            .filter(|annotation| &*annotation.r#type == "xref");
        let fixed: BTreeSet<&str> = fixed
            .flat_map(|annotation| annotation.bugs.iter().map(|bug| &**bug))
            .collect();
        for package in packages.filter(|package| &*package.kind == "fixed") {
            for id in &fixed {
                let key = (
                    (*id).to_owned(),
                    package.package.to_string(),
                    package.release.to_string(),
                );
                into.list.fixes.insert(key, package.version.to_string());
            }
        }
        return Ok(());
    }
    let title = file.header.description.trim_matches(['(', ')', ' ']);
    let title = title.trim_end_matches("...").trim_end();
    (into.list.titles).insert(file.header.id.to_string(), json::title(title).to_owned());
    for package in packages {
        let key = (file.header.id.to_string(), package.package.to_string());
        let words = into.list.words.entry(key).or_default();
        let word = Word {
            kind: package.kind.to_string(),
            version: package.version.to_string(),
            urgency: package.severity.to_string(),
        };
        if package.release.is_empty() {
            words.general = Some(word);
        } else {
            words.releases.insert(package.release.to_string(), word);
        }
    }
    Ok(())
}

/// Adds what was gathered.
pub(super) fn finish(into: &mut Compiler) {
    let Gathered {
        words,
        titles,
        fixes,
        versions,
    } = std::mem::take(&mut into.list);
    if words.is_empty() {
        return;
    }
    into.source(FEED.id, FEED.lists_unfixed);
    let debian = DISTRIBUTIONS
        .iter()
        .find(|known| known.id == debian::FEED.id);
    let releases = debian.into_iter().flat_map(|debian| debian.releases);
    let mut codenames: BTreeSet<&str> = releases.map(|release| release.codename).collect();
    codenames.insert("sid");
    for words in words.values() {
        codenames.extend(words.releases.keys().map(String::as_str));
    }
    let scopes: Vec<(&str, Scope)> = codenames
        .into_iter()
        .filter_map(|codename| Some((codename, scope(codename)?)))
        .collect();
    for ((id, package), words) in &words {
        for (codename, scope) in &scopes {
            let announced = fixes.get(&(id.clone(), package.clone(), (*codename).to_owned()));
            let own = words.releases.get(*codename);
            let Some((mut status, mut ranges)) = judge(own, words.general.as_ref(), announced)
            else {
                continue;
            };
            if let (None, None, Some(versions)) = (own, announced, versions.get(*codename)) {
                let Some(version) = versions.get(package) else {
                    continue;
                };
                // Fixed in unstable, in a version this release does not have.
                let until = ranges.first().map(|range| range.until);
                if let Some(Until::Fixed(fixed)) = until
                    && deb::compare(version, fixed).is_lt()
                {
                    ranges = vec![Range::ALL];
                    if status == Status::Fixed {
                        status = Status::Affected;
                    }
                }
            }
            let urgency = own
                .into_iter()
                .chain(&words.general)
                .map(|word| &*word.urgency);
            into.add(
                scope,
                &Advisory {
                    id,
                    package,
                    status,
                    ranges,
                    severity: urgency.filter_map(severity).next(),
                    feed: FEED.id,
                    title: titles.get(id).map(String::as_str).unwrap_or_default(),
                    ..Advisory::default()
                },
            );
        }
    }
}

fn judge<'a>(
    own: Option<&'a Word>,
    general: Option<&'a Word>,
    announced: Option<&'a String>,
) -> Option<(Status, Vec<Range<'a>>)> {
    let word = own.or(general)?;
    let unimportant = [own, general]
        .into_iter()
        .flatten()
        .any(|word| word.urgency == "unimportant");
    let (status, ranges) = match (&*word.kind, announced) {
        ("not-affected", _) => (Status::NotAffected, Vec::new()),
        ("fixed", _) if own.is_some() => (Status::Fixed, vec![Range::before(&word.version)]),
        (_, Some(version)) => (Status::Fixed, vec![Range::before(version)]),
        ("fixed", None) => (Status::Fixed, vec![Range::before(&word.version)]),
        ("no-dsa" | "ignored", None) => (Status::Ignored, vec![Range::ALL]),
        ("postponed", None) => (Status::Deferred, vec![Range::ALL]),
        ("end-of-life", None) => (Status::EndOfLife, vec![Range::ALL]),
        ("undetermined", None) => (Status::Undetermined, vec![Range::ALL]),
        // No longer in unstable: nothing is said about the release.
        ("removed" | "itp", None) if own.is_none() => return None,
        _ => (Status::Affected, vec![Range::ALL]),
    };
    match status {
        Status::Fixed | Status::Affected if unimportant => Some((Status::Unimportant, ranges)),
        // Version 0: never.
        Status::Fixed if ranges == [Range::before("0")] => Some((Status::NotAffected, Vec::new())),
        _ => Some((status, ranges)),
    }
}
