//! `privilege-tool`: programs whose purpose is to make somebody root.

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Run as a user of its own: `sudo` and its kin exist to become somebody else, by rules in a
    /// file that is easily too wide. An application that needs more rights at one point gets them
    /// from the runtime, or steps down once at its start.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/bin/sudo  0755 270k   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Programs that can only step down, and the rules alone.
    ///
    /// ```image
    /// /usr/local/bin/gosu  0755 2000k
    /// /etc/sudoers         0440 1k
    /// ```
    ///
    /// ## Remedy
    ///
    /// Leave it out; `USER root` and `USER 65532` in the Dockerfile change the user while building.
    id: "privilege-tool",
    practice: "run as a user of its own",
    summary: "a program that makes its user root is in the image",
    severity: Medium,
    development: Info,
    run: run,
}

/// The names of their programs.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[(
    "can make its user root",
    &["doas", "pkexec", "sudo", "sudo-rs", "sudoedit"],
)];

fn run(look: &Look, findings: &mut Findings) {
    for (family, names) in programs::by_family(look, FAMILIES, |name| name) {
        let (can, _) = FAMILIES[family];
        findings.add(
            format!("{} {can}", programs::some(&names)),
            programs::evidence_of(&look.rootfs.tree, &names),
            "leave it out; USER in the Dockerfile changes the user while building",
        );
    }
}
