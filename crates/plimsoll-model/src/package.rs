//! One installed package, as whatever tells of it in an image says.

use std::collections::BTreeMap;

use crate::ImagePath;

/// The kinds of packages, in package-URL words (the types of the purl specification).
pub mod ecosystem {
    /// Debian and its kin.
    pub const DEB: &str = "deb";
    /// Alpine, Wolfi.
    pub const APK: &str = "apk";
    /// Red Hat, SUSE and their kin.
    pub const RPM: &str = "rpm";
    /// Python distributions.
    pub const PYPI: &str = "pypi";
    /// Node packages.
    pub const NPM: &str = "npm";
    /// Ruby gems.
    pub const GEM: &str = "gem";
    /// Java archives; names are `group:artifact`.
    pub const MAVEN: &str = "maven";
    /// Go modules; names are module paths, the standard library is `stdlib`.
    pub const GOLANG: &str = "golang";
    /// Rust crates.
    pub const CARGO: &str = "cargo";
    /// PHP packages of Composer; names are `vendor/name`.
    pub const COMPOSER: &str = "composer";
    /// .NET packages.
    pub const NUGET: &str = "nuget";
    /// What was compiled or copied in without any package; names are those of products.
    pub const GENERIC: &str = "generic";

    /// Whether the packages of this kind are a distribution's: its database claims the files of the
    /// image, and its vendor says what is wrong with them.
    pub fn is_distribution(ecosystem: &str) -> bool {
        matches!(ecosystem, DEB | APK | RPM)
    }
}

/// The index of a package in [`crate::Inventory::packages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub u32);

/// One installed package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// The kind of package in package-URL words: one of [`ecosystem`].
    pub ecosystem: &'static str,
    /// Name, in the ecosystem's own writing; see [`ecosystem`] for those made of two parts.
    pub name: String,
    /// Version, in the ecosystem's own writing: with the epoch (`1:2.3-4`, for rpm only where there
    /// is one other than 0) and the release behind it. Empty where nothing tells it.
    pub version: String,
    /// Architecture, in the ecosystem's words; empty where it has none.
    pub architecture: String,
    /// Source package, where it differs from the name.
    pub source: Option<String>,
    /// Version of the source package, where it differs from the version.
    pub source_version: Option<String>,
    /// Who made it, as the database says: the `Vendor` of rpm, the `Origin` of dpkg, the maintainer
    /// where neither is there; empty where nobody is named.
    pub vendor: String,
    /// Licences as the package writes them, one expression or name each.
    pub licences: Vec<String>,
    /// Section, in the distribution's words (`libs`, `httpd`); empty where it has none.
    pub section: String,
    /// Priority, in the distribution's words (`required`, `optional`); empty where it has none.
    pub priority: String,
    /// The distribution calls it essential (Debian policy 3.8).
    pub essential: bool,
    /// Whether it is there.
    pub state: State,
    /// What tells of it.
    pub known_by: KnownBy,
    /// What it occupies by its own account, in bytes; 0 where it does not say.
    pub installed_size: u64,
    /// The paths it owns, as the database lists them (links in parents not followed, but dpkg's
    /// diversions applied; see [`crate::Inventory::owners`] for where they really lie),
    /// directories left out where the database tells them apart.
    pub files: Vec<ImagePath>,
    /// What the database says the files hold, where it does.
    pub digests: BTreeMap<ImagePath, FileDigest>,
    /// Of the files, the configuration an administrator may change (Debian policy 10.7).
    pub conffiles: Vec<ImagePath>,
    /// Other packages it requires that are installed.
    pub requires: Vec<PackageId>,
    /// The distribution's package that brought the file this one is known by: its vendor answers for
    /// both, so they are one thing when what is known about them is counted.
    pub part_of: Option<PackageId>,
    /// The record as the database holds it, for writing an honest one later; empty where that needs
    /// the database itself (rpm) or there is none.
    pub record: String,
    /// The file the package is known by: the database, its metadata, the program, the archive.
    pub database: Option<ImagePath>,
    /// Where in that file, for a file in a file (`BOOT-INF/lib/x.jar`); empty otherwise.
    pub inside: String,
}

impl Package {
    /// Name of the source package: its own where none is named.
    pub fn source_name(&self) -> &str {
        self.source.as_deref().unwrap_or(&self.name)
    }

    /// Version of the source package: its own where none is named.
    pub fn source_version(&self) -> &str {
        self.source_version.as_deref().unwrap_or(&self.version)
    }
}

/// Whether a package is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Its files are.
    #[default]
    Installed,
    /// Its installation, or its removal, stopped half-way.
    HalfInstalled,
    /// It was removed and left its configuration behind: only in [`crate::Inventory::removed`].
    ConfigFiles,
}

impl State {
    /// `installed`, `half-installed`, `config-files`: dpkg's words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::HalfInstalled => "half-installed",
            Self::ConfigFiles => "config-files",
        }
    }
}

/// What tells of a package: how sure its name and version are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownBy {
    /// The database of a package manager.
    #[default]
    Database,
    /// The metadata that the ecosystem installs beside the package, or inside the archive.
    Metadata,
    /// What a compiler wrote into a program about the modules in it.
    BuildInfo,
    /// A note in a program that names the package it was built for.
    Note,
    /// Words in a program that only this product has.
    Pattern,
    /// The name of a file alone.
    FileName,
    /// A list of components that somebody else made.
    Sbom,
}

impl KnownBy {
    /// One word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Metadata => "metadata",
            Self::BuildInfo => "build-info",
            Self::Note => "elf-note",
            Self::Pattern => "pattern",
            Self::FileName => "file-name",
            Self::Sbom => "sbom",
        }
    }
}

/// What a file should hold, as a database says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileDigest {
    /// MD5 (dpkg, old rpm).
    Md5([u8; 16]),
    /// SHA-1 (apk).
    Sha1([u8; 20]),
    /// SHA-256 (rpm, Python).
    Sha256(Box<[u8; 32]>),
}

impl FileDigest {
    /// The digest these bytes are, by their number; `None` for any other number.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            16 => Some(Self::Md5(bytes.try_into().ok()?)),
            20 => Some(Self::Sha1(bytes.try_into().ok()?)),
            32 => Some(Self::Sha256(Box::new(bytes.try_into().ok()?))),
            _ => None,
        }
    }

    /// The digest written in hexadecimal.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        if !matches!(text.len(), 32 | 40 | 64) {
            return None;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let bytes: Option<Vec<u8>> = text
            .chunks(2)
            .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
            .collect();
        Self::from_bytes(&bytes?)
    }

    /// Its name as SPDX and CycloneDX nearly agree on it: `MD5`, `SHA1`, `SHA256`.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Md5(_) => "MD5",
            Self::Sha1(_) => "SHA1",
            Self::Sha256(_) => "SHA256",
        }
    }

    /// Its bytes in hexadecimal.
    pub fn hex(&self) -> String {
        let bytes: &[u8] = match self {
            Self::Md5(bytes) => bytes,
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => &**bytes,
        };
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_told_by_its_length() {
        for (length, name) in [(32, "MD5"), (40, "SHA1"), (64, "SHA256")] {
            let text = "0a".repeat(length / 2);
            let digest = FileDigest::from_hex(text.as_bytes()).unwrap();
            assert_eq!((digest.algorithm(), digest.hex()), (name, text));
        }
        for text in ["", "0a", "zz", &"z".repeat(40), &"0".repeat(63)] {
            assert_eq!(FileDigest::from_hex(text.as_bytes()), None, "{text}");
        }
    }
}
