//! What an image is, and its numbers.

use plimsoll_model::report::{Footprint, ImageFacts};
use plimsoll_model::text::{bytes, count};
use plimsoll_model::{Finding, Report, Severity};

use super::{name, some};
use crate::html::markup::Html;
use crate::html::{Page, subject};
use crate::place::over;

pub(super) fn write(page: &Page<'_>, html: &mut Html) {
    html.raw("<header><p class=\"mark\">")
        .raw("<svg viewBox=\"0 0 32 24\" aria-hidden=\"true\"><circle cx=\"16\" cy=\"12\" r=\"9\"/><path d=\"M1 12h30\"/></svg>")
        .raw("plimsoll <span>")
        .put(page.report.verb)
        .raw("</span></p><h1>")
        .put(&name(page))
        .raw("</h1>");
    verdict(page.report, html);
    match (&page.report.pair, subject(page)) {
        (None, Some(facts)) => {
            identity(facts, false, html);
            tiles(page, facts, html);
        }
        (Some(pair), _) => {
            html.raw("<div class=\"two\"><div><h2>Before</h2>");
            identity(&pair.before, true, html);
            html.raw("</div><div><h2>After</h2>");
            identity(&pair.after, true, html);
            html.raw("</div></div>");
        }
        (None, None) => {}
    }
    html.raw("</header>");
}

/// The answer, where a policy asked for one.
fn verdict(report: &Report, html: &mut Html) {
    let Some(verdict) = &report.verdict else {
        return;
    };
    html.raw("<p class=\"verdict ");
    if report.is_refused() {
        html.raw("bad\"><strong>Over the line</strong> ")
            .put(&over(report));
    } else if report.problems.is_empty() {
        html.raw("good\"><strong>Within the line</strong>");
    } else {
        html.raw("unsure\"><strong>Something could not be judged</strong>");
    }
    if let Some(line) = verdict.line {
        let line = format!(
            "the line for findings, at {line} for {}",
            verdict.environment
        );
        html.raw(" <small>").put(&line).raw("</small>");
    }
    html.raw("</p>");
}

/// What an image says of itself; its name only where the heading is not that.
fn identity(facts: &ImageFacts, named: bool, html: &mut Html) {
    html.raw("<dl class=\"facts\">");
    let mut fact = |name: &'static str, value: &str| {
        if !value.is_empty() {
            html.raw(if value.len() > 40 {
                "<div class=\"long\"><dt>"
            } else {
                "<div><dt>"
            })
            .raw(name)
            .raw("</dt><dd>")
            .put(value)
            .raw("</dd></div>");
        }
    };
    if named {
        fact("image", &facts.name);
    }
    // How it is run no document says.
    if !facts.is_document {
        fact("platform", &facts.platform);
        fact("user", &facts.user);
    }
    fact("created", facts.created.as_deref().unwrap_or_default());
    fact("command", &facts.command.join(" "));
    fact("ports", &facts.ports.join(" "));
    let chain = facts
        .lineage
        .ancestors
        .iter()
        .map(|ancestor| &*ancestor.name);
    fact("made from", &chain.collect::<Vec<_>>().join(" ← "));
    fact("digest", &facts.digest);
    html.raw("</dl>");
}

fn tiles(page: &Page<'_>, facts: &ImageFacts, html: &mut Html) {
    html.raw("<ul class=\"tiles\">");
    let Footprint {
        bytes: size,
        compressed,
        files,
        packages,
        ..
    } = facts.footprint;
    let mut tile = |number: &str, what: &str, class: &'static str| {
        html.raw("<li class=\"")
            .raw(class)
            .raw("\"><strong>")
            .put(number)
            .raw("</strong><span>");
        html.put(what).raw("</span></li>");
    };
    if facts.is_document {
        tile("not known", "size: a document holds no files", "");
        tile(&count(packages), "packages", "");
        html.raw("</ul>");
        return;
    }
    tile(&bytes(size), "in the container", "");
    tile(&bytes(compressed), "to pull", "");
    tile(&count(files), "files", "");
    tile(&count(packages), "packages", "");
    let stored: u64 = facts
        .layers
        .iter()
        .map(|layer| layer.bytes)
        .fold(0, u64::saturating_add);
    let dead = facts.dead_bytes;
    let share = if stored == 0 {
        0.0
    } else {
        dead as f64 / stored as f64
    };
    let what = match dead {
        0 => "dead bytes: none".to_owned(),
        _ => format!("dead: {:.0} % of the layers", share * 100.0),
    };
    tile(&bytes(dead), &what, if share >= 0.05 { "bad" } else { "" });
    let findings = &page.report.findings;
    let worst = findings.iter().map(|finding| finding.severity).max();
    let class = if worst >= Some(Severity::High) {
        "bad"
    } else {
        ""
    };
    tile(&count(findings.len() as u64), &tally(findings), class);
    html.raw("</ul>");
}

/// `findings: 1 high, 3 medium`.
fn tally(findings: &[Finding]) -> String {
    let mut words = Vec::new();
    for severity in [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Info,
    ] {
        let of = findings
            .iter()
            .filter(|finding| finding.severity == severity);
        let of = of.count() as u64;
        if of > 0 {
            words.push(some(of, severity.name(), severity.name()));
        }
    }
    match words.is_empty() {
        true => "findings".to_owned(),
        false => format!("findings: {}", words.join(", ")),
    }
}
