//! The Debian security tracker's own JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::json::{self, Text};
use super::{Compiler, Document, feed, id};
use crate::advisory::{Advisory, Range, Status, severity};
use crate::{DISTRIBUTIONS, Scope};

feed! {
    /// The Debian security tracker: for every source package and vulnerability what each release has
    /// of it: `open`, `resolved` in a version, `undetermined`; its urgency, and whether the security
    /// team will act (`nodsa`). It lists unfixed, ignored and unimportant flaws, which few others do.
    ///
    /// Read as the one file the tracker publishes, as a file per source package (the name of the file
    /// is the package's), or as a file per package and vulnerability (in a directory named after the
    /// package).
    ///
    /// `fixed_version` 0 means that the release never had it. `unimportant` is a status of its own,
    /// fixed or not. Releases that are in no table of ours are filed under their code names.
    id: "debian",
    lists_unfixed: true,
    recognise: |document| {
        document.first() == Some(b'{')
            && document.holds("\"releases\"")
            && (document.holds("\"urgency\"") || document.holds("\"fixed_version\""))
    },
    read: read,
}

fn read(document: &Document<'_>, into: &mut Compiler) -> Result<(), String> {
    let mut reader = serde_json::Deserializer::from_slice(document.bytes);
    let top = Top {
        document: *document,
        into,
    };
    let read = top.deserialize(&mut reader).and_then(|()| reader.end());
    read.map_err(|error| json::said(&error))
}

/// What the tracker says about one vulnerability in one package.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    description: Text<'a>,
    #[serde(borrow, default)]
    releases: BTreeMap<Text<'a>, Release<'a>>,
}

#[derive(Deserialize)]
struct Release<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow, default)]
    fixed_version: Text<'a>,
    #[serde(borrow, default)]
    urgency: Text<'a>,
    #[serde(borrow)]
    nodsa: Option<Text<'a>>,
    #[serde(borrow, default)]
    nodsa_reason: Text<'a>,
}

/// The top of a file: packages, or vulnerabilities of one package, or the fields of one entry.
/// Packages are added as they are read: the whole is some 75 MB.
struct Top<'c, 'd> {
    document: Document<'d>,
    into: &'c mut Compiler,
}

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packages with their vulnerabilities")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut alone = Entry {
            description: Text::default(),
            releases: BTreeMap::new(),
        };
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key {
                "releases" => alone.releases = map.next_value()?,
                "description" => alone.description = map.next_value()?,
                "scope" | "debianbug" => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
                word if id::is_id(word) => {
                    let entry: Entry<'de> = map.next_value()?;
                    add(self.document.stem(), word, &entry, self.into);
                }
                package => {
                    let entries: BTreeMap<Text<'de>, Entry<'de>> = map.next_value()?;
                    for (word, entry) in &entries {
                        add(package, word, entry, self.into);
                    }
                }
            }
        }
        if !alone.releases.is_empty() {
            let mut parts = self.document.name.rsplit('/');
            let (_, package) = (parts.next(), parts.next().unwrap_or_default());
            add(package, self.document.stem(), &alone, self.into);
        }
        Ok(())
    }
}

fn add(package: &str, id: &str, entry: &Entry<'_>, into: &mut Compiler) {
    for (codename, release) in &entry.releases {
        let Some(scope) = scope(codename) else {
            into.problem(format!("{package} {id}: `{}` is no release", &**codename));
            continue;
        };
        let (status, ranges) = judge(release);
        into.add(
            &scope,
            &Advisory {
                id,
                package,
                status,
                ranges,
                severity: severity(&release.urgency),
                feed: FEED.id,
                title: json::title(&entry.description),
                ..Advisory::default()
            },
        );
    }
}

fn judge<'a>(release: &'a Release<'_>) -> (Status, Vec<Range<'a>>) {
    let fixed: &str = &release.fixed_version;
    let unimportant = &*release.urgency == "unimportant";
    match &*release.status {
        "resolved" if fixed == "0" || fixed.is_empty() => (Status::NotAffected, Vec::new()),
        "resolved" if unimportant => (Status::Unimportant, vec![Range::before(fixed)]),
        "resolved" => (Status::Fixed, vec![Range::before(fixed)]),
        "open" => {
            let nodsa = release.nodsa.is_some();
            let status = match (&*release.urgency, &*release.nodsa_reason) {
                ("unimportant", _) => Status::Unimportant,
                ("end-of-life", _) => Status::EndOfLife,
                (_, "postponed") => Status::Deferred,
                (_, "ignored") => Status::Ignored,
                _ if nodsa => Status::Ignored,
                _ => Status::Affected,
            };
            (status, vec![Range::ALL])
        }
        // `undetermined`, and what may come.
        _ => (Status::Undetermined, vec![Range::ALL]),
    }
}

/// The release of this code name.
pub(super) fn scope(codename: &str) -> Option<Scope> {
    let debian = DISTRIBUTIONS.iter().find(|known| known.id == "debian");
    let known = debian.and_then(|debian| {
        let mut releases = debian.releases.iter();
        releases.find(|release| release.codename == codename)
    });
    Scope::of("debian", known.map_or(codename, |release| release.version))
}
