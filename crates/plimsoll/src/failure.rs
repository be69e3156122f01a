//! How a run ends: the exit codes, and an error with its hint.

use std::fmt;
use std::process::ExitCode;

use plimsoll_model::text::printable;

/// The exit codes of plimsoll. They are a promise to scripts and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Fine.
    Fine = 0,
    /// Findings over the line.
    Findings = 1,
    /// Wrong usage, or the world failed.
    Failed = 2,
    /// Something could not be judged.
    Incomplete = 3,
    /// The slimmed image did not pass its probes.
    Unproved = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a verb could not do its work: what, why, and what the user may do.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    details: Vec<String>,
    hint: Option<String>,
    exit: Exit,
    unreachable: bool,
}

impl Failure {
    /// A failure of the world or of the usage.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            details: Vec::new(),
            hint: None,
            exit: Exit::Failed,
            unreachable: false,
        }
    }

    /// `what: error`, with the error's causes.
    pub(crate) fn because(what: impl fmt::Display, error: &dyn std::error::Error) -> Self {
        let mut message = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some errors print their cause themselves.
            if !message.ends_with(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = error.source();
        }
        // Some errors have lines of their own, such as why no set of packages fits. Set in, they
        // cannot be taken for ours.
        let mut lines = message.lines().map(str::to_owned);
        let first = lines.next().unwrap_or_default();
        Self::new(first).details(lines)
    }

    /// The same with lines below it: differences, what the image printed.
    #[must_use]
    pub(crate) fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    /// The same with something the user may do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with another exit code.
    #[must_use]
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same, known to be for want of a package mirror.
    #[must_use]
    pub(crate) fn unreachable(mut self, unreachable: bool) -> Self {
        self.unreachable = unreachable;
        self
    }

    /// Whether it is for want of a package mirror.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.unreachable
    }

    /// What could not be done, and why.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// All of it but the word before it, for a list of what failed.
    pub(crate) fn lines(self) -> Vec<String> {
        let first = std::iter::once(self.message);
        first.chain(self.details).chain(self.hint).collect()
    }

    /// What the user may do.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// `what: error`, with the hint the error has.
    pub(crate) fn of_image(what: impl fmt::Display, error: &plimsoll_image::Error) -> Self {
        let failure = Self::because(what, error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// The exit code it ends the process with.
    pub(crate) fn code(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names and messages may come out of an image.
        let plain = |text: &String| printable(text.as_bytes());
        write!(f, "error: {}", plain(&self.message))?;
        for line in &self.details {
            write!(f, "\n  {}", plain(line))?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n\nhint: {}", plain(hint)),
            None => Ok(()),
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_wrote_can_neither_move_the_cursor_nor_forge_a_line() {
        let failure = Failure::new("no image `\x1b[2Jx\nerror: y`").details(["a\rb".to_owned()]);
        let shown = failure.to_string();
        assert_eq!(shown.lines().count(), 2, "{shown}");
        assert!(
            !shown.contains('\x1b') && !shown.contains('\r'),
            "{shown:?}"
        );
    }
}
