//! Where the feeds of a scope are published.

use crate::{DISTRIBUTIONS, Scope};

/// Where something is published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The feed: the identifier of a row of [`crate::FEEDS`].
    pub feed: &'static str,
    /// Its address. One without a host (`v3.20/main.json`) is relative to what the user names: the
    /// place is a package mirror's, and no mirror is compiled in.
    pub url: String,
    /// What it is relative to, where it is: the name users write before their mirror.
    pub mirror: Option<&'static str>,
    /// More bytes than this are not it.
    pub limit: u64,
}

/// The feeds that make the slice of `scope`, as their publishers name them; empty where nobody
/// publishes one that plimsoll knows of.
///
/// Sources: security-tracker.debian.org (the tracker's JSON), google.github.io/osv.dev/data (the
/// bucket of OSV, one `all.zip` an ecosystem), cisa.gov (KEV), first.org/epss/data_stats (EPSS).
/// Alpine's, Wolfi's and Chainguard's secdb lie with their packages.
pub fn addresses(scope: &Scope) -> Vec<Address> {
    const OSV: &str = "https://osv-vulnerabilities.storage.googleapis.com";
    let osv = |ecosystem: &str| Address {
        feed: "osv",
        url: format!("{OSV}/{}/all.zip", ecosystem.replace(' ', "%20")),
        mirror: None,
        limit: 1 << 30,
    };
    let secdb = |mirror: &'static str, path: String| Address {
        feed: "alpine",
        url: path,
        mirror: Some(mirror),
        limit: 256 << 20,
    };
    let release = scope.release().unwrap_or_default();
    match scope.name() {
        "debian" => vec![Address {
            feed: "debian",
            url: "https://security-tracker.debian.org/tracker/data/json".to_owned(),
            mirror: None,
            limit: 512 << 20,
        }],
        "alpine" => {
            let directory = match release {
                "edge" => "edge".to_owned(),
                release => format!("v{release}"),
            };
            ["main", "community"]
                .map(|repository| secdb("alpine", format!("{directory}/{repository}.json")))
                .to_vec()
        }
        "wolfi" => vec![secdb("wolfi", "os/security.json".to_owned())],
        "chainguard" => vec![secdb("chainguard", "chainguard/security.json".to_owned())],
        // Long-term releases have the word in their name: the even years' April ones.
        "ubuntu" => vec![osv(&match is_lts(release) {
            true => format!("Ubuntu:{release}:LTS"),
            false => format!("Ubuntu:{release}"),
        })],
        "ubuntu-pro" => vec![osv(&format!("Ubuntu:Pro:{release}:LTS"))],
        "almalinux" => vec![osv(&format!("AlmaLinux:{release}"))],
        "rocky" => vec![osv(&format!("Rocky Linux:{release}"))],
        "rhel" => vec![osv("Red Hat")],
        "sles" => vec![osv("SUSE")],
        "opensuse-leap" => vec![osv(&format!("openSUSE:Leap {release}"))],
        "opensuse-tumbleweed" => vec![osv("openSUSE:Tumbleweed")],
        "photon" => vec![osv(&format!("Photon OS:{release}"))],
        "azurelinux" => vec![osv(&format!("Azure Linux:{release}"))],
        "mageia" => vec![osv(&format!("Mageia:{release}"))],
        "pypi" => vec![osv("PyPI")],
        "npm" => vec![osv("npm")],
        "gem" => vec![osv("RubyGems")],
        "maven" => vec![osv("Maven")],
        "golang" => vec![osv("Go")],
        "cargo" => vec![osv("crates.io")],
        "composer" => vec![osv("Packagist")],
        "nuget" => vec![osv("NuGet")],
        "hex" => vec![osv("Hex")],
        "pub" => vec![osv("Pub")],
        "cran" => vec![osv("CRAN")],
        "hackage" => vec![osv("Hackage")],
        "bitnami" => vec![Address {
            feed: "bitnami",
            ..osv("Bitnami")
        }],
        "kev" => vec![Address {
            feed: "kev",
            url: "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
                .to_owned(),
            mirror: None,
            limit: 64 << 20,
        }],
        "epss" => vec![Address {
            feed: "epss",
            url: "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz".to_owned(),
            mirror: None,
            limit: 64 << 20,
        }],
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
