//! Before and after: the numbers of two images side by side.

use plimsoll_model::report::Comparison;

use super::layout::{Column, Page, clean};
use crate::before_after;

pub(super) fn write(facts: &Comparison, page: &mut Page) {
    page.heading("Before and after");
    page.fact("before", &clean(&facts.before_name));
    page.fact("after", &clean(&facts.after_name));
    use Column::{Left, Right};
    page.table(
        &[Left, Right, Right, Right],
        &["", "before", "after", ""],
        before_after::rows(facts).map(Vec::from).collect(),
    );
}
