//! `package-manager`: what installs more, in an image that is never upgraded in place.

use std::collections::BTreeMap;

use plimsoll_model::{ImagePath, Subject};

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// Remove package managers (APT, YUM and their kind): a running container is never upgraded in
    /// place, it is replaced. What installs packages is only of use to an intruder, who gets every
    /// tool of the distribution with it.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/bin/apt      0755 18k      # finding
    /// /usr/bin/apt-get  0755 51k      # finding
    /// /usr/bin/dpkg     0755 318k     # finding
    /// ```
    ///
    /// A script is a package manager as well, if it lies where programs lie:
    ///
    /// ```image
    /// /usr/bin/dnf-3  0755 "#!/usr/libexec/platform-python -s\n"   # finding
    /// /usr/bin/yum    -> dnf-3                                      # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// The database of installed packages: scanners read it to tell what is in the image. Nor are
    /// the parts that install nothing by themselves.
    ///
    /// ```image
    /// /var/lib/dpkg/status            0644 "Package: libc6\n"
    /// /usr/lib/apt/methods/http       0755 200k
    /// /usr/share/bash-completion/apt  0644 5k
    /// ```
    ///
    /// ## Remedy
    ///
    /// `plimsoll slim IMAGE` leaves it ashore, and the database in place; `plimsoll build` makes
    /// images that never had one.
    id: "package-manager",
    practice: "remove package managers",
    summary: "a package manager is in the image",
    severity: Medium,
    development: Info,
    run: run,
}

/// Families of package managers: the name of the family, and the programs of it.
pub(super) const FAMILIES: &[(&str, &[&str])] = &[
    ("apk", &["apk", "apk.static"]),
    (
        "apt",
        &["apt", "apt-get", "aptitude", "dselect", "synaptic"],
    ),
    (
        "dnf",
        &["dnf", "dnf-3", "dnf4", "dnf5", "microdnf", "tdnf", "yum"],
    ),
    ("dpkg", &["dpkg"]),
    ("flatpak", &["flatpak"]),
    ("guix", &["guix"]),
    ("homebrew", &["brew"]),
    ("nix", &["nix", "nix-env"]),
    ("opkg", &["ipkg", "opkg"]),
    ("pacman", &["pacman"]),
    ("portage", &["emerge"]),
    ("rpm", &["rpm"]),
    ("slackpkg", &["installpkg", "slackpkg"]),
    ("snap", &["snap"]),
    ("swupd", &["swupd"]),
    ("urpmi", &["urpmi"]),
    ("xbps", &["xbps-install"]),
    ("zypper", &["zypper"]),
];

fn run(look: &Look, findings: &mut Findings) {
    for (family, names) in find(look) {
        let (family, _) = FAMILIES[family];
        findings.add(
            format!("{family} can install packages: {}", programs::some(&names)),
            programs::evidence_of(&look.rootfs.tree, &names),
            "plimsoll slim IMAGE",
        );
    }
}

/// The names under which a package manager can be started.
pub(crate) fn names(subject: &Subject) -> Vec<ImagePath> {
    let mut names: Vec<ImagePath> = find(subject).into_values().flatten().collect();
    names.sort();
    names.dedup();
    names
}

fn find(subject: &Subject) -> BTreeMap<usize, Vec<ImagePath>> {
    programs::by_family(subject, FAMILIES, |name| name)
}
