//! Gathers what feeds say and makes the slices of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use plimsoll_model::Digest;
use sha2::{Digest as _, Sha256};

use super::unpack::{self, Limits};
use super::{Document, FEEDS, Feed, FeedError, debian_list};
use crate::marks::{self, Cve, Epss, Kev};
use crate::{Advisory, Builder, Origin, Scope, Status};

/// Whether a file among others may be a feed by its name: a README is none.
pub fn is_data(name: &str) -> bool {
    const ENDS: &[&str] = &[
        ".json", ".jsonl", ".yaml", ".yml", ".csv", ".tsv", ".gz", ".xz", ".zst", ".zip", ".tar",
        ".db",
    ];
    ENDS.iter().any(|end| name.ends_with(end))
}

/// How many advisories that are left out are named.
const NAMED: usize = 5;
/// How many problems are told one by one.
const TOLD: usize = 50;

/// Reads documents of feeds and makes slices of them.
#[derive(Debug, Default)]
pub struct Compiler {
    slices: BTreeMap<Scope, Builder>,
    kev: BTreeMap<Cve, Kev>,
    epss: BTreeMap<Cve, Epss>,
    kev_origins: Vec<Origin>,
    epss_origins: Vec<Origin>,
    /// Only these are wanted; all if there are none.
    wanted: BTreeSet<Scope>,
    /// What the data that are being read are about, if their giver said so.
    given: Option<Scope>,
    origin: Origin,
    /// The day their giver named.
    stated: String,
    /// The newest day a record of them was changed.
    newest: Option<Date>,
    /// The slices that know of them.
    told: BTreeSet<Scope>,
    counts: Counts,
    withdrawn: u64,
    versionless: Vec<String>,
    more_versionless: u64,
    problems: Vec<String>,
    more_problems: usize,
    pub(super) list: debian_list::Gathered,
}

/// What became of the data of one origin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Documents that were read.
    pub documents: u64,
    /// Advisories, exploited vulnerabilities or scores in them.
    pub rows: u64,
    /// Advisories that were withdrawn, or name no version a package could have.
    pub skipped: u64,
}

/// What the compiler made.
#[derive(Debug)]
pub struct Compiled {
    /// The slices, each with its scope, as files. The marks are among them (`kev`, `epss`).
    pub slices: Vec<(Scope, Vec<u8>)>,
    /// What was left out of them, and rightly so: nothing a package could be held against.
    pub notes: Vec<String>,
    /// What could not be read, by name.
    pub problems: Vec<String>,
}

/// Why an advisory is left out.
pub(crate) enum Left {
    /// Its publisher took it back.
    Withdrawn,
    /// It is about nothing an image could hold, or about a release nobody could be told of.
    Elsewhere,
    /// It names no version a package could have: the vulnerability and the package.
    Versionless(String),
}

impl Compiler {
    /// For these scopes, or for all that the data are about.
    pub fn new(wanted: impl IntoIterator<Item = Scope>) -> Self {
        Self {
            wanted: wanted.into_iter().collect(),
            ..Self::default()
        }
    }

    /// What follows is of this origin, and about `scope` where it does not say so itself.
    /// [`Origin::feed`], [`Origin::digest`] and [`Origin::rows`] are filled in here.
    pub fn begin(&mut self, origin: Origin, scope: Option<Scope>) {
        self.stated.clone_from(&origin.date);
        self.origin = origin;
        self.given = scope;
        self.newest = None;
        self.told.clear();
        self.counts = Counts::default();
    }

    /// Reads a file of the origin: a document, packed or not, or an archive of documents.
    ///
    /// # Errors
    /// When it is cut short, is no feed plimsoll knows, or nonsense. A bad document among others in an
    /// archive is a problem, not an error.
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), FeedError> {
        let digest = Digest::from_bytes(Sha256::digest(bytes).into());
        self.origin.digest = if self.origin.digest.is_empty() {
            digest.to_string()
        } else {
            // Of several files: the digest of the digests.
            let both = format!("{} {digest}", self.origin.digest);
            Digest::from_bytes(Sha256::digest(both).into()).to_string()
        };
        let failed = |why| FeedError {
            document: name.to_owned(),
            why,
        };
        let mut single = None;
        let archive = unpack::documents(name, bytes, Limits::default(), &mut |document, alone| {
            let read = self.document(&document);
            match (read, alone) {
                (Ok(()), _) => {}
                (Err(why), true) => single = Some(why),
                (Err(_), false) if !is_data(document.name) => {}
                (Err(why), false) => self.problem(format!("{}: {why}", document.name)),
            }
        });
        archive.map_err(failed)?;
        match single {
            Some(why) => Err(failed(why)),
            None => Ok(()),
        }
    }

    fn document(&mut self, document: &Document<'_>) -> Result<(), String> {
        let known = FEEDS.iter().find(|feed| (feed.recognise)(document));
        let feed = known.ok_or("is no feed that plimsoll knows")?;
        self.read_by(feed, document)
    }

    fn read_by(&mut self, feed: &Feed, document: &Document<'_>) -> Result<(), String> {
        self.source(feed.id, feed.lists_unfixed);
        (feed.read)(document, self)?;
        self.counts.documents += 1;
        Ok(())
    }

    /// The advisories that follow are of this feed.
    pub(crate) fn source(&mut self, id: &str, lists_unfixed: bool) {
        if self.origin.feed != id {
            // What one feed says of its day says nothing about another's.
            self.settle();
            id.clone_into(&mut self.origin.feed);
            self.stated.clone_into(&mut self.origin.date);
            self.origin.lists_unfixed = lists_unfixed;
            self.told.clear();
        }
    }

    /// What became of the data since [`Self::begin`].
    ///
    /// # Errors
    /// When there was not a single advisory in them: data without data are a mistake.
    pub fn end(&mut self) -> Result<Counts, FeedError> {
        debian_list::finish(self);
        self.settle();
        if self.counts.rows == 0 {
            return Err(FeedError {
                document: self.origin.from.clone(),
                why: "holds not a single advisory".to_owned(),
            });
        }
        Ok(self.counts)
    }

    /// Data that do not say of which day they are are as new as their newest record.
    fn settle(&mut self) {
        if let (true, Some(newest)) = (self.origin.date.is_empty(), self.newest.take()) {
            self.dated(&newest.to_string());
        }
        self.newest = None;
    }

    /// The scope the giver of the data named.
    pub(crate) fn given(&self) -> Option<&Scope> {
        self.given.as_ref()
    }

    /// The data are of this day or moment, by their own account. What a server says of them counts where
    /// that is older; what their giver says where they say nothing.
    pub(crate) fn dated(&mut self, date: &str) {
        let from = &self.origin.from;
        let is_fetched = from.contains("://") || from.starts_with("file:");
        let stated = self.stated.get(..10).unwrap_or_default();
        if is_fetched && !stated.is_empty() && stated < date.get(..10).unwrap_or(date) {
            return;
        }
        // Slices that were told already learn it too.
        for scope in &self.told {
            if let Some(slice) = self.slices.get_mut(scope) {
                slice.dated(date);
            }
        }
        date.clone_into(&mut self.origin.date);
    }

    /// Adds an advisory about `scope`, unless that is not wanted.
    pub(crate) fn add(&mut self, scope: &Scope, advisory: &Advisory<'_>) {
        self.counts.rows += 1;
        self.newest = self.newest.max(advisory.modified);
        if !self.wanted.is_empty() && !self.wanted.contains(scope) {
            return;
        }
        if !self.told.contains(scope) {
            self.told.insert(scope.clone());
            let slice = self
                .slices
                .entry(scope.clone())
                .or_insert_with(|| Builder::new(scope.clone()));
            slice.origin(self.origin.clone());
        }
        let Some(slice) = self.slices.get_mut(scope) else {
            return;
        };
        match advisory.status {
            // That a package never had it is all there is to say.
            Status::NotAffected => slice.add(&Advisory {
                id: advisory.id,
                aliases: advisory.aliases.clone(),
                package: advisory.package,
                kind: advisory.kind,
                status: advisory.status,
                feed: advisory.feed,
                ..Advisory::default()
            }),
            _ => slice.add(advisory),
        }
    }

    /// Counts an advisory that is left out.
    pub(crate) fn skip(&mut self, why: Left) {
        self.counts.skipped += 1;
        match why {
            Left::Withdrawn => self.withdrawn += 1,
            Left::Elsewhere => {}
            Left::Versionless(name) if self.versionless.len() < NAMED => {
                self.versionless.push(name);
            }
            Left::Versionless(_) => self.more_versionless += 1,
        }
    }

    /// What was left out, as sentences.
    fn left(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let (noun, verb) = match self.withdrawn {
            1 => ("advisory", "was"),
            _ => ("advisories", "were"),
        };
        if self.withdrawn > 0 {
            notes.push(format!(
                "{} {noun} {verb} withdrawn and {verb} left out",
                self.withdrawn
            ));
        }
        if !self.versionless.is_empty() {
            let count = self.versionless.len() as u64 + self.more_versionless;
            let more = match self.more_versionless {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            notes.push(format!(
                "{count} left out that say nothing about versions of packages, such as those about commits \
                 alone: {}{more}",
                self.versionless.join(", ")
            ));
        }
        notes
    }

    /// Something of the data that could not be read.
    pub(crate) fn problem(&mut self, problem: String) {
        if self.problems.len() < TOLD {
            self.problems.push(problem);
        } else {
            self.more_problems += 1;
        }
    }

    /// A vulnerability that is known to be exploited.
    pub(crate) fn exploited(&mut self, cve: Cve, kev: Kev) {
        self.counts.rows += 1;
        self.kev.insert(cve, kev);
    }

    /// How likely a vulnerability is to be exploited.
    pub(crate) fn scored(&mut self, cve: Cve, epss: Epss) {
        self.counts.rows += 1;
        self.epss.insert(cve, epss);
    }

    /// The origin of the marks read last is complete.
    pub(crate) fn marked(&mut self) {
        let origin = Origin {
            rows: self.counts.rows,
            ..self.origin.clone()
        };
        if self.origin.feed == "kev" {
            self.kev_origins.push(origin);
        } else {
            self.epss_origins.push(origin);
        }
    }

    /// The slices.
    pub fn finish(mut self) -> Compiled {
        let notes = self.left();
        let mut slices: Vec<(Scope, Vec<u8>)> = Vec::new();
        for (scope, builder) in self.slices {
            slices.push((scope, builder.finish()));
        }
        if !self.kev.is_empty() {
            slices.push((
                marks::kev_scope(),
                marks::write_kev(&self.kev, self.kev_origins),
            ));
        }
        if !self.epss.is_empty() {
            let file = marks::write_epss(&self.epss, self.epss_origins);
            slices.push((marks::epss_scope(), file));
        }
        if self.more_problems > 0 {
            self.problems
                .push(format!("and {} more problems", self.more_problems));
        }
        Compiled {
            slices,
            notes,
            problems: self.problems,
        }
    }
}
