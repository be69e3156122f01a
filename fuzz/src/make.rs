//! Images and archives around a few bytes.

use std::sync::Arc;

use plimsoll_model::tree::Builder;
use plimsoll_model::{
    Config, Digest, Entry, EntryKind, Image, ImagePath, Inventory, Kind, Lineage, MemoryContents,
    Metadata, Rootfs, Subject,
};

/// A tree with these files, all of them executable.
pub(crate) fn tree(files: &[(&str, &[u8])]) -> Rootfs {
    let contents = MemoryContents::default();
    let mut builder = Builder::default();
    builder.begin_layer();
    for (path, bytes) in files {
        let size = bytes.len() as u64;
        let at = contents.add(*bytes);
        let entry = Entry {
            path: ImagePath::new(path),
            kind: EntryKind::Node(Kind::File { size, at }),
            meta: Metadata::with_mode(0o755),
        };
        // Two files of one name, or one below another: the later one counts, as in a layer.
        let _ = builder.apply(entry);
    }
    Rootfs {
        tree: builder.finish(),
        contents: Arc::new(contents),
    }
}

/// A tar archive with these files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    // Files in memory can be read, and a vector takes what it is given.
    let _ = plimsoll_image::write_tar(&tree(files), &mut archive);
    archive
}

/// An `ar` archive with these members.
pub(crate) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let length = bytes.len();
        let header = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{length:<10}`\n",
            0, 0, 0, 100_644
        );
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(bytes);
        archive.extend(std::iter::repeat_n(b'\n', length % 2));
    }
    archive
}

/// An image around a tree, with all that a check or a plan may look at.
pub(crate) struct Around {
    image: Image,
    rootfs: Rootfs,
    inventory: Inventory,
    lineage: Lineage,
}

impl Around {
    /// An image with these files that starts `command`.
    pub(crate) fn new(files: &[(&str, &[u8])], command: &[&str]) -> Self {
        let rootfs = tree(files);
        let image = Image {
            name: String::from("fuzz"),
            digest: Digest::from_bytes([0; 32]),
            config: Config {
                architecture: String::from("amd64"),
                os: String::from("linux"),
                cmd: command.iter().map(|&word| word.to_owned()).collect(),
                env: vec![String::from("PATH=/usr/bin:/bin:/app")],
                ..Config::default()
            },
            layers: Vec::new(),
            annotations: Default::default(),
        };
        let inventory = plimsoll_packages::databases::inventory(&rootfs);
        let lineage = plimsoll_image::lineage(&image, &rootfs);
        Self {
            image,
            rootfs,
            inventory,
            lineage,
        }
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            image: &self.image,
            rootfs: &self.rootfs,
            inventory: &self.inventory,
            lineage: &self.lineage,
        }
    }
}

/// An input whose first byte chooses one of `rows`.
pub(crate) fn chosen<'a, T>(rows: &'a [T], data: &'a [u8]) -> Option<(&'a T, &'a [u8])> {
    let (first, rest) = data.split_first()?;
    let row = rows.get(usize::from(*first) % rows.len())?;
    Some((row, rest))
}

/// A seed that chooses row `number`.
pub(crate) fn choosing(number: usize, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut seed = vec![u8::try_from(number).unwrap_or(0)];
    seed.extend_from_slice(bytes.as_ref());
    seed
}

/// The parts of an input between these bytes, which hardly any format has.
pub(crate) fn parts(data: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(BETWEEN.len()).position(|it| it == BETWEEN) {
        let (part, more) = rest.split_at(at);
        parts.push(part);
        rest = more.get(BETWEEN.len()..).unwrap_or_default();
    }
    parts.push(rest);
    parts
}

/// What stands between the parts of an input.
pub(crate) const BETWEEN: &[u8] = b"\n-- next --\n";
