//! Every image that is written down anywhere in these tests for its own sake: what must hold of any
//! image is tried with each.

use plimsoll_slim::FOLLOWERS;

use crate::pages::examples;
use crate::{draft, explain, layers, levels, repair};

/// The examples on the followers' pages, and the images of the tests beside this one.
pub(crate) fn samples() -> impl Iterator<Item = String> {
    let pages = FOLLOWERS
        .iter()
        .flat_map(|follower| examples(follower.page));
    let fixtures = [
        draft::IMAGE,
        explain::IMAGE,
        layers::BASE,
        levels::IMAGE,
        repair::IMAGE,
    ];
    pages.chain(fixtures.map(str::to_owned))
}
