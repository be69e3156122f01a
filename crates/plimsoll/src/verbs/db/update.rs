//! `db update`: fetches what is new, from the publishers of feeds or from a mirror of slices.

use std::collections::{BTreeMap, BTreeSet};

use jiff::fmt::rfc2822;
use plimsoll_model::{Digest, OsRelease};
use plimsoll_scan::feeds::{Address, Compiler, addresses};
use plimsoll_scan::{Meta, Origin, Scope};
use sha2::{Digest as _, Sha256};

use crate::advisories::notes::Notes;
use crate::advisories::{Store, index, verified};
use crate::cli::db;
use crate::download::{Downloads, Got, Validators};
use crate::failure::{Exit, Failure, Result};
use crate::fetch::without_credentials;
use crate::officials;
use crate::print;
use crate::session::{self, Context};

/// A list of slices is not larger.
const MAX_INDEX: u64 = 16 << 20;
/// A slice is not larger.
const MAX_SLICE: u64 = 256 << 20;

/// Where feeds are fetched from.
struct Mirrors {
    /// Where slices are served.
    slices: Option<String>,
    /// Where a feed is served, by its name.
    feeds: BTreeMap<String, String>,
}

pub(super) fn run(context: &Context, arguments: &db::Update) -> Result<Exit> {
    let own = Store::below(&context.cache);
    let store = match &arguments.output {
        Some(directory) => Store::at(directory.clone()),
        None => own.clone(),
    };
    let mut mirrors = mirrors(&arguments.mirrors)?;
    let source = mirrors.feeds.remove(officials::NAME);
    let is_served = arguments.output.is_some();
    let has_lists = !is_served && officials::file(&context.cache).exists();
    let asked = arguments
        .scopes
        .iter()
        .any(|scope| scope == officials::NAME);
    if is_served && (asked || source.is_some()) {
        return Err(Failure::new(format!(
            "{} are no slice and are not served as one",
            officials::NAME
        ))
        .hint("serve a copy of the directory `library` of their repository"));
    }
    // Whoever names nothing wants all that is there.
    let everything = arguments.image.is_none() && arguments.scopes.is_empty();
    let wants_lists = asked || source.is_some() || everything && has_lists;
    let only = arguments
        .scopes
        .iter()
        .all(|scope| scope == officials::NAME);
    let nothing_else = asked || store.entries()?.is_empty() && (has_lists || source.is_some());
    let (scopes, mut notes) = match arguments.image.is_none() && only && nothing_else {
        true => (BTreeSet::new(), Vec::new()),
        false => wanted(context, arguments, &store)?,
    };
    // What is not whole yet is not served.
    let downloads = Downloads::new(own.directory().join("partial"));
    let update = Update {
        context,
        store: &store,
        downloads: &downloads,
        mirrors: &mirrors,
    };
    let mut failed = Vec::new();
    if scopes.is_empty() {
        // The lists of official images alone.
    } else if let Some(base) = &mirrors.slices {
        update.slices(base, &scopes, &mut failed)?;
    } else {
        // Releases of one distribution may share a document: it is fetched once.
        let mut groups: BTreeMap<Vec<Address>, Vec<Scope>> = BTreeMap::new();
        for scope in scopes {
            match addresses(&scope) {
                none if none.is_empty() => failed.push(format!(
                    "{scope}: plimsoll knows of nobody who publishes advisories for it; `plimsoll db \
                     build` compiles what you have"
                )),
                found => groups.entry(found).or_default().push(scope),
            }
        }
        for (documents, scopes) in &groups {
            match update.feeds(documents, scopes) {
                Ok(problems) => notes.extend(problems),
                Err(why) => failed.push(why),
            }
        }
    }
    // One list that fails holds no advisories up.
    if wants_lists {
        match super::officials::update(context, source.as_deref()) {
            Ok(problems) => notes.extend(problems),
            Err(failure) => failed.extend(failure.lines()),
        }
    }
    // A list of nothing would tell whoever asks that nobody publishes anything.
    if is_served && !store.entries()?.is_empty() {
        store.write_index(&context.leftovers)?;
    }
    context.progress.done();
    context.progress.note(&format!(
        "fetched {}",
        plimsoll_model::text::bytes(downloads.fetched())
    ));
    for note in &notes {
        context.progress.note(&format!("problem: {note}"));
    }
    if !failed.is_empty() {
        return Err(Failure::new("not everything could be updated")
            .details(failed)
            .hint("what was there before is as it was and can be used"));
    }
    Ok(if notes.is_empty() {
        Exit::Fine
    } else {
        Exit::Incomplete
    })
}

/// What is to be fetched, and what cannot be told.
fn wanted(
    context: &Context,
    arguments: &db::Update,
    store: &Store,
) -> Result<(BTreeSet<Scope>, Vec<String>)> {
    let named = arguments
        .scopes
        .iter()
        .filter(|scope| *scope != officials::NAME);
    let named: Result<BTreeSet<Scope>> = named.map(|scope| super::scope(scope)).collect();
    let mut scopes = named?;
    let mut notes = Vec::new();
    if let Some(image) = &arguments.image {
        let opened = session::inventory_of(context, image, arguments.platform.as_deref())?;
        let (_, problems) = OsRelease::of(&opened.rootfs);
        notes.extend(problems.iter().map(ToString::to_string));
        let os = opened.inventory.release.as_ref();
        match os.map(|os| (os, Scope::of_os(os))) {
            Some((_, Some(scope))) => {
                scopes.insert(scope);
            }
            Some((os, None)) => notes.push(format!(
                "{image}: os-release names no release of `{}` that could be fetched for",
                plimsoll_model::text::printable(os.id.as_bytes())
            )),
            None => notes.push(format!(
                "{image} has no os-release: its distribution is not known"
            )),
        }
        let own = opened
            .inventory
            .packages
            .iter()
            .map(|package| package.ecosystem);
        let languages = own.filter(|kind| !matches!(*kind, "deb" | "apk" | "rpm"));
        let known = languages
            .filter_map(Scope::parse)
            .filter(|scope| !addresses(scope).is_empty());
        scopes.extend(known);
        // Programs without a package, and what is exploited, concern every image.
        scopes.extend(
            ["bitnami", "kev", "epss"]
                .into_iter()
                .filter_map(Scope::parse),
        );
    }
    if arguments.image.is_none() && scopes.is_empty() {
        scopes.extend(store.entries()?.into_iter().map(|entry| entry.scope));
        if scopes.is_empty() {
            return Err(Failure::new("there is nothing to update yet")
                .hint("name an image, or what to fetch: `plimsoll db update --for debian:12`"));
        }
    }
    Ok((scopes, notes))
}

fn mirrors(given: &[String]) -> Result<Mirrors> {
    let mut mirrors = Mirrors {
        slices: std::env::var("PLIMSOLL_DB_MIRROR")
            .ok()
            .filter(|url| !url.is_empty()),
        feeds: BTreeMap::new(),
    };
    for text in given {
        let (name, url) = match text.split_once('=') {
            Some((name, url)) if !name.contains(':') => (Some(name), url),
            _ => (None, &**text),
        };
        if !["http://", "https://", "file:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Err(Failure::new(format!("`{text}` is no address"))
                .hint("write it as https://host/path, or NAME=https://host/path"));
        }
        let url = url.trim_end_matches('/').to_owned();
        match name {
            Some(name) => drop(mirrors.feeds.insert(name.to_owned(), url)),
            None => mirrors.slices = Some(url),
        }
    }
    Ok(mirrors)
}

struct Update<'a> {
    context: &'a Context,
    store: &'a Store,
    downloads: &'a Downloads,
    mirrors: &'a Mirrors,
}

impl Update<'_> {
    /// Takes slices from where they are served, by their list.
    fn slices(&self, base: &str, scopes: &BTreeSet<Scope>, failed: &mut Vec<String>) -> Result<()> {
        let url = format!("{base}/{}", index::NAME);
        let list = self
            .get(&url, "the list of slices", None, MAX_INDEX)
            .and_then(|got| match got {
                Got::New(bytes, _) => {
                    index::Index::read(&bytes).map_err(|why| format!("{url}: {why}"))
                }
                Got::Same => Err(format!("{url}: has no content")),
            });
        let list = list.map_err(|why| Failure::new(format!("cannot use the mirror {why}")))?;
        for scope in scopes {
            match list.find(scope) {
                Some(listed) => {
                    if let Err(why) = self.slice(base, scope, listed)? {
                        failed.push(format!("{scope}: {why}"));
                    }
                }
                None => failed.push(format!(
                    "{scope}: {} has no slice of it",
                    without_credentials(base)
                )),
            }
        }
        Ok(())
    }

    /// Takes one slice, if it is another than the one that is there.
    fn slice(
        &self,
        base: &str,
        scope: &Scope,
        listed: &index::Listed,
    ) -> Result<std::result::Result<(), String>> {
        let Some(expected) = listed.digest() else {
            return Ok(Err("the list of the mirror gives it no digest".to_owned()));
        };
        if let Some(file) = self.store.file(scope)?
            && let Ok((meta, digest)) = verified(&file)
            && digest == expected
        {
            self.heard(scope, &digest, listed)?;
            print::line(&format!(
                "{} (as before)",
                super::line(&meta, file.len() as u64)
            ))?;
            return Ok(Ok(()));
        }
        let url = format!("{base}/{}", scope.file_name());
        let file = match self.get(&url, &scope.to_string(), None, MAX_SLICE.min(listed.bytes)) {
            Ok(Got::New(file, _)) => file,
            Ok(Got::Same) => return Ok(Err(format!("{url}: has no content"))),
            Err(why) => return Ok(Err(why)),
        };
        match verified(&file) {
            Ok((meta, digest)) if digest == expected && meta.scope == *scope => {
                self.store.put(scope, &file, &self.context.leftovers)?;
                self.heard(scope, &digest, listed)?;
                print::line(&super::line(&meta, file.len() as u64))?;
                Ok(Ok(()))
            }
            Ok((_, digest)) => Ok(Err(format!(
                "{url}: has digest {digest}, expected {expected}"
            ))),
            Err(error) => Ok(Err(format!("{url}: {error}"))),
        }
    }

    /// Notes when the mirror last asked the publishers: that it was asked itself says nothing about that.
    fn heard(&self, scope: &Scope, digest: &Digest, listed: &index::Listed) -> Result<()> {
        let notes = Notes::about(digest, super::no_later(&listed.checked));
        self.store.remember(scope, &notes, &self.context.leftovers)
    }

    /// Fetches the documents of some scopes and compiles them; says what could not be read in them.
    fn feeds(
        &self,
        documents: &[Address],
        scopes: &[Scope],
    ) -> std::result::Result<Vec<String>, String> {
        let names: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        let mut urls = Vec::new();
        for address in documents {
            let base = self.mirrors.feeds.get(address.name).map(String::as_str);
            let base = base.unwrap_or(address.base);
            if base.is_empty() {
                return Err(format!(
                    "{names}: its feed lies on a package mirror, and none is compiled in: name yours with \
                     --mirror {}=URL",
                    address.name
                ));
            }
            urls.push(format!("{base}/{}", address.path));
        }
        let known: Vec<Option<Notes>> = scopes.iter().map(|scope| self.known(scope)).collect();
        let of = |url: &str| {
            // All of the slices must be of the same document.
            let mut validators = known.iter().map(|known| known.as_ref()?.documents.get(url));
            let first = validators.next()??;
            validators
                .all(|other| other == Some(first))
                .then_some(first)
        };
        let mut got = Vec::new();
        let mut changed = false;
        for (url, address) in urls.iter().zip(documents) {
            let found = self.document(url, &names, of(url), address)?;
            changed |= matches!(found, Got::New(..));
            got.push(found);
        }
        if !changed {
            for scope in scopes {
                self.unchanged(scope)
                    .map_err(|failure| failure.to_string())?;
            }
            return Ok(Vec::new());
        }
        let mut fetched = BTreeMap::new();
        let mut compiler = Compiler::new(scopes.iter().cloned());
        for ((url, address), found) in urls.iter().zip(documents).zip(got) {
            let found = match found {
                // One of several changed: the slice is made of all of them.
                Got::Same => self.document(url, &names, None, address)?,
                new @ Got::New(..) => new,
            };
            let Got::New(bytes, validators) = found else {
                return Err(format!("{url}: the server does not give what it has"));
            };
            self.against_sum(url, address, &bytes)?;
            self.context.progress.step(&format!("compiling {names}"));
            let origin = Origin {
                from: without_credentials(url),
                date: moment(&validators.modified).unwrap_or_default(),
                read: super::now().to_string(),
                ..Origin::default()
            };
            compiler.begin(
                origin,
                scopes.first().filter(|_| scopes.len() == 1).cloned(),
            );
            let name = url.rsplit_once("://").map_or(&**url, |(_, name)| name);
            let refused = |error: plimsoll_scan::feeds::FeedError| {
                format!("{names}: {}: {}", without_credentials(url), error.why)
            };
            compiler.file(name, &bytes).map_err(refused)?;
            compiler.end().map_err(refused)?;
            fetched.insert(url.clone(), validators);
        }
        let compiled = compiler.finish();
        for note in &compiled.notes {
            self.context.progress.note(&format!("{names}: {note}"));
        }
        let made: BTreeMap<Scope, Vec<u8>> = compiled.slices.into_iter().collect();
        for scope in scopes {
            let Some(file) = made.get(scope) else {
                return Err(format!("{scope}: the feed says nothing about it"));
            };
            let put = self.put(scope, file, &fetched);
            put.map_err(|failure| failure.to_string().replacen("error: ", "", 1))?;
        }
        Ok(compiled.problems)
    }

    fn put(
        &self,
        scope: &Scope,
        file: &[u8],
        fetched: &BTreeMap<String, Validators>,
    ) -> Result<()> {
        let (meta, digest) = verified(file).map_err(|error| Failure::because(scope, &error))?;
        self.store.put(scope, file, &self.context.leftovers)?;
        let notes = Notes::about(&digest, super::now().to_string()).of(fetched);
        self.store
            .remember(scope, &notes, &self.context.leftovers)?;
        print::line(&super::line(&meta, file.len() as u64))
    }

    fn unchanged(&self, scope: &Scope) -> Result<()> {
        if let (Some(mut known), Some(file)) = (self.known(scope), self.store.file(scope)?) {
            known.checked = super::now().to_string();
            self.store
                .remember(scope, &known, &self.context.leftovers)?;
            let (meta, _) = Meta::peek(&file).map_err(|error| Failure::because(scope, &error))?;
            print::line(&format!(
                "{} (as before)",
                super::line(&meta, file.len() as u64)
            ))?;
        }
        Ok(())
    }

    /// What a slice was made of, if it is still there as it was made.
    fn known(&self, scope: &Scope) -> Option<Notes> {
        let file = self.store.file(scope).ok()??;
        let (_, digest) = verified(&file).ok()?;
        self.store.notes(scope, &digest)
    }

    /// Publishers may pack what they send; a mirror may have sums of what it has.
    fn document(
        &self,
        url: &str,
        what: &str,
        known: Option<&Validators>,
        address: &Address,
    ) -> std::result::Result<Got, String> {
        if self.mirrors.feeds.contains_key(address.name) {
            return self.get(url, what, known, address.limit);
        }
        let packed = self.downloads.packed();
        let update = Update {
            downloads: &packed,
            ..*self
        };
        update.get(url, what, known, address.limit)
    }

    fn get(
        &self,
        url: &str,
        what: &str,
        known: Option<&Validators>,
        limit: u64,
    ) -> std::result::Result<Got, String> {
        self.context.progress.step(&format!(
            "fetching {what} from {}",
            without_credentials(url)
        ));
        let progress = &self.context.progress;
        self.downloads.get(url, known, limit, &|done, total| {
            progress.bytes(done, total)
        })
    }

    /// Where a mirror has a sum beside a document (`json.sha256`, as `sha256sum` writes it), the
    /// document must have it.
    fn against_sum(
        &self,
        url: &str,
        address: &Address,
        bytes: &[u8],
    ) -> std::result::Result<(), String> {
        if !self.mirrors.feeds.contains_key(address.name) {
            return Ok(());
        }
        let Ok(Got::New(sum, _)) =
            self.downloads
                .get(&format!("{url}.sha256"), None, 4096, &|_, _| ())
        else {
            return Ok(());
        };
        let sum = String::from_utf8_lossy(&sum);
        let first = sum.split_whitespace().next().unwrap_or_default();
        // Servers that have none may send a page in its place.
        let Some(expected) = Digest::from_hex(&first.to_ascii_lowercase()) else {
            return Ok(());
        };
        let found = Digest::from_bytes(Sha256::digest(bytes).into());
        if expected == found {
            return Ok(());
        }
        let url = without_credentials(url);
        Err(format!("{url}: has digest {found}, expected {expected}"))
    }
}

/// `Last-Modified` as RFC 3339.
fn moment(http: &str) -> Option<String> {
    let parsed = rfc2822::DateTimeParser::new().parse_timestamp(http).ok()?;
    Some(parsed.to_string())
}
