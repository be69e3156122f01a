//! `several-services`: more than one application.

use std::collections::BTreeMap;

use crate::dockerfile::Keyword;
use crate::lint::install;
use crate::lint::rule::rule;
use crate::lint::sheet::Run;
use crate::lint::{Hits, Sheet};

rule! {
    /// One application per image: a supervisor as the main process, or several servers installed side by
    /// side, are started, updated, scaled and broken together, and only one of them is watched by the
    /// runtime.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// RUN apt-get update && apt-get install -y --no-install-recommends nginx=1.26.3-3 supervisor=4.2.5-3 \
    ///     && rm -rf /var/lib/apt/lists/*
    /// # finding
    /// CMD ["supervisord", "-n"]
    /// ```
    ///
    /// ```dockerfile
    /// # finding
    /// RUN apt-get update && apt-get install -y --no-install-recommends nginx=1.26.3-3 \
    ///     redis-server=5:8.0.2-3 && rm -rf /var/lib/apt/lists/*
    /// CMD ["nginx", "-g", "daemon off;"]
    /// ```
    ///
    /// ## Not a finding
    ///
    /// One server, the client of another, and an init that only reaps.
    ///
    /// ```dockerfile
    /// RUN apt-get update && apt-get install -y --no-install-recommends nginx=1.26.3-3 \
    ///     redis-tools=5:8.0.2-3 tini=0.19.0-1 && rm -rf /var/lib/apt/lists/*
    /// ENTRYPOINT ["tini", "--", "nginx", "-g", "daemon off;"]
    /// ```
    ///
    /// ## Remedy
    ///
    /// An image for each, run side by side in one pod or by compose.
    id: "several-services",
    summary: "several services are in one image",
    severity: Medium,
    aliases: [],
    run: run,
}

/// Programs that keep others running.
const SUPERVISORS: [&str; 9] = [
    "supervisord",
    "s6-svscan",
    "runsvdir",
    "runit",
    "systemd",
    "monit",
    "circusd",
    "foreman",
    "pm2-runtime",
];

/// Packages of servers, by family: two of one family are one service.
const SERVERS: &[(&str, &[&str])] = &[
    ("apache", &["apache2", "httpd"]),
    ("cron", &["cron", "cronie", "dcron"]),
    ("mail", &["dovecot-core", "exim4", "postfix", "sendmail"]),
    ("memcached", &["memcached"]),
    ("mongodb", &["mongodb", "mongodb-org", "mongodb-server"]),
    (
        "mysql",
        &[
            "mariadb-server",
            "mysql-server",
            "default-mysql-server",
            "mariadb",
        ],
    ),
    (
        "nginx",
        &[
            "nginx",
            "nginx-full",
            "nginx-light",
            "nginx-extras",
            "nginx-core",
        ],
    ),
    ("postgresql", &["postgresql", "postgresql-server"]),
    ("rabbitmq", &["rabbitmq-server"]),
    (
        "redis",
        &["redis", "redis-server", "valkey", "valkey-server"],
    ),
    ("ssh", &["openssh-server", "dropbear"]),
    ("varnish", &["varnish"]),
];

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let Some(last) = sheet.last() else { return };
    let starts = sheet
        .within(last)
        .iter()
        .filter(|instruction| matches!(instruction.kind, Some(Keyword::Cmd | Keyword::Entrypoint)));
    for instruction in starts {
        let words = instruction.words().iter();
        let started = words
            .flat_map(|word| word.text.split_whitespace().map(move |part| (word, part)))
            .find(|(_, part)| {
                let name = part.trim_matches(['"', '\'', ';']);
                let name = name.rsplit('/').next().unwrap_or(name);
                SUPERVISORS.contains(&name)
            });
        if let Some((word, part)) = started {
            hits.add(
                instruction.source(&word.at),
                format!("{part} keeps several services running in one container"),
                "an image for each service",
            );
            return;
        }
    }
    let mut found: BTreeMap<&str, _> = BTreeMap::new();
    for (_, command) in sheet.commands().filter(|(run, _)| Run::ships(run)) {
        let Some(install) = install::of(command).filter(|_| !command.conditional) else {
            continue;
        };
        for package in &install.packages {
            let name = package
                .text
                .split(['=', '/', '~'])
                .next()
                .unwrap_or_default();
            let family = SERVERS.iter().find(|(_, names)| {
                names.contains(&name)
                    || name.strip_prefix("postgresql-").is_some_and(|version| {
                        names[0] == "postgresql"
                            && version.bytes().all(|byte| byte.is_ascii_digit())
                    })
            });
            if let Some((family, _)) = family {
                found
                    .entry(family)
                    .or_insert((package.span.clone(), command.span()));
            }
        }
    }
    if found.len() > 1 {
        let families: Vec<&str> = found.keys().copied().collect();
        // Where the first installation begins that brings a second one.
        if let Some((_, span)) = found.values().max_by_key(|(span, _)| span.start) {
            hits.add(
                span.clone(),
                format!(
                    "{} services in one image: {}",
                    families.len(),
                    families.join(", ")
                ),
                "an image for each service",
            );
        }
    }
}
