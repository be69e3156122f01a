//! The list of slices in a directory that is served, or in an archive: their names, digests, dates.

use plimsoll_model::Digest;
use plimsoll_scan::{Meta, Scope};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Its name.
pub(crate) const NAME: &str = "index.json";

const SCHEMA: &str = "plimsoll-advisories/1";

/// The list as it is written.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    schema: String,
    /// The digest of the file with nothing but zeros in the place of this: it covers the days in it. Empty in
    /// lists of old versions.
    #[serde(default)]
    digest: String,
    slices: Vec<Listed>,
}

/// One slice of the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listed {
    scope: String,
    pub(crate) file: String,
    digest: String,
    pub(crate) bytes: u64,
    pub(crate) date: String,
    /// The last moment at which the publishers had nothing newer (RFC 3339): a slice that does not change
    /// is no proof that whoever serves it still asks. Empty where nobody asked since it was made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) checked: String,
    pub(crate) rows: u64,
}

impl Index {
    /// Of these files.
    pub(crate) fn of<'a>(files: impl Iterator<Item = (&'a Meta, &'a Digest, u64)>) -> Self {
        let slices = files.map(|(meta, digest, bytes)| Listed {
            scope: meta.scope.to_string(),
            file: meta.scope.file_name(),
            digest: digest.to_string(),
            bytes,
            date: meta.date().unwrap_or_default().to_owned(),
            checked: meta.checked.clone(),
            rows: meta.rows,
        });
        Self {
            schema: SCHEMA.to_owned(),
            digest: nothing(),
            slices: slices.collect(),
        }
    }

    /// Reads one.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let index: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if index.schema != SCHEMA {
            return Err(format!("has the schema {}, not {SCHEMA}", index.schema));
        }
        if !index.digest.is_empty() {
            let expected = Digest::parse(&index.digest).map_err(|error| error.to_string())?;
            let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
            let found = digest(&text.replacen(&index.digest, &nothing(), 1));
            if found != expected {
                return Err(format!("has digest {found}, expected {expected}"));
            }
        }
        Ok(index)
    }

    /// The JSON.
    pub(crate) fn json(&self) -> Result<Vec<u8>, String> {
        let json = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        let json = json + "\n";
        let own = digest(&json).to_string();
        Ok(json.replacen(&nothing(), &own, 1).into_bytes())
    }

    /// The slice of a scope.
    pub(crate) fn find(&self, scope: &Scope) -> Option<&Listed> {
        let name = scope.to_string();
        self.slices.iter().find(|listed| listed.scope == name)
    }
}

/// What stands in the place of the digest while it is made.
fn nothing() -> String {
    Digest::from_bytes([0; 32]).to_string()
}

fn digest(text: &str) -> Digest {
    Digest::from_bytes(Sha256::digest(text).into())
}

impl Listed {
    /// Its digest; `None` where it is none.
    pub(crate) fn digest(&self) -> Option<Digest> {
        Digest::parse(&self.digest).ok()
    }
}
