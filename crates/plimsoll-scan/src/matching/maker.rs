//! Packages of a Debian kind that the distribution did not build. They come from the archive of
//! somebody else, who counts versions in his own way: what the distribution's data say about a package
//! of that name is about another package.
//!
//! dpkg's database does not say from which archive a package came. It is told by the `Origin` or
//! `Vendor` its maker wrote into the record, by what makers append to versions, and by the maintainer's
//! address. What none of these tells is taken for the distribution's own.

use plimsoll_model::package::ecosystem;
use plimsoll_model::{OsRelease, Package};

use crate::DISTRIBUTIONS;

/// What makers write into versions, and who they are.
const MARKS: [(&str, &str); 9] = [
    (".pgdg", "the PostgreSQL Global Development Group"),
    ("nodesource", "NodeSource"),
    ("+maria~", "the MariaDB Foundation"),
    ("xamarin", "the Mono project"),
    ("osrf", "Open Robotics"),
    ("+0~20", "deb.sury.org"),
    ("~ppa", "a personal package archive"),
    ("+ppa", "a personal package archive"),
    (".ppa", "a personal package archive"),
];

/// Domains of maintainers who build for archives of their own.
const DOMAINS: [&str; 18] = [
    "confluent.io",
    "docker.com",
    "elastic.co",
    "erlang-solutions.com",
    "f5.com",
    "gitlab.com",
    "grafana.com",
    "hashicorp.com",
    "influxdata.com",
    "microsoft.com",
    "mongodb.com",
    "nginx.com",
    "nodesource.com",
    "oracle.com",
    "percona.com",
    "rabbitmq.com",
    "redis.com",
    "redis.io",
];

/// Who built a package, where that is not the distribution.
pub(super) fn maker(os: Option<&OsRelease>, package: &Package) -> Option<String> {
    if package.ecosystem != ecosystem::DEB {
        return None;
    }
    let field = |name: &str| {
        let lines = package.record.lines();
        let mut values = lines.filter_map(|line| line.strip_prefix(name));
        values
            .next()
            .map(str::trim)
            .filter(|value| !value.is_empty())
    };
    if let Some(origin) = field("Origin:").or_else(|| field("Vendor:")) {
        let own = os.map_or("", |os| &os.id);
        let is_own = [own, "debian", "ubuntu"]
            .iter()
            .any(|name| origin.eq_ignore_ascii_case(name));
        return (!is_own).then(|| origin.to_owned());
    }
    let version = &*package.version;
    let marked = MARKS.iter().find(|(mark, _)| version.contains(mark));
    if let Some((_, who)) = marked {
        return Some((*who).to_owned());
    }
    let address = package
        .vendor
        .rsplit_once('@')
        .map_or("", |(_, domain)| domain);
    let domain = address.trim_end_matches('>').to_ascii_lowercase();
    let is_vendors = DOMAINS.iter().any(|known| {
        let sub = domain.strip_suffix(known);
        sub.is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
    });
    if is_vendors || is_for_a_release(version) {
        let name = package.vendor.split('<').next().unwrap_or_default().trim();
        return Some(match name {
            "" => "somebody else".to_owned(),
            name => name.to_owned(),
        });
    }
    None
}

/// Whether a version ends with the name of the release it was built for, as no distribution writes its
/// own: `1.19.3-1~buster`, `0.12.5-1.stretch`, `8.0.21-1debian10`.
fn is_for_a_release(version: &str) -> bool {
    let last = version.rsplit(['~', '.', '-']).next().unwrap_or_default();
    let mut releases = DISTRIBUTIONS.iter().flat_map(|row| row.releases);
    let is_named =
        last != version && releases.any(|release| !last.is_empty() && release.codename == last);
    let revision = version
        .rsplit_once('-')
        .map_or("", |(_, revision)| revision);
    let numbered = revision
        .split_once("debian")
        .is_some_and(|(before, after)| {
            let digits =
                |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits(before) && digits(after)
        });
    is_named || numbered
}

/// The version its authors gave a package, without epoch and packaging: `13.0` of `13.0-1.pgdg100+1`.
pub(super) fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version
        .rsplit_once('-')
        .map_or(version, |(upstream, _)| upstream);
    version.split(['+', '~']).next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(version: &str, vendor: &str, record: &str) -> Package {
        Package {
            ecosystem: ecosystem::DEB,
            version: version.to_owned(),
            vendor: vendor.to_owned(),
            record: record.to_owned(),
            ..Package::default()
        }
    }

    #[test]
    fn makers_are_told_by_what_they_write() {
        let os = OsRelease {
            id: "debian".to_owned(),
            ..OsRelease::default()
        };
        for (version, vendor, record, expected) in [
            (
                "1.19.3-1~buster",
                "NGINX Packaging <nginx-packaging@f5.com>",
                "",
                "NGINX Packaging",
            ),
            ("1.29.0-1~trixie", "", "", "somebody else"),
            (
                "13.0-1.pgdg100+1",
                "Debian PostgreSQL Maintainers <team@tracker.debian.org>",
                "",
                "the PostgreSQL Global Development Group",
            ),
            ("8.0.21-1debian10", "", "", "somebody else"),
            (
                "5:20.10.7~3-0~debian-buster",
                "Docker <support@docker.com>",
                "",
                "Docker",
            ),
            ("1:10.5.6+maria~focal", "", "", "the MariaDB Foundation"),
            ("18.1.0-1nodesource1", "", "", "NodeSource"),
            ("1.0-1", "x", "Package: x\nOrigin: Acme\n", "Acme"),
            (
                "1.0",
                "x",
                "Package: x\nVendor: none of them\n",
                "none of them",
            ),
        ] {
            assert_eq!(
                maker(Some(&os), &package(version, vendor, record)).as_deref(),
                Some(expected),
                "{version}"
            );
        }
    }

    #[test]
    fn what_the_distribution_built_is_its_own() {
        for (version, vendor, record) in [
            (
                "2.36-9+deb12u4",
                "GNU Libc Maintainers <debian-glibc@lists.debian.org>",
                "",
            ),
            (
                "7.26.0-1+wheezy18",
                "Alessandro Ghedini <ghedo@debian.org>",
                "",
            ),
            (
                "1.13-2~ubuntu18.04",
                "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>",
                "Package: x\nOrigin: Ubuntu\n",
            ),
            ("12.0.0-1~bpo11+1", "somebody <x@gmail.com>", ""),
            ("1.900.1-debian1-2.4+deb8u1", "", ""),
            ("2.1-release-3", "", "Package: x\nOriginal-Maintainer: x\n"),
            ("1.0-1", "x <x@notdocker.com>", ""),
        ] {
            let os = OsRelease::default();
            assert_eq!(
                maker(Some(&os), &package(version, vendor, record)),
                None,
                "{version}"
            );
        }
        let apk = Package {
            ecosystem: ecosystem::APK,
            ..package("1.0-1~buster", "", "")
        };
        assert_eq!(maker(None, &apk), None);
    }

    #[test]
    fn authors_count_without_packaging() {
        for (version, expected) in [
            ("1.19.3-1~buster", "1.19.3"),
            ("13.0-1.pgdg100+1", "13.0"),
            ("5:20.10.7~3-0~debian-buster", "20.10.7"),
            ("1:10.5.6+maria~focal", "10.5.6"),
            ("8.17.0", "8.17.0"),
        ] {
            assert_eq!(upstream(version), expected);
        }
    }
}
