//! Where an image is written, and the names of such places.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::Error;

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
}

impl Sink {
    /// Parses `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`; the path
    /// ends at the first colon.
    ///
    /// # Errors
    /// When the text has none of these forms.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::Name {
            name: text.to_owned(),
            why: why.to_owned(),
            forms: "oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]".into(),
        };
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| bad("it has no scheme"))?;
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

    /// The directory or file.
    pub fn path(&self) -> &Path {
        match self {
            Self::OciLayout { dir: path, .. }
            | Self::OciArchive { file: path, .. }
            | Self::DockerArchive { file: path, .. } => path,
        }
    }

    /// The name inside it.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::OciLayout { tag, .. }
            | Self::OciArchive { tag, .. }
            | Self::DockerArchive { tag, .. } => tag.as_deref(),
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self {
            Self::OciLayout { .. } => "oci",
            Self::OciArchive { .. } => "oci-archive",
            Self::DockerArchive { .. } => "docker-archive",
        };
        write!(f, "{scheme}:{}", self.path().display())?;
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
            "docker://httpd",
            "oci:dir:a\nb",
        ] {
            assert!(Sink::parse(text).is_err(), "{text}");
        }
    }
}
