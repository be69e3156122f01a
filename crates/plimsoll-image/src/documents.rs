//! The JSON documents of images, read as they are really written.
//!
//! `oci-spec`'s types are stricter than the world: `docker save` writes `"manifests": null`,
//! Docker's configurations have members the specification does not know, bazel writes descriptors
//! without a media type, and absent, `null` and empty all mean the same in what Go programs write.
//! So reading is lenient here, and `validate` holds what plimsoll writes against `oci-spec`.

use std::collections::BTreeMap;

use plimsoll_model::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Error, Platform};

/// The name of an image in an index (OCI image specification, `annotations.md`).
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The full name containerd and BuildKit write beside it.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// `index.json`, an image index, or a Docker manifest list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    #[serde(default)]
    pub(crate) manifests: Option<Vec<Entry>>,
}

/// A descriptor of OCI's `descriptor.md`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) media_type: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) digest: String,
    #[serde(default)]
    pub(crate) size: Option<u64>,
    #[serde(default, deserialize_with = "strings")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) platform: Option<PlatformDocument>,
}

/// The platform of a descriptor.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct PlatformDocument {
    #[serde(default, deserialize_with = "lenient")]
    os: String,
    #[serde(default, deserialize_with = "lenient")]
    architecture: String,
    #[serde(default, deserialize_with = "lenient")]
    variant: String,
}

/// An image manifest, OCI's or Docker's schema 2.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) media_type: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) artifact_type: String,
    #[serde(default)]
    pub(crate) config: Option<Entry>,
    #[serde(default)]
    pub(crate) layers: Option<Vec<Entry>>,
    #[serde(default, deserialize_with = "strings")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// Only an index has these.
    #[serde(default)]
    pub(crate) manifests: Option<Vec<Entry>>,
    /// Only Docker's schema 1 has these.
    #[serde(default)]
    pub(crate) fs_layers: Option<Value>,
}

/// One image of a docker archive's `manifest.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Saved {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) config: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) layers: Vec<String>,
}

impl Entry {
    /// The digest, parsed.
    pub(crate) fn digest(&self, what: &str) -> Result<Digest, Error> {
        Digest::parse(&self.digest).map_err(|error| Error::malformed(what, error))
    }

    /// The platform, where the entry says one.
    pub(crate) fn platform(&self) -> Option<Platform> {
        let document = self.platform.as_ref()?;
        Platform::known(&document.os, &document.architecture, &document.variant)
    }

    /// Whether it is an attestation about another entry, and no image.
    pub(crate) fn is_attestation(&self) -> bool {
        self.annotations
            .get("vnd.docker.reference.type")
            .is_some_and(|kind| kind == "attestation-manifest")
            || self
                .platform()
                .is_some_and(|platform| platform.is_unknown())
    }

    /// The names it has, the short one first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        [REF_NAME, CONTAINERD_NAME]
            .into_iter()
            .filter_map(|key| self.annotations.get(key))
            .map(String::as_str)
            .filter(|name| !name.is_empty())
    }
}

/// Parses a document; the message says which and where.
pub(crate) fn parse<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Error> {
    if bytes.is_empty() {
        return Err(Error::malformed(what, "it is empty"));
    }
    serde_json::from_slice(bytes).map_err(|error| Error::malformed(what, error))
}

/// As [`parse`], for a document that must be an object (serde would take a list for a struct).
pub(crate) fn object<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Error> {
    match bytes.trim_ascii_start().first() {
        Some(b'{') | None => parse(what, bytes),
        Some(_) => Err(Error::malformed(what, "it is not a JSON object")),
    }
}

/// Absent, `null` and empty are the same.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A map of strings; members that are none are dropped.
pub(crate) fn strings<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    let values: BTreeMap<String, Value> = lenient(deserializer)?;
    let strings = values.into_iter().filter_map(|(key, value)| match value {
        Value::String(text) => Some((key, text)),
        _ => None,
    });
    Ok(strings.collect())
}
