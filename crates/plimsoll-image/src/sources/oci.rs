//! `oci:DIR[:TAG]`: an OCI image layout in a directory.

use std::collections::BTreeMap;

use crate::documents::Manifest;
use crate::layer::Promised;
use crate::select::{Chosen, choose};
use crate::sources::{Address, Found, Layered, Source};
use crate::store::Store;
use crate::{Error, Limits, config};

pub(super) static SOURCE: Source = Source {
    scheme: "oci",
    form: "oci:DIR[:TAG|@DIGEST]",
    help: "an OCI image layout in a directory",
    recognises: |glimpse| glimpse.is_dir && glimpse.is_layout(),
    find: |address| {
        if !address.path.is_dir() {
            return Err(Error::NotAnImage {
                what: address.path.display().to_string(),
                why: "an OCI image layout is a directory".to_owned(),
            });
        }
        find_in(Store::Layout(address.path.to_owned()), address)
    },
};

/// The image meant by `address` in `store`.
pub(super) fn find_in(store: Store, address: &Address<'_>) -> Result<Found, Error> {
    let platform = address.options.platform.as_ref();
    let chosen = choose(&store, address.choice, platform, address.limits)?;
    let layered = promised(&store, chosen, address.limits)?;
    if let Some(wanted) = platform {
        let config = &layered.config;
        let variant = config.variant.as_deref().unwrap_or_default();
        let found = crate::Platform::known(&config.os, &config.architecture, variant);
        if let Some(found) = found
            && !wanted.accepts(&found)
        {
            return Err(Error::missing(
                format!("an image for {wanted} in {}", store.what()),
                format!("it holds only {found}"),
            ));
        }
    }
    Ok(Found::Layered(Box::new(layered)))
}

/// The configuration of a manifest, and what it promises of its layers.
pub(crate) fn promised(store: &Store, chosen: Chosen, limits: &Limits) -> Result<Layered, Error> {
    let Chosen {
        name,
        digest,
        manifest,
    } = chosen;
    let what = format!("manifest {digest}");
    let Some(entry) = &manifest.config else {
        return Err(Error::malformed(what, "it has no `config`"));
    };
    if let Some(kind) = other_kind(&manifest, &entry.media_type) {
        return Err(Error::unsupported(what, kind));
    }
    let layers = manifest.layers.unwrap_or_default();
    limits.check(&what, "layers", layers.len() as u64)?;
    let (config_digest, bytes) = store.described(entry, &what, limits)?;
    let config = config::read(&format!("configuration {config_digest}"), bytes)?;
    if config.diff_ids.len() != layers.len() {
        return Err(Error::mismatch(
            format!("{what}, number of layers"),
            format!("{} by the configuration", config.diff_ids.len()),
            format!("{} in the manifest", layers.len()),
        ));
    }
    let mut promised = Vec::with_capacity(layers.len());
    for (number, (layer, diff_id)) in layers.into_iter().zip(config.diff_ids).enumerate() {
        if layer.media_type == "application/vnd.in-toto+json" {
            return Err(Error::unsupported(what, "an attestation"));
        }
        let digest = layer.digest(&format!("layer {number} of {what}"))?;
        promised.push(Promised {
            what: format!("layer {number} ({digest})"),
            part: store.blob(&digest, &what)?,
            digest: Some(digest),
            size: layer.size,
            diff_id: Some(diff_id),
            media_type: layer.media_type,
        });
    }
    Ok(Layered {
        name,
        digest: Some(digest),
        config: config.config,
        layers: promised,
        annotations: manifest.annotations,
    })
}

/// What a manifest is, if it is no container image, by the media type of its configuration.
fn other_kind(manifest: &Manifest, media_type: &str) -> Option<String> {
    let kinds = BTreeMap::from([
        ("application/vnd.cncf.helm.config.v1+json", "a Helm chart"),
        (
            "application/vnd.wasm.config.v0+json",
            "a WebAssembly module",
        ),
        (
            "application/vnd.wasm.config.v1+json",
            "a WebAssembly module",
        ),
        ("application/vnd.docker.plugin.v1+json", "a Docker plugin"),
        (
            "application/vnd.dev.cosign.simplesigning.v1+json",
            "a signature",
        ),
        (
            "application/vnd.cncf.flux.config.v1+json",
            "a Flux artifact",
        ),
    ]);
    match media_type {
        // Descriptors without a media type, and those of bazel's old rules, mean images.
        ""
        | "application/vnd.oci.image.config.v1+json"
        | "application/vnd.docker.container.image.v1+json"
        | "application/json"
        | "application/octet-stream" => None,
        "application/vnd.oci.empty.v1+json" if manifest.artifact_type.is_empty() => {
            Some("an artifact without a type".to_owned())
        }
        "application/vnd.oci.empty.v1+json" => {
            Some(format!("an artifact of type {}", manifest.artifact_type))
        }
        other => Some(match kinds.get(other) {
            Some(kind) => (*kind).to_owned(),
            None => format!("an artifact with a configuration of type {other}"),
        }),
    }
}
