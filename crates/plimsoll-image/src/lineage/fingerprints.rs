//! How well-known root file systems look in a history, and which variables betray official images.

use plimsoll_model::text::printable;

/// A way to recognise a root file system by the step that added it.
pub(super) struct Fingerprint {
    /// From a history text to the name and to the evidence.
    pub(super) read: fn(&str) -> Option<(String, String)>,
}

/// The fingerprints, in the order they are tried.
pub(super) static FINGERPRINTS: &[Fingerprint] = &[
    Fingerprint { read: debian },
    Fingerprint { read: alpine },
    Fingerprint { read: busybox },
    Fingerprint { read: bazel },
    Fingerprint { read: apko },
];

/// Variables that official images set to their version, sorted.
pub(super) static VERSIONS: &[(&str, &str)] = &[
    ("GOLANG_VERSION", "golang"),
    ("HAPROXY_VERSION", "haproxy"),
    ("HTTPD_VERSION", "httpd"),
    ("JAVA_VERSION", "java"),
    ("MARIADB_VERSION", "mariadb"),
    ("MONGO_VERSION", "mongo"),
    ("MYSQL_VERSION", "mysql"),
    ("NGINX_VERSION", "nginx"),
    ("NODE_VERSION", "node"),
    ("PG_VERSION", "postgres"),
    ("PHP_VERSION", "php"),
    ("PYTHON_VERSION", "python"),
    ("RABBITMQ_VERSION", "rabbitmq"),
    ("REDIS_VERSION", "redis"),
    ("RUBY_VERSION", "ruby"),
    ("RUST_VERSION", "rust"),
    ("TOMCAT_VERSION", "tomcat"),
    ("VALKEY_VERSION", "valkey"),
];

/// debuerreotype's line, as in Debian's official images:
/// `# debian.sh --arch 'amd64' out/ 'bookworm' '@1789689600'`. The number is the time of the
/// archive snapshot, in seconds since 1970.
fn debian(text: &str) -> Option<(String, String)> {
    let (_, rest) = text.split_once("debian.sh ")?;
    let words: Vec<&str> = rest
        .split_whitespace()
        .map(|word| word.trim_matches('\''))
        .collect();
    let epoch = words.iter().position(|word| word.starts_with('@'))?;
    let suite = words.get(epoch.checked_sub(1)?)?;
    let seconds: i64 = words[epoch][1..].parse().ok()?;
    let day = jiff::Timestamp::from_second(seconds)
        .ok()?
        .strftime("%Y-%m-%d");
    let suite = printable(suite.as_bytes());
    let evidence = format!("debian.sh '{suite}' '@{seconds}' (archive of {day})");
    Some((format!("debian {suite}"), evidence))
}

/// `ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # buildkit`.
fn alpine(text: &str) -> Option<(String, String)> {
    let (_, rest) = text.split_once("alpine-minirootfs-")?;
    let version = rest.split(['-', ' ']).next()?;
    let starts = version.starts_with(|c: char| c.is_ascii_digit());
    let version = printable(version.as_bytes());
    starts.then(|| {
        let evidence = format!("ADD alpine-minirootfs-{version}");
        (format!("alpine {version}"), evidence)
    })
}

/// `ADD busybox.tar.xz / # buildkit`, and what the builder before that wrote.
fn busybox(text: &str) -> Option<(String, String)> {
    let found = text.contains("ADD busybox.tar") || text.contains("BusyBox ");
    found.then(|| ("busybox".to_owned(), printable(text.trim().as_bytes())))
}

/// The rules distroless images are made with.
fn bazel(text: &str) -> Option<(String, String)> {
    let found = text.starts_with("bazel build ");
    found.then(|| ("a bazel-built image".to_owned(), "bazel build".to_owned()))
}

/// Wolfi's and Chainguard's builder.
fn apko(text: &str) -> Option<(String, String)> {
    let found = text == "apko" || text.starts_with("apko ");
    found.then(|| ("an apko-built image".to_owned(), "apko".to_owned()))
}
