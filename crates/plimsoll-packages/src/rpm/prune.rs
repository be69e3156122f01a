//! A database of rpm written anew with what is left of an image.
//!
//! It is one of SQLite whatever it was before: scanners read it from the same directory, and rpm does.
//! A package of which nothing stays has no record. In the record of one of which something stays,
//! the files that went have the state "not installed", which is rpm's own word for it and lies
//! outside the signed part of the header: the signature stays good. The same input gives the same
//! bytes.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::package::ecosystem;
use plimsoll_model::{ImagePath, Inventory, PackageId, Rootfs};
use rusqlite::{Connection, MAIN_DB, params};

use super::{Header, records};

/// `RPMFILE_STATE_NOTINSTALLED` (`rpmfiles.h`).
const NOT_INSTALLED: u8 = 2;

/// How an index of rpm's is made: the type of its keys, and by what it is indexed in turn.
struct Index {
    name: &'static str,
    keys: &'static str,
    by_key: bool,
    by_package: bool,
}

/// An index of texts, found by key and by package.
const fn index(name: &'static str) -> Index {
    Index {
        name,
        keys: "TEXT",
        by_key: true,
        by_package: true,
    }
}

/// The indexes of rpm's own back end (`lib/backend/sqlite.c` and `lib/rpmdb.c`). All are there, though
/// only those are filled that are asked when packages are listed (by name, by file, by what is
/// provided): whoever may not write cannot add one that is missing, and reads nothing at all.
const INDEXES: [Index; 18] = [
    Index {
        by_package: false,
        ..index("Name")
    },
    index("Basenames"),
    Index {
        by_package: false,
        ..index("Group")
    },
    index("Requirename"),
    index("Providename"),
    index("Conflictname"),
    index("Obsoletename"),
    index("Triggername"),
    index("Dirnames"),
    Index {
        keys: "BLOB",
        by_key: false,
        by_package: false,
        ..index("Installtid")
    },
    Index {
        keys: "BLOB",
        by_key: false,
        by_package: false,
        ..index("Sigmd5")
    },
    Index {
        by_package: false,
        ..index("Sha1header")
    },
    index("Filetriggername"),
    index("Transfiletriggername"),
    index("Recommendname"),
    index("Suggestname"),
    index("Supplementname"),
    index("Enhancename"),
];

/// The tables of such a database.
fn schema() -> String {
    let mut schema = "PRAGMA page_size = 1024;
        CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);"
        .to_owned();
    for Index {
        name,
        keys,
        by_key,
        by_package,
    } in INDEXES
    {
        schema.push_str(&format!(
            "CREATE TABLE '{name}' (key '{keys}' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL,
             FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum));"
        ));
        for (column, wanted) in [("key", by_key), ("hnum", by_package)] {
            if wanted {
                schema.push_str(&format!(
                    "CREATE INDEX '{name}_{column}_idx' ON '{name}'({column} ASC);"
                ));
            }
        }
    }
    schema
}

/// The databases of rpm with the packages that live and the files that stay.
///
/// # Errors
/// Says which database could not be read or written.
pub(crate) fn prune(
    rootfs: &Rootfs,
    inventory: &Inventory,
    lives: &mut dyn FnMut(PackageId) -> bool,
    stays: &mut dyn FnMut(&ImagePath) -> bool,
) -> Result<BTreeMap<ImagePath, Vec<u8>>, String> {
    let mut living: BTreeMap<&ImagePath, BTreeSet<(&str, &str, &str)>> = BTreeMap::new();
    for (id, package) in inventory
        .iter()
        .filter(|(_, package)| package.ecosystem == ecosystem::RPM)
    {
        let Some(database) = package.database.as_ref().filter(|path| is_database(path)) else {
            continue;
        };
        let packages = living.entry(database).or_default();
        if lives(id) {
            packages.insert((&package.name, &package.version, &package.architecture));
        }
    }
    let mut written = BTreeMap::new();
    for (path, packages) in living {
        let place = path
            .parent()
            .unwrap_or_else(ImagePath::root)
            .join("rpmdb.sqlite");
        let mut left = Vec::new();
        let read = records(rootfs, path, &mut |record| {
            // What could not be read was told when the inventory was made.
            let Ok(mut bytes) = record else {
                return;
            };
            let Ok(header) = Header::parse(&bytes) else {
                return;
            };
            let is_left = header.package().is_some_and(|package| {
                packages.contains(&(&*package.name, &*package.version, &*package.architecture))
            });
            if !is_left {
                return;
            }
            let states = header.states();
            let gone: Vec<bool> = header.paths().iter().map(|path| !stays(path)).collect();
            if let Some(states) = states.and_then(|states| bytes.get_mut(states)) {
                for (state, _) in states.iter_mut().zip(gone).filter(|(_, is_gone)| *is_gone) {
                    *state = NOT_INSTALLED;
                }
            }
            left.push(bytes);
        });
        read.map_err(|error| format!("{path}: {error}"))?;
        let bytes = write(&left).map_err(|error| format!("{place} cannot be written: {error}"))?;
        written.insert(place, bytes);
    }
    Ok(written)
}

fn is_database(path: &ImagePath) -> bool {
    matches!(
        path.file_name(),
        b"rpmdb.sqlite" | b"Packages.db" | b"Packages"
    )
}

fn write(headers: &[Vec<u8>]) -> rusqlite::Result<Vec<u8>> {
    let mut connection = Connection::open_in_memory()?;
    connection.execute_batch(&schema())?;
    let transaction = connection.transaction()?;
    for (index, bytes) in headers.iter().enumerate() {
        let number = index as i64 + 1;
        transaction.execute("INSERT INTO Packages VALUES (?, ?)", params![number, bytes])?;
        let Ok(header) = Header::parse(bytes) else {
            continue;
        };
        for (table, keys) in header.keys() {
            let mut insert =
                transaction.prepare(&format!("INSERT INTO {table} VALUES (?, ?, ?)"))?;
            for (place, key) in keys.into_iter().enumerate() {
                let key = String::from_utf8_lossy(key);
                insert.execute(params![key, number, place as i64])?;
            }
        }
    }
    transaction.commit()?;
    Ok(connection.serialize(MAIN_DB)?.to_vec())
}
