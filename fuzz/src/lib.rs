//! What a stranger's bytes are thrown at: one target for each kind of input plimsoll reads.
//!
//! A target is a row of [`TARGETS`] and a file of its own: seeds to begin with, and a function that
//! must return whatever it is given. A panic, memory without bound and a call that does not end are
//! findings; so is a broken promise that the function checks itself. `fuzz/run` throws mutated bytes
//! at them with libFuzzer, and what reached something new is kept in `fuzz/corpus/`, which the tests
//! of this crate replay with every build.

mod make;
mod targets;

/// A kind of input.
pub struct Target {
    /// Its name, kebab-case, that of its file and of its corpus.
    pub id: &'static str,
    /// What is read.
    pub summary: &'static str,
    /// Inputs that are understood, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Reads an input as plimsoll would.
    pub run: fn(&[u8]),
}

/// Every kind of input, in the order of their names.
pub static TARGETS: &[&Target] = &[
    &targets::archive::TARGET,
    &targets::check::TARGET,
    &targets::control::TARGET,
    &targets::database::TARGET,
    &targets::deb::TARGET,
    &targets::dockerfile::TARGET,
    &targets::feed::TARGET,
    &targets::follow::TARGET,
    &targets::layers::TARGET,
    &targets::names::TARGET,
    &targets::sbom::TARGET,
    &targets::script::TARGET,
    &targets::signature::TARGET,
    &targets::slice::TARGET,
    &targets::version::TARGET,
];

/// The target with this name.
pub fn by_id(id: &str) -> Option<&'static Target> {
    TARGETS.iter().copied().find(|target| target.id == id)
}
