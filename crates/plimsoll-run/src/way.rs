//! How a sandbox can be made on this machine.

use std::fmt;

/// How the sandbox is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By root: every user and group of the image is real inside.
    Root,
    /// By a plain user: one id is real, the tracer answers for the others.
    Plain,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "as root",
            Self::Plain => "as a plain user (one id; ownership changes are answered by the tracer)",
        })
    }
}

/// Why no sandbox can be made here: a sentence, with the setting to change where one is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// How a sandbox can be made here.
///
/// # Errors
/// When it cannot; the reason is a sentence.
pub fn way() -> Result<Way, Unavailable> {
    Err(Unavailable(String::from("not yet")))
}
