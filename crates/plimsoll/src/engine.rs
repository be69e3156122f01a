//! A container engine of this machine (Docker, Podman), spoken to through its socket.
//!
//! Both speak the Docker Engine API (`docs.docker.com/reference/api/engine`), Podman beside its own.
//! Three calls of it are enough: whether it is there, an archive in, an archive out. The HTTP is
//! that of the client the binary has anyway, on a unix socket where TCP would be; a client of the
//! whole API would bring an asynchronous run time and some sixty crates for these three. Paths have
//! no version in front, so that the engine uses the one it has: engines refuse old versions.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use ureq::http::{Response, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Body, SendBody};

use crate::failure::{Failure, Result};

/// Bytes of an answer that is no image.
const ANSWER: u64 = 4 << 20;

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Docker: `DOCKER_HOST`, else its usual sockets.
    Docker,
    /// Podman: `CONTAINER_HOST`, else the user's socket, else the system's.
    Podman,
}

impl Kind {
    /// The word before the colon in names of images.
    pub(crate) const fn scheme(self) -> &'static str {
        match self {
            Self::Docker => "docker-daemon",
            Self::Podman => "podman",
        }
    }

    /// The kind a scheme stands for.
    pub(crate) fn of_scheme(scheme: &str) -> Option<Self> {
        let all = [Self::Docker, Self::Podman];
        all.into_iter().find(|kind| kind.scheme() == scheme)
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Docker => "DOCKER_HOST",
            Self::Podman => "CONTAINER_HOST",
        }
    }

    /// Where the engine listens if nobody says otherwise; `Desktop` is Docker Desktop's and Colima's.
    fn usual(self) -> Vec<PathBuf> {
        let below = |variable: &str, rest: &str| {
            let directory = std::env::var_os(variable).filter(|value| !value.is_empty());
            directory.map(|directory| Path::new(&directory).join(rest))
        };
        let places = match self {
            Self::Docker => [
                Some(PathBuf::from("/var/run/docker.sock")),
                below("XDG_RUNTIME_DIR", "docker.sock"),
                below("HOME", ".docker/run/docker.sock"),
            ],
            Self::Podman => [
                below("XDG_RUNTIME_DIR", "podman/podman.sock"),
                Some(PathBuf::from("/run/podman/podman.sock")),
                None,
            ],
        };
        places.into_iter().flatten().collect()
    }
}

/// An engine that answers.
pub(crate) struct Engine {
    agent: Agent,
    /// `http://localhost`, or where it listens.
    base: String,
    /// For messages: `docker-daemon at /var/run/docker.sock`.
    what: String,
}

/// What an engine says of an image it has.
#[derive(Debug, Deserialize)]
pub(crate) struct Stored {
    /// The digest of the configuration, or (Docker's containerd store) of the manifest; Podman
    /// writes it without `sha256:`.
    #[serde(rename = "Id")]
    pub(crate) id: String,
    #[serde(rename = "RootFS", default)]
    rootfs: StoredRoot,
}

#[derive(Debug, Default, Deserialize)]
struct StoredRoot {
    #[serde(rename = "Layers", default)]
    layers: Option<Vec<String>>,
}

impl Stored {
    /// The digests of its uncompressed layers, the lowest first.
    pub(crate) fn layers(&self) -> &[String] {
        self.rootfs.layers.as_deref().unwrap_or_default()
    }
}

/// A line of what an engine says while it loads.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    stream: Option<String>,
    error: Option<String>,
}

impl Engine {
    /// The engine of this kind, if it answers.
    pub(crate) fn connect(kind: Kind) -> Result<Self> {
        let variable = kind.variable();
        let named = std::env::var(variable).ok().filter(|host| !host.is_empty());
        let engine = match named {
            Some(host) => Self::at(kind, &host)?,
            None => {
                let usual = kind.usual();
                let Some(socket) = usual.iter().find(|socket| socket.exists()) else {
                    let tried: Vec<String> =
                        usual.iter().map(|p| p.display().to_string()).collect();
                    return Err(Failure::new(format!(
                        "no {} is here: there is no {}",
                        kind.scheme(),
                        tried.join(", nor ")
                    ))
                    .hint(format!("{variable}=unix:///PATH says where it listens")));
                };
                Self::on_socket(kind, socket)
            }
        };
        let answer = engine.answered(engine.agent.get(engine.url("/_ping")).call())?;
        drop(answer);
        Ok(engine)
    }

    /// The engine at an address as `DOCKER_HOST` holds one.
    fn at(kind: Kind, host: &str) -> Result<Self> {
        let refuse = |why: &str| {
            let variable = kind.variable();
            Failure::new(format!("cannot use {variable}={host}: {why}"))
        };
        if let Some(path) = host.strip_prefix("unix://") {
            return Ok(Self::on_socket(kind, Path::new(path)));
        }
        if let Some(place) = host
            .strip_prefix("tcp://")
            .or_else(|| host.strip_prefix("http://"))
        {
            if std::env::var_os("DOCKER_TLS_VERIFY").is_some_and(|value| !value.is_empty()) {
                return Err(refuse("engines with client certificates are not spoken to")
                    .hint("write a docker-archive and load it with docker load"));
            }
            return Ok(Self {
                agent: configured().new_agent(),
                base: format!("http://{}", place.trim_end_matches('/')),
                what: format!("{} at {host}", kind.scheme()),
            });
        }
        Err(refuse("only unix:// and tcp:// are understood")
            .hint("an engine behind ssh can be had on a socket: ssh -L /tmp/engine.sock:/var/run/docker.sock HOST"))
    }

    fn on_socket(kind: Kind, socket: &Path) -> Self {
        let connector = Socket(socket.to_owned());
        Self {
            agent: Agent::with_parts(configured(), connector, Nowhere),
            base: "http://localhost".to_owned(),
            what: format!("{} at {}", kind.scheme(), socket.display()),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The answer to a request, if it is a good one.
    fn answered(
        &self,
        answer: std::result::Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>> {
        let what = &self.what;
        let mut answer = answer.map_err(|error| {
            let denied = matches!(&error, ureq::Error::Io(error) if error.kind() == io::ErrorKind::PermissionDenied);
            let failure = Failure::because(format_args!("cannot speak to {what}"), &error);
            match denied {
                true => failure.hint("its socket is open to root and a group of users; are you one of them?"),
                false => failure,
            }
        })?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        #[derive(Deserialize)]
        struct Refusal {
            message: Option<String>,
            cause: Option<String>,
        }
        let mut text = String::new();
        let _ = answer
            .body_mut()
            .as_reader()
            .take(ANSWER)
            .read_to_string(&mut text);
        let said = serde_json::from_str::<Refusal>(&text).ok();
        let said = said.and_then(|refusal| refusal.message.or(refusal.cause));
        let status = answer.status();
        Err(Failure::new(format!(
            "{what} answers {status}: {}",
            said.as_deref().unwrap_or_else(|| text.trim())
        )))
    }

    /// Loads an archive as `docker save` writes them; answers the names the engine gave the image.
    pub(crate) fn load(&self, mut archive: impl Read) -> Result<Vec<String>> {
        let answer = self
            .agent
            .post(self.url("/images/load?quiet=1"))
            .header("content-type", "application/x-tar")
            .send(SendBody::from_reader(&mut archive));
        let answer = self.answered(answer)?.into_body().into_reader();
        let lines = serde_json::Deserializer::from_reader(answer.take(ANSWER)).into_iter::<Said>();
        let mut names = Vec::new();
        for said in lines {
            // An engine that breaks off has not loaded it, whatever the status said.
            let said = said.map_err(|error| {
                Failure::because(
                    format_args!("{} broke off while loading", self.what),
                    &error,
                )
            })?;
            if let Some(why) = said.error {
                let what = &self.what;
                return Err(Failure::new(format!("{what} cannot load the image: {why}")));
            }
            let text = said.stream.unwrap_or_default();
            let named = text.lines().filter_map(|line| {
                let line = line.trim();
                line.strip_prefix("Loaded image: ")
                    .or_else(|| line.strip_prefix("Loaded image ID: "))
                    // Podman below 4.
                    .or_else(|| line.strip_prefix("Loaded image(s): "))
            });
            names.extend(named.map(str::to_owned));
        }
        Ok(names)
    }

    /// What the engine says of the image called `name`.
    pub(crate) fn image(&self, name: &str) -> Result<Stored> {
        let url = self.url(&format!("/images/{}/json", escaped(name, b"/:@")));
        let answer = self.answered(self.agent.get(url).call())?;
        let answer = answer.into_body().into_reader();
        serde_json::from_reader(answer.take(ANSWER)).map_err(|error| {
            let what = &self.what;
            Failure::because(format_args!("cannot understand what {what} says"), &error)
        })
    }

    /// The image called `name` as an archive of `docker save`.
    pub(crate) fn save(&self, name: &str) -> Result<impl Read + use<>> {
        let url = self.url(&format!("/images/get?names={}", escaped(name, b"")));
        let answer = self.answered(self.agent.get(url).call())?;
        Ok(answer.into_body().into_reader())
    }
}

fn configured() -> ureq::config::Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(10)))
        // Never through a proxy: it is this machine's.
        .proxy(None)
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// A name as a part of an address (RFC 3986), `free` left as it is.
fn escaped(name: &str, free: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for &byte in name.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || free.contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Connects to a unix socket, whatever the address says.
#[derive(Debug)]
struct Socket(PathBuf);

impl Connector for Socket {
    type Out = Stream;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> std::result::Result<Option<Stream>, ureq::Error> {
        let (input, output) = (
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Stream {
            stream: UnixStream::connect(&self.0)?,
            buffers: LazyBuffers::new(input, output),
        }))
    }
}

/// There is nothing to look up; the client wants one address all the same.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(([127, 0, 0, 1], 80).into());
        Ok(addresses)
    }
}

/// A connection to a unix socket.
struct Stream {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.stream.fmt(f)
    }
}

impl Transport for Stream {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(
        &mut self,
        amount: usize,
        timeout: NextTimeout,
    ) -> std::result::Result<(), ureq::Error> {
        let limit = timeout.not_zero().map(|limit| *limit);
        self.stream.set_write_timeout(limit)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream
            .write_all(output)
            .map_err(|error| timed_out(error, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> std::result::Result<bool, ureq::Error> {
        let limit = timeout.not_zero().map(|limit| *limit);
        self.stream.set_read_timeout(limit)?;
        let amount = loop {
            match self.stream.read(self.buffers.input_append_buf()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(|error| timed_out(error, &timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // A connection is used once: requests are few and far between.
        false
    }
}

fn timed_out(error: io::Error, timeout: &NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_for_an_address() {
        assert_eq!(escaped("a/b:1@c d%", b"/:@"), "a/b:1@c%20d%25");
        assert_eq!(escaped("a/b:1", b""), "a%2Fb%3A1");
    }

    #[test]
    fn only_addresses_that_are_understood_are_used() {
        let at = |host: &str| Engine::at(Kind::Docker, host).map(|engine| engine.base);
        assert_eq!(at("unix:///x/y.sock").unwrap(), "http://localhost");
        assert_eq!(
            at("tcp://127.0.0.1:2375/").unwrap(),
            "http://127.0.0.1:2375"
        );
        for host in ["ssh://me@host", "npipe:////./pipe/docker", "/var/run/x"] {
            assert!(at(host).is_err(), "{host}");
        }
    }
}
