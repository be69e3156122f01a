//! The only way out to the network; implemented once, in the binary.

use std::fmt;
use std::sync::Arc;

use crate::{Digest, Open};

/// A way to fetch documents and archives.
pub trait Fetch: Sync {
    /// The document at `url` as it is now, at most `limit` bytes.
    ///
    /// # Errors
    /// When there is no answer, a bad one, or a larger one.
    fn fresh(&self, url: &str, limit: u64) -> Result<Vec<u8>, FetchError>;

    /// The bytes with this digest and size, from the cache or from `url`; verified before they are
    /// handed out.
    ///
    /// # Errors
    /// When there is no answer, or what came is something else.
    fn verified(&self, url: &str, digest: &Digest, size: u64) -> Result<Arc<dyn Open>, FetchError>;
}

/// Why something could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// The address, without credentials.
    pub url: String,
    /// What went wrong.
    pub kind: FetchErrorKind,
}

/// What went wrong on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchErrorKind {
    /// Nobody answered: no route, no name, refused, timed out. The words are the system's.
    Unreachable(String),
    /// The server answered with this status.
    Status(u16),
    /// What came has another digest.
    Digest {
        /// What was promised.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// What came has another size, or is larger than the limit.
    Size {
        /// What was promised, or the limit.
        expected: u64,
        /// What came, as far as it was read.
        found: u64,
    },
    /// The cache could not be used.
    Cache(String),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.url)?;
        match &self.kind {
            FetchErrorKind::Unreachable(why) => write!(f, "not reachable: {why}"),
            FetchErrorKind::Status(status) => write!(f, "the server answered {status}"),
            FetchErrorKind::Digest { expected, found } => {
                write!(f, "has digest {found}, expected {expected}")
            }
            FetchErrorKind::Size { expected, found } => {
                write!(f, "has {found} bytes, expected {expected}")
            }
            FetchErrorKind::Cache(why) => write!(f, "cache: {why}"),
        }
    }
}

impl std::error::Error for FetchError {}
