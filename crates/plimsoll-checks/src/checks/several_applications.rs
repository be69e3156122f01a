//! `several-applications`: more than one service in one image.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::{Evidence, ImagePath, Kind, Problem, Severity, Subject, text};

use crate::check::check;
use crate::programs;
use crate::{Findings, Look};

check! {
    /// One application per image: services that share an image are updated together, fail together,
    /// scale together and see each other's files. The orchestrator sees one process and calls all
    /// of them healthy as long as that one lives.
    ///
    /// It is a finding where something starts two services: the settings of a supervisor, or a
    /// script.
    ///
    /// ## Example
    ///
    /// ```image
    /// /etc/supervisor/supervisord.conf  0644 "[program:web]\ncommand=nginx\n[program:db]\ncommand=redis-server\n"  # finding
    /// /usr/sbin/nginx                   0755 1k
    /// /usr/bin/redis-server             0755 1k
    /// ```
    ///
    /// A script that starts one behind the other's back:
    ///
    /// ```image
    /// /entry      0755 "#!/bin/sh\nservice mariadb start\nexec nginx\n"  # finding [several-applications, entry-script]
    /// ENTRYPOINT  /entry
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A server with workers of its own, and a supervisor of one program.
    ///
    /// ```image
    /// /etc/supervisor/supervisord.conf  0644 "[program:web]\ncommand=nginx\n"
    /// /usr/sbin/nginx                   0755 1k
    /// ```
    ///
    /// ## Remedy
    ///
    /// One image a service, started together by the orchestrator: a pod, a compose file.
    id: "several-applications",
    practice: "one application per image",
    summary: "several services are in one image",
    severity: Medium,
    development: Low,
    run: run,
}

/// Servers by the names of their programs: what they are, their ports.
pub(super) const SERVICES: &[(&str, &[&str], &[u16])] = &[
    ("an FTP server", &["proftpd", "pure-ftpd", "vsftpd"], &[21]),
    ("an LDAP server", &["slapd"], &[389, 636]),
    ("an SSH server", &["dropbear", "sshd"], &[22]),
    (
        "Apache httpd",
        &[
            "apache2",
            "apache2ctl",
            "apachectl",
            "httpd",
            "httpd-foreground",
        ],
        &[80, 443],
    ),
    ("Caddy", &["caddy"], &[80, 443]),
    ("cron", &["cron", "crond", "supercronic"], &[]),
    ("Elasticsearch", &["elasticsearch", "opensearch"], &[9200]),
    ("etcd", &["etcd"], &[2379]),
    ("Grafana", &["grafana", "grafana-server"], &[3000]),
    (
        "gunicorn",
        &[
            "gunicorn",
            "gunicorn3",
            "hypercorn",
            "uvicorn",
            "uwsgi",
            "waitress-serve",
        ],
        &[],
    ),
    ("HAProxy", &["haproxy"], &[]),
    ("InfluxDB", &["influxd"], &[8086]),
    ("lighttpd", &["lighttpd"], &[80, 443]),
    (
        "a mail server",
        &["dovecot", "exim", "exim4", "master", "postfix"],
        &[25, 143, 587],
    ),
    ("Memcached", &["memcached"], &[11211]),
    ("MongoDB", &["mongod"], &[27017]),
    (
        "MySQL or MariaDB",
        &["mariadb", "mariadbd", "mysql", "mysqld", "mysqld_safe"],
        &[3306],
    ),
    ("nginx", &["nginx"], &[80, 443]),
    ("PHP-FPM", &["php-fpm"], &[9000]),
    ("PostgreSQL", &["postgres", "postgresql"], &[5432]),
    ("a name server", &["dnsmasq", "named", "unbound"], &[53]),
    ("RabbitMQ", &["rabbitmq-server"], &[5672]),
    (
        "Redis",
        &["redis", "redis-server", "valkey-server"],
        &[6379],
    ),
    ("syslog", &["rsyslogd", "syslog-ng", "syslogd"], &[]),
    ("Tomcat", &["catalina.sh", "tomcat"], &[8080]),
    ("Varnish", &["varnishd"], &[]),
];

/// More bytes than this are no settings of a supervisor and no script that starts a server.
const LIMIT: u64 = 64 * 1024;

fn run(look: &Look, findings: &mut Findings) {
    let mut starters = Vec::new();
    for path in settings(look) {
        match look.rootfs.read(&path, LIMIT) {
            Ok(text) => starters.push((path, programs_of(&text))),
            Err(error) => findings.problem(unread(&path, &error)),
        }
    }
    // A supervisor's settings are one list, in however many files.
    let supervised: BTreeMap<String, String> =
        starters.iter().flat_map(|(_, list)| list.clone()).collect();
    if supervised.len() > 1 {
        let names: Vec<String> = supervised
            .iter()
            .map(|(name, command)| {
                service(command).map_or_else(|| format!("`{name}`"), str::to_owned)
            })
            .collect();
        let distinct: BTreeSet<&String> = names.iter().collect();
        let listed: Vec<&str> = distinct.iter().map(|name| name.as_str()).collect();
        if distinct.len() > 1 {
            let files = starters.iter().filter(|(_, list)| !list.is_empty());
            let evidence = files.map(|(path, _)| programs::evidence(&look.rootfs.tree, path));
            report(findings, "a supervisor starts", &listed, evidence.collect());
        }
    }
    let directories = service_directories(look);
    if directories.len() > 1 {
        let names: Vec<String> = directories
            .iter()
            .map(|path| format!("`{}`", text::printable(path.file_name())))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let evidence = directories
            .iter()
            .map(|path| programs::evidence(&look.rootfs.tree, path));
        report(findings, "a supervisor starts", &names, evidence.collect());
    }
    if supervised.len() > 1 || directories.len() > 1 {
        return;
    }
    if let Some((path, text)) = script(look, findings) {
        let services = started_by(&text);
        if services.len() > 1 {
            let names: Vec<&str> = services.into_iter().collect();
            let evidence = match path {
                Some(path) => programs::evidence(&look.rootfs.tree, &path),
                None => Evidence::Config {
                    key: "CMD",
                    value: look.image.config.command_line().join(" "),
                },
            };
            report(findings, "the start script starts", &names, vec![evidence]);
            return;
        }
    }
    by_ports(look, findings);
}

fn report(findings: &mut Findings, who: &str, names: &[&str], evidence: Vec<Evidence>) {
    let count = names.len();
    let list = names.join(", ");
    findings.add(
        format!("{who} {count} applications: {list}"),
        evidence,
        "one image a service, started together by a pod or a compose file",
    );
}

/// Installed servers of two kinds, each of whose ports is exposed: nothing we saw starts them.
fn by_ports(look: &Look, findings: &mut Findings) {
    let ports = look.image.config.tcp_ports();
    let mut kinds: BTreeMap<&[u16], (&str, Vec<ImagePath>)> = BTreeMap::new();
    let exposed = SERVICES
        .iter()
        .filter(|(_, _, own)| own.iter().any(|port| ports.contains(port)));
    for (what, names, own) in exposed {
        let found = programs::find(look, programs::Scripts::No, |_, name| {
            names.contains(&name).then_some(0)
        });
        let found = programs::names(found);
        if !found.is_empty() {
            kinds.entry(*own).or_insert((what, found));
        }
    }
    if kinds.len() > 1 {
        let names: Vec<&str> = kinds.values().map(|(what, _)| *what).collect();
        let evidence = kinds.values().flat_map(|(_, paths)| paths);
        let evidence = evidence.map(|path| programs::evidence(&look.rootfs.tree, path));
        findings.add_as(
            Severity::Low,
            format!(
                "ports of several services are exposed: {}",
                names.join(", ")
            ),
            evidence.collect(),
            "one image a service, started together by a pod or a compose file",
        );
    }
}

/// The settings of supervisord that are there: where it looks by itself, and what its command line
/// names.
fn settings(look: &Look) -> Vec<ImagePath> {
    const FILES: &[&str] = &["/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"];
    const DIRECTORIES: &[&str] = &[
        "/etc/supervisor/conf.d",
        "/etc/supervisord.d",
        "/etc/supervisor.d",
    ];
    let tree = &look.rootfs.tree;
    let mut paths: BTreeSet<ImagePath> = FILES.iter().map(|file| ImagePath::from(*file)).collect();
    for directory in DIRECTORIES.iter().map(|path| ImagePath::from(*path)) {
        let files = tree.children(&directory).map(|(path, _)| path);
        let ends = |path: &&ImagePath| {
            let name = path.file_name();
            name.ends_with(b".conf") || name.ends_with(b".ini")
        };
        paths.extend(files.filter(ends).cloned());
    }
    let words = look.image.config.command_line();
    let is_supervisor = words.iter().any(|word| word.ends_with("supervisord"));
    if is_supervisor {
        let work = ImagePath::new(&look.image.config.working_dir);
        let named = words
            .iter()
            .filter(|word| word.ends_with(".conf") || word.ends_with(".ini"));
        paths.extend(named.map(|word| work.join(word)));
    }
    paths.retain(|path| {
        let found = tree.resolve(path).ok();
        found
            .and_then(|found| tree.get(found.path))
            .is_some_and(plimsoll_model::Node::is_file)
    });
    paths.into_iter().collect()
}

/// The programs of a supervisor's settings, each with its command. Source: supervisord's manual,
/// *Configuration File*.
fn programs_of(text: &[u8]) -> BTreeMap<String, String> {
    let mut programs = BTreeMap::new();
    let mut name: Option<String> = None;
    for line in text.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            name = section
                .strip_prefix("program:")
                .map(|name| text::printable(name.trim().as_bytes()));
        } else if let (Some(name), Some((key, value))) = (&name, line.split_once('='))
            && key.trim() == "command"
        {
            programs.insert(name.clone(), value.trim().to_owned());
        }
    }
    programs
}

/// The services that s6 or runit starts: a directory each, with a program `run` in it.
fn service_directories(look: &Look) -> Vec<ImagePath> {
    const PLACES: &[&str] = &[
        "/etc/service",
        "/etc/services.d",
        "/etc/s6-overlay/s6-rc.d",
        "/service",
    ];
    let tree = &look.rootfs.tree;
    let places = PLACES.iter().map(|place| ImagePath::from(*place));
    let mut found = Vec::new();
    for place in places {
        for (path, _) in tree.children(&place) {
            let run = tree.resolve(&path.join("run")).ok();
            let run = run.and_then(|found| tree.get(found.path));
            if run.is_some_and(|node| matches!(node.kind, Kind::File { .. })) {
                found.push(path.clone());
            }
        }
    }
    found
}

/// The script that is started, with its path where it is a file.
pub(super) fn script(
    look: &Subject,
    findings: &mut Findings,
) -> Option<(Option<ImagePath>, String)> {
    let words = look.image.config.command_line();
    if let [shell, flag, script, ..] = &words[..]
        && matches!(
            shell.rsplit('/').next(),
            Some("sh" | "bash" | "ash" | "dash")
        )
        && flag.ends_with('c')
    {
        return Some((None, script.clone()));
    }
    let path = programs::started(look)?;
    if !programs::is_script(look, &path) {
        return None;
    }
    match look.rootfs.read(&path, LIMIT) {
        Ok(text) => Some((Some(path), String::from_utf8_lossy(&text).into_owned())),
        Err(error) => {
            findings.problem(unread(&path, &error));
            None
        }
    }
}

fn unread(path: &ImagePath, error: &std::io::Error) -> Problem {
    Problem::at(
        path,
        format!("cannot be read, so what it starts is not known: {error}"),
    )
}

/// The services a script starts: by `service NAME start`, in the background, and last of all.
fn started_by(script: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for line in script.lines() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let ends = unquoted(line).replace("&&", ";").replace(">&", ">");
        for command in ends.split_inclusive([';', '&', '|']) {
            let background = command.ends_with('&');
            let words: Vec<&str> = command
                .trim_end_matches([';', '&', '|'])
                .split_whitespace()
                .map(|word| word.trim_matches(['(', ')', '"', '\'']))
                .collect();
            let name = match words[..] {
                ["service", name, "start" | "restart", ..] => name,
                ["systemctl", "start", name, ..] => name,
                [script, "start" | "restart", ..] if script.starts_with("/etc/init.d/") => script,
                ["exec", name, ..] => name,
                [name, ..] if background || name.ends_with('d') && is_daemon(&words) => name,
                _ => continue,
            };
            found.extend(service(name));
        }
    }
    found
}

/// A line in which what stands in quotes parts no commands.
fn unquoted(line: &str) -> String {
    let mut quote = None;
    let plain = line.chars().map(|sign| match (quote, sign) {
        (None, '"' | '\'') => {
            quote = Some(sign);
            sign
        }
        (Some(open), sign) if sign == open => {
            quote = None;
            sign
        }
        (Some(_), ';' | '&' | '|') => ' ',
        (_, sign) => sign,
    });
    plain.collect()
}

/// A server that goes into the background by itself, told by its switch.
fn is_daemon(words: &[&str]) -> bool {
    let switches = ["--daemonize", "-D", "--daemon", "--fork"];
    words.iter().any(|word| switches.contains(word))
}

/// What a command starts, by the name of its program.
fn service(command: &str) -> Option<&'static str> {
    let word = command.split_whitespace().next()?;
    let name = word
        .rsplit('/')
        .next()?
        .trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == '.');
    // The digits of these two are no version.
    let name = match name {
        "apache" => "apache2",
        "exim" => "exim4",
        name => name,
    };
    let mut rows = SERVICES.iter();
    let row = rows.find(|(_, names, _)| names.contains(&name));
    row.map(|(what, ..)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_starts_is_read_from_it() {
        for (script, count) in [
            ("service mariadb start\nexec apache2ctl -D FOREGROUND", 2),
            (
                "/etc/init.d/cron start; nginx -g 'daemon off;' &\nexec gunicorn app:app",
                3,
            ),
            ("redis-server &\nexec nginx", 2),
            ("# service cron start\nexec nginx", 1),
            ("test -d /x && exec nginx 2>&1", 1),
            ("exec mariadbd --user=mysql", 1),
            ("nginx -t && exec nginx", 1),
        ] {
            assert_eq!(started_by(script).len(), count, "{script}");
        }
    }

    #[test]
    fn settings_of_a_supervisor_are_read() {
        let text = b"[supervisord]\nnodaemon=true\n[program:a]\ncommand=/usr/sbin/nginx -g x\n\
                     directory=/srv\n[eventlistener:x]\ncommand=y\n[program:b]\n command = cron -f\n";
        let programs = programs_of(text);
        let names: Vec<&String> = programs.keys().collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(service(&programs["a"]), Some("nginx"));
        assert_eq!(service(&programs["b"]), Some("cron"));
    }
}
