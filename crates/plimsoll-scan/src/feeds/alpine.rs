//! secdb: in which version a package of Alpine, Wolfi or Chainguard fixed what.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::json::{self, Key, Text};
use super::{Compiler, Document, feed, id};
use crate::Scope;
use crate::advisory::{Advisory, Range, Status};

feed! {
    /// secdb, the security database of Alpine Linux, Wolfi and Chainguard: for every source package
    /// (origin) the versions that fixed something, and the identifiers of what. As JSON or YAML, one
    /// file a repository, or one file a package.
    ///
    /// It lists fixes only: a flaw nobody has fixed yet is not in it. Version `0` means that the
    /// package never had it. Identifiers may have words after them (`CVE-2018-14466 (AFS/RX)`), or be
    /// several (`CVE-2016-6258 XSA-182`, one flaw); a list may be `null`.
    ///
    /// The release is the file's own `distroversion`; Wolfi's and Chainguard's files have none and
    /// name themselves in their addresses.
    id: "alpine",
    lists_unfixed: false,
    recognise: |document| {
        document.holds("secfixes")
            && !document.name.ends_with(".jsonl")
            && (document.first() == Some(b'{') || is_yaml(document))
    },
    read: read,
}

fn is_yaml(document: &Document<'_>) -> bool {
    [".yaml", ".yml"]
        .iter()
        .any(|end| document.name.ends_with(end))
        || document.bytes.starts_with(b"---")
        || document.bytes.starts_with(b"distroversion:")
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct File<'a> {
    #[serde(borrow)]
    distroversion: Text<'a>,
    #[serde(borrow)]
    urlprefix: Text<'a>,
    #[serde(borrow, deserialize_with = "json::list")]
    packages: Vec<Entry<'a>>,
    /// Where the file is about one package.
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, deserialize_with = "json::or_default")]
    secfixes: Fixes<'a>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    pkg: Package<'a>,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    secfixes: Fixes<'a>,
}

/// Version → identifiers; either may be `null`.
pub(super) type Fixes<'a> = BTreeMap<Key<'a>, Option<Vec<Text<'a>>>>;

fn read(document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    if document.first() == Some(b'{') {
        return file(&json::read(document.bytes)?, document, into);
    }
    let text = std::str::from_utf8(document.bytes).map_err(|_| "is not UTF-8")?;
    // The parser has a budget of nodes, depth and aliases of its own; secdb has neither of the last.
    let read = serde_saphyr::from_str(text);
    let read = read.map_err(|error| {
        let said = error.to_string();
        format!(
            "is not what it should be: {}",
            said.lines().next().unwrap_or_default()
        )
    });
    file(&read?, document, into)
}

fn file(file: &File<'_>, document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    let scope = scope(file, document)
        .or_else(|| into.given().cloned())
        .ok_or("does not say which distribution and release it is about")?;
    if !file.name.is_empty() {
        fixes(&scope, &file.name, &file.secfixes, into);
    }
    for entry in &file.packages {
        fixes(&scope, &entry.pkg.name, &entry.pkg.secfixes, into);
    }
    Ok(())
}

/// What a file is about.
fn scope(file: &File<'_>, document: &Document<'_>) -> Option<Scope> {
    if !file.distroversion.is_empty() {
        return release(&file.distroversion);
    }
    for rolling in ["wolfi", "chainguard"] {
        if file.urlprefix.contains(rolling) || document.name.contains(rolling) {
            return Scope::parse(rolling);
        }
    }
    // One file a package, in directories: alpine/3.22/main/apache2.json.
    let mut parts = document.name.split('/');
    parts.find(|part| *part == "alpine")?;
    release(parts.next()?)
}

/// `v3.20`, `3.20`, `edge`.
pub(super) fn release(name: &str) -> Option<Scope> {
    Scope::of("alpine", name.strip_prefix('v').unwrap_or(name))
}

/// Adds the fixes of a package.
pub(super) fn fixes(scope: &Scope, package: &str, fixes: &Fixes<'_>, into: &mut Compiler) {
    for (version, texts) in fixes {
        for text in texts.iter().flatten() {
            let ids = id::ids_in(text);
            let Some((&first, aliases)) = ids.split_first() else {
                into.problem(format!(
                    "{scope} {package} {}: `{}` names no vulnerability",
                    &**version, &**text
                ));
                continue;
            };
            let (status, ranges) = match &**version {
                "0" => (Status::NotAffected, Vec::new()),
                version => (Status::Fixed, vec![Range::before(version)]),
            };
            into.add(
                scope,
                &Advisory {
                    id: first,
                    aliases: aliases.to_vec(),
                    package,
                    status,
                    ranges,
                    feed: FEED.id,
                    ..Advisory::default()
                },
            );
        }
    }
}
