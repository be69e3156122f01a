//! The indexes of package repositories: fetched, verified, read.
//!
//! Source: the Debian repository format (wiki.debian.org/DebianRepository/Format), `sources.list(5)`.
//! Nothing is believed that is not under a good signature: the release file names every index by
//! digest, the index every archive.

use std::collections::BTreeMap;

use plimsoll_model::fetch::FetchErrorKind;
use plimsoll_model::{Digest, Fetch};
use plimsoll_packages::index::{self, Candidate};
use plimsoll_packages::{deb822, release};

use crate::{Error, Event, Progress};

/// Largest release file, in bytes.
const MAX_RELEASE: u64 = 64 << 20;
/// Largest index, decompressed, in bytes.
const MAX_INDEX: u64 = 1 << 30;
/// The forms of an index, the best first: what is small to fetch, what is fast to read.
const FORMS: [&str; 4] = [".xz", ".gz", ".zst", ""];

/// A repository, as the caller has put it together from the recipe or from the machine's own
/// package manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The address above `dists/`.
    pub uri: String,
    /// The suite or codename below `dists/`.
    pub suite: String,
    /// The components.
    pub components: Vec<String>,
    /// The keyrings whose keys may sign for it, binary or armoured.
    pub keyrings: Vec<Vec<u8>>,
    /// Believe it without a signature (`trusted=yes` of `sources.list(5)`): only ever because the
    /// user said so.
    pub trusted: bool,
}

/// What a repository says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) uri: String,
    pub(crate) suite: String,
    pub(crate) codename: String,
    /// Seconds since 1970.
    pub(crate) date: i64,
    pub(crate) signed_by: Vec<String>,
}

/// A package that is offered, and by whom.
pub(crate) struct Offer {
    pub(crate) candidate: Candidate,
    /// Index of the repository.
    pub(crate) origin: usize,
}

/// Everything that is offered for an architecture.
#[derive(Default)]
pub(crate) struct Offers {
    pub(crate) origins: Vec<Origin>,
    pub(crate) all: Vec<Offer>,
    pub(crate) notes: Vec<String>,
}

/// Fetches, verifies and reads the indexes of these repositories. `now` is seconds since 1970.
pub(crate) fn load(
    repositories: &[Repository],
    architecture: &str,
    fetch: &dyn Fetch,
    now: i64,
    progress: &Progress<'_>,
) -> Result<Offers, Error> {
    let mut offers = Offers::default();
    for repository in repositories {
        load_one(repository, architecture, fetch, now, progress, &mut offers)?;
    }
    if offers.all.is_empty() {
        let url = repositories
            .first()
            .map_or("repositories", |first| &first.uri);
        return Err(Error::Repository {
            url: url.to_owned(),
            why: format!("no package for {architecture} is offered"),
        });
    }
    Ok(offers)
}

/// What these repositories offer for an architecture, each with the address its file name is relative
/// to; every signature and digest is verified. `now` is seconds since 1970.
///
/// # Errors
/// When one cannot be fetched, is not signed by a key it may be signed with, or offers nothing.
pub fn offered(
    repositories: &[Repository],
    architecture: &str,
    fetch: &dyn Fetch,
    now: i64,
    progress: &Progress<'_>,
) -> Result<Vec<(String, Candidate)>, Error> {
    let Offers { origins, all, .. } = load(repositories, architecture, fetch, now, progress)?;
    let offers = all.into_iter().filter_map(|offer| {
        let origin = origins.get(offer.origin)?;
        Some((origin.uri.clone(), offer.candidate))
    });
    Ok(offers.collect())
}

/// The part of a release file that is needed here.
struct Release {
    names: [String; 2],
    date: i64,
    by_hash: bool,
    files: BTreeMap<String, (Digest, u64)>,
    signed_by: Vec<String>,
}

fn load_one(
    repository: &Repository,
    architecture: &str,
    fetch: &dyn Fetch,
    now: i64,
    progress: &Progress<'_>,
    offers: &mut Offers,
) -> Result<(), Error> {
    let uri = repository.uri.trim_end_matches('/');
    let suite = repository.suite.trim_end_matches('/');
    if repository.suite.ends_with('/') {
        return Err(Error::Repository {
            url: uri.to_owned(),
            why: format!(
                "`{}` is a flat repository, which is not supported",
                repository.suite
            ),
        });
    }
    let base = format!("{uri}/dists/{suite}");
    progress(Event::Index { url: &base });
    let release = fetch_release(repository, &base, fetch, now)?;
    // A good signature on another suite's file must not pass for this one.
    let wanted = suite.split('/').next().unwrap_or(suite);
    let fits = |name: &String| name == suite || name.split('/').next() == Some(wanted);
    if !release.names.iter().any(fits) {
        let names = release.names.join("`, `");
        return Err(Error::Untrusted {
            url: base,
            why: format!("the release file is that of `{names}`, not of `{suite}`"),
        });
    }
    let origin = offers.origins.len();
    offers.origins.push(Origin {
        uri: uri.to_owned(),
        suite: suite.to_owned(),
        codename: release.names[1].clone(),
        date: release.date,
        signed_by: release.signed_by.clone(),
    });
    for component in &repository.components {
        let mut found = false;
        for kind in [architecture, "all"] {
            let stem = format!("{component}/binary-{kind}/Packages");
            let form = FORMS
                .iter()
                .find(|form| release.files.contains_key(&format!("{stem}{form}")));
            let Some(form) = form else {
                continue;
            };
            let name = format!("{stem}{form}");
            let Some(&(digest, size)) = release.files.get(&name) else {
                continue;
            };
            let url = match (release.by_hash, name.rsplit_once('/')) {
                (true, Some((folder, _))) => {
                    format!("{base}/{folder}/by-hash/SHA256/{}", digest.hex())
                }
                _ => format!("{base}/{name}"),
            };
            progress(Event::Index { url: &url });
            let broken = |why: String| Error::Repository {
                url: url.clone(),
                why,
            };
            let mut bytes = Vec::new();
            let opened = fetch.verified(&url, &digest, size)?;
            std::io::Read::read_to_end(&mut opened.open()?, &mut bytes)?;
            let text = index::decompress(&name, &bytes, MAX_INDEX)
                .map_err(|error| broken(error.to_string()))?;
            drop(bytes);
            let (candidates, problems) = index::parse(&text);
            let problems = problems.iter().map(|problem| format!("{url}: {problem}"));
            offers.notes.extend(problems.take(20));
            let mut has_all = false;
            for candidate in candidates {
                has_all |= candidate.architecture == "all";
                if candidate.architecture == "all" || candidate.architecture == architecture {
                    offers.all.push(Offer { candidate, origin });
                }
            }
            found = true;
            // Most repositories list what is for every architecture with each; some apart.
            if has_all {
                break;
            }
        }
        if !found {
            return Err(Error::Repository {
                url: base,
                why: format!("the release file names no index for {component} on {architecture}"),
            });
        }
    }
    Ok(())
}

fn fetch_release(
    repository: &Repository,
    base: &str,
    fetch: &dyn Fetch,
    now: i64,
) -> Result<Release, Error> {
    let inline_url = format!("{base}/InRelease");
    let untrusted = |url: &str, why: String| Error::Untrusted {
        url: url.to_owned(),
        why,
    };
    match fetch.fresh(&inline_url, MAX_RELEASE) {
        Ok(text) if repository.trusted => unsigned(&inline_url, &text),
        Ok(text) => release::verify_inline(&text, &repository.keyrings, now)
            .map(Release::from)
            .map_err(|error| untrusted(&inline_url, error.to_string())),
        // Older and smaller repositories have the text and its signature apart.
        Err(error) if matches!(error.kind, FetchErrorKind::Status(404 | 410)) => {
            let url = format!("{base}/Release");
            let text = fetch.fresh(&url, MAX_RELEASE)?;
            if repository.trusted {
                return unsigned(&url, &text);
            }
            let signature_url = format!("{base}/Release.gpg");
            let signature = match fetch.fresh(&signature_url, MAX_RELEASE) {
                Ok(signature) => signature,
                Err(error) if matches!(error.kind, FetchErrorKind::Status(404 | 410)) => {
                    return Err(untrusted(&url, "the release file is not signed".to_owned()));
                }
                Err(error) => return Err(error.into()),
            };
            release::verify_detached(&text, &signature, &repository.keyrings, now)
                .map(Release::from)
                .map_err(|error| untrusted(&url, error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

impl From<release::Release> for Release {
    fn from(release: release::Release) -> Self {
        Self {
            names: [release.suite, release.codename],
            date: release.date,
            by_hash: release.acquire_by_hash,
            files: release.files,
            signed_by: release.signed_by,
        }
    }
}

/// Reads a release file the user trusts without a signature: a frame around the text is skipped.
fn unsigned(url: &str, text: &[u8]) -> Result<Release, Error> {
    let broken = |why: &str| Error::Repository {
        url: url.to_owned(),
        why: why.to_owned(),
    };
    let text = String::from_utf8_lossy(text);
    let body = match text.split_once("-----BEGIN PGP SIGNED MESSAGE-----") {
        Some((_, rest)) => {
            let (_, rest) = rest.split_once("\n\n").unwrap_or(("", rest));
            rest.split("-----BEGIN PGP SIGNATURE-----")
                .next()
                .unwrap_or_default()
        }
        None => &text,
    };
    let stanza = deb822::stanzas(body.as_bytes())
        .next()
        .and_then(Result::ok)
        .ok_or_else(|| broken("the release file cannot be read"))?;
    let field = |name: &str| stanza.get(name).unwrap_or_default().into_owned();
    let mut files = BTreeMap::new();
    for line in field("SHA256").lines() {
        let mut words = line.split_whitespace();
        if let (Some(hex), Some(size), Some(name)) = (words.next(), words.next(), words.next())
            && let (Some(digest), Ok(size)) = (Digest::from_hex(hex), size.parse())
        {
            files.insert(name.to_owned(), (digest, size));
        }
    }
    if files.is_empty() {
        return Err(broken("the release file names no index by SHA-256"));
    }
    let date = jiff::fmt::rfc2822::parse(field("Date").trim());
    Ok(Release {
        names: [field("Suite"), field("Codename")],
        date: date.map_or(0, |date| date.timestamp().as_second()),
        by_hash: field("Acquire-By-Hash") == "yes",
        files,
        signed_by: Vec::new(),
    })
}
