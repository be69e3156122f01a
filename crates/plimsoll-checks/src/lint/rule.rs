//! A row of the table of rules, and what it writes its findings into.

use plimsoll_model::Severity;

use super::Sheet;
use crate::dockerfile::Span;

/// One thing that can be wrong in a Dockerfile.
pub struct Rule {
    /// What users write to name it: kebab-case, equal to the name of its file.
    pub id: &'static str,
    /// What is the case when it finds something, in a few words.
    pub summary: &'static str,
    /// How much a finding weighs, as a rule.
    pub severity: Severity,
    /// What `hadolint`, BuildKit and others call what it finds.
    pub aliases: &'static [&'static str],
    /// Markdown: why it matters, examples, the remedy; each line keeps the blank behind `///`.
    pub page: &'static str,
    /// The file of the row, for the test of the table.
    pub file: &'static str,
    /// Looks, and adds what it finds.
    pub run: fn(&Sheet<'_>, &mut Hits),
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl Rule {
    /// The page as Markdown.
    pub fn page_text(&self) -> String {
        let lines = self.page.lines();
        let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.flat_map(|line| [line, "\n"]).collect()
    }
}

/// A stretch of the file and what it is replaced by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty where text is put in.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// Something a rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The rule.
    pub rule: &'static Rule,
    /// What others call exactly this.
    pub aliases: &'static [&'static str],
    /// How much it weighs.
    pub severity: Severity,
    /// The sentence.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to do about it.
    pub remedy: String,
    /// A change that is safe to make without asking; empty where there is none.
    pub edits: Vec<Edit>,
}

/// Where rules put what they find.
#[derive(Default)]
pub struct Hits {
    rule: Option<&'static Rule>,
    found: Vec<Hit>,
}

/// Most findings of one rule in one file; a stranger's file can repeat anything without end.
const MAX_HITS: usize = 1000;

impl Hits {
    /// What follows is this rule's.
    pub(super) fn begin(&mut self, rule: &'static Rule) {
        self.rule = Some(rule);
    }

    pub(super) fn into_found(self) -> Vec<Hit> {
        self.found
    }

    /// A finding as the rule declares it; its parts can be changed before the next is added.
    pub fn add(
        &mut self,
        span: Span,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Added<'_> {
        let Some(rule) = self.rule else {
            return Added(None);
        };
        let mine = self.found.iter().rev().take_while(|hit| hit.rule == rule);
        if mine.take(MAX_HITS).count() == MAX_HITS {
            return Added(None);
        }
        self.found.push(Hit {
            rule,
            aliases: rule.aliases,
            severity: rule.severity,
            message: message.into(),
            span,
            remedy: remedy.into(),
            edits: Vec::new(),
        });
        Added(self.found.last_mut())
    }
}

/// A finding just added.
pub struct Added<'a>(Option<&'a mut Hit>);

impl Added<'_> {
    /// It weighs this.
    pub fn severity(mut self, severity: Severity) -> Self {
        if let Some(hit) = &mut self.0 {
            hit.severity = severity;
        }
        self
    }

    /// Others call it this.
    pub fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        if let Some(hit) = &mut self.0 {
            hit.aliases = aliases;
        }
        self
    }

    /// It can be mended by this.
    pub fn edit(mut self, span: Span, text: impl Into<String>) -> Self {
        if let Some(hit) = &mut self.0 {
            let text = text.into();
            hit.edits.push(Edit { span, text });
        }
        self
    }
}

/// Declares a rule; the doc comment above it is its page.
macro_rules! rule {
    (
        $(#[doc = $page:expr])+
        id: $id:literal,
        summary: $summary:literal,
        severity: $severity:ident,
        aliases: [$($alias:literal),* $(,)?],
        run: $run:path $(,)?
    ) => {
        $(#[doc = $page])+
        pub(super) static RULE: $crate::lint::Rule = $crate::lint::Rule {
            id: $id,
            summary: $summary,
            severity: plimsoll_model::Severity::$severity,
            aliases: &[$($alias),*],
            page: concat!($($page, "\n",)+),
            file: file!(),
            run: $run,
        };
    };
}
pub(crate) use rule;
