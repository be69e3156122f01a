//! The data a scan is made with: slices and marks, read whole from a directory, without a lock.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_model::Inventory;
use plimsoll_model::vulnerability::Exploited;
use plimsoll_scan::{Cve, Data, Marks, Scope, Slice, Texts};

/// Where slices lie in a cache directory.
pub(crate) fn directory(cache: &Path) -> PathBuf {
    cache.join("advisories")
}

/// Everything the images of one run need.
pub(crate) struct Known {
    pub(crate) data: BTreeMap<Scope, Data>,
    kev: Option<Marks>,
    epss: Option<Marks>,
}

impl Known {
    /// Reads what these inventories need from `directory`. What is not there or cannot be read is in
    /// the data as such: the scan says which packages it could not judge for it.
    pub(crate) fn load<'a>(
        directory: &Path,
        inventories: impl Iterator<Item = &'a Inventory>,
    ) -> Self {
        let wanted = inventories.flat_map(plimsoll_scan::wanted);
        let data = wanted.map(|scope| {
            let data = slice(directory, &scope);
            (scope, data)
        });
        let marks = |name: &str| {
            let bytes = fs::read(directory.join(Scope::parse(name)?.file_name())).ok()?;
            Marks::read(&bytes).ok()
        };
        Self {
            data: data.collect(),
            kev: marks("kev"),
            epss: marks("epss"),
        }
    }

    /// Since when a vulnerability is known to be exploited.
    pub(crate) fn exploited(&self, id: &str) -> Option<Exploited> {
        let kev = self.kev.as_ref()?.kev(Cve::parse(id)?)?;
        Some(Exploited {
            since: kev.added.to_string(),
            ransomware: kev.ransomware,
        })
    }

    /// How likely it is to be exploited, in millionths.
    pub(crate) fn epss(&self, id: &str) -> Option<u32> {
        let epss = self.epss.as_ref()?.epss(Cve::parse(id)?)?;
        Some((f64::from(epss.score) * 1e6).round() as u32)
    }
}

fn slice(directory: &Path, scope: &Scope) -> Data {
    let read = fs::read(directory.join(scope.file_name()));
    match read {
        Ok(bytes) => match Slice::read(&bytes, Texts::Read) {
            Ok(slice) => Data::Slice(Box::new(slice)),
            Err(error) => Data::Unreadable(error.to_string()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Data::Missing,
        Err(error) => Data::Unreadable(error.to_string()),
    }
}
