//! What is wrong in a Dockerfile: rules on its instructions, as checks are on an image.
//!
//! A rule is a row of [`RULES`] and a file of its own. Its page is its doc comment; the Dockerfiles
//! on the page are tests. Each rule names what `hadolint` and BuildKit's build checks call the same
//! finding, and takes those names in comments that silence it.

mod ignore;
mod install;
mod rule;
pub mod rules;
mod sheet;

use plimsoll_model::{Evidence, Finding, Source};
pub use rule::{Edit, Hit, Hits, Rule};
pub use rules::RULES;
pub use sheet::{Bases, Context, Ignored, Sheet};

use crate::dockerfile::{Dockerfile, Span};

/// Longest excerpt of a line, in characters.
const MAX_EXCERPT: usize = 2000;

/// Everything the rules say of a file, by place; what a comment silences left out.
pub fn lint(file: &Dockerfile, context: &Context<'_>) -> Vec<Hit> {
    let sheet = Sheet::new(file, context);
    let mut hits = Hits::default();
    for rule in RULES {
        hits.begin(rule);
        (rule.run)(&sheet, &mut hits);
    }
    let mut found = hits.into_found();
    ignore::Ignores::of(file).apply(file, &mut found);
    found.sort_by(|one, other| {
        let place = one.span.start.cmp(&other.span.start);
        place
            .then_with(|| one.rule.id.cmp(other.rule.id))
            .then_with(|| one.message.cmp(&other.message))
    });
    found
}

/// The rule of this name, or of one of its aliases.
pub fn by_name(name: &str) -> Option<&'static Rule> {
    let named = |rule: &&&Rule| {
        let mut aliases = rule.aliases.iter();
        rule.id == name || aliases.any(|alias| alias.eq_ignore_ascii_case(name))
    };
    RULES.iter().find(named).copied()
}

/// The rules, for formats that explain them.
pub fn rules() -> Vec<plimsoll_model::finding::Rule> {
    let rules = RULES.iter().map(|rule| plimsoll_model::finding::Rule {
        id: rule.id,
        summary: rule.summary,
        severity: rule.severity,
        page: rule.page_text(),
    });
    rules.collect()
}

/// A hit as a finding in the file of this name.
pub fn finding(hit: &Hit, file: &Dockerfile, name: &str) -> Finding {
    Finding {
        check: hit.rule.id,
        aliases: hit.aliases,
        severity: hit.severity,
        message: hit.message.clone(),
        evidence: vec![Evidence::Source(source(file, &hit.span, name))],
        remedy: Some(hit.remedy.clone()),
    }
}

/// A stretch of a file as evidence.
pub fn source(file: &Dockerfile, span: &Span, name: &str) -> Source {
    let start = file.position(span.start);
    let end = file.position(span.end);
    let line = file.line(start.line - 1);
    Source {
        file: name.to_owned(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        excerpt: line.chars().take(MAX_EXCERPT).collect(),
    }
}

/// The text with the edits of these hits, where they do not cross each other.
pub fn fixed(text: &str, hits: &[Hit]) -> String {
    let mut edits: Vec<&Edit> = hits.iter().flat_map(|hit| &hit.edits).collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    edits.dedup();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        if edit.span.start < at {
            continue;
        }
        if let Some(between) = text.get(at..edit.span.start) {
            result.push_str(between);
            result.push_str(&edit.text);
            at = edit.span.end;
        }
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}
