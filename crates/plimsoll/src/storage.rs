//! Into the store of Podman, Buildah and CRI-O, by the hand of its own tools.
//!
//! That store is no format but a program's own affair: locks that every process must hold and sign,
//! layers unpacked as the driver wants them, below a user's ranges of identifiers inside a namespace of
//! its own, lists that change from release to release. Who writes there without its library can break the
//! images of everybody else. So the image is handed to `skopeo`, which is that library with a command
//! line, as a directory of single blobs; what lies in the store then is read by us and must be that image.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use plimsoll_model::Digest;

use crate::failure::{Failure, Result};
use crate::session::{self, Context};

/// The word before the colon in names of images.
pub(crate) const SCHEME: &str = "containers-storage";

/// The tool.
const TOOL: &str = "skopeo";

/// A name in such a store, and the tool that writes there.
pub(crate) struct Storage {
    /// Behind the scheme: `[STORE]NAME`.
    name: String,
}

impl Storage {
    /// The store in which an image will be called `name`, if its tool is here.
    pub(crate) fn open(name: &str) -> Result<Self> {
        let answered = Command::new(TOOL)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match answered {
            Ok(status) if status.success() => Ok(Self {
                name: name.to_owned(),
            }),
            _ => Err(Failure::new(format!(
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
        let mut command = Command::new(TOOL);
        // Without a policy on this machine nothing is forbidden, and the tool would refuse to start;
        // with one, it decides.
        if !policies().iter().any(|policy| policy.exists()) {
            command.arg("--insecure-policy");
        }
        let mut from = std::ffi::OsString::from("dir:");
        from.push(directory);
        let output = command
            .args(["copy", "--quiet"])
            .arg(from)
            .arg(&target)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .output()
            .map_err(|error| Failure::because(format_args!("cannot start {TOOL}"), &error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failure::new(format!(
                "cannot write {target}: {TOOL} failed ({})",
                output.status
            ))
            .details(said.lines().map(str::to_owned)));
        }
        let stored = session::image(context, &target, None, None, plimsoll_image::open)?;
        match stored.image.digest == digest {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "{target} is another image: {}, expected {digest}",
                stored.image.digest
            ))),
        }
    }
}

/// Where such tools look for what may be copied (`containers-policy.json(5)`).
fn policies() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let own = home.map(|home| home.join(".config/containers/policy.json"));
    own.into_iter()
        .chain([PathBuf::from("/etc/containers/policy.json")])
        .collect()
}
