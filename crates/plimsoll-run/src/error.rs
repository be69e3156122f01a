//! What keeps an image from being run.

use std::io;

use crate::Unavailable;

/// Why an image could not be run. An image that runs and fails is no error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This machine does not allow the sandbox.
    #[error("cannot run the image: {0}")]
    Unavailable(#[from] Unavailable),
    /// The program cannot be started; the words a container runtime would use.
    #[error("cannot start {0}")]
    Command(String),
    /// The image's `USER` names nobody.
    #[error("cannot tell whom the image runs as: {0}")]
    User(String),
    /// The tree is none that a runtime could start.
    #[error("cannot run the image: {0}")]
    Tree(String),
    /// Something the caller gave cannot be used.
    #[error("cannot run the image: {0}")]
    Spec(String),
    /// A step of making the sandbox failed.
    #[error("cannot make the sandbox: {step}")]
    Sandbox {
        /// What was being done.
        step: String,
        /// What the kernel said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn sandbox(step: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let step = step.into();
        move |source| Self::Sandbox { step, source }
    }
}
