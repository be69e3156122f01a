//! What applications are called in the data about them.

/// Our name of a product, and the names Bitnami's advisories have for it.
const NAMES: [(&str, &[&str]); 16] = [
    ("apache", &["apache"]),
    ("apache2", &["apache"]),
    ("erlang", &["erlang"]),
    ("etcd", &["etcd"]),
    ("go", &["golang"]),
    ("httpd", &["apache"]),
    ("java", &["java", "jre"]),
    ("jdk", &["java"]),
    ("jre", &["jre", "java"]),
    ("mariadb-server", &["mariadb"]),
    ("mongo", &["mongodb"]),
    ("mongod", &["mongodb"]),
    ("nodejs", &["node"]),
    ("openjdk", &["java", "jre"]),
    ("postgres", &["postgresql"]),
    ("rabbitmq-server", &["rabbitmq"]),
];

/// The name of a package without the series of versions in it: `postgresql` of `postgresql-13`.
pub(super) fn without_series(name: &str) -> &str {
    let series = |last: char| last.is_ascii_digit() || last == '.';
    let base = name.trim_end_matches(series).trim_end_matches('-');
    if base.is_empty() { name } else { base }
}

/// Packages that its authors' own archive builds from the source of another one, and of that only: what
/// is known about that one is known about them.
const PARTS: [(&str, &str); 4] = [
    ("nginx-module-geoip", "nginx"),
    ("nginx-module-image-filter", "nginx"),
    ("nginx-module-perl", "nginx"),
    ("nginx-module-xslt", "nginx"),
];

/// The package that a package of somebody else's archive is a part of.
pub(super) fn whole(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix("-dbg").unwrap_or(name);
    let part = PARTS.iter().find(|(part, _)| *part == name);
    part.map(|(_, whole)| *whole)
}

/// The names to look a product up by, the most likely first.
pub(super) fn names(product: &str) -> Vec<String> {
    let product = product.to_ascii_lowercase();
    let known = NAMES.iter().find(|(name, _)| *name == product);
    let mut names: Vec<String> = known
        .map(|(_, names)| names.iter().map(|&name| name.to_owned()).collect())
        .unwrap_or_default();
    if !names.contains(&product) {
        names.push(product);
    }
    names
}
