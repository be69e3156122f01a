//! Writing into an engine's own store: an archive that it loads.

use std::fs::File;
use std::path::Path;

use plimsoll_model::Draft;

use crate::write::{WriteOptions, Written, layout};
use crate::{Engine, Error, Reference, Sink};

/// Writes an archive, holds it against every promise it makes, and has the engine load it.
pub(super) fn write(
    draft: &Draft,
    engine: Engine,
    name: &Reference,
    options: &WriteOptions<'_>,
) -> Result<Written, Error> {
    let written = through_archive(engine, name, options, |sink| {
        crate::write(draft, sink, options)
    })?;
    Ok(Written {
        path: None,
        ..written
    })
}

/// Has `fill` write an archive, which the engine then loads.
pub(super) fn through_archive<T>(
    engine: Engine,
    name: &Reference,
    options: &WriteOptions<'_>,
    fill: impl FnOnce(&Sink) -> Result<T, Error>,
) -> Result<T, Error> {
    let Some(remotes) = options.remotes else {
        return Err(Error::unsupported(engine, "an engine, with no way there"));
    };
    let file = layout::temporary_in(&std::env::temp_dir(), options)?;
    let archive = Sink::DockerArchive {
        file: file.path().to_owned(),
        tag: Some(name.to_string()),
    };
    let written = fill(&archive)?;
    if let Some(violation) = crate::validate(&archive, None)?.first() {
        return Err(Error::Draft(violation.to_string()));
    }
    remotes.load(engine, opened(file.path())?)?;
    Ok(written)
}

/// The archive was renamed over the temporary file, so it is opened by name.
fn opened(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(Error::io(path.display()))
}
