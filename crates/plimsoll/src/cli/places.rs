//! The options that say how registries are reached.

use std::path::PathBuf;

use clap::Args;

/// How registries are reached; what is not said here is taken from Docker's and Podman's own files.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registries")]
pub(crate) struct Registry {
    /// A mirror to ask before Docker Hub: HOST[:PORT][/PREFIX], `http://` in front for plain HTTP.
    #[arg(
        long = "registry-mirror",
        global = true,
        value_name = "HOST",
        env = "PLIMSOLL_REGISTRY_MIRROR",
        value_delimiter = ','
    )]
    pub(crate) registry_mirrors: Vec<String>,
    /// A registry that may be spoken to without TLS (this machine's own always may).
    #[arg(long, global = true, value_name = "HOST")]
    pub(crate) plain_http: Vec<String>,
    /// File with credentials [default: $REGISTRY_AUTH_FILE, else those of Docker and Podman].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) authfile: Option<PathBuf>,
    /// Where `lineage` asks who publishes an image of Docker Hub and when it was pushed; `none`: nowhere.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "PLIMSOLL_HUB",
        default_value = "https://hub.docker.com"
    )]
    pub(crate) hub: String,
    /// Bytes of fetched blobs that are kept.
    #[arg(
        long,
        global = true,
        value_name = "SIZE",
        env = "PLIMSOLL_CACHE_SIZE",
        default_value = "10GB"
    )]
    pub(crate) cache_size: Size,
}

/// A number of bytes, as people write it: `500MB`, `10GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: [(&str, u64); 10] = [
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
            ("TiB", 1 << 40),
            ("kB", 1000),
            ("KB", 1000),
            ("MB", 1_000_000),
            ("GB", 1_000_000_000),
            ("TB", 1_000_000_000_000),
            ("B", 1),
        ];
        let unit = UNITS
            .into_iter()
            .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
        let (number, bytes) = unit.unwrap_or((text, 1));
        let number: u64 = number
            .trim()
            .parse()
            .map_err(|_| format!("`{text}` is no size, such as 500MB or 10GiB"))?;
        number
            .checked_mul(bytes)
            .map(Self)
            .ok_or_else(|| format!("{text} is too much"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("7", Some(7)),
            ("10GB", Some(10_000_000_000)),
            ("1 MiB", Some(1 << 20)),
            ("GB", None),
            ("-1", None),
            ("99999999TB", None),
        ] {
            assert_eq!(
                text.parse().ok().map(|super::Size(bytes)| bytes),
                bytes,
                "{text}"
            );
        }
    }
}
