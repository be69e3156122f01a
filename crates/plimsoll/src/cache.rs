//! Where plans, blobs and advisories are kept from one run to the next.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// `$PLIMSOLL_CACHE`, else the user's cache by the XDG base directory specification, else a directory
/// of ours among the temporary files.
///
/// # Errors
/// When that last place is another's, or others may write to it: what is read there is believed.
pub(crate) fn directory() -> Result<PathBuf> {
    let path = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    // Our own may be a path from here; the others' specification has such ignored.
    let own = std::env::var_os("PLIMSOLL_CACHE").filter(|path| !path.is_empty());
    let named = own
        .and_then(|path| std::path::absolute(path).ok())
        .or_else(|| path("XDG_CACHE_HOME").map(|cache| cache.join("plimsoll")))
        .or_else(|| path("HOME").map(|home| home.join(".cache").join("plimsoll")));
    match named {
        Some(named) => Ok(named),
        None => temporary(&std::env::temp_dir()),
    }
}

/// The directory of this user among the temporary files, which anybody could have made before.
fn temporary(among: &Path) -> Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let path = among.join(format!("plimsoll-cache-{user}"));
    let failed = |error: io::Error| Failure::because(format!("{}", path.display()), &error);
    match fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let found = fs::symlink_metadata(&path).map_err(failed)?;
    if !found.is_dir() || found.uid() != user || found.mode() & 0o022 != 0 {
        let message = format!("{} is not ours alone", path.display());
        return Err(Failure::new(message)
            .hint("name a directory for what is kept: --cache DIR, or PLIMSOLL_CACHE=DIR"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_cache_among_the_temporary_files_is_believed_where_it_is_ours_alone() {
        let among = tempfile::tempdir().unwrap();
        let path = temporary(among.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(temporary(among.path()).unwrap(), path);
        // Others may write to it.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(temporary(among.path()).is_err());
        // Another could lead elsewhere.
        fs::remove_dir(&path).unwrap();
        let elsewhere = among.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(temporary(among.path()).is_err());
    }
}
