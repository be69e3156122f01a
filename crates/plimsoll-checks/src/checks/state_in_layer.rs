//! `state-in-layer`: data that belongs in a volume and came with the image.

use std::collections::BTreeMap;

use plimsoll_model::{Evidence, ImagePath, Kind, Problem, Severity, text};

use crate::check::check;
use crate::{Findings, Look};

check! {
    /// No state in the image: a database that was filled while the image was built is copied with
    /// every pull, starts from that day in every container, and loses what was written when the
    /// container goes. What is in it, customers included, is in every registry the image reaches.
    ///
    /// ## Example
    ///
    /// ```image
    /// /var/lib/mysql/          dir 0750     # finding
    /// /var/lib/mysql/ibdata1   0640 1200k
    /// /var/lib/mysql/shop/orders.ibd   0640 90k
    /// ```
    ///
    /// A file of SQLite is known by its first bytes:
    ///
    /// ```image
    /// /srv/app.db    0644 "SQLite format 3\0 and so on"    # finding
    /// ```
    ///
    /// Files in a volume are copied to it, or hidden by it:
    ///
    /// ```image
    /// /data/              dir 0755     # finding
    /// /data/uploads/a.jpg 0644 90k
    /// VOLUME /data
    /// ```
    ///
    /// ## Not a finding
    ///
    /// An empty directory for data, and databases that programs read: of packages, of time zones, of
    /// certificates.
    ///
    /// ```image
    /// /var/lib/mysql/            dir 0750
    /// /var/lib/rpm/rpmdb.sqlite  0644 "SQLite format 3\0 and so on"
    /// /usr/share/misc/magic.db   0644 "SQLite format 3\0 and so on"
    /// ```
    ///
    /// ## Remedy
    ///
    /// A volume for the directory, filled when the container first starts (an init script, a
    /// migration, a restore); test data in an image of its own.
    id: "state-in-layer",
    practice: "no state in the image",
    summary: "data of a database or an application is in a layer",
    severity: Medium,
    development: Low,
    run: run,
}

/// The name of a file that only a filled directory of data has, and whose data it is. A name that
/// begins with `.` is an ending.
const MARKS: &[(&str, &str)] = &[
    ("appendonly.aof", "Redis"),
    ("dump.rdb", "Redis"),
    ("grafana.db", "Grafana"),
    ("ibdata1", "MySQL or MariaDB"),
    ("WiredTiger.wt", "MongoDB"),
    ("PG_VERSION", "PostgreSQL"),
    ("meta.properties", "Kafka"),
    ("rabbit_durable_queue.DCD", "RabbitMQ"),
];

/// Directories whose files are data, and whose.
const PLACES: &[(&str, &str)] = &[
    ("/var/lib/elasticsearch", "Elasticsearch"),
    ("/usr/share/elasticsearch/data", "Elasticsearch"),
    ("/var/lib/etcd", "etcd"),
    ("/var/lib/influxdb", "InfluxDB"),
    ("/var/lib/clickhouse", "ClickHouse"),
    ("/var/lib/ldap", "OpenLDAP"),
    ("/var/lib/php/sessions", "PHP"),
    ("/var/lib/prometheus", "Prometheus"),
    ("/var/mail", "a mail server"),
    ("/var/spool/cron/crontabs", "cron"),
    ("/var/spool/mail", "a mail server"),
];

/// Where databases of SQLite are part of a program.
const PROGRAMS: &[&str] = &[
    "/lib",
    "/root/.cache",
    "/usr",
    "/var/cache",
    "/var/lib/dnf",
    "/var/lib/dpkg",
    "/var/lib/PackageKit",
    "/var/lib/rpm",
    "/var/lib/system-upgrade",
    "/var/lib/yum",
];

const SQLITE: &[u8] = b"SQLite format 3\0";

fn run(look: &Look, findings: &mut Findings) {
    let tree = &look.rootfs.tree;
    let mut data: BTreeMap<ImagePath, &str> = BTreeMap::new();
    let mut lone = Vec::new();
    for (path, node) in tree.iter() {
        let Kind::File { size, .. } = node.kind else {
            continue;
        };
        let name = path.file_name();
        if size == 0 || name.starts_with(b".") || look_alike(path) {
            continue;
        }
        let mark = MARKS.iter().find(|(mark, _)| name == mark.as_bytes());
        let place = PLACES.iter().find(|(place, _)| path.starts_with(place));
        if let (Some((_, whose)), Some(directory)) = (mark, path.parent()) {
            data.entry(directory).or_insert(whose);
        } else if let Some((place, whose)) = place {
            data.entry(ImagePath::from(*place)).or_insert(whose);
        } else if is_sqlite(look, path, size, findings) {
            lone.push((path.clone(), node.layer, size));
        }
    }
    // A directory of data in another (`base/1/PG_VERSION`) is the same data.
    let tops: Vec<ImagePath> = data.keys().cloned().collect();
    data.retain(|path, _| !path.ancestors().any(|above| tops.contains(&above)));
    for (directory, whose) in &data {
        let (files, bytes) = inside(look, directory);
        let bytes_text = text::bytes(bytes);
        let message = format!("`{directory}` holds data of {whose}: {files} files ({bytes_text})");
        let layer = tree.get(directory).map_or(0, |node| node.layer);
        report(findings, CHECK.severity, message, directory, layer, bytes);
    }
    for (path, layer, size) in lone {
        if data.keys().any(|directory| path.starts_with(directory)) || look.is_owned(&path) {
            continue;
        }
        let message = format!("`{path}` is a database of SQLite ({})", text::bytes(size));
        report(findings, CHECK.severity, message, &path, layer, size);
    }
    for volume in &look.image.config.volumes {
        let directory = ImagePath::new(volume);
        let (files, bytes) = inside(look, &directory);
        let known = |path: &ImagePath| path.starts_with(&directory) || directory.starts_with(path);
        if bytes > 0 && !data.keys().any(known) {
            let bytes_text = text::bytes(bytes);
            let message = format!(
                "VOLUME {directory} hides {files} files of the image ({bytes_text}), or copies them \
                 once and never again"
            );
            let layer = tree.get(&directory).map_or(0, |node| node.layer);
            report(findings, Severity::Low, message, &directory, layer, bytes);
        }
    }
}

fn report(
    findings: &mut Findings,
    severity: Severity,
    message: String,
    path: &ImagePath,
    layer: u32,
    size: u64,
) {
    let evidence = Evidence::Path {
        path: path.clone(),
        layer,
        size,
    };
    let remedy = "VOLUME for the directory, filled at the first start";
    findings.add_as(severity, message, vec![evidence], remedy);
}

/// Files and bytes below a directory.
fn inside(look: &Look, directory: &ImagePath) -> (u64, u64) {
    let files = look.rootfs.tree.subtree(directory);
    let files = files.filter(|(_, node)| node.is_file());
    files.fold((0, 0), |(count, bytes), (_, node)| {
        (count + 1, bytes + node.size())
    })
}

/// Files of programs that bear such a name, and placeholders.
fn look_alike(path: &ImagePath) -> bool {
    let name = path.file_name();
    PROGRAMS.iter().any(|place| path.starts_with(place))
        && !path.starts_with("/usr/share/elasticsearch/data")
        || matches!(name, b"README" | b"placeholder")
}

/// Whether the file is a database of SQLite by its ending and its first bytes (SQLite's *Database
/// File Format*).
fn is_sqlite(look: &Look, path: &ImagePath, size: u64, findings: &mut Findings) -> bool {
    const ENDS: &[&str] = &[".db", ".db3", ".s3db", ".sqlite", ".sqlite3"];
    let name = path.file_name();
    if !ENDS.iter().any(|end| name.ends_with(end.as_bytes())) || size < SQLITE.len() as u64 {
        return false;
    }
    match look.rootfs.read_head(path, SQLITE.len() as u64) {
        Ok(head) => head == SQLITE,
        Err(error) => {
            let message =
                format!("cannot be read, so whether it is a database is not known: {error}");
            findings.problem(Problem::at(path, message));
            false
        }
    }
}
