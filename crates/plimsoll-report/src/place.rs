//! Where a finding was seen, for formats that point at files.

use plimsoll_model::{Evidence, Finding, Report, Source, text};

/// Where something is.
pub(crate) struct Place {
    /// What it is about, in words.
    pub(crate) words: String,
    /// A file to point at, without a leading slash.
    pub(crate) file: Option<File>,
}

/// A file to point at.
pub(crate) struct File {
    /// Its name: relative to the image's root, or as the user wrote it.
    pub(crate) name: String,
    /// It is in the image; otherwise it is one of the user's.
    pub(crate) in_image: bool,
    /// Where in it, as far as that is known.
    pub(crate) region: Option<Region>,
}

/// A stretch of a file; columns only where they are known.
pub(crate) struct Region {
    pub(crate) line: usize,
    pub(crate) end_line: usize,
    pub(crate) columns: Option<(usize, usize)>,
    /// The first line as it is written; empty where it is not known.
    pub(crate) excerpt: String,
}

/// What is over the line, and which demands are not met, as a phrase: `1 of 4 findings, 2 of 9 demands`.
/// Empty where nothing is.
pub(crate) fn over(report: &Report) -> String {
    let mut parts = Vec::new();
    let vulnerabilities = report.vulnerabilities_over();
    let findings = report.over() - vulnerabilities;
    let plural = |number: usize, word: &str| match number {
        1 => word.to_owned(),
        _ => format!("{word}s"),
    };
    if findings > 0 {
        let all = report.findings.len();
        parts.push(format!("{findings} of {all} {}", plural(all, "finding")));
    }
    match vulnerabilities {
        0 => {}
        1 => parts.push("1 vulnerability".to_owned()),
        many => parts.push(format!("{many} vulnerabilities")),
    }
    let unmet = report.unmet();
    if unmet > 0 {
        let demands = report.verdict.iter().flat_map(|verdict| &verdict.demands);
        let all = demands.count();
        parts.push(format!("{unmet} of {all} {}", plural(all, "demand")));
    }
    parts.join(", ")
}

impl Place {
    pub(crate) fn of(evidence: &Evidence) -> Self {
        let file = match evidence {
            Evidence::Path { path, .. } => Some((path.to_string(), true, None)),
            Evidence::Line { path, line } => {
                Some((path.to_string(), true, Some(Region::whole(*line))))
            }
            Evidence::Source(source) => {
                Some((clean(&source.file), false, Some(Region::of(source))))
            }
            Evidence::Package { .. }
            | Evidence::Advisory { .. }
            | Evidence::Config { .. }
            | Evidence::Layer(_)
            | Evidence::Image => None,
        };
        let file = file.map(|(name, in_image, region)| File {
            name: match in_image {
                true => name.trim_start_matches('/').to_owned(),
                false => name,
            },
            in_image,
            region,
        });
        Self {
            words: clean(&evidence.to_string()),
            file,
        }
    }

    /// The place in a file of the user's that a finding names, if it names one.
    pub(crate) fn source_of(finding: &Finding) -> Option<File> {
        let files = finding
            .evidence
            .iter()
            .filter_map(|evidence| Self::of(evidence).file);
        let mut sources = files.filter(|file| !file.in_image);
        sources.next()
    }
}

impl Region {
    /// A line as a whole.
    fn whole(line: usize) -> Self {
        Self {
            line,
            end_line: line,
            columns: None,
            excerpt: String::new(),
        }
    }

    fn of(source: &Source) -> Self {
        Self {
            line: source.line.max(1),
            end_line: source.end_line.max(source.line).max(1),
            columns: Some((source.column.max(1), source.end_column.max(1))),
            excerpt: clean(&source.excerpt),
        }
    }
}

/// Text that may come from a stranger, without control characters.
pub(crate) fn clean(text: &str) -> String {
    text::printable(text.as_bytes())
}

/// The places of a finding in words: the first few, and how many more. What an advisory is about is in the
/// sentence.
pub(crate) fn some(finding: &Finding, shown: usize) -> Vec<String> {
    let places = places(finding);
    let more = places.len().saturating_sub(shown);
    let places = places.into_iter().take(shown);
    let mut words: Vec<String> = places.map(|evidence| Place::of(evidence).words).collect();
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words
}

/// Where a finding was seen.
pub(crate) fn places(finding: &Finding) -> Vec<&Evidence> {
    let is_place = |it: &&Evidence| !matches!(it, Evidence::Advisory { .. });
    finding.evidence.iter().filter(is_place).collect()
}
