//! Making tars, layouts and archives, right and wrong ones.

use std::io::Write as _;
use std::path::Path;

use plimsoll_image::{Error, Limits, Opened, Options, open, open_within};
use plimsoll_model::{Digest, Kind};
use serde_json::{Value, json};
use sha2::Digest as _;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A tar archive in the making, each member as hostile as wanted.
#[derive(Default, Clone)]
pub(crate) struct Tar(Vec<u8>);

impl Tar {
    pub(crate) fn member(mut self, flag: u8, name: &[u8], link: &[u8], body: &[u8]) -> Self {
        let mut header = [0_u8; 512];
        header[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
        header[157..157 + link.len()].copy_from_slice(link);
        header[100..107].copy_from_slice(b"0000644");
        header[108..115].copy_from_slice(b"0000000");
        header[116..123].copy_from_slice(b"0000000");
        header[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
        header[136..147].copy_from_slice(b"00000000000");
        header[156] = flag;
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(body);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, name: &str, body: impl AsRef<[u8]>) -> Self {
        self.member(b'0', name.as_bytes(), b"", body.as_ref())
    }

    pub(crate) fn dir(self, name: &str) -> Self {
        self.member(b'5', name.as_bytes(), b"", b"")
    }

    pub(crate) fn symlink(self, name: &str, to: &str) -> Self {
        self.member(b'2', name.as_bytes(), to.as_bytes(), b"")
    }

    pub(crate) fn hardlink(self, name: &str, to: &str) -> Self {
        self.member(b'1', name.as_bytes(), to.as_bytes(), b"")
    }

    /// A pax header for the member that follows.
    pub(crate) fn pax(self, records: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let length = (rest..).find(|&length| rest + length.to_string().len() == length);
            text += &format!("{} {key}={value}\n", length.unwrap());
        }
        self.member(b'x', b"pax", b"", text.as_bytes())
    }

    pub(crate) fn done(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }

    /// Without the blocks that end an archive.
    pub(crate) fn unended(self) -> Vec<u8> {
        self.0
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).unwrap()
}

pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(sha2::Sha256::digest(bytes).into())
}

/// A configuration for layers whose plain bytes these are.
pub(crate) fn config(layers: &[&[u8]]) -> Value {
    config_for("amd64", layers)
}

pub(crate) fn config_for(architecture: &str, layers: &[&[u8]]) -> Value {
    let diff_ids: Vec<String> = layers
        .iter()
        .map(|layer| digest(layer).to_string())
        .collect();
    json!({
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    })
}

/// An OCI layout in the making, in a directory of its own.
pub(crate) struct Layout {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) entries: Vec<Value>,
}

impl Layout {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("blobs/sha256")).unwrap();
        let mark = br#"{"imageLayoutVersion":"1.0.0"}"#;
        std::fs::write(dir.path().join("oci-layout"), mark).unwrap();
        Self {
            dir,
            entries: Vec::new(),
        }
    }

    /// Stores a blob; answers its descriptor.
    pub(crate) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = digest(bytes);
        std::fs::write(self.blob_path(&digest), bytes).unwrap();
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    }

    pub(crate) fn blob_path(&self, digest: &Digest) -> std::path::PathBuf {
        self.dir.path().join("blobs/sha256").join(digest.hex())
    }

    /// Stores an image of layers given as stored and as plain; answers the manifest's descriptor.
    pub(crate) fn image(&self, config: &Value, layers: &[Vec<u8>]) -> Value {
        let layers: Vec<Value> = layers.iter().map(|layer| self.blob(LAYER, layer)).collect();
        let config = self.blob(CONFIG, config.to_string().as_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
        });
        self.blob(MANIFEST, manifest.to_string().as_bytes())
    }

    /// An image of plain layers, stored as they are.
    pub(crate) fn plain(&self, layers: &[Vec<u8>]) -> Value {
        let plain: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
        self.image(&config(&plain), layers)
    }

    /// Lists an entry, under a name.
    pub(crate) fn list(&mut self, mut entry: Value, name: Option<&str>) {
        if let Some(name) = name {
            entry["annotations"]["org.opencontainers.image.ref.name"] = json!(name);
        }
        self.entries.push(entry);
    }

    /// Writes `index.json`; answers the name to open.
    pub(crate) fn done(&self) -> String {
        let index = json!({ "schemaVersion": 2, "manifests": self.entries });
        self.raw_index(index.to_string().as_bytes())
    }

    pub(crate) fn raw_index(&self, bytes: &[u8]) -> String {
        std::fs::write(self.dir.path().join("index.json"), bytes).unwrap();
        format!("oci:{}", self.dir.path().display())
    }
}

/// A file with these bytes, in a directory that goes with it.
pub(crate) struct Stored {
    pub(crate) dir: tempfile::TempDir,
}

impl Stored {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("image.tar"), bytes).unwrap();
        Self { dir }
    }

    /// The path, as a name to open.
    pub(crate) fn name(&self) -> String {
        self.dir.path().join("image.tar").display().to_string()
    }
}

pub(crate) fn opened(name: &str) -> Opened {
    match open(name, &Options::default()) {
        Ok(opened) => opened,
        Err(error) => panic!("{error}"),
    }
}

/// The error of opening something that must not be opened.
pub(crate) fn refused(name: &str) -> Error {
    match open(name, &Options::default()) {
        Ok(opened) => panic!("opened: {:?}", tree(&opened)),
        Err(error) => error,
    }
}

pub(crate) fn refused_within(name: &str, limits: &Limits) -> Error {
    match open_within(name, &Options::default(), limits) {
        Ok(opened) => panic!("opened: {:?}", tree(&opened)),
        Err(error) => error,
    }
}

/// The tree, a line a path: `/a`, `/a/ ` for directories, `-> target`, and the content of files.
pub(crate) fn tree(opened: &Opened) -> Vec<String> {
    let rootfs = &opened.rootfs;
    let paths = rootfs.tree.iter().filter(|(path, _)| !path.is_root());
    paths
        .map(|(path, node)| match &node.kind {
            Kind::Dir => format!("{path}/"),
            Kind::File { at, size } => {
                let mut body = Vec::new();
                let mut reader = rootfs.contents.open(*at, *size).unwrap();
                reader.read_to_end(&mut body).unwrap();
                format!("{path} {}", plimsoll_model::text::printable(&body))
            }
            Kind::Symlink(to) => format!("{path} -> {}", plimsoll_model::text::printable(to)),
            Kind::Device { major, minor, .. } => format!("{path} device {major} {minor}"),
            Kind::Fifo => format!("{path} fifo"),
        })
        .collect()
}

/// The problems as text.
pub(crate) fn problems(opened: &Opened) -> Vec<String> {
    opened.problems.iter().map(ToString::to_string).collect()
}

/// Everything in a directory of this machine, sorted, for comparing before and after.
pub(crate) fn listing(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let is_dir = path.symlink_metadata().unwrap().is_dir();
            if is_dir {
                todo.push(path.clone());
            }
            found.push(path.strip_prefix(dir).unwrap().display().to_string());
        }
    }
    found.sort();
    found
}
