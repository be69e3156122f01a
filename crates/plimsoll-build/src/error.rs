//! What can go wrong between a recipe and an image.

use std::io;

use plimsoll_model::{FetchError, ImagePath};

use crate::recipe::RecipeError;

/// Why there is no lock, or no image. Nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The recipe asks for something impossible.
    #[error("the recipe: {0}")]
    Recipe(#[from] RecipeError),
    /// Something could not be fetched, or was not what was promised.
    #[error("{0}")]
    Fetch(#[from] FetchError),
    /// The index of a repository is not signed by a key we trust, or is out of date.
    #[error("{url}: {why}")]
    Untrusted {
        /// The address of the index.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A repository does not have what it should.
    #[error("{url}: {why}")]
    Repository {
        /// The address.
        url: String,
        /// What is missing or not understood.
        why: String,
    },
    /// There is no set of packages that serves the recipe.
    #[error("no set of packages serves layer `{layer}`:\n{why}")]
    Unsolvable {
        /// The layer.
        layer: String,
        /// The packages and clauses that stand against each other, one a line.
        why: String,
    },
    /// The lock was made for another recipe.
    #[error("the lock was made for another recipe: its packages or layers have changed since")]
    StaleLock,
    /// A package archive is not one, or holds what no package may.
    #[error("package {package}: {why}")]
    Package {
        /// Name of the package.
        package: String,
        /// What is wrong with it.
        why: String,
    },
    /// Two packages ship the same path, and neither says that it replaces the other.
    #[error("{path} is in {first} and in {second}, and neither replaces the other")]
    Overlap {
        /// The path.
        path: ImagePath,
        /// The package that was unpacked first.
        first: String,
        /// The package that would overwrite it.
        second: String,
    },
    /// A file of the recipe cannot be made.
    #[error("{path}: {why}")]
    File {
        /// The path.
        path: ImagePath,
        /// Why not.
        why: String,
    },
    /// The place where files are put while the image is made failed.
    #[error("the spool: {0}")]
    Spool(#[from] io::Error),
}
