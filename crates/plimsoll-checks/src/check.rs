//! A row of the table of checks, and what it writes its findings into.

use plimsoll_model::{Evidence, Finding, Problem, Severity};

use crate::{Environment, Look};

/// One practice, as something that can be found broken in an image.
pub struct Check {
    /// What users write to name it: kebab-case, equal to the name of its file. It names what is
    /// found and reads after *allow*: `shell`, not `no-shell`.
    pub id: &'static str,
    /// The practice it stands for, in the words its page begins with.
    pub practice: &'static str,
    /// What is the case when it finds something, in a few words.
    pub summary: &'static str,
    /// How much a finding weighs in production, as a rule; a check may give a lighter case less.
    pub severity: Severity,
    /// The most it weighs in an image to develop with.
    pub development: Severity,
    /// Markdown: why it matters, examples, the remedy. Each line keeps the blank that follows
    /// `///`; [`Check::page_text`] takes it off.
    pub page: &'static str,
    /// The file of the row, for the test of the table.
    pub file: &'static str,
    /// Looks, and adds what it finds.
    pub run: fn(&Look, &mut Findings),
}

impl Check {
    /// What this check alone says of an image, and what it could not judge.
    pub fn on(&'static self, look: &Look) -> (Vec<Finding>, Vec<Problem>) {
        let most = match look.circumstances.environment {
            Environment::Production => Severity::Critical,
            Environment::Development => self.development,
        };
        let mut findings = Findings {
            check: self,
            most,
            found: Vec::new(),
            problems: Vec::new(),
        };
        (self.run)(look, &mut findings);
        (findings.found, findings.problems)
    }

    /// The page as Markdown.
    pub fn page_text(&self) -> String {
        let mut text = String::with_capacity(self.page.len());
        for line in self.page.lines() {
            text.push_str(line.strip_prefix(' ').unwrap_or(line));
            text.push('\n');
        }
        text
    }
}

/// Where a check puts what it finds.
pub struct Findings {
    check: &'static Check,
    /// The most a finding may weigh where this image is used.
    most: Severity,
    found: Vec<Finding>,
    problems: Vec<Problem>,
}

impl Findings {
    /// A finding of the check's own severity; `remedy` is a line of a Dockerfile, or a plimsoll
    /// command.
    pub fn add(&mut self, message: String, evidence: Vec<Evidence>, remedy: impl Into<String>) {
        self.add_as(self.check.severity, message, evidence, remedy);
    }

    /// A finding that weighs more or less than the check's findings do as a rule.
    pub fn add_as(
        &mut self,
        severity: Severity,
        message: String,
        evidence: Vec<Evidence>,
        remedy: impl Into<String>,
    ) {
        debug_assert!(!evidence.is_empty(), "{message}");
        self.found.push(Finding {
            check: self.check.id,
            aliases: &[],
            severity: severity.min(self.most),
            message,
            evidence,
            remedy: Some(remedy.into()),
        });
    }

    /// Something the check needed and could not read.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// Declares a check; the doc comment above it is its page.
macro_rules! check {
    (
        $(#[doc = $page:expr])+
        id: $id:literal,
        practice: $practice:literal,
        summary: $summary:literal,
        severity: $severity:ident,
        $(development: $development:ident,)?
        run: $run:path $(,)?
    ) => {
        $(#[doc = $page])+
        pub(super) static CHECK: $crate::Check = $crate::Check {
            id: $id,
            practice: $practice,
            summary: $summary,
            severity: plimsoll_model::Severity::$severity,
            development: $crate::check::development!($severity $(, $development)?),
            page: concat!($($page, "\n",)+),
            file: file!(),
            run: $run,
        };
    };
}
/// What a finding weighs in an image to develop with: the same, where the row does not say.
macro_rules! development {
    ($severity:ident) => {
        plimsoll_model::Severity::$severity
    };
    ($severity:ident, $development:ident) => {
        plimsoll_model::Severity::$development
    };
}
pub(crate) use {check, development};
