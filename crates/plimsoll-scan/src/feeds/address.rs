//! Where the feeds of a scope are published.

use crate::{DISTRIBUTIONS, Scope};

/// Where something is published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The name under which the user can name a mirror of it: `debian`, `osv`.
    pub name: &'static str,
    /// Where its publisher has it, without a slash at the end; empty where that is a package mirror,
    /// of which none is compiled in.
    pub base: &'static str,
    /// The path below the base, or below the user's mirror.
    pub path: String,
    /// More bytes than this are not it.
    pub limit: u64,
}

impl Address {
    /// Where its publisher has it; `None` where that is a package mirror.
    pub fn url(&self) -> Option<String> {
        (!self.base.is_empty()).then(|| format!("{}/{}", self.base, self.path))
    }
}

/// The feeds that make the slice of `scope`, as their publishers name them; empty where nobody
/// publishes one that plimsoll knows of.
///
/// Sources: the data page of the Debian security tracker; google.github.io/osv.dev/data (the bucket of
/// OSV, one `all.zip` an ecosystem); Alpine's secdb; cisa.gov (KEV); first.org/epss (EPSS). Wolfi's and
/// Chainguard's secdb lie with their packages.
pub fn addresses(scope: &Scope) -> Vec<Address> {
    let one = |name, base, path: &str, megabytes: u64| {
        vec![Address {
            name,
            base,
            path: path.to_owned(),
            limit: megabytes << 20,
        }]
    };
    let osv = |ecosystem: &str| {
        let base = "https://osv-vulnerabilities.storage.googleapis.com";
        let path = format!("{}/all.zip", ecosystem.replace(' ', "%20"));
        one("osv", base, &path, 1024)
    };
    let release = scope.release().unwrap_or_default();
    match scope.name() {
        "debian" => one(
            "debian",
            "https://security-tracker.debian.org/tracker/data",
            "json",
            512,
        ),
        "alpine" => {
            let directory = match release {
                "edge" => "edge".to_owned(),
                release => format!("v{release}"),
            };
            let base = "https://secdb.alpinelinux.org";
            ["main", "community"]
                .iter()
                .flat_map(|repository| {
                    one(
                        "alpine",
                        base,
                        &format!("{directory}/{repository}.json"),
                        256,
                    )
                })
                .collect()
        }
        "wolfi" => one("wolfi", "", "security.json", 256),
        "chainguard" => one("chainguard", "", "security.json", 256),
        // Long-term releases have the word in their name.
        "ubuntu" if is_lts(release) => osv(&format!("Ubuntu:{release}:LTS")),
        "ubuntu" => osv(&format!("Ubuntu:{release}")),
        "ubuntu-pro" => osv(&format!("Ubuntu:Pro:{release}:LTS")),
        "almalinux" => osv(&format!("AlmaLinux:{release}")),
        "rocky" => osv(&format!("Rocky Linux:{release}")),
        "rhel" => osv("Red Hat"),
        "sles" => osv("SUSE"),
        "opensuse-leap" => osv(&format!("openSUSE:Leap {release}")),
        "opensuse-tumbleweed" => osv("openSUSE:Tumbleweed"),
        "photon" => osv(&format!("Photon OS:{release}")),
        "azurelinux" => osv(&format!("Azure Linux:{release}")),
        "mageia" => osv(&format!("Mageia:{release}")),
        "pypi" => osv("PyPI"),
        "npm" => osv("npm"),
        "gem" => osv("RubyGems"),
        "maven" => osv("Maven"),
        "golang" => osv("Go"),
        "cargo" => osv("crates.io"),
        "composer" => osv("Packagist"),
        "nuget" => osv("NuGet"),
        "hex" => osv("Hex"),
        "pub" => osv("Pub"),
        "cran" => osv("CRAN"),
        "hackage" => osv("Hackage"),
        "bitnami" => osv("Bitnami"),
        "kev" => one(
            "kev",
            "https://www.cisa.gov/sites/default/files/feeds",
            "known_exploited_vulnerabilities.json",
            64,
        ),
        "epss" => one(
            "epss",
            "https://epss.empiricalsecurity.com",
            "epss_scores-current.csv.gz",
            64,
        ),
        _ => Vec::new(),
    }
}

fn is_lts(release: &str) -> bool {
    let ubuntu = DISTRIBUTIONS.iter().find(|known| known.id == "ubuntu");
    let known = ubuntu.and_then(|ubuntu| {
        let mut releases = ubuntu.releases.iter();
        releases.find(|known| known.version == release)
    });
    match known {
        Some(known) => known.long_term_until.is_some(),
        None => {
            let (year, month) = release.split_once('.').unwrap_or_default();
            month == "04" && year.parse::<u32>().is_ok_and(|year| year % 2 == 0)
        }
    }
}
