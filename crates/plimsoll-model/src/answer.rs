//! What a probe got back: the thing that must not change.

use std::collections::BTreeMap;

/// What one probe got from a running image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The probe, as the user wrote it.
    pub probe: String,
    /// What came back.
    pub outcome: Outcome,
    /// Whether that is what the probe came for.
    pub good: bool,
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
    /// The start of a crawl and the pages its links lead to on the same host, by their paths.
    Pages(BTreeMap<String, Outcome>),
    /// A TCP connection was made (and, if the server speaks first, this is what it said).
    Tcp {
        /// What the server sent first, or in answer to what it was sent.
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
    /// An answer that is judged by itself alone, as [`Outcome::is_good`] does.
    pub fn new(probe: String, outcome: Outcome) -> Self {
        let good = outcome.is_good();
        Self {
            probe,
            outcome,
            good,
        }
    }

    /// Whether the probe got what it came for.
    pub fn is_good(&self) -> bool {
        self.good
    }
}

impl Outcome {
    /// Whether this is good where nobody has said what is: a response below 500, a connection,
    /// exit 0, a crawl (which only begins at a good page).
    pub fn is_good(&self) -> bool {
        match self {
            Self::Http { status, .. } => *status < 500,
            Self::Pages(_) | Self::Tcp { .. } => true,
            Self::Exit { code, .. } => *code == 0,
            Self::None(_) => false,
        }
    }
}
