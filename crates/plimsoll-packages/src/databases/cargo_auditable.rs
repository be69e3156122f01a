//! Rust programs, by the list of crates cargo-auditable puts into them.

use std::io::{self, Read};

use flate2::read::ZlibDecoder;
use plimsoll_model::package::ecosystem;
use plimsoll_model::{ImagePath, KnownBy, Package};
use serde::Deserialize;

use super::{Reading, database, wanted};
use crate::elf::Elf;

database! {
    /// Rust crates in programs that were built with `cargo auditable`: the section `.dep-v0` holds
    /// every crate with its version, as compressed JSON. Alpine, Debian's own and other distributions
    /// build so; plain `cargo build` leaves nothing to find.
    ///
    /// Crates that only took part in building are left out.
    ///
    /// ## Example
    ///
    /// ```image
    /// /app 0755 "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0>\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x99\0\0\0\0\0\0\0\0\0\0\0@\0\0\0\0\0@\0\x03\0\x02\0x\x01\x01;\0\xc4\xff{\x22packages\x22:[{\x22name\x22:\x22app\x22,\x22version\x22:\x221.0.0\x22,\x22root\x22:true}]}?\xff\x13\x19\0.dep-v0\0.shstrtab\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0@\0\0\0\0\0\0\0F\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x86\0\0\0\0\0\0\0\x13\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    /// ```
    ///
    /// ```packages
    /// app 1.0.0 /app
    /// ```
    id: "cargo-auditable",
    ecosystem: ecosystem::CARGO,
    wants: &["**/*"],
    needles: &[wanted::CRATES],
    read: read,
    link: None,
}

/// The list unpacked, at most.
const MAX_LIST: u64 = 16 << 20;

fn read(reading: &mut Reading<'_>) {
    for path in reading.found {
        match crates(reading, path) {
            Ok(crates) => {
                for package in crates {
                    reading.add(package);
                }
            }
            Err(error) => {
                let message = format!("has a list of Rust crates that cannot be read: {error}");
                reading.problem(path, message);
            }
        }
    }
}

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    root: bool,
}

fn crates(reading: &Reading<'_>, path: &ImagePath) -> io::Result<Vec<Package>> {
    let elf = Elf::open(reading.rootfs, path)?;
    // Tools that look for the section have its name in them and no such section.
    let Some((offset, size)) = elf.section(".dep-v0")? else {
        return Ok(Vec::new());
    };
    let packed = elf.read(offset, size)?;
    let mut list = Vec::new();
    ZlibDecoder::new(packed.as_slice())
        .take(MAX_LIST + 1)
        .read_to_end(&mut list)?;
    if list.len() as u64 > MAX_LIST {
        return Err(io::Error::other(format!(
            "it has more than {MAX_LIST} bytes"
        )));
    }
    let list: List = serde_json::from_slice(&list)?;
    let crates = list.packages.into_iter().filter(|it| it.kind != "build");
    Ok(crates
        .map(|it| Package {
            ecosystem: ecosystem::CARGO,
            name: it.name,
            version: it.version,
            known_by: KnownBy::BuildInfo,
            files: if it.root {
                vec![path.clone()]
            } else {
                Vec::new()
            },
            database: Some(path.clone()),
            ..Package::default()
        })
        .collect())
}
