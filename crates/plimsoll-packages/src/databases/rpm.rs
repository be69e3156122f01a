//! rpm's database, in the three forms it has had.

use plimsoll_model::package::ecosystem;

use super::{Reading, database};
use crate::rpm::{self, Header};

database! {
    /// The database of rpm: `rpmdb.sqlite` (SQLite, since rpm 4.16), `Packages.db` (ndb, on SUSE) or
    /// `Packages` (Berkeley DB, before), in `/var/lib/rpm`, `/usr/lib/sysimage/rpm` or `/usr/share/rpm`.
    /// Each holds the header of every package, with its files and their digests.
    ///
    /// Directories, paths that the package only announces (`%ghost`) and files that were not
    /// installed (`--excludedocs`) are none of its files here. A log of SQLite with changes that are
    /// not yet in the database is a problem: it is not read.
    ///
    /// ## Example
    ///
    /// ```image
    /// /var/lib/rpm/Packages 0644 "\0\0\0\0\0\0\0\0\0\0\0\0a\x15\x06\0\0\0\0\0\0\x02\0\0\0\x08\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\x0d\xfb\x01_\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x07\0\0\0#\0\0\x03\xe8\0\0\0\x06\0\0\0\0\0\0\0\x01\0\0\x03\xe9\0\0\0\x06\0\0\0\x05\0\0\0\x01\0\0\x03\xea\0\0\0\x06\0\0\0\x09\0\0\0\x01\0\0\x03\xeb\0\0\0\x04\0\0\0\x0c\0\0\0\x01\0\0\x04\x5c\0\0\0\x04\0\0\0\x10\0\0\0\x01\0\0\x04]\0\0\0\x08\0\0\0\x14\0\0\0\x01\0\0\x04^\0\0\0\x08\0\0\0\x19\0\0\0\x01demo\01.0\02\0\0\0\0\0\x01\0\0\0\0demo\0/usr/bin/\0\x01\x01\0\0\0"
    /// ```
    ///
    /// ```packages
    /// demo 1:1.0-2 /usr/bin/demo
    /// ```
    id: "rpm",
    ecosystem: ecosystem::RPM,
    wants: &[
        "{var/lib,usr/lib/sysimage,usr/share}/rpm/rpmdb.sqlite",
        "{var/lib,usr/lib/sysimage,usr/share}/rpm/rpmdb.sqlite-wal",
        "{var/lib,usr/lib/sysimage,usr/share}/rpm/Packages.db",
        "{var/lib,usr/lib/sysimage,usr/share}/rpm/Packages",
    ],
    read: read,
    link: None,
}

fn read(reading: &mut Reading<'_>) {
    for path in reading.found {
        if path.file_name() == b"rpmdb.sqlite-wal" {
            let size = reading.rootfs.tree.get(path).map_or(0, |node| node.size());
            if size > 0 {
                reading.problem(
                    path,
                    "holds changes that are not yet in the database; they are not read",
                );
            }
            continue;
        }
        let mut packages = Vec::new();
        let mut problems = Vec::new();
        let ended = rpm::records(reading.rootfs, path, &mut |record| {
            let header = record.map_err(|error| error.to_string());
            let package = header.and_then(|bytes| {
                let header = Header::parse(&bytes)?;
                header
                    .package()
                    .ok_or_else(|| "has no name or no version".to_owned())
            });
            match package {
                Ok(package) => packages.push(package),
                Err(why) => problems.push(format!("a record cannot be read: {why}")),
            }
        });
        if let Err(error) = ended {
            problems.push(format!("cannot be read: {error}"));
        }
        problems.dedup();
        for problem in problems {
            reading.problem(path, problem);
        }
        for mut package in packages {
            package.database = Some(path.clone());
            reading.add(package);
        }
        reading.inventory.databases.push(path.clone());
        reading.inventory.prune = Some(rpm::prune::prune);
    }
}
