//! The sandbox an image runs in.

mod copy;
mod output;
mod place;
mod plan;
mod proc;
mod spawn;
mod step;
mod supervise;

pub(crate) use proc::children;
pub(crate) use spawn::attempt;
pub(crate) use supervise::run;
