//! What is known about a slice beside its bytes: what its documents came with, and when their publishers
//! were last asked.

use std::collections::BTreeMap;

use plimsoll_model::Digest;
use plimsoll_scan::Scope;
use serde::{Deserialize, Serialize};

use crate::download::Validators;

/// What an update remembers of a slice, in a file beside it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// The digest of the slice they are about.
    slice: String,
    /// The last moment at which the servers that were asked had nothing newer (RFC 3339).
    pub(crate) checked: String,
    /// What each document came with.
    pub(crate) documents: BTreeMap<String, Validators>,
}

impl Notes {
    /// About the slice of this digest.
    pub(crate) fn about(digest: &Digest, checked: String) -> Self {
        Self {
            slice: digest.to_string(),
            checked,
            documents: BTreeMap::new(),
        }
    }

    /// With what each document came with.
    #[must_use]
    pub(crate) fn of(mut self, documents: &BTreeMap<String, Validators>) -> Self {
        self.documents.clone_from(documents);
        self
    }

    /// Whether they are about the slice of this digest.
    pub(crate) fn are_about(&self, digest: &Digest) -> bool {
        self.slice == digest.to_string()
    }

    /// The name of their file.
    pub(crate) fn file_name(scope: &Scope) -> String {
        format!("{}.fetched", scope.file_name().trim_end_matches(".slice"))
    }
}
