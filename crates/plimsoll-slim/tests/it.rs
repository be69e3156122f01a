//! The room seen from outside: images as text in, plans, drafts and differences out.

#[path = "it/compare.rs"]
mod compare;
#[path = "it/draft.rs"]
mod draft;
#[path = "it/elf.rs"]
mod elf;
#[path = "it/explain.rs"]
mod explain;
#[path = "it/pages.rs"]
mod pages;
#[path = "it/plan.rs"]
mod plan;
#[path = "it/repair.rs"]
mod repair;
#[path = "it/world.rs"]
mod world;
