//! What a check says, where it saw it, and what could not be judged.

use std::fmt;

use crate::ImagePath;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Costs bytes or clarity.
    Low,
    /// Makes an intruder's life easier.
    Medium,
    /// Should not be shipped.
    High,
    /// Must not be shipped.
    Critical,
}

impl Severity {
    /// The word users read and write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity a user wrote.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Info,
            Self::Low,
            Self::Medium,
            Self::High,
            Self::Critical,
        ]
        .into_iter()
        .find(|severity| severity.name() == word)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where something was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// A path, written by a layer (counted from 0, the lowest), of so many bytes.
    Path {
        /// The path.
        path: ImagePath,
        /// The layer that wrote it.
        layer: u32,
        /// Bytes, where they matter.
        size: u64,
    },
    /// An installed package.
    Package {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// A key of the image's configuration, in the words of a Dockerfile (`USER`).
    Config {
        /// The key.
        key: &'static str,
        /// Its value; empty where it is not set.
        value: String,
    },
    /// A line of a file.
    Line {
        /// The file.
        path: ImagePath,
        /// The line, counted from 1.
        line: usize,
    },
    /// A place in a file that the user wrote, such as a Dockerfile.
    Source(Source),
    /// An advisory about something that is installed.
    Advisory {
        /// Its identifier: a CVE number, else the feed's own.
        id: String,
        /// The source package, or the application, that has the flaw.
        source: String,
        /// A page about it.
        url: Option<String>,
    },
    /// A layer as a whole.
    Layer(u32),
    /// The whole image or input.
    Image,
}

impl Evidence {
    /// What is named, without what changes from build to build (layer, size, version, value, line).
    pub fn subject(&self) -> String {
        match self {
            Self::Path { path, .. } | Self::Line { path, .. } => path.to_string(),
            Self::Package { name, .. } => format!("package {name}"),
            Self::Advisory { id, source, .. } => format!("{id} in {source}"),
            Self::Config { key, .. } => (*key).to_owned(),
            Self::Source(source) => source.file.clone(),
            Self::Layer(_) | Self::Image => "image".to_owned(),
        }
    }
}

/// A stretch of a file that the user wrote: lines and columns are counted from 1, columns in
/// characters, and the end is where the next character would stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The file, as the user named it.
    pub file: String,
    /// The line it begins in.
    pub line: usize,
    /// The column it begins at.
    pub column: usize,
    /// The line it ends in.
    pub end_line: usize,
    /// The column behind its end.
    pub end_column: usize,
    /// The first line as it is written, without its end; cut where it is very long.
    pub excerpt: String,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, layer, .. } => write!(f, "{path} (layer {layer})"),
            Self::Package { name, version } => write!(f, "package {name} {version}"),
            Self::Advisory { id, source, .. } => write!(f, "{id} in {source}"),
            Self::Config { key, value } if value.is_empty() => write!(f, "{key} is not set"),
            Self::Config { key, value } => write!(f, "{key} {value}"),
            Self::Line { path, line } => write!(f, "{path} line {line}"),
            Self::Source(Source {
                file, line, column, ..
            }) => write!(f, "{file}:{line}:{column}"),
            Self::Layer(layer) => write!(f, "layer {layer}"),
            Self::Image => f.write_str("the image"),
        }
    }
}

/// One true sentence about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check that says it.
    pub check: &'static str,
    /// What other tools call the same finding: `DL3009`, `JSONArgsRecommended`.
    pub aliases: &'static [&'static str],
    /// How much it weighs.
    pub severity: Severity,
    /// The sentence.
    pub message: String,
    /// Where it was seen; never empty.
    pub evidence: Vec<Evidence>,
    /// What to do about it: a line of a Dockerfile, or a plimsoll command.
    pub remedy: Option<String>,
}

impl Finding {
    /// What tells this finding from others, and stays the same from build to build: the check and
    /// the first thing it names; of a file of text also the sentence, because lines move. An advisory is the
    /// same wherever the package lies that it is about.
    pub fn key(&self) -> String {
        let is_advisory = |it: &&Evidence| matches!(it, Evidence::Advisory { .. });
        let advisory = self.evidence.iter().find(is_advisory);
        let subject = match advisory {
            Some(advisory) => Some(advisory.subject()),
            None => self.evidence.iter().map(Evidence::subject).min(),
        };
        let key = format!("{}:{}", self.check, subject.unwrap_or_default());
        match self.evidence.first() {
            Some(Evidence::Source(_)) => format!("{key}:{}", self.message),
            _ => key,
        }
    }
}

/// What a kind of finding means: a row of a table of checks, for formats that explain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What [`Finding::check`] says.
    pub id: &'static str,
    /// What is the case when it finds something, in a few words.
    pub summary: &'static str,
    /// How much its findings weigh, as a rule.
    pub severity: Severity,
    /// The page, as Markdown.
    pub page: String,
}

/// Something that could not be read or judged: it makes a result incomplete, and is never silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// Where.
    pub evidence: Evidence,
}

impl Problem {
    /// A problem with this path; for one that no layer is known for.
    pub fn at(path: &ImagePath, message: impl Into<String>) -> Self {
        let evidence = Evidence::Path {
            path: path.clone(),
            layer: 0,
            size: 0,
        };
        Self {
            message: message.into(),
            evidence,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.evidence {
            Evidence::Path { path, .. } => write!(f, "{path}: {}", self.message),
            Evidence::Image => f.write_str(&self.message),
            evidence => write!(f, "{evidence}: {}", self.message),
        }
    }
}
