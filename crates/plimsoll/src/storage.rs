//! Into the store of Podman, Buildah and CRI-O, by the hand of its own tools.
//!
//! That store is no format but a program's own affair: locks that every process must hold and sign,
//! layers unpacked as the driver wants them, below a user's ranges of identifiers inside a namespace of
//! its own, lists that change from release to release. Who writes there without its library can break the
//! images of everybody else. So the image is handed to `skopeo`, which is that library with a command
//! line, as a directory of single blobs; what lies in the store then is read by us and must be that image.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use plimsoll_model::Digest;

use crate::failure::{Failure, Result};
use crate::session::{self, Context};

/// The word before the colon in names of images.
pub(crate) const SCHEME: &str = "containers-storage";

/// The tool.
pub(crate) const TOOL: &str = "skopeo";

/// A name in such a store, and the tool that writes there.
pub(crate) struct Storage {
    /// Behind the scheme: `[STORE]NAME`.
    name: String,
}

impl Storage {
    /// The store in which an image will be called `name`, if its tool is here.
    pub(crate) fn open(name: &str) -> Result<Self> {
        match is_here() {
            true => Ok(Self {
                name: name.to_owned(),
            }),
            false => Err(Failure::new(format!(
                "cannot write to {SCHEME}:{name}: that store is written by its own tools alone, and {TOOL} \
                 is not here"
            ))
            .hint(
                "install skopeo; or give the image to Podman's socket with podman:NAME, or write \
                 oci-archive:FILE and run: podman load -i FILE",
            )),
        }
    }

    /// Hands over the image in `directory`, a directory of single blobs, and sees that the store has
    /// that very image.
    pub(crate) fn take(&self, context: &Context, directory: &Path, digest: Digest) -> Result<()> {
        let target = format!("{SCHEME}:{}", self.name);
        // A policy of this machine decides. Where there is none nothing is forbidden, and the tool would
        // refuse to start; whether there is one is its own to say.
        let mut output = copy(directory, &target, &[])?;
        if !output.status.success() && lacks_policy(&output.stderr) {
            output = copy(directory, &target, &["--insecure-policy"])?;
        }
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failure::new(format!(
                "cannot write {target}: {TOOL} failed ({})",
                output.status
            ))
            .details(said.lines().map(str::to_owned)));
        }
        // The store has it by now, whatever is found there.
        let remove = |failure: Failure| {
            failure.hint(format!(
                "the store has an image by this name now, which was not seen to be the one that was written; \
                 remove it with: {TOOL} delete '{target}'"
            ))
        };
        let stored =
            session::image(context, &target, None, None, plimsoll_image::open).map_err(remove)?;
        match stored.image.digest == digest {
            true => Ok(()),
            false => Err(remove(Failure::new(format!(
                "{target} is another image: {}, expected {digest}",
                stored.image.digest
            )))),
        }
    }
}

/// Whether the tool is where programs are looked for. It is not run: what answers no question would hold
/// us up for ever.
fn is_here() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| {
        let file = directory.join(TOOL);
        file.is_file() && rustix::fs::access(&file, rustix::fs::Access::EXEC_OK).is_ok()
    })
}

/// Has the tool copy the image in `directory` to `target`.
fn copy(directory: &Path, target: &str, more: &[&str]) -> Result<Output> {
    let mut from = std::ffi::OsString::from("dir:");
    from.push(directory);
    Command::new(TOOL)
        .args(more)
        .args(["copy", "--quiet"])
        .arg(from)
        .arg(target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|error| Failure::because(format_args!("cannot start {TOOL}"), &error))
}

/// Whether the tool says that there is no policy (containers/image, `signature/policy_config.go`: of old the
/// system's answer about the last file it looked for, a sentence since). One that cannot be read is there.
fn lacks_policy(said: &[u8]) -> bool {
    let said = String::from_utf8_lossy(said);
    said.contains("no policy.json file found")
        || said.contains("Error loading trust policy")
            && said.contains("policy.json: no such file or directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_is_missing_is_told_from_one_that_cannot_be_read() {
        let fatal =
            "level=fatal msg=\"Error loading trust policy: open /etc/containers/policy.json:";
        for (said, lacks) in [
            (format!("{fatal} no such file or directory\""), true),
            (format!("{fatal} permission denied\""), false),
            (
                "Error loading trust policy: no policy.json file found at any of the following: \"/a\""
                    .to_owned(),
                true,
            ),
            ("open /x: no such file or directory".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(lacks_policy(said.as_bytes()), lacks, "{said}");
        }
    }
}
