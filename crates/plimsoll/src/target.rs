//! Where an image is written: a place on a disk, a registry, or a store or an engine of this machine.

use std::fmt;
use std::fs::File;
use std::path::Path;

use plimsoll_image::{Compression, Copied, Sink, WriteOptions, Written};
use plimsoll_model::Draft;

use crate::cli::{self, Compress};
use crate::engine::{Engine, Kind};
use crate::failure::{Failure, Result};
use crate::session::{self, Context};
use crate::storage::{self, Storage};
use crate::work;

/// The forms there are, for hints.
const FORMS: &str = "write it as oci:DIR:TAG, oci-archive:FILE, docker-archive:FILE, dir:DIR, \
                     docker://HOST/NAME:TAG, docker-daemon:NAME:TAG, podman:NAME:TAG or \
                     containers-storage:NAME:TAG";

/// Where an image is written.
pub(crate) enum Target {
    /// A directory or a file.
    Place(Sink),
    /// An engine that answers, and the name the image gets there.
    Engine(Engine, String),
    /// The store of Podman, Buildah and CRI-O.
    Storage(Storage),
}

/// What a user names, before anybody is asked whether it is there.
enum Named<'a> {
    Place(Sink),
    Engine(Kind, &'a str),
    Storage(&'a str),
}

/// What was written, and where it can be read until this is dropped.
pub(crate) struct Delivered {
    /// What was written.
    pub(crate) written: Written,
    /// A name to open it by: the target itself, or the archive an engine was given.
    pub(crate) name: String,
    _archive: Option<work::Directory>,
}

impl Target {
    /// The target a user names, which takes an image as things stand and is not `source` itself, the image
    /// that is read: both are better known before hours of work.
    pub(crate) fn open(context: &Context, text: &str, source: Option<&str>) -> Result<Self> {
        let target = Self::beside(context, text, source)?;
        target.takes(context, text)?;
        Ok(target)
    }

    /// As [`Target::open`], for a copy of `source`. A registry is not tried: the copy itself begins with
    /// what would be tried, and with less than that where it can take blobs over from its other repositories.
    pub(crate) fn open_for_copy(context: &Context, text: &str, source: &str) -> Result<Self> {
        let target = Self::beside(context, text, Some(source))?;
        if !matches!(target, Self::Place(Sink::Registry(_))) {
            target.takes(context, text)?;
        }
        Ok(target)
    }

    /// The target a user names, which is not `source` itself. An engine is asked whether it is there.
    fn beside(context: &Context, text: &str, source: Option<&str>) -> Result<Self> {
        let named = Named::parse(text)?;
        // First of all: the original is safe whether or not it could be written to.
        if let Some(source) = source {
            named.spares(context, source, text)?;
        }
        named.there()
    }

    /// Sees that a place takes an image as things stand.
    fn takes(&self, context: &Context, text: &str) -> Result<()> {
        let Self::Place(sink) = self else {
            return Ok(());
        };
        let tell = |path: &Path| context.leftovers.add(path);
        plimsoll_image::may_write(sink, &options(context, Compress::None, &tell))
            .map_err(|error| cannot_write(text, &error))
    }

    /// Writes an image, reads it again and checks every promise it makes; hands it to the engine
    /// then, and sees that the engine has that very image.
    pub(crate) fn write(
        &self,
        context: &Context,
        draft: &Draft,
        compression: Compress,
    ) -> Result<Delivered> {
        match self {
            Self::Place(sink) => Ok(Delivered {
                written: write_checked(context, draft, sink, compression)?,
                name: sink.to_string(),
                _archive: None,
            }),
            Self::Engine(engine, name) => {
                let (directory, sink) = archive_for(context, name)?;
                let written = write_checked(context, draft, &sink, compression)?;
                context.progress.step(&format!("loading {name}"));
                hand_over(engine, name, open_archive(&sink)?, &written)?;
                Ok(Delivered {
                    written,
                    name: sink.to_string(),
                    _archive: Some(directory),
                })
            }
            Self::Storage(storage) => {
                let (directory, sink) = blobs_for(context)?;
                let written = write_checked(context, draft, &sink, compression)?;
                context.progress.step("handing it to the store");
                storage.take(context, &directory.path().join(BLOBS), written.digest)?;
                Ok(Delivered {
                    written,
                    name: sink.to_string(),
                    _archive: Some(directory),
                })
            }
        }
    }
}

impl<'a> Named<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let cannot = format!("cannot write to {text}");
        let (scheme, name) = text.split_once(':').unwrap_or(("", ""));
        let named = match Kind::of_scheme(scheme) {
            Some(kind) => Self::Engine(kind, name),
            None if scheme == storage::SCHEME => Self::Storage(name),
            None => {
                return Sink::parse(text)
                    .map(Self::Place)
                    .map_err(|error| match error {
                        // The forms are in the hint, with those only we write to.
                        plimsoll_image::Error::Name { why, .. } => {
                            Failure::new(format!("{cannot}: {why}")).hint(FORMS)
                        }
                        other => Failure::because(cannot, &other).hint(FORMS),
                    });
            }
        };
        // `[STORE]NAME`, of which the tools understand the store.
        let in_store = name.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let name = match (&named, in_store) {
            (Self::Storage(_), Some((_, name))) => name,
            _ => name,
        };
        match is_name(name) {
            true => Ok(named),
            false => {
                Err(Failure::new(format!("{cannot}: `{name}` is no name of an image")).hint(FORMS))
            }
        }
    }

    /// Sees that writing here, to what the user names `text`, leaves the image called `source` as it is.
    fn spares(&self, context: &Context, source: &str, text: &str) -> Result<()> {
        let is_source = match self {
            Self::Place(sink) => plimsoll_image::replaces(sink, source)
                .map_err(|error| cannot_write(text, &error))?,
            Self::Engine(..) => whole(source) == whole(text),
            Self::Storage(name) => source
                .strip_prefix(storage::SCHEME)
                .and_then(|rest| rest.strip_prefix(':'))
                .is_some_and(|source| {
                    plimsoll_image::is_one_stored(source, name, &*context.registries)
                }),
        };
        match is_source {
            false => Ok(()),
            true => Err(Failure::new(format!(
                "cannot write {text}: that would replace the original {source}"
            ))
            .hint("choose another name; the original is never changed")),
        }
    }

    /// Sees that what is named is there.
    fn there(self) -> Result<Target> {
        match self {
            Self::Place(sink) => Ok(Target::Place(sink)),
            Self::Engine(kind, name) => Ok(Target::Engine(Engine::connect(kind)?, name.to_owned())),
            Self::Storage(name) => Storage::open(name).map(Target::Storage),
        }
    }
}

impl Target {
    /// Copies an image here as it is; an engine is handed an archive.
    pub(crate) fn copy(&self, context: &Context, arguments: &cli::Copy) -> Result<Copied> {
        let from = From {
            name: &arguments.source,
            platform: arguments.platform.as_deref(),
            all: arguments.all,
            compression: arguments.compression,
        };
        match self {
            Self::Place(sink) => copy_to(context, &from, sink),
            Self::Engine(engine, name) => {
                let (_directory, sink) = archive_for(context, name)?;
                let copied = copy_to(context, &from, &sink)?;
                context.progress.step(&format!("loading {name}"));
                engine.load(open_archive(&sink)?)?;
                Ok(copied)
            }
            Self::Storage(storage) => {
                if from.all {
                    return Err(Failure::new(format!(
                        "cannot write {}: a store keeps one platform under a name, and {}, which writes there, \
                         takes no index",
                        arguments.target,
                        storage::TOOL
                    ))
                    .hint("copy one of them, with --platform"));
                }
                let (directory, sink) = blobs_for(context)?;
                let copied = copy_to(context, &from, &sink)?;
                context.progress.step("handing it to the store");
                storage.take(context, &directory.path().join(BLOBS), copied.digest)?;
                Ok(copied)
            }
        }
    }

    /// Copies an image that was written and checked here, byte for byte and every digest
    /// checked again; sees that an engine has that very image.
    pub(crate) fn deliver(&self, context: &Context, sink: &Sink, written: &Written) -> Result<()> {
        let copied = match self {
            Self::Place(target) => hand_on(context, sink, target)?,
            Self::Engine(engine, name) => {
                let (_directory, archive) = archive_for(context, name)?;
                let copied = hand_on(context, sink, &archive)?;
                context.progress.step(&format!("loading {name}"));
                hand_over(engine, name, open_archive(&archive)?, written)?;
                copied
            }
            Self::Storage(storage) => {
                let (directory, blobs) = blobs_for(context)?;
                let copied = hand_on(context, sink, &blobs)?;
                context.progress.step("handing it to the store");
                storage.take(context, &directory.path().join(BLOBS), copied.digest)?;
                copied
            }
        };
        match copied.digest == written.digest {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "{} arrived as {}: this is a fault of plimsoll",
                written.digest, copied.digest
            ))),
        }
    }
}

/// An archive for the engine that will know the image as `name`, and the directory it is gone with.
fn archive_for(context: &Context, name: &str) -> Result<(work::Directory, Sink)> {
    let directory = work::on_disk(&context.leftovers)?;
    let sink = Sink::DockerArchive {
        file: directory.path().join("image.tar"),
        tag: Some(name.to_owned()),
    };
    Ok((directory, sink))
}

/// The directory of single blobs in the one of [`blobs_for`].
const BLOBS: &str = "blobs";

/// A directory of single blobs for a store's tool, and the directory it is gone with.
fn blobs_for(context: &Context) -> Result<(work::Directory, Sink)> {
    let directory = work::on_disk(&context.leftovers)?;
    let sink = Sink::Dir(directory.path().join(BLOBS));
    Ok((directory, sink))
}

fn open_archive(sink: &Sink) -> Result<File> {
    let file = sink.path().unwrap_or(Path::new(""));
    File::open(file).map_err(|error| Failure::because("cannot read the image again", &error))
}

/// A failure of the place `target` names.
fn cannot_write(target: impl fmt::Display, error: &plimsoll_image::Error) -> Failure {
    match error {
        // Which place it is was said.
        plimsoll_image::Error::Target { why, .. } => {
            Failure::new(format!("cannot write {target}: {why}"))
        }
        plimsoll_image::Error::Write { source, .. } => cannot_write(target, source),
        _ => Failure::of_image(format_args!("cannot write {target}"), error),
    }
}

/// What is copied.
struct From<'a> {
    name: &'a str,
    platform: Option<&'a str>,
    all: bool,
    /// Of layers that are not compressed.
    compression: Compress,
}

/// As [`copy_to`], of an image whose name means nothing to the user.
fn hand_on(context: &Context, from: &Sink, sink: &Sink) -> Result<Copied> {
    let tell = |path: &Path| context.leftovers.add(path);
    let how = options(context, Compress::None, &tell);
    let from = from.to_string();
    plimsoll_image::copy(&from, sink, false, &Default::default(), &how)
        .map_err(|error| cannot_write(sink, &error))
}

fn copy_to(context: &Context, from: &From<'_>, sink: &Sink) -> Result<Copied> {
    let tell = |path: &Path| context.leftovers.add(path);
    let how = options(context, from.compression, &tell);
    let copy = |name: &str, options: &plimsoll_image::Options<'_>| match plimsoll_image::copy(
        name, sink, from.all, options, &how,
    ) {
        // The image could be read; the place did not take it.
        Err(
            error @ (plimsoll_image::Error::Target { .. } | plimsoll_image::Error::Write { .. }),
        ) => Ok(Err(cannot_write(sink, &error))),
        copied => copied.map(Ok),
    };
    session::image(context, from.name, from.platform, None, copy)?
}

/// Loads an archive, and sees that what the engine has by its name is what was written: the same
/// configuration or manifest, by whichever its store names images, or at least the same layers.
fn hand_over(engine: &Engine, name: &str, archive: File, written: &Written) -> Result<()> {
    let names = engine.load(archive)?;
    // An engine may complete the name in its own way.
    let name = names.first().map_or(name, String::as_str);
    let stored = engine.image(name)?;
    let id = stored.id.strip_prefix("sha256:").unwrap_or(&stored.id);
    let digests = [written.config_digest, written.digest];
    let layers = written.layers.iter().map(|layer| layer.diff_id.to_string());
    let is_it = digests.iter().any(|digest| digest.hex() == id)
        || layers.eq(stored.layers().iter().cloned());
    if is_it {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the engine has another image by the name {name}: {}, expected {}",
        stored.id, written.config_digest
    )))
}

/// The scheme of an engine and the name of an image there, with the tag that is understood.
fn whole(text: &str) -> Option<(&str, String)> {
    let (scheme, name) = text.split_once(':')?;
    Kind::of_scheme(scheme)?;
    let name = plimsoll_image::Reference::parse(name).ok()?;
    let tag = name.tag().unwrap_or_default();
    Some((scheme, format!("{}:{tag}", name.name())))
}

/// Whether an engine could know an image by this name (`distribution/reference`: what is in a
/// name; the details are the engine's business).
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:".contains(&byte);
    let begins = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    begins && name.bytes().all(fits) && !name.ends_with([':', '/']) && !name.contains("//")
}

/// Writes an image, reads it again and checks every promise it makes.
fn write_checked(
    context: &Context,
    draft: &Draft,
    sink: &Sink,
    compression: Compress,
) -> Result<Written> {
    let written = write_only(context, draft, sink, compression)?;
    check(context, sink)?;
    Ok(written)
}

/// Reads an image that was written again, and checks every promise it makes.
pub(crate) fn check(context: &Context, sink: &Sink) -> Result<()> {
    let violations = plimsoll_image::validate(sink, Some(&*context.registries))
        .map_err(|error| Failure::because(format_args!("cannot read {sink} again"), &error))?;
    if let Some(violation) = violations.first() {
        return Err(Failure::new(format!("{sink} is not valid: {violation}")));
    }
    Ok(())
}

/// Writes an image that is opened at once, which checks the digests too.
pub(crate) fn write_only(
    context: &Context,
    draft: &Draft,
    sink: &Sink,
    compression: Compress,
) -> Result<Written> {
    let tell = |path: &Path| context.leftovers.add(path);
    let options = options(context, compression, &tell);
    plimsoll_image::write(draft, sink, &options).map_err(|error| cannot_write(sink, &error))
}

/// How images are written here.
fn options<'a>(
    context: &'a Context,
    compression: Compress,
    tell: &'a dyn Fn(&Path),
) -> WriteOptions<'a> {
    WriteOptions {
        compression: match compression {
            Compress::Gzip => Compression::Gzip,
            Compress::Zstd => Compression::Zstd,
            Compress::None => Compression::None,
        },
        temporaries: Some(tell),
        remotes: Some(&*context.registries),
        ..WriteOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_registries_and_engines_are_compared_whole() {
        for (source, target, is_same) in [
            (
                "docker://httpd",
                "docker://docker.io/library/httpd:latest",
                true,
            ),
            ("localhost:5000/x:1", "docker://localhost:5000/x:1", true),
            (
                "localhost:5000/x:1",
                "docker://localhost:5000/x:1-slim",
                false,
            ),
            ("docker-daemon:x:1", "docker://x:1", false),
        ] {
            let sink = Sink::parse(target).unwrap();
            let found = plimsoll_image::replaces(&sink, source).unwrap();
            assert_eq!(found, is_same, "{source} {target}");
        }
        assert!(whole("docker-daemon:web").is_some());
        assert_eq!(
            whole("docker-daemon:web"),
            whole("docker-daemon:web:latest")
        );
        assert_ne!(whole("docker-daemon:web"), whole("podman:web"));
        assert_ne!(whole("docker-daemon:web"), whole("docker-daemon:web:slim"));
    }

    #[test]
    fn names_of_images_are_told_from_slips() {
        for name in ["web", "web:1", "localhost:5000/a/b:1.2", "A.b_c/d"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            ":1",
            "web:",
            "/web",
            "a//b",
            "a b",
            "a@sha256:x",
            "../x",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
