//! Why an image could not be read, written or unpacked: what, where, and both values.

use std::io;
use std::path::PathBuf;

/// Why an image could not be read, written or unpacked.
///
/// The variants are kinds a caller can act on; `what` always says which file, blob or layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name has no form plimsoll opens (a registry reference among them), or nothing is there.
    #[error("cannot open `{name}`: {why}; an image is named by one of: {forms}")]
    Name {
        /// The name as the user wrote it.
        name: String,
        /// What is wrong with it.
        why: String,
        /// The accepted forms.
        forms: String,
    },
    /// Readable, but neither a docker archive nor an OCI image nor a root file system.
    #[error("{what} is not an image: {why}")]
    NotAnImage {
        /// The file or directory.
        what: String,
        /// What was looked for and what was found.
        why: String,
    },
    /// The document or stream that should describe or hold the image cannot be parsed.
    #[error("{what} is malformed: {why}")]
    Malformed {
        /// The document or layer.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something the image points to, or the user asked for, is not there.
    #[error("{what} is missing: {why}")]
    Missing {
        /// What is not there.
        what: String,
        /// Who wanted it, or what is there instead.
        why: String,
    },
    /// A digest or size does not agree with the content; nothing of it may be used.
    #[error("{what}: expected {expected}, found {found}")]
    Mismatch {
        /// Which property of which blob: `layer 2 (sha256:...), digest`.
        what: String,
        /// What was promised.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Several images, and no choice was made.
    #[error("{what} holds several images; choose one of: {}", .choices.join(", "))]
    Ambiguous {
        /// The file or directory.
        what: String,
        /// What can be chosen.
        choices: Vec<String>,
    },
    /// A well-formed thing of another kind, or a part of a format plimsoll does not handle.
    #[error("{what} is {kind}, which is not supported")]
    Unsupported {
        /// The file, blob or entry.
        what: String,
        /// What it is, with its article: `a Helm chart`.
        kind: String,
    },
    /// An explicit limit was hit (see [`crate::Limits`]).
    #[error("{what}: more than the limit of {limit} {unit} (limit `{name}`)")]
    Limit {
        /// Where it was hit.
        what: String,
        /// The name of the limit.
        name: &'static str,
        /// Its value.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// What should be written is no image: a path below a file, a name that means a deletion.
    #[error("cannot write the image: {0}")]
    Draft(String),
    /// The place to write to is not one that may be written to.
    #[error("cannot write to {}: {why}", .path.display())]
    Target {
        /// The place.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Of two places the one that is written to failed.
    #[error("cannot write to {sink}: {source}")]
    Write {
        /// The place.
        sink: String,
        /// How it failed.
        source: Box<Error>,
    },
    /// A registry or an engine did not answer, or not as it should.
    #[error("{what}: {why}")]
    Remote {
        /// Which registry, repository or engine.
        what: String,
        /// Its answer.
        why: String,
        /// What the user can do, where there is something.
        hint: Option<String>,
    },
    /// The system's answer.
    #[error("{what}: {source}")]
    Io {
        /// The file, and what was done with it.
        what: String,
        /// The answer.
        source: io::Error,
    },
}

impl Error {
    /// What the user can do about it, where there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Remote { hint, .. } => hint.as_deref(),
            Self::Write { source, .. } => source.hint(),
            _ => None,
        }
    }

    /// For `map_err`: a failure of `sink`, where another place is read.
    pub(crate) fn writing(sink: &crate::Sink) -> impl FnOnce(Self) -> Self {
        move |error| match error {
            said @ Self::Target { .. } => said,
            source => Self::Write {
                sink: sink.to_string(),
                source: Box::new(source),
            },
        }
    }

    /// For `map_err`: the system's answer about `what`.
    pub(crate) fn io(what: impl ToString) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            what: what.to_string(),
            source,
        }
    }

    /// For what lies where only [`crate::Remotes`] lead, and there are none.
    pub(crate) fn no_way(what: impl ToString) -> Self {
        Self::Remote {
            what: what.to_string(),
            why: "there is no way to registries and engines from here".to_owned(),
            hint: None,
        }
    }

    pub(crate) fn malformed(what: impl ToString, why: impl ToString) -> Self {
        Self::Malformed {
            what: what.to_string(),
            why: why.to_string(),
        }
    }

    pub(crate) fn missing(what: impl ToString, why: impl ToString) -> Self {
        Self::Missing {
            what: what.to_string(),
            why: why.to_string(),
        }
    }

    pub(crate) fn mismatch(
        what: impl ToString,
        expected: impl ToString,
        found: impl ToString,
    ) -> Self {
        Self::Mismatch {
            what: what.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    pub(crate) fn unsupported(what: impl ToString, kind: impl ToString) -> Self {
        Self::Unsupported {
            what: what.to_string(),
            kind: kind.to_string(),
        }
    }
}
