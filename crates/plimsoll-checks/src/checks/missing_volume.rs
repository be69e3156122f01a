//! `missing-volume`: a database whose data goes with its container.

use plimsoll_model::{Evidence, ImagePath, Severity};

use super::several_applications::script;
use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// No state in the image, nor in the container: what a server writes beside its image is gone
    /// when the container is, and slow until then. A `VOLUME` says where the data is, to people and
    /// to engines.
    ///
    /// ## Example
    ///
    /// ```image
    /// /usr/sbin/mariadbd   0755 9k
    /// ENTRYPOINT           /usr/sbin/mariadbd   # finding
    /// ```
    ///
    /// ## Not a finding
    ///
    /// One that says where, one that is not started, and a client.
    ///
    /// ```image
    /// /usr/sbin/mariadbd   0755 9k
    /// ENTRYPOINT           /usr/sbin/mariadbd
    /// VOLUME               /var/lib/mysql
    /// ```
    ///
    /// ```image
    /// /usr/bin/mariadb     0755 9k
    /// /usr/sbin/mariadbd   0755 9k
    /// ENTRYPOINT           /usr/bin/mariadb
    /// ```
    ///
    /// ## Remedy
    ///
    /// `VOLUME /var/lib/mysql`, and a volume of the orchestrator's at that path.
    id: "missing-volume",
    practice: "no state in the image",
    summary: "a server that keeps data has no volume for it",
    severity: Low,
    run: run,
}

/// The server, where it keeps its data, and whether a container without that data is of use.
const SERVERS: &[(&str, &[&str], bool)] = &[
    ("clickhouse-server", &["/var/lib/clickhouse"], false),
    (
        "elasticsearch",
        &["/usr/share/elasticsearch/data", "/var/lib/elasticsearch"],
        false,
    ),
    ("etcd", &["/var/lib/etcd", "/default.etcd"], false),
    ("grafana-server", &["/var/lib/grafana"], false),
    (
        "influxd",
        &["/var/lib/influxdb", "/var/lib/influxdb2"],
        false,
    ),
    ("mariadbd", &["/var/lib/mysql"], false),
    ("minio", &["/data"], false),
    ("mongod", &["/data/db", "/var/lib/mongodb"], false),
    ("mysqld", &["/var/lib/mysql"], false),
    ("postgres", &["/var/lib/postgresql"], false),
    ("prometheus", &["/prometheus", "/var/lib/prometheus"], false),
    ("rabbitmq-server", &["/var/lib/rabbitmq"], false),
    ("redis-server", &["/data", "/var/lib/redis"], true),
    ("slapd", &["/var/lib/ldap"], false),
    ("valkey-server", &["/data", "/var/lib/valkey"], true),
];

fn run(look: &Look, findings: &mut Findings) {
    let config = &look.image.config;
    let Some(server) = started(look, findings) else {
        return;
    };
    let (name, places, is_cache) = server;
    let volumes = config.volumes.iter().map(ImagePath::new);
    let covered = volumes.into_iter().any(|volume| {
        let near =
            |place: &str| volume.starts_with(place) || ImagePath::from(place).starts_with(&volume);
        places.iter().any(|place| near(place))
    });
    if covered {
        return;
    }
    let (key, words) = match config.entrypoint.is_empty() {
        true => ("CMD", &config.cmd),
        false => ("ENTRYPOINT", &config.entrypoint),
    };
    let evidence = Evidence::Config {
        key,
        value: words.join(" "),
    };
    let severity = if *is_cache {
        Severity::Info
    } else {
        CHECK.severity
    };
    let place = places[0];
    findings.add_as(
        severity,
        format!("`{name}` keeps its data in {place}, and no VOLUME is there"),
        vec![evidence],
        format!("VOLUME {place}"),
    );
}

type Server = (&'static str, &'static [&'static str], bool);

/// The server that is started: by the command line, or by name in the script it names.
fn started(look: &Look, findings: &mut Findings) -> Option<&'static Server> {
    let server = |name: &str| SERVERS.iter().find(|(known, ..)| *known == name);
    let words = look.image.config.command_line();
    let direct = words
        .iter()
        .find_map(|word| server(word.rsplit('/').next()?));
    let program = programs::started(look);
    let program = program
        .as_ref()
        .and_then(|path| path.as_str()?.rsplit('/').next());
    direct.or_else(|| program.and_then(server)).or_else(|| {
        let (_, text) = script(look, findings)?;
        let commands = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let mut named = commands.filter_map(|line| {
            let at = line.find("exec ")?;
            let word = line[at + 5..].split_whitespace().next()?;
            server(word.rsplit('/').next()?)
        });
        named.next()
    })
}
