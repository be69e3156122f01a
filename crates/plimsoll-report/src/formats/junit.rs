//! `junit`: JUnit XML, for whatever shows test results.
//!
//! A finding over the line is a test that fails; where no line is drawn, one from severity low up.
//! Findings below the line pass and say what was found; a check that found nothing passes; a waived
//! finding is skipped, with its reason; what could not be judged is an error. The demands of a
//! policy are tests as well.
//!
//! Source: the schema that Jenkins and GitLab accept (`testsuites`, `testsuite`, `testcase`).

use std::collections::BTreeSet;
use std::io::{self, Write};

use plimsoll_model::{Finding, Report, Severity};

use crate::place::{clean, some};
use crate::{Format, Needs};

/// The row.
pub static FORMAT: Format = Format {
    id: "junit",
    extension: "xml",
    help: "JUnit XML, for what shows test results",
    needs: Needs::Anything,
    write,
    file: file!(),
};

/// Places that are named of each finding.
const PLACES: usize = 20;

/// One test: its class, its name, how it ended.
struct Case {
    class: String,
    name: String,
    end: End,
}

enum End {
    Passed(Option<String>),
    Failed {
        message: String,
        kind: &'static str,
        text: String,
    },
    Skipped(String),
    Error(String),
}

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let cases = cases(report);
    let count = |of: fn(&End) -> bool| cases.iter().filter(|case| of(&case.end)).count();
    let failures = count(|end| matches!(end, End::Failed { .. }));
    let errors = count(|end| matches!(end, End::Error(_)));
    let skipped = count(|end| matches!(end, End::Skipped(_)));
    let tests = cases.len();
    let image = report.subject.as_ref().map(|facts| clean(&facts.name));
    let compared = report.comparison.as_ref().map(|pair| {
        format!(
            "{} and {}",
            clean(&pair.before_name),
            clean(&pair.after_name)
        )
    });
    let name = image.or(compared).unwrap_or_else(|| report.verb.to_owned());
    let counts = format!(
        "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\""
    );
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"plimsoll\" {counts}>")?;
    writeln!(out, "  <testsuite name=\"{}\" {counts}>", escape(&name))?;
    for case in &cases {
        one(case, out)?;
    }
    writeln!(out, "  </testsuite>")?;
    writeln!(out, "</testsuites>")
}

fn cases(report: &Report) -> Vec<Case> {
    let fails = |finding: &Finding| match report.verdict {
        Some(_) => report.is_over(finding),
        None => finding.severity >= Severity::Low,
    };
    let mut cases = Vec::new();
    for finding in &report.findings {
        let end = if fails(finding) {
            End::Failed {
                message: clean(&finding.message),
                kind: finding.severity.name(),
                text: body(finding),
            }
        } else {
            let text = format!("{}\n{}", clean(&finding.message), body(finding));
            End::Passed(Some(text))
        };
        cases.push(case(finding, end));
    }
    for waived in &report.waived {
        let until = waived.until.as_ref();
        let until = until.map_or(String::new(), |day| format!(" (until {})", clean(day)));
        let why = format!("waived{until}: {}", clean(&waived.reason));
        cases.push(case(&waived.finding, End::Skipped(why)));
    }
    let found: BTreeSet<&str> = cases.iter().map(|case| case.class.as_str()).collect();
    let silent = report.rules.iter().filter(|rule| !found.contains(rule.id));
    let silent: Vec<Case> = silent
        .map(|rule| Case {
            class: rule.id.to_owned(),
            name: format!("not so: {}", rule.summary),
            end: End::Passed(None),
        })
        .collect();
    cases.extend(silent);
    let demands = report.verdict.iter().flat_map(|verdict| &verdict.demands);
    cases.extend(demands.map(|demand| Case {
        class: "policy".to_owned(),
        name: clean(&demand.wanted),
        end: match (demand.met, demand.unjudged) {
            (true, _) => End::Passed(Some(clean(&demand.found))),
            (false, true) => End::Error(clean(&demand.found)),
            (false, false) => End::Failed {
                message: clean(&demand.found),
                kind: "policy",
                text: String::new(),
            },
        },
    }));
    cases.extend(report.problems.iter().map(|problem| Case {
        class: "not judged".to_owned(),
        name: clean(&problem.evidence.to_string()),
        end: End::Error(clean(&problem.message)),
    }));
    cases
}

fn case(finding: &Finding, end: End) -> Case {
    Case {
        class: finding.check.to_owned(),
        name: clean(&finding.key()),
        end,
    }
}

/// Where a finding was seen and what to do, a line each.
fn body(finding: &Finding) -> String {
    let mut lines = some(finding, PLACES);
    let remedy = finding.remedy.as_deref();
    lines.extend(remedy.map(|remedy| format!("remedy: {}", clean(remedy))));
    lines.join("\n")
}

fn one(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let (class, name) = (escape(&case.class), escape(&case.name));
    let head = format!("    <testcase classname=\"{class}\" name=\"{name}\"");
    match &case.end {
        End::Passed(None) => return writeln!(out, "{head}/>"),
        End::Passed(Some(text)) => {
            writeln!(
                out,
                "{head}>\n      <system-out>{}</system-out>",
                escape(text)
            )?;
        }
        End::Failed {
            message,
            kind,
            text,
        } => {
            let message = escape(message);
            writeln!(
                out,
                "{head}>\n      <failure message=\"{message}\" type=\"{kind}\">{}</failure>",
                escape(text)
            )?;
        }
        End::Skipped(why) => {
            writeln!(out, "{head}>\n      <skipped message=\"{}\"/>", escape(why))?;
        }
        End::Error(why) => {
            writeln!(
                out,
                "{head}>\n      <error message=\"{}\" type=\"incomplete\"/>",
                escape(why)
            )?;
        }
    }
    writeln!(out, "    </testcase>")
}

/// XML 1.0 has no way to write control characters but tab and line feed, nor the two
/// non-characters; the report's texts have none of the first left.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
