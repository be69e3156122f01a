//! `--archive`: what the distribution's archive offers today beside what is installed, and which fixes an
//! upgrade would bring, by the changelogs of the packages themselves. It needs no vulnerability feed.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::Read as _;

use plimsoll_build::Repository;
use plimsoll_model::Fetch as _;
use plimsoll_model::package::ecosystem;
use plimsoll_model::tar::Type;
use plimsoll_model::vulnerability::{ArchiveFacts, Upgrade};
use plimsoll_packages::index::Candidate;
use plimsoll_packages::version::deb;
use plimsoll_packages::{changelog, deb as archive, index};

use crate::cli::Mirror;
use crate::failure::{Failure, Result};
use crate::fetch::{Network, without_credentials};
use crate::mirror;
use crate::session::{Context, Opened};

/// A changelog is text; this is the largest that is read, unpacked.
const CHANGELOG: u64 = 64 << 20;

/// How many packages of a source are fetched for its changelog.
const ASKED: usize = 4;

/// A package that is offered, and where.
struct Offer {
    uri: String,
    candidate: Candidate,
}

/// Compares what is installed with what is offered.
pub(super) fn evidence(context: &Context, image: &Opened, given: &Mirror) -> Result<ArchiveFacts> {
    let release = image.inventory.release.as_ref();
    let packages: Vec<_> = image
        .inventory
        .packages
        .iter()
        .filter(|package| package.ecosystem == ecosystem::DEB)
        .collect();
    let Some(release) = release.filter(|_| !packages.is_empty()) else {
        return Err(Failure::new(format!(
            "{} has no packages of a Debian kind to compare",
            image.image.name
        )));
    };
    context
        .progress
        .step("asking the package mirror what there is");
    let progress = context.progress.clone();
    let network = Network::new(&context.cache, context.leftovers.clone(), move |bytes| {
        progress.bytes(bytes, 0);
    });
    let repositories = mirror::for_release(given, release, &network)?;
    let architectures = packages.iter().map(|package| &*package.architecture);
    let architecture = architectures
        .into_iter()
        .find(|name| !matches!(*name, "" | "all"));
    let architecture = architecture.unwrap_or("amd64");
    let all = offers(&repositories, architecture, &network)?;
    let mut facts = ArchiveFacts {
        mirrors: repositories
            .iter()
            .map(|it| format!("{} {}", without_credentials(&it.uri), it.suite))
            .collect(),
        ..ArchiveFacts::default()
    };
    let mut upgrades: BTreeMap<(String, String, String), Vec<&Offer>> = BTreeMap::new();
    for package in packages {
        let Some(offer) = all.get(&package.name) else {
            facts
                .foreign
                .push(format!("{} {}", package.name, package.version));
            continue;
        };
        match deb::compare(&package.version, &offer.candidate.version) {
            Ordering::Equal => facts.current += 1,
            Ordering::Greater => {
                facts
                    .foreign
                    .push(format!("{} {}", package.name, package.version));
            }
            Ordering::Less => {
                let (source, version) = source(&offer.candidate);
                let key = (source, package.source_version().to_owned(), version);
                upgrades.entry(key).or_default().push(offer);
            }
        }
    }
    for ((source, installed, offered), upgraded) in upgrades {
        context
            .progress
            .step(&format!("reading what changed in {source}"));
        let read = of_source(&all, &source, &offered).find_map(|offer| {
            let text = changelog_of(offer, &network)?;
            changelog::fixes(&text, &source, &installed, &offered)
        });
        facts.upgrades.push(Upgrade {
            packages: upgraded
                .iter()
                .map(|offer| offer.candidate.name.clone())
                .collect(),
            source,
            installed,
            offered,
            fixes: read.map(|fixes| fixes.into_iter().collect()),
        });
    }
    context.progress.done();
    Ok(facts)
}

/// What is offered of this source package in this version, the smallest first: any of them may have the
/// changelog, and those that are installed may leave it to another.
fn of_source<'a>(
    all: &'a BTreeMap<String, Offer>,
    name: &str,
    version: &str,
) -> impl Iterator<Item = &'a Offer> {
    let is_of = |offer: &&Offer| {
        let (own, own_version) = source(&offer.candidate);
        own == name && own_version == version
    };
    let mut found: Vec<&Offer> = all.values().filter(is_of).collect();
    found.sort_by_key(|offer| offer.candidate.size);
    found.into_iter().take(ASKED)
}

/// The latest of each name that is offered.
fn offers(
    repositories: &[Repository],
    architecture: &str,
    network: &Network,
) -> Result<BTreeMap<String, Offer>> {
    let now = jiff::Timestamp::now().as_second();
    let offered = plimsoll_build::offered(repositories, architecture, network, now, &|_| ())
        .map_err(|error| Failure::because("cannot learn what the archive offers", &error))?;
    let mut offers: BTreeMap<String, Offer> = BTreeMap::new();
    for (uri, candidate) in offered {
        let later = offers.get(&candidate.name).is_none_or(|known| {
            deb::compare(&candidate.version, &known.candidate.version) == Ordering::Greater
        });
        if later {
            offers.insert(candidate.name.clone(), Offer { uri, candidate });
        }
    }
    Ok(offers)
}

/// Source package and its version: `glibc (2.36-9)`.
fn source(candidate: &Candidate) -> (String, String) {
    let written = candidate.source.as_deref().unwrap_or(&candidate.name);
    match written.split_once(" (") {
        Some((name, version)) => (name.to_owned(), version.trim_end_matches(')').to_owned()),
        None => (written.to_owned(), candidate.version.clone()),
    }
}

/// The changelog in a package; nothing where it has none (another of the same source may).
fn changelog_of(offer: &Offer, network: &Network) -> Option<String> {
    let candidate = &offer.candidate;
    if !index::is_below(&candidate.filename) {
        return None;
    }
    let url = format!("{}/{}", offer.uri, candidate.filename);
    let fetched = network
        .verified(&url, &candidate.digest, candidate.size)
        .ok()?;
    let mut data = archive::open(fetched).ok()?.data().ok()?;
    let directory = format!("usr/share/doc/{}/", candidate.name);
    while let Some(member) = data.next_member().ok()? {
        let path = String::from_utf8_lossy(&member.name);
        let name = path
            .trim_start_matches(['.', '/'])
            .strip_prefix(&*directory);
        let wanted = matches!(name, Some("changelog.Debian.gz" | "changelog.gz"));
        if wanted && member.kind == Type::File {
            let mut packed = Vec::new();
            (&mut data).take(CHANGELOG).read_to_end(&mut packed).ok()?;
            let text = index::decompress("changelog.gz", &packed, CHANGELOG).ok()?;
            return Some(String::from_utf8_lossy(&text).into_owned());
        }
    }
    None
}
