//! The ecosystems of the OSV schema, as our scopes.

use crate::{PackageKind, Scope};

/// Ecosystems of languages and their package-URL types.
const LANGUAGES: &[(&str, &str)] = &[
    ("Bitnami", "bitnami"),
    ("CRAN", "cran"),
    ("ConanCenter", "conan"),
    ("GitHub Actions", "githubactions"),
    ("Go", "golang"),
    ("Hackage", "hackage"),
    ("Hex", "hex"),
    ("Maven", "maven"),
    ("NuGet", "nuget"),
    ("Packagist", "composer"),
    ("Pub", "pub"),
    ("PyPI", "pypi"),
    ("RubyGems", "gem"),
    ("SwiftURL", "swift"),
    ("crates.io", "cargo"),
    ("npm", "npm"),
];

/// Distributions whose releases follow a colon, their os-release `ID`, and what their names mean.
const DISTRIBUTIONS: &[(&str, &str, PackageKind)] = &[
    ("AlmaLinux", "almalinux", PackageKind::Binary),
    ("Alpaquita", "alpaquita", PackageKind::Source),
    ("Alpine", "alpine", PackageKind::Source),
    ("Azure Linux", "azurelinux", PackageKind::Source),
    ("Chainguard", "chainguard", PackageKind::Source),
    ("Debian", "debian", PackageKind::Source),
    ("Mageia", "mageia", PackageKind::Source),
    ("MinimOS", "minimos", PackageKind::Source),
    ("Photon OS", "photon", PackageKind::Source),
    ("Rocky Linux", "rocky", PackageKind::Source),
    ("Ubuntu", "ubuntu", PackageKind::Source),
    ("Wolfi", "wolfi", PackageKind::Source),
    ("openEuler", "openeuler", PackageKind::Source),
];

/// The scope of an `ecosystem`, and what the names of its packages mean; `None` for what holds no
/// packages an image could have (`GIT`, `Android`).
pub(super) fn scope(ecosystem: &str) -> Option<(Scope, PackageKind)> {
    let (name, suffix) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
    if let Some((_, kind)) = LANGUAGES.iter().find(|(known, _)| *known == name) {
        // What follows a colon is the address of another registry.
        return Some((Scope::parse(kind)?, PackageKind::Binary));
    }
    match name {
        "SUSE" | "openSUSE" => return Some((suse(suffix)?, PackageKind::Source)),
        "Red Hat" => return Some((red_hat(suffix)?, PackageKind::Binary)),
        _ => {}
    }
    let &(_, id, kind) = DISTRIBUTIONS.iter().find(|(known, ..)| *known == name)?;
    let release = match id {
        // `22.04:LTS`, `Pro:18.04:LTS`, `Pro:FIPS:...` (not what an image has).
        "ubuntu" => {
            let suffix = suffix.strip_suffix(":LTS").unwrap_or(suffix);
            return match suffix.strip_prefix("Pro:") {
                Some(release) => Some((Scope::of("ubuntu-pro", release)?, kind)),
                None => Some((Scope::of(id, suffix)?, kind)),
            };
        }
        "alpine" => suffix.strip_prefix('v').unwrap_or(suffix),
        "wolfi" | "chainguard" | "minimos" => "",
        _ => suffix,
    };
    // Without a release an advisory about a distribution cannot be matched.
    let rolling = matches!(id, "wolfi" | "chainguard" | "minimos");
    (rolling || !release.is_empty()).then_some((Scope::of(id, release)?, kind))
}

/// `Linux Enterprise Server 15 SP6`, `Linux Enterprise Module for Basesystem 15 SP6`, `Leap 15.6`,
/// `Tumbleweed`.
fn suse(product: &str) -> Option<Scope> {
    if let Some(release) = product.strip_prefix("Leap ") {
        // `15.6 NonFree` is another archive of the same release.
        return Scope::of("opensuse-leap", release.split(' ').next()?);
    }
    if product == "Tumbleweed" {
        return Scope::parse("opensuse-tumbleweed");
    }
    let rest = product.strip_prefix("Linux Enterprise ")?;
    // Paid extensions of dead releases are not in an image's repositories.
    if rest.contains("LTSS") || rest.contains("ESPOS") || rest.contains("TERADATA") {
        return None;
    }
    let words: Vec<&str> = rest.split(' ').collect();
    let is_number = |word: &&str| {
        word.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let at = words.iter().rposition(is_number)?;
    let pack = words.get(at + 1).and_then(|word| word.strip_prefix("SP"));
    match pack {
        Some(pack) => Scope::of("sles", &format!("{}.{pack}", words[at])),
        None => Scope::of("sles", words[at]),
    }
}

/// `enterprise_linux:9::appstream`, `rhel_eus:9.2::baseos`: the major release of the first kind only.
fn red_hat(product: &str) -> Option<Scope> {
    let release = product.strip_prefix("enterprise_linux:")?;
    let release = release.split(':').next()?;
    Scope::of("rhel", release.split('.').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecosystems_are_our_scopes() {
        for (ecosystem, expected) in [
            ("PyPI", Some("pypi")),
            ("Maven:https://repo.example.org", Some("maven")),
            ("crates.io", Some("cargo")),
            ("Debian:12", Some("debian:12")),
            ("Debian", None),
            ("Alpine:v3.20", Some("alpine:3.20")),
            ("Ubuntu:22.04:LTS", Some("ubuntu:22.04")),
            ("Ubuntu:25.10", Some("ubuntu:25.10")),
            ("Ubuntu:Pro:18.04:LTS", Some("ubuntu-pro:18.04")),
            ("Ubuntu:Pro:FIPS:18.04:LTS", None),
            ("AlmaLinux:9", Some("almalinux:9")),
            ("Rocky Linux:8", Some("rocky:8")),
            ("SUSE:Linux Enterprise Server 15 SP6", Some("sles:15.6")),
            (
                "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
                Some("sles:15.5"),
            ),
            ("SUSE:Linux Enterprise Server 16.0", Some("sles:16.0")),
            ("SUSE:Linux Enterprise Server 12 SP5-LTSS", None),
            ("openSUSE:Leap 15.6", Some("opensuse-leap:15.6")),
            ("openSUSE:Tumbleweed", Some("opensuse-tumbleweed")),
            ("Red Hat:enterprise_linux:9::appstream", Some("rhel:9")),
            ("Wolfi", Some("wolfi")),
            ("GIT", None),
            ("Debian:../x", None),
        ] {
            let found = scope(ecosystem).map(|(scope, _)| scope.to_string());
            assert_eq!(found.as_deref(), expected, "{ecosystem}");
        }
    }
}
