//! The room seen from outside: images as text in, plans, drafts and differences out.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its own fixture must fail"
)]

#[path = "it/compare.rs"]
mod compare;
#[path = "it/draft.rs"]
mod draft;
#[path = "it/elf.rs"]
mod elf;
#[path = "it/explain.rs"]
mod explain;
#[path = "it/inventory.rs"]
mod inventory;
#[path = "it/known.rs"]
mod known;
#[path = "it/languages.rs"]
mod languages;
#[path = "it/layers.rs"]
mod layers;
#[path = "it/levels.rs"]
mod levels;
#[path = "it/node.rs"]
mod node;
#[path = "it/pages.rs"]
mod pages;
#[path = "it/plan.rs"]
mod plan;
#[path = "it/profile.rs"]
mod profile;
#[path = "it/reasons.rs"]
mod reasons;
#[path = "it/repair.rs"]
mod repair;
#[path = "it/samples.rs"]
mod samples;
#[path = "it/world.rs"]
mod world;
