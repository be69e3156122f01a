//! `oci:DIR[:TAG]`: an OCI image layout in a directory.

use std::collections::BTreeMap;

use plimsoll_model::{Config, Digest};

use crate::documents::{Entry, Manifest};
use crate::layer::Promised;
use crate::remote::Wanted;
use crate::select::{Chosen, choose};
use crate::sources::{Address, Found, Layered, Source};
use crate::store::Store;
use crate::{Error, Limits, Reference, config};

pub(super) static SOURCE: Source = Source {
    scheme: "oci",
    form: "oci:DIR[:TAG|@DIGEST]",
    help: "an OCI image layout in a directory",
    is_path: true,
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
    found(store, chosen, address)
}

/// The image that was chosen, if it is for the platform that was asked for.
pub(super) fn found(store: Store, chosen: Chosen, address: &Address<'_>) -> Result<Found, Error> {
    let described = describe(store, chosen, address.limits)?;
    if let Some(wanted) = &address.options.platform {
        let config = &described.config;
        let variant = config.variant.as_deref().unwrap_or_default();
        let found = crate::Platform::known(&config.os, &config.architecture, variant);
        if let Some(found) = found
            && !wanted.accepts(&found)
        {
            return Err(Error::missing(
                format!("an image for {wanted} in {}", described.store.what()),
                format!("it holds only {found}"),
            ));
        }
    }
    Ok(Found::Described(Box::new(described)))
}

/// The configuration of a manifest, and what it says of its layers, none of which is touched.
pub(crate) fn describe(store: Store, chosen: Chosen, limits: &Limits) -> Result<Described, Error> {
    let Chosen {
        name,
        top,
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
    let mut described = Vec::with_capacity(layers.len());
    for (number, (layer, diff_id)) in layers.into_iter().zip(config.diff_ids).enumerate() {
        if layer.media_type == "application/vnd.in-toto+json" {
            return Err(Error::unsupported(what, "an attestation"));
        }
        let digest = layer.digest(&format!("layer {number} of {what}"))?;
        if is_foreign(&layer.media_type) {
            let layer = format!("layer {number} ({digest}) of {what}");
            let kind = "a foreign layer, whose bytes its maker keeps elsewhere";
            return Err(Error::unsupported(layer, kind));
        }
        described.push((layer, digest, diff_id));
    }
    Ok(Described {
        store,
        name,
        top,
        digest,
        config: config.config,
        layers: described,
        annotations: manifest.annotations,
        reference: None,
    })
}

/// An image of which the documents were read, and no layer.
pub(crate) struct Described {
    pub(crate) store: Store,
    pub(crate) name: Option<String>,
    /// What the name means in that place: the manifest itself, or an index above it.
    pub(crate) top: Option<Digest>,
    pub(crate) digest: Digest,
    pub(crate) config: Config,
    /// The descriptor of each layer, its digest, and that of its plain tar.
    pub(crate) layers: Vec<(Entry, Digest, Digest)>,
    pub(crate) annotations: BTreeMap<String, String>,
    /// What the name meant in a registry; `None` in any other place.
    pub(crate) reference: Option<Reference>,
}

impl Described {
    /// The same with one of its layers alone, if it has so many.
    pub(crate) fn only(mut self, number: usize) -> Option<Self> {
        let layer = (number < self.layers.len()).then(|| self.layers.swap_remove(number))?;
        self.layers = vec![layer];
        Some(self)
    }

    /// Brings the layers here, where they lie elsewhere.
    pub(crate) fn promised(
        self,
        progress: Option<&(dyn Fn(u64, u64) + Sync)>,
    ) -> Result<Layered, Error> {
        let what = format!("manifest {}", self.digest);
        let wanted: Vec<Wanted> = self
            .layers
            .iter()
            .map(|(layer, digest, _)| Wanted {
                digest: *digest,
                size: layer.size,
            })
            .collect();
        self.store.fetch(&wanted, progress)?;
        let mut promised = Vec::with_capacity(self.layers.len());
        for (number, (layer, digest, diff_id)) in self.layers.into_iter().enumerate() {
            promised.push(Promised {
                what: format!("layer {number} ({digest})"),
                part: self.store.blob(&digest, &what)?,
                digest: Some(digest),
                size: layer.size,
                diff_id: Some(diff_id),
                media_type: layer.media_type,
            });
        }
        Ok(Layered {
            name: self.name,
            digest: Some(self.digest),
            config: self.config,
            layers: promised,
            annotations: self.annotations,
        })
    }
}

/// Layers a registry does not have: of Windows, whose licence forbids it, mostly (OCI image
/// specification, `layer.md`, "non-distributable layers").
fn is_foreign(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
        || media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
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
