//! Why a slice cannot be used.

use std::fmt;

use plimsoll_model::Digest;

/// Why a slice cannot be used. It is never read as an empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SliceError {
    /// It does not begin as a slice does.
    NotASlice,
    /// It is of a version of the format that this plimsoll does not read.
    Version(String),
    /// Its bytes are not the ones it was written with: cut short, or changed.
    Digest {
        /// The digest it says it has.
        expected: Digest,
        /// The digest it has.
        found: Digest,
    },
    /// It contradicts itself.
    Corrupt(&'static str),
}

impl fmt::Display for SliceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASlice => f.write_str("is no advisory slice"),
            Self::Version(version) => {
                write!(f, "is an advisory slice of version {version}, not of 1")
            }
            Self::Digest { expected, found } => {
                write!(f, "has digest {found}, expected {expected}")
            }
            Self::Corrupt(why) => write!(f, "is a broken advisory slice: {why}"),
        }
    }
}

impl std::error::Error for SliceError {}
