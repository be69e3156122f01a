//! `markdown`: for a comment on a pull request.
//!
//! The verdict first, then before and after where there are two images, what is known about each in numbers, the demands of a policy,
//! the findings by weight (the light ones folded away), and what could not be judged. The first
//! line is a comment no reader sees, by which a workflow finds the comment it wrote before.
//!
//! What a stranger wrote can be no markup, no link and no mention of anybody.

use std::io::{self, Write};

use plimsoll_model::report::{DiffRow, Footprint, ImageDiff, PackageDiff};
use plimsoll_model::text::{bytes, count};
use plimsoll_model::vulnerability::Counts;
use plimsoll_model::{Finding, Report, ScanFacts, Severity};

use crate::place::{clean, over, some};
use crate::{Format, Needs, as_findings, before_after};

/// The row.
pub static FORMAT: Format = Format {
    id: "markdown",
    extension: "md",
    help: "for a comment on a pull request",
    needs: Needs::Anything,
    write,
    file: file!(),
};

/// By this a workflow finds the comment it wrote before.
const MARK: &str = "<!-- plimsoll -->";
/// Places that are named of each finding.
const PLACES: usize = 3;
/// Rows of a table of differences.
const DIFFERENCES: usize = 10;
/// A comment on GitHub has at most 65,536 characters; what does not fit is left out, and said so.
const ROOM: usize = 60_000;

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let known = &report.scans;
    let report = &as_findings(report);
    let mut page = format!("{MARK}\n## {}\n\n", title(report));
    // A scan weighs nothing.
    let facts = report.subject.as_ref();
    if let Some(facts) = facts.filter(|facts| facts.footprint != Footprint::default()) {
        let footprint = &facts.footprint;
        let packages = count(footprint.packages);
        page.push_str(&match facts.is_document {
            true => format!("{packages} packages; size not known: a document holds no files\n\n"),
            false => format!(
                "{} in {} files, {packages} packages; {} to pull\n\n",
                bytes(footprint.bytes),
                count(footprint.files),
                bytes(footprint.compressed)
            ),
        });
    }
    comparison(report, &mut page);
    scans(known, &mut page);
    demands(report, &mut page);
    findings(report, &mut page);
    waived(report, &mut page);
    if let Some(diff) = &report.diff {
        differences(diff, &mut page);
    }
    list(
        &mut page,
        "Not judged",
        report.problems.iter().map(ToString::to_string),
    );
    list(&mut page, "Notes", report.notes.iter().cloned());
    out.write_all(page.as_bytes())
}

/// The answer, in one line.
fn title(report: &Report) -> String {
    let name = match (&report.subject, &report.comparison) {
        (Some(facts), _) => code(&facts.name),
        (None, Some(pair)) => format!("{} and {}", code(&pair.before_name), code(&pair.after_name)),
        (None, None) => "plimsoll".to_owned(),
    };
    let verb = report.verb;
    if report.verdict.is_none() {
        let (one, several) = match verb {
            "scan" => ("known vulnerability", "known vulnerabilities"),
            _ => ("finding", "findings"),
        };
        match report.findings.len() {
            0 => format!("plimsoll {verb}: {name}"),
            1 => format!("plimsoll {verb}: {name}, 1 {one}"),
            many => format!("plimsoll {verb}: {name}, {many} {several}"),
        }
    } else if report.is_refused() {
        format!("❌ {name} is over the line: {}", over(report))
    } else if report.problems.is_empty() {
        format!("✅ {name} is within the line")
    } else {
        format!("⚠️ {name}: something could not be judged")
    }
}

fn comparison(report: &Report, page: &mut String) {
    let Some(pair) = &report.comparison else {
        return;
    };
    let (before, after) = (code(&pair.before_name), code(&pair.after_name));
    page.push_str(&format!(
        "| | before: {before} | after: {after} | |\n|---|---:|---:|---|\n"
    ));
    for row in before_after::rows(pair) {
        page.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    page.push('\n');
}

/// What is known about each image, in numbers that can be compared, and by which data.
fn scans(scans: &[ScanFacts], page: &mut String) {
    if scans.is_empty() {
        return;
    }
    let counts: Vec<Counts> = scans.iter().map(ScanFacts::counts).collect();
    let names: Vec<String> = scans.iter().map(|facts| code(&facts.name)).collect();
    page.push_str(&format!("| | {} |\n|---|", names.join(" | ")));
    page.push_str(&"---:|".repeat(scans.len()));
    page.push('\n');
    let mut row = |name: &str, cells: Vec<String>| {
        page.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    };
    type Number = fn(&Counts) -> u64;
    let numbers: [(&str, Number); 5] = [
        ("known vulnerabilities, by source package", |it| {
            it.by_source
        }),
        ("of these fixable", |it| it.fixable),
        ("not fixed yet", |it| it.unfixed),
        ("unimportant to the vendor", |it| it.unimportant),
        ("by installed package, as others count", |it| it.rows),
    ];
    for (name, of) in numbers {
        let cells = scans
            .iter()
            .zip(&counts)
            .map(|(facts, counts)| match of(counts) {
                0 if !facts.is_complete() => "? (0 found)".to_owned(),
                some => count(some),
            });
        row(name, cells.collect());
    }
    let exploited = scans.iter().zip(&counts).map(|(facts, counts)| {
        facts
            .exploited(counts)
            .map_or("not known".to_owned(), count)
    });
    row("known to be exploited", exploited.collect());
    let judged = scans
        .iter()
        .map(|facts| format!("{} of {}", count(facts.judged), count(facts.packages)));
    row("packages judged", judged.collect());
    let data = scans.iter().map(|facts| {
        let data = facts.data.iter().map(|data| {
            let age = match data.age {
                None => "of an unknown day".to_owned(),
                Some(_) => format!("of {}", data.date),
            };
            plain(&clean(&format!("{} {age}", data.scope)), true)
        });
        data.collect::<Vec<_>>().join("<br>")
    });
    row("data", data.collect());
    page.push('\n');
}

fn demands(report: &Report, page: &mut String) {
    let demands: Vec<_> = report
        .verdict
        .iter()
        .flat_map(|verdict| &verdict.demands)
        .collect();
    if demands.is_empty() {
        return;
    }
    page.push_str("| policy | found | |\n|---|---|---|\n");
    for demand in demands {
        let met = match (demand.met, demand.unjudged) {
            (true, _) => "✅",
            (false, true) => "❔ not judged",
            (false, false) => "❌",
        };
        page.push_str(&format!(
            "| {} | {} | {met} |\n",
            prose(&demand.wanted),
            prose(&demand.found)
        ));
    }
    page.push('\n');
}

fn findings(report: &Report, page: &mut String) {
    // Light findings are folded away, unless they are over the line.
    let (heavy, light): (Vec<_>, Vec<_>) = report
        .findings
        .iter()
        .partition(|finding| finding.severity >= Severity::Medium || report.is_over(finding));
    table(&heavy, page);
    if !light.is_empty() {
        let count = light.len();
        page.push_str(&format!(
            "<details><summary>{count} of severity low or info</summary>\n\n"
        ));
        table(&light, page);
        page.push_str("</details>\n\n");
    }
}

fn table(findings: &[&Finding], page: &mut String) {
    if findings.is_empty() {
        return;
    }
    page.push_str("| severity | check | finding | remedy |\n|---|---|---|---|\n");
    for (written, finding) in findings.iter().enumerate() {
        if page.len() > ROOM {
            let left = findings.len() - written;
            page.push_str(&format!("| | | and {left} more | |\n"));
            break;
        }
        let places: Vec<String> = some(finding, PLACES).iter().map(|it| prose(it)).collect();
        let remedy = finding.remedy.as_deref().map_or(String::new(), code);
        page.push_str(&format!(
            "| {} | {} | {}<br><sub>{}</sub> | {remedy} |\n",
            finding.severity,
            finding.check,
            prose(&finding.message),
            places.join("<br>")
        ));
    }
    page.push('\n');
}

fn waived(report: &Report, page: &mut String) {
    let waived = report.waived.iter().map(|waived| {
        let until = waived.until.as_ref();
        let until = until.map_or(String::new(), |day| format!(", until {day}"));
        let message = &waived.finding.message;
        format!("{message}: {}{until}", waived.reason)
    });
    list(page, "Waived", waived);
}

fn differences(diff: &ImageDiff, page: &mut String) {
    let size = |row: &DiffRow| format!("{} | {}", bytes(row.before_bytes), bytes(row.after_bytes));
    if !diff.packages.is_empty() {
        page.push_str("| package | | before | after |\n|---|---|---:|---:|\n");
        for package in diff.packages.iter().take(DIFFERENCES) {
            let PackageDiff { fate, files, .. } = package;
            page.push_str(&format!(
                "| {} | {fate} | {} |\n",
                code(&files.name),
                size(files)
            ));
        }
        more(diff.packages.len(), page);
    }
    if !diff.directories.is_empty() {
        page.push_str(
            "| directory | added, removed, changed | before | after |\n|---|---|---:|---:|\n",
        );
        for row in diff.directories.iter().take(DIFFERENCES) {
            let (added, removed, changed) = (row.added, row.removed, row.changed);
            let name = code(&row.name);
            page.push_str(&format!(
                "| {name} | {added}, {removed}, {changed} | {} |\n",
                size(row)
            ));
        }
        more(diff.directories.len(), page);
    }
}

fn more(rows: usize, page: &mut String) {
    if rows > DIFFERENCES {
        page.push_str(&format!("| {} more | | | |\n", rows - DIFFERENCES));
    }
    page.push('\n');
}

/// A folded list, cut where a comment ends.
fn list(page: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    page.push_str(&format!(
        "<details><summary>{title} ({})</summary>\n\n",
        lines.len()
    ));
    for (written, line) in lines.iter().enumerate() {
        if page.len() > ROOM {
            page.push_str(&format!("- and {} more\n", lines.len() - written));
            break;
        }
        page.push_str(&format!("- {}\n", prose(line)));
    }
    page.push_str("\n</details>\n\n");
}

/// A sentence: what stands between back quotes is code, nothing else is markup.
pub(super) fn prose(text: &str) -> String {
    let text = clean(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(&text, true);
    }
    let mut written = String::with_capacity(text.len());
    for (index, part) in parts.iter().enumerate() {
        if index.is_multiple_of(2) {
            written.push_str(&plain(part, true));
        } else {
            written.push_str(&format!("<code>{}</code>", plain(part, false)));
        }
    }
    written
}

/// A name or a command.
fn code(text: &str) -> String {
    format!("<code>{}</code>", plain(&clean(text), false))
}

/// Characters that could be markup as character references. Mentions (`@name`), issues (`#1`) and
/// links are made of the text that results, except inside code: a comment keeps them apart.
fn plain(text: &str, apart: bool) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '|' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '!' | '~'
            | '\\' | '$' => written.push_str(&format!("&#{};", u32::from(character))),
            '@' | '#' if apart => {
                written.push(character);
                written.push_str("<!-- -->");
            }
            other => written.push(other),
        }
    }
    // These begin a link all by themselves.
    if apart {
        written = written.replace("www.", "www<!-- -->.");
        written = written.replace("://", ":<!-- -->//");
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup_but_what_is_quoted() {
        assert_eq!(
            prose("`/bin/sh` is a shell"),
            "<code>/bin/sh</code> is a shell"
        );
        assert_eq!(prose("a | b `open"), "a &#124; b &#96;open");
        assert_eq!(
            prose("[x](y) <b> @me #1 https://z"),
            "&#91;x&#93;&#40;y&#41; &#60;b&#62; @<!-- -->me #<!-- -->1 https:<!-- -->//z"
        );
        assert_eq!(code("a@b|`"), "<code>a@b&#124;&#96;</code>");
    }
}
