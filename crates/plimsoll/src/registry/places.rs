//! Where this machine says how registries are reached: files and directories, by the environment.

use std::path::PathBuf;

/// The files and directories that matter, in the order in which they are asked.
#[derive(Debug, Default, Clone)]
pub(crate) struct Places {
    /// Files with credentials.
    pub(crate) credentials: Vec<PathBuf>,
    /// Files and directories in the form of `containers-registries.conf(5)`; of the files the first
    /// that exists counts, of the directories every `*.conf`.
    pub(crate) registries: Vec<PathBuf>,
    /// The same, directories.
    pub(crate) registries_more: Vec<PathBuf>,
    /// Directories with a directory of certificates for each registry (`containers-certs.d(5)`).
    pub(crate) certificates: Vec<PathBuf>,
    /// Files with the certificates of authorities, where somebody chose them.
    pub(crate) authorities: Vec<PathBuf>,
    /// Where Podman, Buildah and CRI-O keep images.
    pub(crate) storage: PathBuf,
}

/// The bundles of authorities distributions keep, and administrators add to.
pub(crate) const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl Places {
    /// As the environment has it; `auth_file` is what the command line names.
    pub(crate) fn of_environment(auth_file: Option<PathBuf>) -> Self {
        let path = |name: &str| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let home = path("HOME");
        let below_home = |rest: &str| home.as_ref().map(|home| home.join(rest));
        let config = path("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
        let below_config = |rest: &str| config.as_ref().map(|config| config.join(rest));
        let is_root = rustix::process::geteuid().is_root();
        let uid = rustix::process::getuid().as_raw();
        let runtime = path("XDG_RUNTIME_DIR").map(|run| run.join("containers/auth.json"));
        let runtime = runtime.unwrap_or_else(|| format!("/run/containers/{uid}/auth.json").into());
        let credentials = match auth_file.or_else(|| path("REGISTRY_AUTH_FILE")) {
            Some(file) => vec![file],
            None => [
                path("DOCKER_CONFIG").map(|directory| directory.join("config.json")),
                Some(runtime),
                below_config("containers/auth.json"),
                below_home(".docker/config.json"),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        let registries = match path("CONTAINERS_REGISTRIES_CONF") {
            Some(file) => vec![file],
            None => [
                below_config("containers/registries.conf"),
                Some("/etc/containers/registries.conf".into()),
            ]
            .into_iter()
            .flatten()
            .collect(),
        };
        let registries_more = [
            Some("/etc/containers/registries.conf.d".into()),
            below_config("containers/registries.conf.d"),
        ];
        let certificates = [
            below_config("containers/certs.d"),
            below_config("docker/certs.d"),
            Some("/etc/containers/certs.d".into()),
            Some("/etc/docker/certs.d".into()),
        ];
        let data = path("XDG_DATA_HOME").or_else(|| below_home(".local/share"));
        let storage = match data.filter(|_| !is_root) {
            Some(data) => data.join("containers/storage"),
            None => "/var/lib/containers/storage".into(),
        };
        Self {
            credentials,
            registries,
            registries_more: registries_more.into_iter().flatten().collect(),
            certificates: certificates.into_iter().flatten().collect(),
            authorities: path("SSL_CERT_FILE").into_iter().collect(),
            storage,
        }
    }
}
