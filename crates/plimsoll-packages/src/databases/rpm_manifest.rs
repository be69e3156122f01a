//! What distroless images made from rpm packages have in place of a database.

use plimsoll_model::package::ecosystem;
use plimsoll_model::{KnownBy, Package};

use super::{Reading, database};

database! {
    /// The list that images have which were put together from rpm packages without rpm's database
    /// (Mariner's and Azure Linux's distroless images): `container-manifest-2`, a line a package, its
    /// fields separated by tabs: name, version and release, times of installing and building, vendor,
    /// an unused field, size, architecture, epoch, source package.
    ///
    /// ## Example
    ///
    /// ```image
    /// /var/lib/rpmmanifest/container-manifest-2 0644 "bash\t5.1.8-1.cm2\t1653816591\t1653628955\tMicrosoft Corporation\t(none)\t3740\tx86_64\t0\tbash-5.1.8-1.cm2.src.rpm\n"
    /// ```
    ///
    /// ```packages
    /// bash 5.1.8-1.cm2
    /// ```
    id: "rpm-manifest",
    ecosystem: ecosystem::RPM,
    wants: &["var/lib/rpmmanifest/container-manifest-2"],
    read: read,
    link: None,
}

const LIMIT: u64 = 16 << 20;

fn read(reading: &mut Reading<'_>) {
    for path in reading.found {
        let Some(bytes) = reading.file(path, LIMIT) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
        {
            let fields: Vec<&str> = line.split('\t').collect();
            let [
                name,
                version,
                _,
                _,
                vendor,
                _,
                size,
                architecture,
                epoch,
                source,
                ..,
            ] = fields[..]
            else {
                reading.problem(path, format!("line {} has too few fields", number + 1));
                continue;
            };
            let epoch = Some(epoch).filter(|epoch| !matches!(*epoch, "" | "0" | "(none)"));
            let (source, source_version) = crate::rpm::source(source).unzip();
            reading.add(Package {
                ecosystem: ecosystem::RPM,
                name: name.to_owned(),
                version: match epoch {
                    Some(epoch) => format!("{epoch}:{version}"),
                    None => version.to_owned(),
                },
                architecture: architecture.to_owned(),
                source: source.filter(|source| source != name),
                source_version: source_version.filter(|source| source != version),
                vendor: vendor.to_owned(),
                known_by: KnownBy::Database,
                installed_size: size.parse().unwrap_or(0),
                database: Some(path.clone()),
                ..Package::default()
            });
        }
        reading.inventory.databases.push(path.clone());
    }
}
