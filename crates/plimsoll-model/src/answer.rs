//! What a probe got back: the thing that must not change.

use std::collections::BTreeMap;

/// What one probe got from a running image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The probe, as the user wrote it.
    pub probe: String,
    /// What came back.
    pub outcome: Outcome,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An HTTP response.
    Http {
        /// Status code.
        status: u16,
        /// Header fields, names in lower case, in the order of the names.
        headers: BTreeMap<String, Vec<String>>,
        /// The body as sent.
        body: Vec<u8>,
    },
    /// A TCP connection was made (and, if the server speaks first, this is what it said).
    Tcp {
        /// The first bytes the server sent unasked.
        greeting: Vec<u8>,
    },
    /// A command on this machine, or the image's own process, ended.
    Exit {
        /// Exit code; 128 + the number of the signal that ended it.
        code: i32,
        /// What it printed, both streams.
        output: Vec<u8>,
    },
    /// No answer: refused, timed out, or the application ended. The words say which.
    None(String),
}

impl Answer {
    /// Whether the probe got what it came for: a response below 500, a connection, exit 0.
    pub fn is_good(&self) -> bool {
        match &self.outcome {
            Outcome::Http { status, .. } => *status < 500,
            Outcome::Tcp { .. } => true,
            Outcome::Exit { code, .. } => *code == 0,
            Outcome::None(_) => false,
        }
    }
}
