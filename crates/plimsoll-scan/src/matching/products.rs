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
