//! Python in an image: where modules lie, what a module imports, and what of it all is reached.

mod imports;
mod places;
mod reach;

pub(crate) use imports::{Import, imports};
pub(crate) use places::{Kind, Places};
pub(crate) use reach::{
    Distributions, Reach, distributions, is_for_builders, modules_of, required,
};
