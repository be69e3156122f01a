//! Writing an image as one tar file: an OCI archive, or what `docker load` takes.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use plimsoll_model::Digest;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::codec::Codec;
use crate::config::canonical;
use crate::documents::CONTAINERD_NAME;
use crate::write::layout::{MARK, temporary_in};
use crate::write::{Blobs, Fill, WriteOptions, index};
use crate::{Error, tarball};

/// An archive being written to a temporary file beside its place; it goes there at the end, or
/// not at all.
pub(super) struct Target {
    path: PathBuf,
    file: NamedTempFile,
    end: u64,
    stored: BTreeSet<Digest>,
}

impl Target {
    pub(super) fn open(path: &Path, options: &WriteOptions<'_>) -> Result<Self, Error> {
        // What is not a regular file (a directory, a device, a pipe) cannot be replaced at once.
        if fs::metadata(path).is_ok_and(|facts| !facts.is_file()) {
            return Err(Error::Target {
                path: path.to_owned(),
                why: "it is there, and no regular file".to_owned(),
            });
        }
        // A typing error must not cost a file that never was an archive.
        if !may_be_replaced(path).map_err(Error::io(path.display()))? {
            return Err(Error::Target {
                path: path.to_owned(),
                why: "the file that is there is no archive".to_owned(),
            });
        }
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !directory.is_dir() {
            return Err(Error::Target {
                path: path.to_owned(),
                why: format!("there is no directory {}", directory.display()),
            });
        }
        let mut target = Self {
            path: path.to_owned(),
            file: temporary_in(directory, options)?,
            end: 0,
            stored: BTreeSet::new(),
        };
        for directory in ["blobs", "blobs/sha256"] {
            target.append(&tarball::directory_header(directory))?;
        }
        Ok(target)
    }

    /// Ends the archive as an OCI image layout.
    pub(super) fn commit_oci(mut self, entry: Value, tag: Option<&str>) -> Result<(), Error> {
        self.append_file("index.json", &index::with(index::new(), entry, tag))?;
        self.append_file("oci-layout", MARK)?;
        self.finish()
    }

    /// Ends the archive as `docker save` does since Docker 25: an OCI image layout, and a
    /// `manifest.json` for everybody else.
    pub(super) fn commit_docker(
        mut self,
        mut entry: Value,
        config: Digest,
        layers: Vec<Digest>,
        name: Option<&str>,
    ) -> Result<(), Error> {
        let name = name.map(|name| match has_tag(name) {
            true => name.to_owned(),
            false => format!("{name}:latest"),
        });
        let tag = name
            .as_deref()
            .and_then(|name| name.rsplit_once(':'))
            .map(|(_, tag)| tag.to_owned());
        if let Some(name) = &name {
            entry["annotations"][CONTAINERD_NAME] = json!(full_name(name));
        }
        let blob = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
        let layers: Vec<String> = layers.iter().map(blob).collect();
        let manifest = json!([{
            "Config": blob(&config),
            "RepoTags": name.as_ref().map(|name| vec![name]),
            "Layers": layers,
        }]);
        let index = index::with(index::new(), entry, tag.as_deref());
        self.append_file("index.json", &index)?;
        self.append_file("manifest.json", &canonical(manifest))?;
        self.append_file("oci-layout", MARK)?;
        self.finish()
    }

    fn append_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut member = tarball::file_header(name, bytes.len() as u64).to_vec();
        member.extend_from_slice(bytes);
        member.resize(member.len().next_multiple_of(512), 0);
        self.append(&member)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let what = self.path.display().to_string();
        self.file.write_all(bytes).map_err(Error::io(what))?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn finish(mut self) -> Result<(), Error> {
        let what = self.path.display().to_string();
        tarball::finish(&mut self.file).map_err(Error::io(&what))?;
        self.file
            .persist(&self.path)
            .map(drop)
            .map_err(|error| Error::io(&what)(error.error))
    }
}

impl Blobs for Target {
    /// The name of a blob is its digest, so its header is written when its body is done.
    fn put(&mut self, fill: &mut Fill<'_>) -> Result<(), Error> {
        let what = self.path.display().to_string();
        let start = self.end;
        let mut out = BufWriter::with_capacity(256 << 10, self.file.as_file_mut());
        out.write_all(&[0; 512]).map_err(Error::io(&what))?;
        let (digest, size) = fill(&mut out)?;
        tarball::pad(&mut out, size).map_err(Error::io(&what))?;
        let file = out
            .into_inner()
            .map_err(|error| Error::io(&what)(error.into_error()))?;
        let mut complete = |file: &mut fs::File| -> io::Result<u64> {
            if !self.stored.insert(digest) {
                // Two equal layers are one blob.
                file.set_len(start)?;
                return file.seek(SeekFrom::Start(start));
            }
            let name = format!("blobs/sha256/{}", digest.hex());
            file.seek(SeekFrom::Start(start))?;
            file.write_all(&tarball::file_header(&name, size))?;
            file.seek(SeekFrom::End(0))
        };
        self.end = complete(file).map_err(Error::io(what))?;
        Ok(())
    }
}

/// Whether nothing is at `path`, or an empty file, a tar, or something compressed.
fn may_be_replaced(path: &Path) -> io::Result<bool> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let mut head = Vec::new();
    file.take(512).read_to_end(&mut head)?;
    // POSIX.1-1988, and every tar since: the magic of a header.
    let tar = head.get(257..262) == Some(b"ustar");
    Ok(head.is_empty() || tar || Codec::of(&head) != Ok(Codec::Plain))
}

/// Whether a name ends in a tag; the colon of a registry's port has a slash behind it.
fn has_tag(name: &str) -> bool {
    name.rsplit_once(':')
        .is_some_and(|(_, tag)| !tag.contains('/'))
}

/// The name with the registry and namespace Docker means when none is written.
fn full_name(name: &str) -> String {
    match name.split_once('/') {
        None => format!("docker.io/library/{name}"),
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_docker_does() {
        for (name, full) in [
            ("httpd:2.4", "docker.io/library/httpd:2.4"),
            ("me/app:1", "docker.io/me/app:1"),
            ("localhost/app:1", "localhost/app:1"),
            ("host:5000/app:1", "host:5000/app:1"),
        ] {
            assert_eq!(full_name(name), full);
        }
        assert!(!has_tag("host:5000/app"));
        assert!(has_tag("host:5000/app:1"));
    }
}
