//! Package URLs: one line that names a package of any ecosystem (the purl specification, ECMA-427).

use std::fmt::Write as _;

use crate::package::ecosystem;
use crate::{OsRelease, Package};

impl Package {
    /// Its package URL. `release` is the distribution it is installed on, which the URLs of
    /// distribution packages name.
    pub fn purl(&self, release: Option<&OsRelease>) -> String {
        let (namespace, name) = self.parts(release);
        let mut url = format!("pkg:{}/", self.ecosystem);
        for part in namespace.split('/').filter(|part| !part.is_empty()) {
            encode(&mut url, part);
            url.push('/');
        }
        encode(&mut url, &name);
        let (epoch, version) = match self.version.split_once(':') {
            Some((epoch, version)) if self.ecosystem == ecosystem::RPM => (epoch, version),
            _ => ("", self.version.as_str()),
        };
        if !version.is_empty() {
            url.push('@');
            encode(&mut url, version);
        }
        let mut separator = '?';
        for (key, value) in self.qualifiers(release, epoch) {
            if !value.is_empty() {
                let _ = write!(url, "{separator}{key}=");
                encode(&mut url, &value);
                separator = '&';
            }
        }
        url
    }

    /// Namespace and name, by the rules of each type.
    fn parts(&self, release: Option<&OsRelease>) -> (String, String) {
        let name = self.name.as_str();
        let split = |(namespace, name): (&str, &str)| (namespace.to_owned(), name.to_owned());
        match self.ecosystem {
            ecosystem::DEB | ecosystem::APK | ecosystem::RPM => {
                let vendor = release.map(|release| release.id.clone());
                let name = match self.ecosystem {
                    ecosystem::RPM => name.to_owned(),
                    _ => name.to_lowercase(),
                };
                (vendor.unwrap_or_default(), name)
            }
            ecosystem::PYPI => (String::new(), name.to_lowercase().replace('_', "-")),
            ecosystem::MAVEN => split(name.split_once(':').unwrap_or(("", name))),
            ecosystem::COMPOSER | ecosystem::GOLANG => {
                let name = name.to_lowercase();
                split(name.rsplit_once('/').unwrap_or(("", &name)))
            }
            ecosystem::NPM => {
                let name = name.to_lowercase();
                split(name.split_once('/').unwrap_or(("", &name)))
            }
            _ => (String::new(), name.to_owned()),
        }
    }

    /// Keys in their order, and values that may be empty.
    fn qualifiers(&self, release: Option<&OsRelease>, epoch: &str) -> [(&'static str, String); 4] {
        if !ecosystem::is_distribution(self.ecosystem) {
            return [const { ("", String::new()) }; 4];
        }
        let distro = match release {
            Some(release) if release.version_id.is_empty() => release.id.clone(),
            Some(release) => format!("{}-{}", release.id, release.version_id),
            None => String::new(),
        };
        let epoch = if epoch == "0" { "" } else { epoch };
        // No part of the specification, but what others write and read: the source package.
        let upstream = match (&self.source, &self.source_version) {
            (None, None) => String::new(),
            (_, None) => self.source_name().to_owned(),
            (_, Some(version)) => format!("{}@{version}", self.source_name()),
        };
        [
            ("arch", self.architecture.clone()),
            ("distro", distro),
            ("epoch", epoch.to_owned()),
            ("upstream", upstream),
        ]
    }
}

/// Percent-encodes all that the specification does not leave as it is.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                url.push(char::from(byte));
            }
            _ => {
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ecosystem_is_written_by_its_own_rules() {
        let debian = OsRelease {
            id: "debian".into(),
            version_id: "12".into(),
            ..OsRelease::default()
        };
        let cases: &[(&'static str, &str, &str, &str, &str)] = &[
            (
                "deb",
                "libc6",
                "1:2.36-9+deb12u4",
                "amd64",
                "pkg:deb/debian/libc6@1:2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12",
            ),
            (
                "rpm",
                "perl-Foo",
                "4:5.32-1.el9",
                "x86_64",
                "pkg:rpm/debian/perl-Foo@5.32-1.el9?arch=x86_64&distro=debian-12&epoch=4",
            ),
            (
                "pypi",
                "Typing_Extensions",
                "4.1",
                "",
                "pkg:pypi/typing-extensions@4.1",
            ),
            (
                "npm",
                "@Angular/core",
                "1.0.0-rc.1",
                "",
                "pkg:npm/%40angular/core@1.0.0-rc.1",
            ),
            ("maven", "org.x:core", "1", "", "pkg:maven/org.x/core@1"),
            ("maven", "core", "1", "", "pkg:maven/core@1"),
            (
                "golang",
                "github.com/BurntSushi/toml",
                "v1.2.0+incompatible",
                "",
                "pkg:golang/github.com/burntsushi/toml@v1.2.0%2Bincompatible",
            ),
            ("golang", "stdlib", "1.22.1", "", "pkg:golang/stdlib@1.22.1"),
            (
                "composer",
                "Vendor/Name",
                "v1",
                "",
                "pkg:composer/vendor/name@v1",
            ),
            ("generic", "httpd", "", "", "pkg:generic/httpd"),
            ("gem", "a b/c?", "1", "", "pkg:gem/a%20b%2Fc%3F@1"),
        ];
        for &(ecosystem, name, version, architecture, expected) in cases {
            let package = Package {
                ecosystem,
                name: name.into(),
                version: version.into(),
                architecture: architecture.into(),
                ..Package::default()
            };
            assert_eq!(package.purl(Some(&debian)), expected);
        }
    }

    #[test]
    fn a_source_package_is_named_where_it_differs() {
        let package = Package {
            ecosystem: "deb",
            name: "libc-bin".into(),
            version: "2.36-9+b1".into(),
            source: Some("glibc".into()),
            source_version: Some("2.36-9".into()),
            ..Package::default()
        };
        assert_eq!(
            package.purl(None),
            "pkg:deb/libc-bin@2.36-9%2Bb1?upstream=glibc%402.36-9"
        );
    }
}
