//! What is known about what is in an image: for now, how long its distribution release is looked
//! after.
//!
//! The facts are tables compiled in, each with the day it was made: useful with no download at all,
//! and honest about what it cannot know.

mod distributions;
mod support;

pub use distributions::{DISTRIBUTIONS, Distribution, Release};
pub use jiff::civil::Date;
pub use support::{Support, support};
