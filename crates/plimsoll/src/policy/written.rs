//! A policy as it is written, and what it means in one environment.

use std::collections::BTreeMap;

use plimsoll_checks::Environment;
use plimsoll_model::{Severity, Source};
use serde::Deserialize;
use toml::Spanned;

use super::{Bases, Growths, Limits, Policy, Things, Waiver};

/// `[policy]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Written {
    environment: Option<String>,
    fail_on: Option<String>,
    limits: Limits,
    required: Things,
    forbidden: Things,
    bases: Bases,
    baseline: Growths,
    waiver: Vec<Spanned<WrittenWaiver>>,
    environments: BTreeMap<String, Differently>,
}

/// `[policy.environments.NAME]`: what is otherwise there; a table that is given counts whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Differently {
    fail_on: Option<String>,
    limits: Option<Limits>,
    required: Option<Things>,
    forbidden: Option<Things>,
    bases: Option<Bases>,
}

/// `[[policy.waiver]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWaiver {
    check: String,
    #[serde(default)]
    paths: Vec<String>,
    reason: String,
    until: Option<Day>,
}

/// A day as TOML writes it, or the same in quotes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a waiver ends on a day, until = 2026-12-31")]
enum Day {
    Written(toml::value::Datetime),
    Quoted(String),
}

impl Day {
    fn date(&self) -> Option<jiff::civil::Date> {
        match self {
            Self::Written(date) => date.date?.to_string().parse().ok(),
            Self::Quoted(text) => text.parse().ok(),
        }
    }
}

/// Where no policy says otherwise.
const LINE: &str = "high";

impl Written {
    /// What it means for this environment, the policy's own if none is named; `file` and `text` say
    /// where it is written.
    ///
    /// # Errors
    /// A sentence about what is not understood.
    pub(crate) fn policy(
        &self,
        environment: Option<Environment>,
        file: &str,
        text: &str,
    ) -> Result<Policy, String> {
        let own = match &self.environment {
            Some(word) => named(word)?,
            None => Environment::default(),
        };
        for word in self.environments.keys() {
            named(word)?;
        }
        let environment = environment.unwrap_or(own);
        let other = self.environments.iter();
        let other = other.filter(|(word, _)| Environment::parse(word) == Some(environment));
        let other = other
            .map(|(_, other)| other.clone())
            .next()
            .unwrap_or_default();
        let fail_on = other.fail_on.as_deref().or(self.fail_on.as_deref());
        let limits = other.limits.unwrap_or_else(|| self.limits.clone());
        for kind in limits.vulnerabilities.keys() {
            if Severity::parse(kind).is_none() && !super::vulnerabilities::KINDS.contains(&&**kind)
            {
                let kinds = super::vulnerabilities::KINDS.join(", ");
                return Err(format!(
                    "vulnerabilities have no kind `{kind}`: a severity, or one of {kinds}"
                ));
            }
        }
        let waivers = self.waiver.iter();
        Ok(Policy {
            environment,
            line: line(fail_on.unwrap_or(LINE))?,
            limits,
            required: other.required.unwrap_or_else(|| self.required.clone()),
            forbidden: other.forbidden.unwrap_or_else(|| self.forbidden.clone()),
            bases: other.bases.unwrap_or_else(|| self.bases.clone()),
            waivers: waivers
                .map(|waiver| waiver_of(waiver, file, text))
                .collect::<Result<_, _>>()?,
            growth: self.baseline.clone(),
        })
    }
}

fn named(word: &str) -> Result<Environment, String> {
    let environment = Environment::parse(word);
    environment
        .ok_or_else(|| format!("there is no environment `{word}`; write production or development"))
}

/// The line as a user writes it; `none` draws none.
pub(crate) fn line(word: &str) -> Result<Option<Severity>, String> {
    if word == "none" {
        return Ok(None);
    }
    let severity = Severity::parse(word);
    severity.map(Some).ok_or_else(|| {
        format!("`{word}` is no severity; write info, low, medium, high, critical or none")
    })
}

fn waiver_of(written: &Spanned<WrittenWaiver>, file: &str, text: &str) -> Result<Waiver, String> {
    let WrittenWaiver {
        check,
        paths,
        reason,
        until,
    } = written.get_ref();
    if reason.trim().is_empty() {
        return Err(format!("the waiver for `{check}` gives no reason"));
    }
    let until = match until {
        None => None,
        Some(date) => Some(date.date().ok_or_else(|| {
            format!("the waiver for `{check}`: write its end as a day, until = 2026-12-31")
        })?),
    };
    Ok(Waiver {
        check: check.clone(),
        paths: paths.clone(),
        reason: reason.clone(),
        until,
        source: source(file, text, written.span().start),
    })
}

/// The line at this offset as a place of a file.
fn source(file: &str, text: &str, offset: usize) -> Source {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let excerpt = text.lines().nth(line - 1).unwrap_or_default();
    Source {
        file: file.to_owned(),
        line,
        column: 1,
        end_line: line,
        end_column: excerpt.chars().count() + 1,
        excerpt: excerpt.to_owned(),
    }
}
