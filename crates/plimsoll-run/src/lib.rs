//! Starts an image in a sandbox, watches what it touches, and probes it.
//!
//! The only room with `unsafe` code, and the only one that executes what strangers wrote. The way in
//! is [`run`]: it takes an unpacked tree and answers with what the probes got, what the run touched,
//! and what could not be seen or enforced. [`sandbox`] says what holds the image in.

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
compile_error!(
    "plimsoll-run needs Linux on x86_64 or aarch64: namespaces and seccomp are system calls"
);

mod error;
mod identity;
mod network;
pub mod probe;
mod remove;
pub mod sandbox;
mod seccomp;
mod spec;
mod subordinate;
mod sys;
mod trace;
mod way;

pub use error::Error;
pub use identity::{Identity, identity};
pub use probe::{PROBES, Probe, ProbeError};
pub use remove::{Left, remove, remove_ending_with};
pub use spec::{
    AFTER_RELOAD, COMPLETION, Ended, Exit, Limits, Outcome, Recording, RunningAs, Spec, Watch,
};
pub use way::{Unavailable, Way, way, way_for};

/// Starts the image, asks the probes, stops it.
///
/// Blocks until the image's last process is gone. Leaves nothing behind but the log in
/// `spec.scratch`: no process, no mount, no descriptor. `spec.root` is only read.
///
/// # Errors
/// When the sandbox cannot be made, or the image's program cannot be started (the words are those a
/// container runtime would use). An image that starts and then fails is no error: see
/// [`Outcome::exit`] and [`Outcome::answers`].
pub fn run(spec: &Spec<'_>) -> Result<Outcome, Error> {
    sandbox::run(spec)
}

/// Kills every image that this process runs, with all that runs in it, and the probes' commands.
/// For a process that is about to end.
pub fn kill_all() {
    sandbox::kill_all();
}
