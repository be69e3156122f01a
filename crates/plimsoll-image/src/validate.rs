//! Reading again what was written, as a stranger would.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use oci_spec::image::{ImageConfiguration, ImageIndex, ImageManifest, OciLayout};
use plimsoll_model::Digest;
use serde::de::DeserializeOwned;

use crate::codec::Codec;
use crate::documents::{Entry, Saved, parse};
use crate::layer::{LayerRead, Shared};
use crate::open::read_all;
use crate::select::{Choice, answers_to, choose, descend};
use crate::sources::{Layered, describe, flat};
use crate::store::Store;
use crate::stream::{self, Meter};
use crate::tar_file::TarFile;
use crate::write::dir::VERSION;
use crate::{Error, Limits, Reference, Remotes, Sink};

/// Something that does not hold for an image that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which document, blob or layer.
    pub what: String,
    /// What does not hold, with both values.
    pub why: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

/// Reads the image at `sink` again and says everything that does not hold: digests and sizes of
/// all blobs, diff ids, media types against what the bytes are, the number of layers in manifest,
/// configuration and history, and whether `oci-spec`, which is not what wrote them, can read the
/// documents. An empty list means that all of it holds.
///
/// Of an image in a registry the manifest is read again; its blobs, which the registry held against
/// their digests when it took them, are not fetched.
///
/// # Errors
/// When the disk fails, or a limit is hit; what is wrong with the image is a violation.
pub fn validate(sink: &Sink, remotes: Option<&dyn Remotes>) -> Result<Vec<Violation>, Error> {
    let limits = Limits::default();
    let mut check = Check {
        violations: Vec::new(),
        limits: &limits,
    };
    let result = match sink {
        Sink::OciLayout { dir, tag } => check.image(&Store::Layout(dir.clone()), tag.as_deref()),
        Sink::OciArchive { file, tag } => TarFile::open(file, None, &limits)
            .and_then(|tar| check.image(&Store::Archive(Arc::new(tar)), tag.as_deref())),
        Sink::DockerArchive { file, tag } => TarFile::open(file, None, &limits)
            .and_then(|tar| check.saved(Arc::new(tar), tag.as_deref())),
        Sink::Dir(dir) => check.flat(dir),
        Sink::Registry(reference) => check.pushed(reference, remotes),
    };
    match result {
        Ok(()) => {}
        Err(error @ (Error::Io { .. } | Error::Limit { .. })) => return Err(error),
        Err(error) => check.say(sink.to_string(), error),
    }
    Ok(check.violations)
}

struct Check<'a> {
    violations: Vec<Violation>,
    limits: &'a Limits,
}

impl Check<'_> {
    fn say(&mut self, what: impl ToString, why: impl ToString) {
        self.violations.push(Violation {
            what: what.to_string(),
            why: why.to_string(),
        });
    }

    /// Parses with the strict types of `oci-spec`.
    fn strict<T: DeserializeOwned>(&mut self, what: &str, bytes: &[u8]) -> Option<T> {
        match serde_json::from_slice(bytes) {
            Ok(value) => Some(value),
            Err(error) => {
                self.say(what, format!("oci-spec does not take it: {error}"));
                None
            }
        }
    }

    /// The image called `tag` of an OCI layout.
    fn image(&mut self, store: &Store, tag: Option<&str>) -> Result<(), Error> {
        self.documents(store)?;
        let choice = tag.map(|tag| Choice::Name(tag.to_owned()));
        let chosen = choose(store, choice.as_ref(), None, self.limits)?;
        let digest = chosen.digest;
        let layered = describe(store.clone(), chosen, self.limits)?.promised(None)?;
        self.layers(store, digest, &layered)
    }

    /// The image of a directory of single blobs.
    fn flat(&mut self, dir: &Path) -> Result<(), Error> {
        let (store, top) = flat(dir, self.limits)?;
        let version = store.document("version", self.limits)?;
        if version != VERSION.as_bytes() {
            let found = String::from_utf8_lossy(&version);
            self.say("version", format!("it is {found:?}, not {VERSION:?}"));
        }
        let chosen = descend(&store, top, None, None, self.limits)?;
        let digest = chosen.digest;
        let layered = describe(store.clone(), chosen, self.limits)?.promised(None)?;
        self.layers(&store, digest, &layered)
    }

    fn documents(&mut self, store: &Store) -> Result<(), Error> {
        let mark = store.document("oci-layout", self.limits)?;
        if let Some(mark) = self.strict::<OciLayout>("oci-layout", &mark)
            && mark.image_layout_version() != "1.0.0"
        {
            let version = mark.image_layout_version();
            self.say("oci-layout", format!("has version {version}, not 1.0.0"));
        }
        let index = store.document("index.json", self.limits)?;
        self.strict::<ImageIndex>("index.json", &index);
        Ok(())
    }

    /// The manifest, its configuration, and all layers.
    fn layers(&mut self, store: &Store, digest: Digest, layered: &Layered) -> Result<(), Error> {
        let entry = Entry {
            digest: digest.to_string(),
            ..Entry::default()
        };
        let (_, bytes) = store.manifest(&entry, "the index", self.limits)?;
        self.manifest(&format!("manifest {digest}"), &bytes);
        self.config(layered);
        let shared = Shared::new(self.limits, Meter::silent(), None, None);
        for (promised, read) in layered
            .layers
            .iter()
            .zip(read_all(&layered.layers, &shared)?)
        {
            self.layer(&promised.what, &promised.media_type, &read);
        }
        Ok(())
    }

    fn manifest(&mut self, what: &str, bytes: &[u8]) {
        if let Some(manifest) = self.strict::<ImageManifest>(what, bytes) {
            if manifest.schema_version() != 2 {
                self.say(what, "its schemaVersion is not 2");
            }
            if manifest.media_type().is_none() {
                self.say(what, "it has no mediaType");
            }
        }
    }

    fn config(&mut self, layered: &Layered) {
        let what = format!("configuration {}", stream::digest(&layered.config.raw));
        self.strict::<ImageConfiguration>(&what, &layered.config.raw);
        let history = &layered.config.history;
        let steps = history.iter().filter(|step| !step.empty_layer).count();
        let layers = layered.layers.len();
        if !history.is_empty() && steps != layers {
            let why = format!("its history makes {steps} layers, the manifest has {layers}");
            self.say(what, why);
        }
    }

    fn layer(&mut self, what: &str, media_type: &str, read: &LayerRead) {
        let expected = match read.codec {
            Codec::Plain => "application/vnd.oci.image.layer.v1.tar",
            Codec::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Codec::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        };
        if media_type != expected {
            let why = format!("its media type is `{media_type}`, its bytes are {expected}");
            self.say(what, why);
        }
        for problem in &read.problems {
            self.say(what, problem);
        }
    }

    /// The manifest a registry has under the name it was pushed to.
    fn pushed(
        &mut self,
        reference: &Reference,
        remotes: Option<&dyn Remotes>,
    ) -> Result<(), Error> {
        let Some(remotes) = remotes else {
            return Err(Error::no_way(reference));
        };
        let limit = self.limits.document;
        let bytes = remotes
            .repository(reference)?
            .manifest(&reference.target(), limit)?;
        self.manifest(&format!("manifest of {reference}"), &bytes);
        Ok(())
    }

    /// A docker archive: the OCI layout it is, and the `manifest.json` that must say the same.
    fn saved(&mut self, tar: Arc<TarFile>, name: Option<&str>) -> Result<(), Error> {
        let store = Store::Archive(Arc::clone(&tar));
        self.documents(&store)?;
        let chosen = choose(&store, None, None, self.limits)?;
        let digest = chosen.digest;
        let layered = describe(store.clone(), chosen, self.limits)?.promised(None)?;
        let what = "manifest.json";
        let bytes = store.document(what, self.limits)?;
        let images: Vec<Saved> = parse(what, &bytes)?;
        let [image] = images.as_slice() else {
            self.say(what, format!("it has {} images, not one", images.len()));
            return Ok(());
        };
        let blob = |digest: Digest| format!("blobs/sha256/{}", digest.hex());
        let expected = blob(stream::digest(&layered.config.raw));
        if image.config != expected {
            let why = format!("its Config is `{}`, not `{expected}`", image.config);
            self.say(what, why);
        }
        let digests = layered.layers.iter().filter_map(|layer| layer.digest);
        let expected: Vec<String> = digests.map(blob).collect();
        if image.layers != expected {
            let why = format!("its Layers are {:?}, not {expected:?}", image.layers);
            self.say(what, why);
        }
        let named = name.is_none_or(|name| image.repo_tags.iter().any(|tag| answers_to(tag, name)));
        if !named {
            let why = format!("its RepoTags are {:?}, without {name:?}", image.repo_tags);
            self.say(what, why);
        }
        self.layers(&store, digest, &layered)
    }
}
