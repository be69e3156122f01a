//! `containers-storage:[STORE]NAME`: an image in the store Podman, Buildah and CRI-O share on disk.
//!
//! No engine is asked. `DRIVER-images/images.json` lists images, their names and their highest
//! layer, `DRIVER-layers/layers.json` what lies below it. A layer is unpacked there; beside it lies
//! what its tar had besides the bodies of files (`ID.tar-split.gz`), so that the very same tar can be
//! put together again, and is verified by its digest like any other. Source: containers/storage,
//! `images.go`, `layers.go`; vbatts/tar-split, `tar/storage/entry.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plimsoll_model::{Digest, ImagePath};
use serde::Deserialize;

use crate::codec::Codec;
use crate::documents::{Manifest, lenient, object, parse};
use crate::layer::Promised;
use crate::part::Part;
use crate::select::answers_to;
use crate::sources::dir::open_beneath;
use crate::sources::{Address, Found, Layered, Source, forms};
use crate::{ContainerStorage, Error, Platform, Reference, Remotes, config, stream};

pub(super) static SOURCE: Source = Source {
    scheme: "containers-storage",
    form: "containers-storage:[[STORE]]NAME[:TAG]",
    help: "an image in the store of Podman, Buildah and CRI-O, read from the disk",
    is_path: false,
    recognises: |_| false,
    find,
};

/// A driver whose layers lie in directories.
struct Driver {
    /// The name a user chooses it by.
    name: &'static str,
    /// How the names of its lists begin.
    lists: &'static str,
    /// Its directory below the store.
    home: &'static str,
    /// Where a layer is unpacked below that; `{}` is its identifier.
    unpacked: &'static str,
}

/// The drivers there are, in the order in which the tools look for one that was used.
static DRIVERS: [Driver; 3] = [
    Driver {
        name: "overlay",
        lists: "overlay",
        home: "overlay",
        unpacked: "{}/diff",
    },
    // The same by its name in Docker, which the directory has too.
    Driver {
        name: "overlay2",
        lists: "overlay",
        home: "overlay2",
        unpacked: "{}/diff",
    },
    Driver {
        name: "vfs",
        lists: "vfs",
        home: "vfs",
        unpacked: "dir/{}",
    },
];
/// Bytes of the lists of images and layers: a busy builder has tens of thousands of layers.
const MAX_LIST: u64 = 256 << 20;

/// One image of `images.json`.
#[derive(Debug, Clone, Default, Deserialize)]
struct StoredImage {
    id: String,
    #[serde(default, deserialize_with = "lenient")]
    digest: String,
    #[serde(default, deserialize_with = "lenient")]
    names: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    layer: String,
}

/// One layer of `layers.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StoredLayer {
    id: String,
    #[serde(default, deserialize_with = "lenient")]
    parent: String,
}

/// One entry of a tar-split file.
#[derive(Debug, Deserialize)]
struct Piece {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default, deserialize_with = "lenient")]
    name: String,
    /// The name in base64, where it is not UTF-8.
    #[serde(default, deserialize_with = "lenient")]
    name_raw: String,
    #[serde(default)]
    size: u64,
    #[serde(default, deserialize_with = "lenient")]
    payload: String,
}

/// A store on disk.
struct Storage {
    root: PathBuf,
    driver: &'static Driver,
}

fn find(address: &Address<'_>) -> Result<Found, Error> {
    let bad = |why: String| Error::Name {
        name: format!("containers-storage:{}", address.text),
        why,
        forms: forms(),
    };
    let (place, name) = split(address.text).map_err(bad)?;
    let place = match place {
        Some(place) => place,
        None => address.remotes()?.container_storage(),
    };
    let storage = Storage::at(place)?;
    let image = storage.choose(name)?;
    storage
        .open(&image, address)
        .map(|layered| Found::Layered(Box::new(layered)))
}

/// The store that is named in brackets, where one is, and the name of the image there.
fn split(text: &str) -> Result<(Option<ContainerStorage>, &str), String> {
    let Some(rest) = text.strip_prefix('[') else {
        return Ok((None, text));
    };
    let (store, name) = rest
        .split_once(']')
        .ok_or_else(|| "the bracket is not closed".to_owned())?;
    // `DRIVER@ROOT+RUNROOT:OPTIONS`. Without a driver the tools take the one that was used there, whatever
    // the configuration has.
    let (driver, root) = match store.split_once('@') {
        Some((driver, root)) => (Some(driver.to_owned()), root),
        None => (None, store),
    };
    let place = ContainerStorage {
        root: root.split('+').next().unwrap_or(root).into(),
        driver: driver.filter(|driver| !driver.is_empty()),
    };
    Ok((Some(place), name))
}

/// Whether two names, each what is behind `containers-storage:`, mean one image of one store however they
/// are written: `[vfs@DIR+RUN]web`, `[DIR]web:latest`, `web` where `DIR` is this user's store. So does a
/// source that is named by its identifier or digest, and has the target's name too.
pub fn is_one_stored(source: &str, target: &str, remotes: &dyn Remotes) -> bool {
    let (Ok((from, source)), Ok((to, target))) = (split(source), split(target)) else {
        return false;
    };
    let from = from.unwrap_or_else(|| remotes.container_storage());
    let to = to.unwrap_or_else(|| remotes.container_storage());
    let which = |place: &ContainerStorage| {
        let facts = std::fs::metadata(&place.root).ok()?;
        Some((facts.dev(), facts.ino()))
    };
    let is_one_root = match (which(&from), which(&to)) {
        (Some(one), Some(other)) => one == other,
        // A store that is still to be made.
        _ => from.root == to.root,
    };
    // Which driver is meant where none is named is for the tools to say.
    let differ = |one: &String, other: &String| one != other;
    let is_other_driver =
        matches!((&from.driver, &to.driver), (Some(one), Some(other)) if differ(one, other));
    if !is_one_root || is_other_driver {
        return false;
    }
    let full = |name: &str| {
        Reference::parse(name)
            .ok()
            .map(|name| (name.name(), tag_of(&name)))
    };
    if full(source).is_some() && full(source) == full(target) {
        return true;
    }
    let stored = Storage::at(from).and_then(|storage| storage.choose(source));
    stored.is_ok_and(|image| {
        let mut names = image.names.iter().map(|name| full(name));
        names.any(|name| name.is_some() && name == full(target))
    })
}

fn tag_of(name: &Reference) -> String {
    name.tag().unwrap_or_default().to_owned()
}

impl Storage {
    fn at(place: ContainerStorage) -> Result<Self, Error> {
        let ContainerStorage { root, driver } = place;
        let what = format!("a store of images in {}", root.display());
        let lists = |driver: &Driver| format!("{}-images/images.json", driver.lists);
        let has =
            |driver: &Driver| root.join(lists(driver)).exists() && root.join(driver.home).exists();
        let mut drivers = DRIVERS.iter();
        let driver = match driver {
            None => drivers.find(|driver| has(driver)).ok_or_else(|| {
                let why = "there is neither overlay-images/images.json nor vfs-images/images.json";
                Error::missing(what, why)
            })?,
            Some(name) => {
                let Some(driver) = drivers.find(|driver| driver.name == name) else {
                    return Err(Error::unsupported(
                        what,
                        format!("one of the driver {name}"),
                    ));
                };
                if !has(driver) {
                    let why = format!("the driver is {name}, and there is no {}", lists(driver));
                    return Err(Error::missing(what, why));
                }
                driver
            }
        };
        Ok(Self { root, driver })
    }

    fn list<T: serde::de::DeserializeOwned>(&self, kind: &str) -> Result<T, Error> {
        let path = self
            .root
            .join(format!("{}-{kind}/{kind}.json", self.driver.lists));
        let what = path.display().to_string();
        let bytes = Part::whole(&path)?.read(&what, MAX_LIST)?;
        parse(&what, &bytes)
    }

    /// The image that is meant: by its full name, one that ends like that, its digest or identifier.
    fn choose(&self, name: &str) -> Result<StoredImage, Error> {
        let images: Vec<StoredImage> = self.list("images")?;
        let what = self.root.display().to_string();
        let id = name.strip_prefix('@').unwrap_or(name);
        let id = id.strip_prefix("sha256:").unwrap_or(id);
        let full = Reference::parse(name).ok();
        let digest = full
            .as_ref()
            .and_then(Reference::digest)
            .map(Digest::to_string);
        let full = full.map(|full| full.to_string()).unwrap_or_default();
        let named = |test: &dyn Fn(&str) -> bool| -> Vec<&StoredImage> {
            let names = |image: &&StoredImage| image.names.iter().any(|name| test(name));
            images.iter().filter(names).collect()
        };
        let by_name = [
            named(&|found| found == name || found == full),
            named(&|found| answers_to(found, name)),
        ];
        let mut candidates = by_name
            .into_iter()
            .find(|found| !found.is_empty())
            .unwrap_or_default();
        if candidates.is_empty() {
            let is_id = id.len() >= 6 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            candidates = images
                .iter()
                .filter(|image| {
                    is_id && image.id.starts_with(id)
                        || digest
                            .as_ref()
                            .is_some_and(|digest| image.digest == *digest)
                })
                .collect();
        }
        match candidates.as_slice() {
            [image] => Ok((*image).clone()),
            [] => {
                let names: BTreeSet<&str> = images
                    .iter()
                    .flat_map(|image| image.names.iter().map(String::as_str))
                    .collect();
                let why = match names.len() {
                    0 => "none of its images has a name".to_owned(),
                    _ => format!("it holds {}", Vec::from_iter(names).join(", ")),
                };
                Err(Error::missing(
                    format!("an image called `{name}` in {what}"),
                    why,
                ))
            }
            several => Err(Error::Ambiguous {
                what,
                choices: several
                    .iter()
                    .flat_map(|image| image.names.clone())
                    .collect(),
            }),
        }
    }

    /// The configuration of an image, and its layers put together again.
    fn open(&self, image: &StoredImage, address: &Address<'_>) -> Result<Layered, Error> {
        let limits = address.limits;
        let kept = self
            .root
            .join(format!("{}-images", self.driver.lists))
            .join(plain(&image.id)?);
        let what = format!("the manifest of {} in {}", image.id, self.root.display());
        let bytes = Part::whole(&kept.join("manifest"))?.read(&what, limits.document)?;
        let digest = stream::digest(&bytes);
        let manifest: Manifest = object(&what, &bytes)?;
        let Some(entry) = &manifest.config else {
            return Err(Error::malformed(what, "it has no `config`"));
        };
        let expected = entry.digest(&what)?;
        let config_what = format!("configuration {expected} in {}", self.root.display());
        let path = kept.join(file_name(&expected.to_string()));
        let bytes = Part::whole(&path)?.read(&config_what, limits.document)?;
        let found = stream::digest(&bytes);
        if found != expected {
            return Err(Error::mismatch(
                format!("{config_what}, digest"),
                expected,
                found,
            ));
        }
        let parsed = config::read(&config_what, bytes)?;
        if let Some(wanted) = &address.options.platform {
            let config = &parsed.config;
            let variant = config.variant.as_deref().unwrap_or_default();
            let found = Platform::known(&config.os, &config.architecture, variant);
            if let Some(found) = found.filter(|found| !wanted.accepts(found)) {
                let what = format!("an image for {wanted} in {}", self.root.display());
                return Err(Error::missing(what, format!("it holds only {found}")));
            }
        }
        let chain = self.chain(&image.layer, limits.layers)?;
        if chain.len() != parsed.diff_ids.len() {
            return Err(Error::mismatch(
                format!("{what}, number of layers"),
                format!("{} by the configuration", parsed.diff_ids.len()),
                format!("{} in the store", chain.len()),
            ));
        }
        let mut layers = Vec::with_capacity(chain.len());
        for (number, (id, diff_id)) in chain.iter().zip(parsed.diff_ids).enumerate() {
            let what = format!("layer {number} ({id} of {})", self.root.display());
            layers.push(Promised {
                part: self.layer(id, &what, address.options.spool)?,
                what,
                digest: None,
                size: None,
                diff_id: Some(diff_id),
                media_type: String::new(),
            });
        }
        Ok(Layered {
            name: image.names.first().cloned(),
            digest: Some(digest),
            config: parsed.config,
            layers,
            annotations: manifest.annotations,
        })
    }

    /// The identifiers of the layers of an image, lowest first.
    fn chain(&self, top: &str, most: u64) -> Result<Vec<String>, Error> {
        let layers: Vec<StoredLayer> = self.list("layers")?;
        let layers: BTreeMap<&str, &StoredLayer> = layers
            .iter()
            .map(|layer| (layer.id.as_str(), layer))
            .collect();
        let mut chain = Vec::new();
        let mut at = top;
        while !at.is_empty() {
            let Some(layer) = layers.get(at) else {
                let what = format!("layer {at} in {}", self.root.display());
                return Err(Error::missing(what, "layers.json does not list it"));
            };
            if chain.len() as u64 == most {
                let what = format!("layers.json in {}", self.root.display());
                return Err(Error::malformed(what, "its layers form a ring"));
            }
            chain.push(layer.id.clone());
            at = &layer.parent;
        }
        chain.reverse();
        Ok(chain)
    }

    /// The tar of a layer, put together in a file without a name.
    fn layer(&self, id: &str, what: &str, spool: Option<&Path>) -> Result<Part, Error> {
        let id = plain(id)?;
        let split = format!("{}-layers/{id}.tar-split.gz", self.driver.lists);
        let pieces = File::open(self.root.join(&split)).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                return Error::unsupported(what, format!("kept without its tar ({split})"));
            }
            Error::io(format!("{what}: {split}"))(error)
        })?;
        let home = self.root.join(self.driver.home);
        let unpacked = home.join(self.driver.unpacked.replace("{}", id));
        let temporary = match spool {
            Some(directory) => tempfile::tempfile_in(directory),
            None => tempfile::tempfile(),
        };
        let temporary = temporary.map_err(Error::io("a temporary file"))?;
        let mut out = BufWriter::with_capacity(256 << 10, temporary);
        let pieces = Codec::Gzip.decode(pieces).map_err(Error::io(what))?;
        let pieces = serde_json::Deserializer::from_reader(BufReader::new(pieces));
        for piece in pieces.into_iter::<Piece>() {
            let piece =
                piece.map_err(|error| Error::malformed(format!("{what}: {split}"), error))?;
            append(&piece, &unpacked, &mut out)
                .map_err(|error| Error::io(format!("{what}: {}", piece.name))(error))?;
        }
        let file = out
            .into_inner()
            .map_err(|error| Error::io(what)(error.into_error()))?;
        let size = file.metadata().map_err(Error::io(what))?.len();
        Ok(Part::of_file(Arc::new(file), 0, size))
    }
}

/// Appends a piece of a tar: what was kept of it, or the body of a file.
fn append(piece: &Piece, unpacked: &Path, out: &mut impl Write) -> io::Result<()> {
    const FILE: u8 = 1;
    const SEGMENT: u8 = 2;
    let decode = |text: &str| {
        let bytes = STANDARD.decode(text);
        bytes.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    };
    match piece.kind {
        SEGMENT => out.write_all(&decode(&piece.payload)?),
        FILE if piece.size > 0 => {
            let name = match piece.name_raw.is_empty() {
                true => piece.name.clone().into_bytes(),
                false => decode(&piece.name_raw)?,
            };
            let file = open_beneath(unpacked, &ImagePath::new(&name))?;
            let copied = io::copy(&mut file.take(piece.size), out)?;
            match copied == piece.size {
                true => Ok(()),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        FILE => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// An identifier as a name of a file: digits and letters, nothing that leads elsewhere.
fn plain(id: &str) -> Result<&str, Error> {
    match !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(id),
        false => Err(Error::malformed(
            format!("the identifier `{id}`"),
            "it is none",
        )),
    }
}

/// The file of a document kept with an image: its key, or that in base64 behind a `=` where the key
/// has other characters than small letters, digits and dots.
fn file_name(key: &str) -> String {
    let simple = |byte: u8| byte == b'.' || byte.is_ascii_digit() || byte.is_ascii_lowercase();
    match key.bytes().all(simple) {
        true => key.to_owned(),
        false => format!("={}", STANDARD.encode(key)),
    }
}
