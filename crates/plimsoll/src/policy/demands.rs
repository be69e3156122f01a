//! What a policy demands beyond the checks, and whether an image meets it.

use plimsoll_model::report::{Demand, ImageFacts};
use plimsoll_model::text::{bytes, count};
use plimsoll_model::{Evidence, ImagePath, Problem, Report, Subject};

use super::{Bases, Limits, Size, Things, matches};

/// Names a list shows before it is cut.
const SHOWN: usize = 5;

/// What the demands begin with that need no more than to know what is installed.
const OF_PACKAGES: [&str; 4] = [
    "packages at most ",
    "package `",
    "vulnerabilities (",
    "no new package ",
];

/// Where only what is installed is known: every demand that is about anything else cannot be judged.
pub(super) fn without_files(demands: &mut [Demand]) {
    for demand in demands {
        let mut starts = OF_PACKAGES.iter();
        if !starts.any(|start| demand.wanted.starts_with(start)) {
            "cannot be judged".clone_into(&mut demand.found);
            demand.met = false;
            demand.unjudged = true;
        }
    }
}

/// `[policy.limits]`.
pub(super) fn limits(limits: &Limits, report: &Report, demands: &mut Vec<Demand>) {
    let Some(facts) = &report.subject else {
        return;
    };
    let footprint = &facts.footprint;
    for (name, limit, found) in [
        ("bytes", limits.bytes, footprint.bytes),
        ("bytes to pull", limits.compressed, footprint.compressed),
        ("dead bytes", limits.dead_bytes, facts.dead_bytes),
    ] {
        if let Some(Size(limit)) = limit {
            demands.push(Demand {
                wanted: format!("{name} at most {}", bytes(limit)),
                found: bytes(found),
                met: found <= limit,
                ..Demand::default()
            });
        }
    }
    for (name, limit, found) in [
        ("files", limits.files, footprint.files),
        ("layers", limits.layers, facts.layers.len() as u64),
        ("packages", limits.packages, footprint.packages),
    ] {
        if let Some(limit) = limit {
            demands.push(Demand {
                wanted: format!("{name} at most {}", count(limit)),
                found: count(found),
                met: found <= limit,
                ..Demand::default()
            });
        }
    }
}

/// `[policy.required]`.
pub(super) fn required(
    things: &Things,
    report: &Report,
    subject: &Subject<'_>,
    demands: &mut Vec<Demand>,
) {
    let Some(facts) = &report.subject else {
        return;
    };
    for pattern in &things.packages {
        let found = packages(facts, pattern);
        demands.push(is_there(format!("package `{pattern}` is installed"), found));
    }
    for pattern in &things.paths {
        let found = paths(subject, pattern);
        demands.push(is_there(format!("`{pattern}` is there"), found));
    }
    if !things.users.is_empty() {
        let user = user(facts);
        demands.push(Demand {
            wanted: format!("runs as one of {}", things.users.join(", ")),
            met: is_user(&things.users, &user),
            found: user,
            ..Demand::default()
        });
    }
    for pattern in &things.labels {
        let found = labels(subject, pattern);
        demands.push(is_there(format!("label `{pattern}` is set"), found));
    }
    for port in &things.ports {
        let exposed = subject.image.config.tcp_ports();
        demands.push(Demand {
            wanted: format!("port {port} is exposed"),
            found: ports(facts),
            met: exposed.contains(port),
            ..Demand::default()
        });
    }
}

/// `[policy.forbidden]`.
pub(super) fn forbidden(
    things: &Things,
    report: &Report,
    subject: &Subject<'_>,
    demands: &mut Vec<Demand>,
) {
    let Some(facts) = &report.subject else {
        return;
    };
    for pattern in &things.packages {
        let found = packages(facts, pattern);
        demands.push(is_away(
            format!("package `{pattern}` is not installed"),
            found,
        ));
    }
    for pattern in &things.paths {
        let found = paths(subject, pattern);
        demands.push(is_away(format!("`{pattern}` is not there"), found));
    }
    if !things.users.is_empty() {
        let user = user(facts);
        demands.push(Demand {
            wanted: format!("runs as none of {}", things.users.join(", ")),
            met: !is_user(&things.users, &user),
            found: user,
            ..Demand::default()
        });
    }
    for pattern in &things.labels {
        let found = labels(subject, pattern);
        demands.push(is_away(format!("label `{pattern}` is not set"), found));
    }
    for port in &things.ports {
        let exposed = subject.image.config.tcp_ports();
        demands.push(Demand {
            wanted: format!("port {port} is not exposed"),
            found: ports(facts),
            met: !exposed.contains(port),
            ..Demand::default()
        });
    }
}

/// `[policy.bases]`.
pub(super) fn bases(
    bases: &Bases,
    report: &Report,
    subject: &Subject<'_>,
    demands: &mut Vec<Demand>,
    problems: &mut Vec<Problem>,
) {
    let Some(facts) = &report.subject else {
        return;
    };
    let named = base_name(subject);
    if !bases.allowed.is_empty() {
        let ancestors = facts.lineage.ancestors.iter().map(|it| it.name.as_str());
        // Everything ends at scratch; only an image on nothing else is based on it.
        let mut names: Vec<&str> = ancestors.filter(|name| *name != "scratch").collect();
        names.extend(named);
        if names.is_empty() {
            names.push("scratch");
        }
        let allowed = |name: &&str| bases.allowed.iter().any(|pattern| matches(pattern, name));
        demands.push(Demand {
            wanted: format!("made from one of {}", bases.allowed.join(", ")),
            met: names.iter().any(allowed),
            found: names.join(", "),
            ..Demand::default()
        });
    }
    if !bases.registries.is_empty() {
        let Some(named) = named else {
            problems.push(Problem {
                message:
                    "the policy allows some registries for bases, and the image does not name \
                          its base (org.opencontainers.image.base.name)"
                        .to_owned(),
                evidence: Evidence::Image,
            });
            return;
        };
        let registry = registry(named);
        let mut patterns = bases.registries.iter();
        demands.push(Demand {
            wanted: format!("its base comes from one of {}", bases.registries.join(", ")),
            met: patterns.any(|pattern| matches(pattern, registry)),
            found: format!("{registry} ({named})"),
            ..Demand::default()
        });
    }
}

fn ports(facts: &ImageFacts) -> String {
    match facts.ports.is_empty() {
        true => "none".to_owned(),
        false => facts.ports.join(" "),
    }
}

/// The base as the image itself names it (OCI image specification, `annotations.md`).
fn base_name<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    const BASE: &str = "org.opencontainers.image.base.name";
    let image = subject.image;
    let name = image
        .annotations
        .get(BASE)
        .or_else(|| image.config.labels.get(BASE));
    name.map(String::as_str).filter(|name| !name.is_empty())
}

/// The registry of a reference: what is before the first slash if it looks like a host, as
/// Docker reads it.
fn registry(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

fn is_there(wanted: String, found: Vec<String>) -> Demand {
    Demand {
        wanted,
        met: !found.is_empty(),
        found: some(&found, "missing"),
        ..Demand::default()
    }
}

fn is_away(wanted: String, found: Vec<String>) -> Demand {
    Demand {
        wanted,
        met: found.is_empty(),
        found: some(&found, "not there"),
        ..Demand::default()
    }
}

/// The first names of a list, and how many more there are.
pub(super) fn some(names: &[String], none: &str) -> String {
    if names.is_empty() {
        return none.to_owned();
    }
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    let shown = shown.join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn packages(facts: &ImageFacts, pattern: &str) -> Vec<String> {
    let rows = facts.packages.iter();
    let rows = rows.filter(|row| matches(pattern, &row.name));
    rows.map(|row| format!("{} {}", row.name, row.version))
        .collect()
}

/// The paths a pattern names; one without a pattern is looked up through links.
fn paths(subject: &Subject<'_>, pattern: &str) -> Vec<String> {
    let tree = &subject.rootfs.tree;
    let path = ImagePath::new(pattern);
    if !pattern.contains(['*', '?', '[', '{']) {
        let there = tree.resolve_parent(&path).is_ok();
        return there.then(|| path.to_string()).into_iter().collect();
    }
    let pattern = match pattern.starts_with('/') {
        true => pattern.to_owned(),
        false => format!("/{pattern}"),
    };
    let found = tree.iter().map(|(path, _)| path);
    let found = found.filter(|path| fast_glob::glob_match(&pattern, path.as_bytes()));
    found.map(ImagePath::to_string).collect()
}

fn user(facts: &ImageFacts) -> String {
    facts.user.clone()
}

/// Whether the image runs as one of these; a group behind a colon counts where one is asked for.
fn is_user(users: &[String], user: &str) -> bool {
    let name = user.split(':').next().unwrap_or_default();
    // Root has a name and a number.
    let other = match name {
        "root" => "0",
        "0" => "root",
        name => name,
    };
    users.iter().any(|pattern| {
        [user, name, other]
            .iter()
            .any(|name| matches(pattern, name))
    })
}

/// `name` or `name=value`, of which both may be patterns.
fn labels(subject: &Subject<'_>, pattern: &str) -> Vec<String> {
    let (name, value) = match pattern.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (pattern, None),
    };
    let labels = subject.image.config.labels.iter();
    let found = labels
        .filter(|(key, text)| matches(name, key) && value.is_none_or(|value| matches(value, text)));
    found.map(|(key, text)| format!("{key}={text}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_of_a_reference_is_dockers_where_none_is_named() {
        for (reference, host) in [
            ("debian:13", "docker.io"),
            ("library/debian", "docker.io"),
            ("docker.io/library/debian", "docker.io"),
            ("registry.example:5000/base", "registry.example:5000"),
            ("localhost/base", "localhost"),
        ] {
            assert_eq!(registry(reference), host);
        }
    }

    #[test]
    fn root_is_a_name_and_a_number() {
        let users = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert!(is_user(&users(&["root"]), "0:0"));
        assert!(is_user(&users(&["0"]), "root"));
        assert!(is_user(&users(&["65532"]), "65532:65532"));
        assert!(!is_user(&users(&["root"]), "1000"));
    }
}
