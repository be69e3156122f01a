//! How an image starts its server itself.

use plimsoll_model::ImagePath;
use plimsoll_model::report::DirectFacts;

use super::layout::{Page, clean};
use super::slim::list;

pub(super) fn write(facts: &DirectFacts, page: &mut Page) {
    page.heading("It starts its server itself");
    let words = |words: &[String]| clean(&words.join(" "));
    page.fact("before", &words(&facts.before));
    let now: Vec<String> = facts.entrypoint.iter().chain(&facts.cmd).cloned().collect();
    page.fact("now", &words(&now));
    if let Some(user) = &facts.user {
        page.fact("user", &clean(user));
    }
    if let Some(directory) = &facts.working_dir {
        page.fact("directory", &clean(directory));
    }
    for (index, pair) in facts.env.iter().enumerate() {
        page.fact(if index == 0 { "variables" } else { "" }, &clean(pair));
    }
    let paths = |paths: &[ImagePath]| {
        let names: Vec<String> = paths.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    if !facts.ashore.is_empty() {
        page.fact("ashore", &paths(&facts.ashore));
    }
    if !facts.kept.is_empty() {
        let kept = paths(&facts.kept);
        page.fact(
            "still there",
            &format!("{kept}: `plimsoll why` says what for"),
        );
    }
    for note in &facts.notes {
        page.fact("note", &clean(note));
    }
    list("Baked: prepared at the start", &facts.baked, page);
}
