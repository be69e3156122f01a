//! Where an image is written, and the names of such places.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::{Error, Reference};

/// The forms there are, for messages.
const FORMS: &str = "oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], \
                     dir:DIR, docker://[HOST/]NAME[:TAG]";

/// Where an image is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// An OCI image layout; added to one that is there already, replacing the tag.
    OciLayout {
        /// The layout's directory.
        dir: PathBuf,
        /// The name in the index.
        tag: Option<String>,
    },
    /// An OCI image layout in a tar file.
    OciArchive {
        /// The file.
        file: PathBuf,
        /// The name in the index.
        tag: Option<String>,
    },
    /// What `docker load` takes.
    DockerArchive {
        /// The file.
        file: PathBuf,
        /// The image's name, `:latest` understood.
        tag: Option<String>,
    },
    /// A directory of single blobs, as `skopeo copy` writes it; an image that is there is replaced.
    Dir(PathBuf),
    /// A repository of a registry.
    Registry(Reference),
}

impl Sink {
    /// Parses `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`, where the
    /// path ends at the first colon, `dir:DIR` and `docker://[HOST/]NAME[:TAG]`.
    ///
    /// # Errors
    /// When the text has none of these forms.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::Name {
            name: text.to_owned(),
            why: why.to_owned(),
            forms: FORMS.to_owned(),
        };
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| bad("it has no scheme"))?;
        if scheme == "docker" {
            let name = rest.strip_prefix("//").unwrap_or(rest);
            return tagged(name).map(Self::Registry).map_err(|why| bad(&why));
        }
        if scheme == "dir" {
            return match rest.is_empty() {
                true => Err(bad("it names no path")),
                // It holds one image without a name, so all of it is the path.
                false => Ok(Self::Dir(rest.into())),
            };
        }
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if path.is_empty() {
            return Err(bad("it names no path"));
        }
        if tag.is_some_and(|tag| tag.is_empty() || tag.contains(|c: char| c.is_control())) {
            return Err(bad("the name behind the path is empty or not printable"));
        }
        let tag = tag.map(str::to_owned);
        match scheme {
            "oci" => Ok(Self::OciLayout {
                dir: path.into(),
                tag,
            }),
            "oci-archive" => Ok(Self::OciArchive {
                file: path.into(),
                tag,
            }),
            "docker-archive" => Ok(Self::DockerArchive {
                file: path.into(),
                tag,
            }),
            _ => Err(bad("nothing is written to such a place")),
        }
    }

    /// The directory or file, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::OciLayout { dir: path, .. }
            | Self::OciArchive { file: path, .. }
            | Self::DockerArchive { file: path, .. }
            | Self::Dir(path) => Some(path),
            Self::Registry(_) => None,
        }
    }

    /// The name inside it.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::OciLayout { tag, .. }
            | Self::OciArchive { tag, .. }
            | Self::DockerArchive { tag, .. } => tag.as_deref(),
            Self::Registry(name) => name.tag(),
            Self::Dir(_) => None,
        }
    }
}

/// A name to write to: one that can be given, and so no digest.
fn tagged(text: &str) -> Result<Reference, String> {
    let name = Reference::parse(text)?;
    match name.digest() {
        Some(_) => Err("a digest cannot be chosen; name a tag".to_owned()),
        None => Ok(name),
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, path) = match self {
            Self::OciLayout { dir, .. } => ("oci", dir),
            Self::OciArchive { file, .. } => ("oci-archive", file),
            Self::DockerArchive { file, .. } => ("docker-archive", file),
            Self::Dir(dir) => ("dir", dir),
            Self::Registry(name) => return write!(f, "docker://{name}"),
        };
        write!(f, "{scheme}:{}", path.display())?;
        match self.tag() {
            Some(tag) => write!(f, ":{tag}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_prints_as_it_was_written() {
        for text in [
            "oci:dir",
            "oci:/a/dir:tag",
            "oci-archive:a.tar:docker.io/library/httpd:2.4",
            "docker-archive:a.tar",
            "dir:/a/b:c",
            "docker://localhost:5000/app:1",
        ] {
            assert_eq!(Sink::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_names_no_place_is_refused() {
        for text in [
            "",
            "dir",
            "oci:",
            "oci::tag",
            "oci:dir:",
            "dir:",
            "docker://Httpd",
            "docker://app@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "podman:app",
            "oci:dir:a\nb",
        ] {
            assert!(Sink::parse(text).is_err(), "{text}");
        }
    }
}
