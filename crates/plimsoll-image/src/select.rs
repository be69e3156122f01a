//! From an index to the one manifest that is meant: by name, by digest, by platform.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::Digest;

use crate::documents::{Entry, Index, Manifest, object};
use crate::store::Store;
use crate::{Error, Limits, Platform, config};

/// Indexes in indexes that are followed.
const MAX_NESTING: usize = 8;

/// What the user chose among the images of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// By name or tag.
    Name(String),
    /// By the digest of a manifest or index.
    Digest(Digest),
}

/// The manifest that is meant.
pub(crate) struct Chosen {
    /// Its full name (`httpd:2.4`), where the index has one.
    pub(crate) name: Option<String>,
    /// What the name means in that place: the manifest itself, or an index above it.
    pub(crate) top: Option<Digest>,
    pub(crate) digest: Digest,
    pub(crate) manifest: Manifest,
}

/// What all steps of a choice need.
struct Search<'a> {
    store: &'a Store,
    platform: Option<&'a Platform>,
    limits: &'a Limits,
}

/// Chooses one image of `store`.
///
/// # Errors
/// Ambiguous when the choice does not leave one; missing when it leaves none; what the documents
/// on the way are.
pub(crate) fn choose(
    store: &Store,
    choice: Option<&Choice>,
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<Chosen, Error> {
    let search = Search {
        store,
        platform,
        limits,
    };
    let what = format!("index.json in {}", store.what());
    let bytes = store.document("index.json", limits)?;
    let index: Index = object(&what, &bytes)?;
    let Some(entries) = index.manifests else {
        return Err(Error::malformed(what, "it has no `manifests`"));
    };
    if entries.is_empty() {
        return Err(Error::malformed(what, "there is no image in it"));
    }
    let candidates = search.chosen(entries, choice)?;
    // A bare tag (`latest`) names nothing to somebody who does not see the layout beside it.
    let name = candidates
        .iter()
        .flat_map(Entry::names)
        .find(|name| name.contains([':', '/']))
        .map(str::to_owned);
    let mut tops = candidates.iter().map(|entry| &entry.digest);
    let top = tops
        .next()
        .filter(|first| tops.all(|other| other == *first));
    let top = top.and_then(|digest| Digest::parse(digest).ok());
    let (digest, manifest) = search.follow(candidates, &what, 0)?;
    Ok(Chosen {
        name,
        top,
        digest,
        manifest,
    })
}

/// The image for the platform below `top`, where a place has one manifest or index.
///
/// # Errors
/// As [`choose`].
pub(crate) fn descend(
    store: &Store,
    top: Digest,
    name: Option<String>,
    platform: Option<&Platform>,
    limits: &Limits,
) -> Result<Chosen, Error> {
    let search = Search {
        store,
        platform,
        limits,
    };
    let entry = Entry {
        digest: top.to_string(),
        ..Entry::default()
    };
    let (digest, manifest) = search.follow(vec![entry], &store.what(), 0)?;
    Ok(Chosen {
        name,
        top: Some(top),
        digest,
        manifest,
    })
}

impl Search<'_> {
    /// The entries of the top index that the user may mean.
    fn chosen(&self, entries: Vec<Entry>, choice: Option<&Choice>) -> Result<Vec<Entry>, Error> {
        let what = self.store.what();
        let names: BTreeSet<String> = entries
            .iter()
            .filter_map(|entry| entry.names().next().map(str::to_owned))
            .collect();
        let listed = || match names.len() {
            0 => "none of its images has a name".to_owned(),
            _ => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                format!("it holds {}", names.join(", "))
            }
        };
        match choice {
            Some(Choice::Digest(digest)) => {
                let wanted = digest.to_string();
                let found = entries.into_iter().find(|entry| entry.digest == wanted);
                // A manifest below an index has no entry of its own here.
                let entry = found.unwrap_or_else(|| Entry {
                    digest: wanted,
                    ..Entry::default()
                });
                Ok(vec![entry])
            }
            Some(Choice::Name(name)) => {
                let found = named(entries, name);
                if found.is_empty() {
                    return Err(Error::missing(
                        format!("an image called `{name}` in {what}"),
                        listed(),
                    ));
                }
                Ok(found)
            }
            None => {
                let images: Vec<Entry> = entries
                    .into_iter()
                    .filter(|entry| !entry.is_attestation())
                    .collect();
                let digests: BTreeSet<&str> =
                    images.iter().map(|entry| entry.digest.as_str()).collect();
                if digests.len() > 1 && names.len() > 1 {
                    return Err(Error::Ambiguous {
                        what,
                        choices: names.into_iter().collect(),
                    });
                }
                Ok(images)
            }
        }
    }

    /// Down to one manifest for one platform.
    fn follow(
        &self,
        entries: Vec<Entry>,
        wanted_by: &str,
        depth: usize,
    ) -> Result<(Digest, Manifest), Error> {
        if depth > MAX_NESTING {
            let why = format!("its indexes are nested more than {MAX_NESTING} deep");
            return Err(Error::malformed(self.store.what(), why));
        }
        let mut unique: Vec<Entry> = Vec::new();
        for entry in entries {
            if entry.is_attestation() {
                continue;
            }
            match unique.iter_mut().find(|seen| seen.digest == entry.digest) {
                None => unique.push(entry),
                // The same image twice: the entry that says more is the better one.
                Some(seen) if seen.platform.is_none() => *seen = entry,
                Some(_) => {}
            }
        }
        let entry = self.by_platform(unique, wanted_by, depth)?;
        let (digest, bytes) = self.store.manifest(&entry, wanted_by, self.limits)?;
        let what = format!("manifest {digest}");
        let manifest: Manifest = object(&what, &bytes)?;
        match (&manifest.manifests, &manifest.layers) {
            // Two readings of one digest (CVE-2021-41190): neither is to be trusted.
            (Some(_), Some(_)) => {
                let why = "it has both `manifests` and `layers`";
                Err(Error::malformed(what, why))
            }
            (Some(_), None) => {
                let entries = manifest.manifests.unwrap_or_default();
                if entries.is_empty() {
                    return Err(Error::malformed(what, "the index has no image in it"));
                }
                self.follow(entries, &what, depth + 1)
            }
            (None, _) if manifest.fs_layers.is_some() => Err(Error::unsupported(
                what,
                "a Docker manifest of schema 1 (before 2016)",
            )),
            (None, _) => Ok((digest, manifest)),
        }
    }

    /// The entry for the platform that was asked for, or for this machine's.
    fn by_platform(
        &self,
        entries: Vec<Entry>,
        wanted_by: &str,
        depth: usize,
    ) -> Result<Entry, Error> {
        let [entry] = entries.as_slice() else {
            return self.best(entries, wanted_by, depth);
        };
        if let (Some(wanted), Some(found)) = (self.platform, entry.platform())
            && !wanted.accepts(&found)
        {
            return Err(self.other_platforms(wanted, &[found]));
        }
        Ok(entry.clone())
    }

    fn best(&self, entries: Vec<Entry>, wanted_by: &str, depth: usize) -> Result<Entry, Error> {
        let what = self.store.what();
        if entries.is_empty() {
            let why = format!("there is nothing but attestations in {wanted_by}");
            return Err(Error::malformed(what, why));
        }
        let here = Platform::of_this_machine();
        let wanted = self.platform.unwrap_or(&here);
        let mut known = Vec::new();
        let mut fitting = Vec::new();
        for entry in entries {
            let platform = match entry.platform() {
                Some(platform) => Some(platform),
                None => self.platform_inside(&entry, wanted_by, depth)?,
            };
            if platform.as_ref().is_none_or(|found| wanted.accepts(found)) {
                fitting.push((platform.clone(), entry));
            }
            known.extend(platform);
        }
        // Without a variant asked for, the entry without one, else the newest: v8 before v7.
        fitting.sort_by_key(|(platform, _)| {
            let variant = platform.as_ref().and_then(|found| found.variant.clone());
            (variant.is_some(), std::cmp::Reverse(variant))
        });
        let same: BTreeMap<_, usize> =
            fitting
                .iter()
                .fold(BTreeMap::new(), |mut same, (platform, _)| {
                    *same.entry(platform.clone()).or_default() += 1;
                    same
                });
        match fitting.first() {
            None => Err(self.other_platforms(wanted, &known)),
            Some((platform, _)) if same[platform] > 1 => {
                let choices = fitting
                    .iter()
                    .map(|(_, entry)| entry.names().next().unwrap_or(&entry.digest).to_owned());
                Err(Error::Ambiguous {
                    what,
                    choices: choices.collect(),
                })
            }
            Some((_, entry)) => Ok(entry.clone()),
        }
    }

    /// The platform of an entry that says none: its configuration does.
    fn platform_inside(
        &self,
        entry: &Entry,
        wanted_by: &str,
        depth: usize,
    ) -> Result<Option<Platform>, Error> {
        let (digest, bytes) = self.store.manifest(entry, wanted_by, self.limits)?;
        let what = format!("manifest {digest}");
        let manifest: Manifest = object(&what, &bytes)?;
        if manifest.manifests.is_some() || depth > MAX_NESTING {
            return Ok(None);
        }
        let Some(config) = &manifest.config else {
            return Ok(None);
        };
        let (digest, bytes) = self.store.described(config, &what, self.limits)?;
        let config = config::read(&format!("configuration {digest}"), bytes)?.config;
        let variant = config.variant.unwrap_or_default();
        Ok(Platform::known(&config.os, &config.architecture, &variant))
    }

    fn other_platforms(&self, wanted: &Platform, found: &[Platform]) -> Error {
        let found: BTreeSet<String> = found.iter().map(Platform::to_string).collect();
        let found: Vec<String> = found.into_iter().collect();
        Error::missing(
            format!("an image for {wanted} in {}", self.store.what()),
            format!("it holds only {}", found.join(", ")),
        )
    }
}

/// The entries called `name`: as written, or by its last part where that is not ambiguous
/// (`latest` for `docker.io/library/httpd:latest`).
pub(crate) fn named(entries: Vec<Entry>, name: &str) -> Vec<Entry> {
    let exact = |entry: &Entry| entry.names().any(|found| found == name);
    if entries.iter().any(exact) {
        return entries.into_iter().filter(exact).collect();
    }
    entries
        .into_iter()
        .filter(|entry| entry.names().any(|found| answers_to(found, name)))
        .collect()
}

/// Whether an image called `full` (`docker.io/library/httpd:2.4`) is meant by `name`: by its tag
/// (`2.4`), its last part (`httpd:2.4`), or its name without `:latest`.
pub(crate) fn answers_to(full: &str, name: &str) -> bool {
    let ends = |rest: &str| rest.is_empty() || rest.ends_with(['/', ':']);
    let matches = |name: &str| full.strip_suffix(name).is_some_and(ends);
    !name.is_empty() && (matches(name) || matches(&format!("{name}:latest")))
}

#[cfg(test)]
mod tests {
    use super::answers_to;

    #[test]
    fn an_image_answers_to_the_parts_of_its_name() {
        let full = "docker.io/library/httpd:2.4";
        for (name, answers) in [
            (full, true),
            ("httpd:2.4", true),
            ("library/httpd:2.4", true),
            ("2.4", true),
            ("4", false),
            ("pd:2.4", false),
            ("", false),
            ("httpd", false),
        ] {
            assert_eq!(answers_to(full, name), answers, "{name}");
        }
        assert!(answers_to("localhost/app:latest", "app"));
    }
}
