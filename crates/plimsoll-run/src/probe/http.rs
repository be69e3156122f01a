//! `http:`: one GET request, answered by status, headers and body.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use plimsoll_model::answer::Outcome;
use ureq::config::{AutoHeaderValue, Config};
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::{Ask, Row, Scene};

pub(super) static PROBE: Row = Row {
    id: "http",
    help: "http:/PATH or http://:PORT/PATH, a GET request to the first exposed port or to PORT; good below status 500",
    parse,
};

/// Bytes of a response's status line and headers.
const HEADER_LIMIT: usize = 64 << 10;
const BUFFER: usize = 64 << 10;

struct Http {
    port: Option<u16>,
    path: String,
}

fn parse(rest: &str) -> Result<Arc<dyn Ask>, String> {
    let (port, path) = match rest.strip_prefix("//:") {
        Some(rest) => {
            let (port, path) = rest.split_once('/').unwrap_or((rest, ""));
            (Some(super::port(port)?), format!("/{path}"))
        }
        None if rest.starts_with("//") => {
            return Err(String::from(
                "a host cannot be named, the probe is asked inside the sandbox; write http://:PORT/PATH",
            ));
        }
        None if rest.starts_with('/') => (None, rest.to_owned()),
        None => return Err(String::from("the path must begin with `/`")),
    };
    let probe = Http { port, path };
    probe
        .uri(80)
        .parse::<Uri>()
        .map_err(|error| format!("the path cannot be asked for: {error}"))?;
    Ok(Arc::new(probe))
}

impl Http {
    fn uri(&self, port: u16) -> String {
        format!("http://127.0.0.1:{port}{}", self.path)
    }
}

impl Ask for Http {
    fn port(&self) -> Option<u16> {
        self.port
    }

    fn ask(&self, scene: &Scene<'_>, deadline: Instant) -> Outcome {
        let port = self.port.or(scene.port).unwrap_or(80);
        let stream = match scene.network.connect(port, super::left(deadline)) {
            Ok(stream) => stream,
            Err(error) => return Outcome::None(format!("port {port}: {error}")),
        };
        request(&self.uri(port), stream, deadline, scene.output)
            .unwrap_or_else(|error| Outcome::None(format!("port {port}: {error}")))
    }
}

/// Nothing is followed, unpacked or judged here: the answer is compared as it came.
fn request(
    uri: &str,
    stream: TcpStream,
    deadline: Instant,
    limit: u64,
) -> Result<Outcome, ureq::Error> {
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent("plimsoll")
        .accept_encoding(AutoHeaderValue::None)
        .max_response_header_size(HEADER_LIMIT)
        .timeout_global(Some(super::left(deadline)))
        .build();
    let connector = Connected(Mutex::new(Some(stream)));
    let agent = ureq::Agent::with_parts(config, connector, Nowhere);
    let mut response = agent.get(uri).header("connection", "close").call()?;
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers
            .entry(name.as_str().to_owned())
            .or_default()
            .push(value);
    }
    let status = response.status().as_u16();
    let mut body = Vec::new();
    response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .reader()
        .take(limit + 1)
        .read_to_end(&mut body)?;
    if body.len() as u64 > limit {
        let text = format!("the body has more than the limit of {limit} bytes");
        return Ok(Outcome::None(text));
    }
    Ok(Outcome::Http {
        status,
        headers,
        body,
    })
}

/// Hands out the one connection that was made inside the sandbox.
struct Connected(Mutex<Option<TcpStream>>);

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connected")
    }
}

impl Connector for Connected {
    type Out = Wire;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Wire>, ureq::Error> {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(stream.map(|stream| Wire {
            stream,
            buffers: LazyBuffers::new(BUFFER, BUFFER),
        }))
    }
}

/// The connection as the library reads and writes it.
struct Wire {
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream
            .set_write_timeout(timeout.not_zero().map(|time| *time))?;
        let output = &self.buffers.output()[..amount];
        self.stream
            .write_all(output)
            .map_err(|error| late(error, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream
            .set_read_timeout(timeout.not_zero().map(|time| *time))?;
        let input = self.buffers.input_append_buf();
        let amount = self
            .stream
            .read(input)
            .map_err(|error| late(error, &timeout))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // One request, one connection: it is never taken up again.
        false
    }
}

/// A socket says "would block" when its time is over.
fn late(error: io::Error, timeout: &NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}

/// The address is never used; the library wants one.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        Ok(addresses)
    }
}
