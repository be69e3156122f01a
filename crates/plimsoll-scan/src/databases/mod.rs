//! Databases of other scanners, read from their files: whoever mirrors one can go on using it.
//!
//! They are importers, not feeds: files of hundreds of megabytes, read where they lie and never
//! written. What they say becomes slices like any other.

mod bolt;
mod constraint;
mod grype;
mod trivy;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::feeds::{Compiler, FeedError};

/// A scanner's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Trivy's: a bbolt file.
    Trivy,
    /// Grype's, of its version 5 or 6: a SQLite file.
    Grype,
}

/// Whether the file is a database that [`Compiler::database`] reads, by its first bytes.
pub fn is_database(path: &Path) -> bool {
    kind(path).is_some()
}

fn kind(path: &Path) -> Option<Kind> {
    let mut head = [0; 20];
    File::open(path).ok()?.read_exact(&mut head).ok()?;
    if head.starts_with(b"SQLite format 3\0") {
        return Some(Kind::Grype);
    }
    (head[16..20] == bolt::MAGIC.to_le_bytes()).then_some(Kind::Trivy)
}

impl Compiler {
    /// Reads the database of another scanner: Trivy's `trivy.db`, Grype's `vulnerability.db`.
    ///
    /// # Errors
    /// When it is none, cut short, or has another form than these are known to have.
    pub fn database(&mut self, path: &Path) -> Result<(), FeedError> {
        let read = match kind(path) {
            Some(Kind::Trivy) => trivy::read(path, self),
            Some(Kind::Grype) => grype::read(path, self),
            None => Err("is no database that plimsoll knows".to_owned()),
        };
        read.map_err(|why| FeedError {
            document: path.display().to_string(),
            why,
        })
    }
}

#[cfg(test)]
mod tests;
