//! Where this machine says how registries are reached: files and directories, by the environment.

use std::path::{Path, PathBuf};

use plimsoll_image::ContainerStorage;

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
    pub(crate) storage: Storage,
}

/// Where Podman, Buildah and CRI-O keep images, as their configuration has it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Storage {
    /// Files in the form of `containers-storage.conf(5)`, each with the key that counts in it; the first
    /// that is there and has it is obeyed.
    files: Vec<(PathBuf, &'static str)>,
    /// What a value may begin with: `$HOME`, `$UID`.
    variables: Vec<(&'static str, String)>,
    /// Where they lie if nobody says.
    usual: PathBuf,
    /// The driver the environment names (`STORAGE_DRIVER`).
    driver: Option<String>,
}

/// The key of the directory in files that are about the one who reads them.
const OWN: &str = "graphroot";

impl Storage {
    /// The directory and the driver.
    pub(crate) fn place(&self) -> ContainerStorage {
        let root = match self.said(Some) {
            Some(mut said) => {
                for (variable, value) in &self.variables {
                    said = said.replace(variable, value);
                }
                said.into()
            }
            None => self.usual.clone(),
        };
        // A user's own driver need not be the one of the whole machine: the tools take another where the
        // kernel lets a user not have that one.
        let driver = |key| (key == OWN).then_some("driver");
        let driver = self.driver.clone().or_else(|| self.said(driver));
        ContainerStorage { root, driver }
    }

    /// The first value of the key that `key_in` makes of the one that counts in a file.
    fn said(&self, key_in: impl Fn(&'static str) -> Option<&'static str>) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct File {
            #[serde(default)]
            storage: toml::Table,
        }
        self.files.iter().find_map(|(file, key)| {
            let key = key_in(key)?;
            let text = std::fs::read_to_string(file).ok()?;
            // What cannot be read names nothing; the tools whose file it is say so.
            let file: File = toml::from_str(&text).ok()?;
            let value = file.storage.get(key)?.as_str()?.to_owned();
            (!value.is_empty()).then_some(value)
        })
    }
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
        let usual = match data.filter(|_| !is_root) {
            Some(data) => data.join("containers/storage"),
            None => "/var/lib/containers/storage".into(),
        };
        let files = [
            path("CONTAINERS_STORAGE_CONF").map(|file| (file, OWN)),
            below_config("containers/storage.conf")
                .filter(|_| !is_root)
                .map(|file| (file, OWN)),
        ];
        // What the administrator writes for the whole machine is root's own place; a user's has a key of
        // its own there.
        let key = match is_root {
            true => OWN,
            false => "rootless_storage_path",
        };
        let of_all = [
            "/etc/containers/storage.conf",
            "/usr/share/containers/storage.conf",
        ];
        let files = files.into_iter().flatten();
        let storage = Storage {
            files: files.chain(of_all.map(|file| (file.into(), key))).collect(),
            variables: vec![
                (
                    "$HOME",
                    home.as_deref()
                        .unwrap_or(Path::new(""))
                        .display()
                        .to_string(),
                ),
                ("$UID", uid.to_string()),
            ],
            usual,
            driver: std::env::var("STORAGE_DRIVER")
                .ok()
                .filter(|driver| !driver.is_empty()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_lies_where_its_configuration_says() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let own = file("own", "[storage]\ndriver = \"overlay\"\n");
        let all = file(
            "all",
            "[storage]\nrootless_storage_path = \"$HOME/x/$UID\"\n",
        );
        let mut storage = Storage {
            files: vec![
                (place.path().join("missing"), "graphroot"),
                (own, "graphroot"),
                (all, "rootless_storage_path"),
            ],
            variables: vec![("$HOME", "/home/me".to_owned()), ("$UID", "7".to_owned())],
            usual: "/usual".into(),
            driver: None,
        };
        let directory = |storage: &Storage| storage.place().root;
        let driver = |storage: &Storage| storage.place().driver;
        assert_eq!(directory(&storage), Path::new("/home/me/x/7"));
        assert_eq!(driver(&storage).as_deref(), Some("overlay"));
        storage.driver = Some("vfs".to_owned());
        assert_eq!(driver(&storage).as_deref(), Some("vfs"));
        storage.driver = None;
        storage.files[0].0 = file("first", "[storage]\ngraphroot = \"/srv/store\"\n");
        assert_eq!(directory(&storage), Path::new("/srv/store"));
        storage.files = vec![(file("broken", "[storage"), "graphroot")];
        assert_eq!(directory(&storage), Path::new("/usual"));
        assert_eq!(driver(&storage), None);
        // What the whole machine has is no user's choice.
        let all = file("all", "[storage]\ndriver = \"btrfs\"\n");
        storage.files = vec![(all.clone(), "rootless_storage_path")];
        assert_eq!(driver(&storage), None);
        storage.files = vec![(all, OWN)];
        assert_eq!(driver(&storage).as_deref(), Some("btrfs"));
    }
}
