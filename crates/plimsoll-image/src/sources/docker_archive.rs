//! `docker-archive:FILE[:NAME]`: what `docker save` writes, and its imitators.
//!
//! `manifest.json` names a configuration and layers for each image. Up to Docker 24 a layer is
//! `ID/layer.tar`, which may be a symbolic link to another one; kaniko and bazel write `.tar.gz`
//! and configurations called `sha256:...`; since Docker 25 both lie in `blobs/sha256` and the
//! archive is an OCI layout besides. The names of these files promise nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use plimsoll_model::Digest;

use crate::documents::{Index, Manifest, Saved, object, parse};
use crate::layer::Promised;
use crate::select::{Choice, answers_to};
use crate::sources::{Address, Found, Layered, Source, forms};
use crate::store::Store;
use crate::tar_file::TarFile;
use crate::{Engine, Error, Limits, Platform, Reference, config, stream};

pub(super) static SOURCE: Source = Source {
    scheme: "docker-archive",
    form: "docker-archive:FILE[:NAME]",
    help: "what `docker save` and `podman save` write",
    is_path: true,
    recognises: |glimpse| !glimpse.is_dir && glimpse.is_saved(),
    find,
};

fn find(address: &Address<'_>) -> Result<Found, Error> {
    find_in(address.tar()?, address)
}

/// The image an engine saves under the name that was asked for, in a file without a name.
pub(super) fn find_saved(engine: Engine, address: &Address<'_>) -> Result<Found, Error> {
    let name = address.text;
    let bad = |why: String| Error::Name {
        name: format!("{}:{name}", engine.scheme()),
        why,
        forms: forms(),
    };
    // An identifier of an image (`sha256:...` or its digits) is a name too.
    let is_identifier = Digest::parse(name).is_ok()
        || (name.len() >= 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let asked = match is_identifier {
        true => name.to_owned(),
        false => Reference::parse(name).map_err(bad)?.familiar(),
    };
    let temporary = match address.options.spool {
        Some(directory) => tempfile::tempfile_in(directory),
        None => tempfile::tempfile(),
    };
    let mut file = temporary.map_err(Error::io("a temporary file"))?;
    address.remotes()?.save(engine, &asked, &mut file)?;
    let what = format!("{name} as {engine} saves it");
    let tar = TarFile::of_file(what, file, address.limits)?;
    find_in(Arc::new(tar), address)
}

fn find_in(tar: Arc<TarFile>, address: &Address<'_>) -> Result<Found, Error> {
    let what = format!("manifest.json in {}", tar.what);
    let Some(part) = tar.find("manifest.json") else {
        let old = tar.has("repositories") || tar.names().any(|name| name.ends_with(b"/layer.tar"));
        return Err(match old {
            true => Error::missing(what, "archives of Docker before 1.10 have none"),
            false => Error::NotAnImage {
                what: tar.what.clone(),
                why: "it has no manifest.json".to_owned(),
            },
        });
    };
    let bytes = part.read(&what, address.limits.document)?;
    let images: Option<Vec<Saved>> = parse(&what, &bytes)?;
    let images = images.unwrap_or_default();
    let (saved, name) = choose(&tar, &images, address)?;
    if saved.config.is_empty() {
        return Err(Error::malformed(what, "the image has no `Config`"));
    }
    let member = |name: &str| {
        let missing = || {
            Error::missing(
                format!("{name} in {}", tar.what),
                format!("{what} names it"),
            )
        };
        tar.find(name).ok_or_else(missing)
    };
    let config_what = format!("{} in {}", saved.config, tar.what);
    let bytes = member(&saved.config)?.read(&config_what, address.limits.document)?;
    let config_digest = stream::digest(&bytes);
    let parsed = config::read(&config_what, bytes)?;
    if let Some(wanted) = &address.options.platform {
        let config = &parsed.config;
        let variant = config.variant.as_deref().unwrap_or_default();
        let found = Platform::known(&config.os, &config.architecture, variant);
        if let Some(found) = found.filter(|found| !wanted.accepts(found)) {
            return Err(Error::missing(
                format!("an image for {wanted} in {}", tar.what),
                format!("it holds only {found}"),
            ));
        }
    }
    let limits = address.limits;
    limits.check(&what, "layers", saved.layers.len() as u64)?;
    if parsed.diff_ids.len() != saved.layers.len() {
        return Err(Error::mismatch(
            format!("{what}, number of layers"),
            format!("{} by the configuration", parsed.diff_ids.len()),
            format!("{} in the manifest", saved.layers.len()),
        ));
    }
    let mut layers = Vec::with_capacity(saved.layers.len());
    for (number, (name, diff_id)) in saved.layers.iter().zip(parsed.diff_ids).enumerate() {
        layers.push(Promised {
            what: format!("layer {number} ({name})"),
            part: member(name)?,
            digest: None,
            size: None,
            diff_id: Some(diff_id),
            media_type: String::new(),
        });
    }
    // Where the archive is an OCI layout too, the manifest there has the digest and annotations.
    let beside = manifest_beside(&tar, &config_digest, limits);
    let (digest, annotations) = match beside {
        Some((digest, manifest)) => (digest, manifest.annotations),
        None => (config_digest, Default::default()),
    };
    Ok(Found::Layered(Box::new(Layered {
        name,
        digest: Some(digest),
        config: parsed.config,
        layers,
        annotations,
    })))
}

/// The image that is meant, and its name.
fn choose<'a>(
    tar: &TarFile,
    images: &'a [Saved],
    address: &Address<'_>,
) -> Result<(&'a Saved, Option<String>), Error> {
    let names: BTreeSet<String> = images
        .iter()
        .flat_map(|image| image.repo_tags.iter().cloned())
        .collect();
    let listed = || names.iter().cloned().collect::<Vec<_>>();
    match (address.choice, images) {
        (_, []) => Err(Error::malformed(
            format!("manifest.json in {}", tar.what),
            "there is no image in it",
        )),
        // As skopeo counts them: `docker-archive(5)`, `@source-index`.
        (Some(Choice::Name(name)), images) if position(name).is_some() => {
            let found = position(name).and_then(|position| images.get(position));
            let missing = || {
                let why = format!("it holds {}, and the first is @0", images.len());
                Error::missing(format!("an image {name} in {}", tar.what), why)
            };
            found
                .map(|image| (image, image.repo_tags.first().cloned()))
                .ok_or_else(missing)
        }
        (Some(Choice::Name(name)), images) => {
            let called = |test: &dyn Fn(&str) -> bool| {
                images.iter().find_map(|image| {
                    let tag = image.repo_tags.iter().find(|tag| test(tag))?;
                    Some((image, Some(tag.clone())))
                })
            };
            let exact = called(&|tag| tag == name);
            let found = exact.or_else(|| called(&|tag| answers_to(tag, name)));
            found.ok_or_else(|| {
                let listed = listed();
                let why = match listed.is_empty() {
                    true => "none of its images has a name".to_owned(),
                    false => format!("it holds {}", listed.join(", ")),
                };
                Error::missing(format!("an image called `{name}` in {}", tar.what), why)
            })
        }
        (Some(Choice::Digest(digest)), images) => {
            let config = |image: &&Saved| {
                let bytes = tar.find(&image.config)?;
                let bytes = bytes.read(&image.config, address.limits.document).ok()?;
                (stream::digest(&bytes) == *digest).then_some(())
            };
            let found = images.iter().find(|image| config(image).is_some());
            let missing = || {
                let why = "no configuration in it has this digest";
                Error::missing(format!("{digest} in {}", tar.what), why)
            };
            found
                .map(|image| (image, image.repo_tags.first().cloned()))
                .ok_or_else(missing)
        }
        (None, [image]) => Ok((image, image.repo_tags.first().cloned())),
        (None, images) => {
            let first = &images[0].config;
            if images.iter().all(|image| image.config == *first) {
                return Ok((&images[0], images[0].repo_tags.first().cloned()));
            }
            let unnamed = images.iter().enumerate();
            let unnamed = unnamed.filter(|(_, image)| image.repo_tags.is_empty());
            let mut choices = listed();
            choices.extend(unnamed.map(|(position, _)| format!("@{position}")));
            Err(Error::Ambiguous {
                what: tar.what.clone(),
                choices,
            })
        }
    }
}

/// The place of an image that is named by it: `@2` is the third.
fn position(name: &str) -> Option<usize> {
    let digits = name.strip_prefix('@')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(usize::MAX))
}

/// The OCI manifest in the same archive that has this configuration. It is an extra: what is wrong
/// with it does not make the archive unreadable, since nothing else is taken from it.
fn manifest_beside(
    tar: &Arc<TarFile>,
    config: &Digest,
    limits: &Limits,
) -> Option<(Digest, Manifest)> {
    let store = Store::Archive(Arc::clone(tar));
    let bytes = store.document("index.json", limits).ok()?;
    let index: Index = object("index.json", &bytes).ok()?;
    let config = config.to_string();
    index.manifests?.iter().find_map(|entry| {
        let (digest, bytes) = store.described(entry, "index.json", limits).ok()?;
        let manifest: Manifest = object("manifest", &bytes).ok()?;
        let same = manifest.config.as_ref()?.digest == config;
        same.then_some((digest, manifest))
    })
}
