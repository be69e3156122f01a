//! `text`: a report for a person at a terminal, at most 100 columns wide, without colour.
//!
//! The sections come in the order of the questions: what is it, what is it made of, what is wrong
//! with it, what was done, what is better now, what could not be judged. A section without content
//! is left out; long lists are cut, and say how much was cut.

mod bytes;
mod comparison;
mod diff;
mod direct;
mod findings;
mod image;
mod inventory;
mod layout;
mod pair;
mod scan;
mod slim;
mod verdict;

use std::io::{self, Write};

use layout::{Page, clean};
use plimsoll_model::{Problem, Report};

use crate::{Format, Needs};

/// The row.
pub static FORMAT: Format = Format {
    id: "text",
    extension: "txt",
    help: "for a person at a terminal",
    needs: Needs::Anything,
    write,
    file: file!(),
};

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::default();
    if let Some(facts) = &report.subject {
        image::write(facts, &mut page);
    }
    if let Some(inventory) = &report.inventory {
        inventory::write(inventory, &mut page);
    }
    match &report.pair {
        Some(pair) => pair::write(report, pair, &mut page),
        None => findings::write(report, &mut page),
    }
    verdict::write(report, &mut page);
    if let Some(facts) = &report.slim {
        slim::write(facts, &mut page);
    }
    if let Some(facts) = &report.comparison {
        comparison::write(facts, &mut page);
    }
    scan::write(report, &mut page);
    if let Some(facts) = &report.diff {
        diff::write(facts, &mut page);
    }
    problems(&report.problems, &mut page);
    notes(&report.notes, &mut page);
    out.write_all(page.text().as_bytes())
}

fn problems(problems: &[Problem], page: &mut Page) {
    if problems.is_empty() {
        return;
    }
    page.heading(&format!("Not judged ({})", problems.len()));
    for problem in problems {
        page.paragraph(2, &format!("incomplete: {}", clean(&problem.to_string())));
    }
}

fn notes(notes: &[String], page: &mut Page) {
    if notes.is_empty() {
        return;
    }
    page.heading("Notes");
    for note in notes {
        page.paragraph(2, &clean(note));
    }
}
