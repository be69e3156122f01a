//! Reading again what was written, as a stranger would.

use std::fmt;

use crate::{Error, Sink};

/// Something that does not hold for an image that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which document, blob or layer.
    pub what: String,
    /// What does not hold, with both values.
    pub why: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

/// Reads the image at `sink` again and says everything that does not hold.
///
/// # Errors
/// When the target cannot be read at all.
pub fn validate(sink: &Sink) -> Result<Vec<Violation>, Error> {
    Err(Error::unsupported(sink, "not validated yet"))
}
