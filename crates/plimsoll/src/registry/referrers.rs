//! What refers to an image in a registry (OCI distribution specification, "Listing Referrers" and
//! "Referrers Tag Schema"): SBOMs, reports, signatures.
//!
//! A registry that knows the referrers API lists them itself. For one that does not, an index under
//! the tag `sha256-DIGITS` is kept by whoever pushes, as the specification says.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use plimsoll_image::{Error, Repository as _, Wanted};
use plimsoll_model::{Digest, Open};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Repo;
use super::host::{Ask, Refusal, header, join};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Bytes of a list, and of a manifest.
const MAX_DOCUMENT: u64 = 8 << 20;
/// Pages of a list.
const MAX_PAGES: usize = 100;

/// Something that refers to an image.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Referrer {
    /// The digest of its manifest.
    pub(crate) digest: String,
    /// Bytes of its manifest.
    pub(crate) size: u64,
    /// What it is; of a manifest without a type the media type of its configuration.
    pub(crate) artifact_type: String,
    /// What its maker says of it.
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct List {
    manifests: Option<Vec<Referrer>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Artifact {
    layers: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    digest: String,
    size: Option<u64>,
}

/// A document, and where its next page is.
type Page = (Vec<u8>, Option<String>);

impl Repo {
    /// The manifest `target` means: its digest, and its descriptor for something that refers to it.
    pub(crate) fn subject(&self, target: &str) -> Result<(Digest, Value), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Kind {
            media_type: Option<String>,
            manifests: Option<Value>,
        }
        let bytes = self.manifest(target, MAX_DOCUMENT)?;
        let digest = digest_of(&bytes);
        let malformed = |why: String| Error::Malformed {
            what: format!("manifest {digest}"),
            why,
        };
        if Digest::parse(target).is_ok_and(|wanted| wanted != digest) {
            return Err(Error::Mismatch {
                what: format!("manifest {target}, digest"),
                expected: target.to_owned(),
                found: digest.to_string(),
            });
        }
        let kind: Kind =
            serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
        let usual = match kind.manifests {
            Some(_) => INDEX,
            None => MANIFEST,
        };
        let media_type = kind.media_type.as_deref().unwrap_or(usual);
        let descriptor = json!({
            "mediaType": media_type,
            "digest": digest.to_string(),
            "size": bytes.len(),
        });
        Ok((digest, descriptor))
    }

    /// Pushes `bytes` as something of this kind that refers to `target`; the digest of its manifest.
    pub(crate) fn attach(
        &self,
        target: &str,
        kind: &str,
        title: &str,
        bytes: Vec<u8>,
    ) -> Result<Digest, Error> {
        let (subject_digest, subject) = self.subject(target)?;
        let bytes: Arc<[u8]> = bytes.into();
        let empty: Arc<[u8]> = Arc::from(&b"{}"[..]);
        for blob in [&empty, &bytes] {
            let wanted = Wanted {
                digest: digest_of(blob),
                size: Some(blob.len() as u64),
            };
            self.push_blob(wanted, blob as &dyn Open, None)?;
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": kind,
            "config": {
                "mediaType": EMPTY,
                "digest": digest_of(&empty).to_string(),
                "size": empty.len(),
                "data": "e30=",
            },
            "layers": [{
                "mediaType": kind,
                "digest": digest_of(&bytes).to_string(),
                "size": bytes.len(),
                "annotations": { "org.opencontainers.image.title": title },
            }],
            "subject": subject,
        })
        .to_string();
        let digest = digest_of(manifest.as_bytes());
        let listed = self.put_manifest(&digest.to_string(), MANIFEST, manifest.as_bytes())?;
        if !listed {
            let entry = json!({
                "mediaType": MANIFEST,
                "digest": digest.to_string(),
                "size": manifest.len(),
                "artifactType": kind,
            });
            self.list_by_tag(&subject_digest, entry)?;
        }
        Ok(digest)
    }

    /// Puts an entry into the list a registry without the referrers API cannot make itself.
    fn list_by_tag(&self, subject: &Digest, entry: Value) -> Result<(), Error> {
        let tag = tag_of(subject);
        let known = self.own_document(&format!("manifests/{tag}"), INDEX);
        let mut index = match known {
            Ok(Some((bytes, _))) => serde_json::from_slice::<Value>(&bytes)
                .ok()
                .filter(|index| index["manifests"].is_array()),
            Ok(None) => None,
            Err(error) => return Err(error),
        }
        .unwrap_or_else(|| json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }));
        if let Some(entries) = index["manifests"].as_array_mut()
            && !entries.iter().any(|old| old["digest"] == entry["digest"])
        {
            entries.push(entry);
        }
        self.put_manifest(&tag, INDEX, index.to_string().as_bytes())
            .map(drop)
    }

    /// Everything that refers to the manifest with this digest.
    pub(crate) fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, Error> {
        let mut found = Vec::new();
        let mut next = Some(format!("referrers/{subject}"));
        for page in 0..MAX_PAGES {
            let Some(place) = next.take() else { break };
            match self.own_document(&place, INDEX)? {
                Some((bytes, link)) => {
                    found.extend(list(&place, &bytes)?);
                    next = link;
                }
                None if page == 0 => {
                    let place = format!("manifests/{}", tag_of(subject));
                    if let Some((bytes, _)) = self.own_document(&place, INDEX)? {
                        found.extend(list(&place, &bytes)?);
                    }
                }
                None => {}
            }
        }
        Ok(found)
    }

    /// What a referrer holds, verified: its only layer.
    pub(crate) fn content(&self, referrer: &Referrer) -> Result<Vec<u8>, Error> {
        let what = format!("manifest {}", referrer.digest);
        let malformed = |why: String| Error::Malformed {
            what: what.clone(),
            why,
        };
        let digest =
            Digest::parse(&referrer.digest).map_err(|error| malformed(error.to_string()))?;
        let bytes = self.manifest(&digest.to_string(), MAX_DOCUMENT)?;
        if digest_of(&bytes) != digest {
            return Err(Error::Mismatch {
                what: format!("{what}, digest"),
                expected: digest.to_string(),
                found: digest_of(&bytes).to_string(),
            });
        }
        let artifact: Artifact =
            serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
        let [part] = artifact.layers.as_slice() else {
            return Err(malformed(format!(
                "it has {} parts, not one",
                artifact.layers.len()
            )));
        };
        let wanted = Wanted {
            digest: Digest::parse(&part.digest).map_err(|error| malformed(error.to_string()))?,
            size: part.size,
        };
        let paths = self.blobs(&[wanted], None)?;
        let path = paths
            .first()
            .ok_or_else(|| malformed("it holds nothing".to_owned()))?;
        std::fs::read(path).map_err(|source| Error::Io {
            what: path.display().to_string(),
            source,
        })
    }

    /// A document of the registry itself, and the next page of it; `None` where there is none.
    fn own_document(&self, place: &str, accept: &str) -> Result<Option<Page>, Error> {
        let endpoint = self.own()?;
        let scope = endpoint.pull();
        let mut ask = Ask {
            scope: &scope,
            ..endpoint.get(place, vec![("accept", accept.to_owned())])
        };
        if place.starts_with("http") {
            ask.address = place.to_owned();
        }
        let what = format!("{place} of {}", self.name());
        let failed = |refusal| self.error(&what, vec![(&endpoint.name, refusal)]);
        let answer = match endpoint.host.ask(&ask) {
            Ok(answer) => answer,
            // What a registry says to a question it does not know.
            Err(Refusal::Missing(_) | Refusal::Status(400 | 405 | 406, _)) => return Ok(None),
            Err(refusal) => return Err(failed(refusal)),
        };
        let base = endpoint.host.base().map_err(failed)?;
        let link = header(answer.headers(), "link").and_then(|link| {
            let (address, rest) = link.strip_prefix('<')?.split_once('>')?;
            rest.contains("rel=\"next\"")
                .then(|| join(&format!("{base}{}", ask.address), address))?
        });
        // Only the registry itself has its further pages.
        let link = link.filter(|link| link.starts_with(&base));
        let mut bytes = Vec::new();
        let read = answer
            .into_body()
            .into_reader()
            .take(MAX_DOCUMENT)
            .read_to_end(&mut bytes);
        read.map_err(|error| failed(Refusal::Unreachable(error.to_string())))?;
        Ok(Some((bytes, link)))
    }
}

fn list(place: &str, bytes: &[u8]) -> Result<Vec<Referrer>, Error> {
    let list: List = serde_json::from_slice(bytes).map_err(|error| Error::Malformed {
        what: place.to_owned(),
        why: error.to_string(),
    })?;
    Ok(list.manifests.unwrap_or_default())
}

fn tag_of(digest: &Digest) -> String {
    format!("sha256-{}", digest.hex())
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}
