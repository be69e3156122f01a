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
