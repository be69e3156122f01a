//! The configuration of an image: what the OCI image specification calls the image config.

use std::collections::BTreeMap;

/// The configuration of an image, with the fields plimsoll acts on parsed and the document kept.
///
/// Source: OCI image specification, `config.md`; `Healthcheck`, `Shell` and `OnBuild` are Docker's
/// extensions of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The JSON document as it was read; empty for an image that is being made. A writer changes
    /// only what it must and keeps fields unknown to us.
    pub raw: Vec<u8>,
    /// RFC 3339 time, where the image says one (the field is optional).
    pub created: Option<String>,
    /// Architecture in Go's words: `amd64`, `arm64`.
    pub architecture: String,
    /// Variant of the architecture: `v8`.
    pub variant: Option<String>,
    /// Operating system in Go's words: `linux`.
    pub os: String,
    /// `USER`: name or number, and `:group`; empty means root.
    pub user: String,
    /// `ENTRYPOINT` in exec form (a shell form is stored as `/bin/sh -c ...`).
    pub entrypoint: Vec<String>,
    /// `CMD`: arguments of the entrypoint, or the command where there is none.
    pub cmd: Vec<String>,
    /// `ENV`: `NAME=value`, in order.
    pub env: Vec<String>,
    /// `WORKDIR`; empty means `/`.
    pub working_dir: String,
    /// `EXPOSE`: `80/tcp`, sorted.
    pub exposed_ports: Vec<String>,
    /// `VOLUME` paths, sorted.
    pub volumes: Vec<String>,
    /// `LABEL`.
    pub labels: BTreeMap<String, String>,
    /// `STOPSIGNAL`: `SIGQUIT`, `3`.
    pub stop_signal: Option<String>,
    /// `HEALTHCHECK`: the test in Docker's form (`["CMD", ...]`, `["CMD-SHELL", "..."]`).
    pub healthcheck: Option<Vec<String>>,
    /// What made the image, oldest first, empty layers included.
    pub history: Vec<History>,
}

/// One step of an image's history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// RFC 3339 time.
    pub created: Option<String>,
    /// The instruction, as the builder wrote it down.
    pub created_by: Option<String>,
    /// The builder's comment (`buildkit.dockerfile.v0`).
    pub comment: Option<String>,
    /// The step changed the configuration only and made no layer.
    pub empty_layer: bool,
}

impl Config {
    /// The program and its arguments as a runtime would start them.
    pub fn command_line(&self) -> Vec<String> {
        self.entrypoint.iter().chain(&self.cmd).cloned().collect()
    }

    /// The value of an environment variable; the last one wins, as in a runtime.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.env
            .iter()
            .rev()
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    /// The directories a runtime searches for a program: `PATH`, or its default.
    pub fn search_path(&self) -> impl Iterator<Item = &str> {
        self.env("PATH")
            .unwrap_or(DEFAULT_PATH)
            .split(':')
            .filter(|directory| !directory.is_empty())
    }

    /// The exposed TCP ports, in the order of the numbers.
    pub fn tcp_ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self
            .exposed_ports
            .iter()
            .filter_map(|port| match port.split_once('/') {
                None | Some((_, "tcp")) => port.split('/').next()?.parse().ok(),
                Some(_) => None,
            })
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

/// The `PATH` Docker sets where an image has none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_of_tcp_only() {
        let ports = ["443/tcp", "53/udp", "80", "80/tcp", "x/tcp"]
            .map(str::to_owned)
            .to_vec();
        let config = Config {
            exposed_ports: ports,
            ..Config::default()
        };
        assert_eq!(config.tcp_ports(), [80, 443]);
    }

    #[test]
    fn the_last_variable_wins() {
        let env = ["A=1", "AB=2", "A=3"].map(str::to_owned).to_vec();
        let config = Config {
            env,
            ..Config::default()
        };
        assert_eq!(config.env("A"), Some("3"));
        assert_eq!(config.env("B"), None);
    }
}
