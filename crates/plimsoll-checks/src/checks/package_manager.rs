//! `package-manager`: what installs more, in an image that is never upgraded in place.

use plimsoll_model::{ImagePath, Subject};

use crate::Findings;
use crate::check::check;
use crate::programs::{self, Program, Scripts};

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

fn run(subject: &Subject, findings: &mut Findings) {
    let tree = &subject.rootfs.tree;
    let programs = find(subject);
    for family in programs.chunk_by(|one, other| one.group == other.group) {
        let mut names: Vec<ImagePath> = Vec::new();
        for program in family {
            names.extend(program.names.iter().cloned());
        }
        names.sort();
        let (family, _) = FAMILIES[family[0].group];
        let evidence = names.iter().map(|name| programs::evidence(tree, name));
        findings.add(
            format!("{family} can install packages: {}", programs::some(&names)),
            evidence.collect(),
            "plimsoll slim IMAGE",
        );
    }
}

/// The names under which a package manager can be started.
pub(crate) fn names(subject: &Subject) -> Vec<ImagePath> {
    programs::names(find(subject))
}

fn find(subject: &Subject) -> Vec<Program> {
    programs::find(subject, Scripts::InProgramDirectories, |_, name| {
        programs::family(FAMILIES, name)
    })
}
