//! `http:` and `https:`: a request, answered by status, headers and body; and a crawl from there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use plimsoll_model::answer::Outcome;
use ureq::config::{AutoHeaderValue, Config};
use ureq::http::{HeaderName, HeaderValue, Method, Request, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{Connector as _, RustlsConnector};

use super::{Ask, Row, Scene, words};
use wire::{Connected, Nowhere};

mod links;
mod wire;

pub(super) static PROBE: Row = Row {
    id: "http",
    help: "http:/PATH or http://:PORT/PATH, a GET request to the first exposed port or to PORT; good below status 500; behind it -X METHOD, -H 'NAME: VALUE', -d BODY, status=CODE, crawl=PAGES",
    page: PAGE,
    parse: |rest| parse("http", rest),
};

pub(super) static TLS: Row = Row {
    id: "https",
    help: "https:/PATH or https://:PORT/PATH, the same over TLS; the certificate is not judged",
    page: PAGE,
    parse: |rest| parse("https", rest),
};

const PAGE: &str = "\
An HTTP request to the running image, whose answer must be the same in the slimmed one: status,
headers and body.

    http:/PATH                  to the first exposed port (80 where none is exposed)
    http://:8080/PATH           to this port
    https:/PATH                 over TLS; whoever signed the certificate is fine

Options stand behind the path, separated by spaces and quoted as in a shell; inside double quotes
`\\r \\n \\t \\\\ \\\" \\xHH` are what they are in C.

    -X POST, method=POST        the method; GET, or POST where there is a body
    -H 'Name: value', header=   a header, as often as needed
    -d TEXT, body=TEXT          a body
    status=201 status=200,204   the answers that are good; without it, all below 500
    crawl=50                    also the pages that links on the same host lead to, 50 at most
    depth=2                     how many links a crawl follows in a row; 5 if not said

    --probe 'http:/login -X POST -H \"Content-Type: application/json\" -d {} status=200'

Redirects are not followed, but a crawl goes where they lead. A crawl follows `href` and `src` in
HTML pages with GET requests: keep it away from links that change what they are about. In a
plimsoll.toml the same is

    [[probe]]
    http = \"/login\"
    port = 8080
    method = \"POST\"
    headers = { Content-Type = \"application/json\" }
    body = \"{}\"
    status = 200
";

/// Bytes of a response's status line and headers.
const HEADER_LIMIT: usize = 64 << 10;
/// Pages of one crawl.
const MOST_PAGES: usize = 1000;
/// How deep a crawl may be asked to go, and how deep it goes where nothing is said.
const MOST_DEPTH: usize = 20;
const USUAL_DEPTH: usize = 5;
/// A crawl keeps this many times what one answer may have.
const CRAWL_FACTOR: u64 = 16;

struct Http {
    scheme: &'static str,
    port: Option<u16>,
    path: String,
    method: Method,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Vec<u8>>,
    /// The statuses that are good; empty for all below 500.
    statuses: BTreeSet<u16>,
    /// How many pages, the first included, and how deep.
    crawl: Option<(usize, usize)>,
}

fn parse(scheme: &'static str, rest: &str) -> Result<Arc<dyn Ask>, String> {
    let (target, options) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (port, path) = match target.strip_prefix("//:") {
        Some(rest) => {
            let (port, path) = rest.split_once('/').unwrap_or((rest, ""));
            (Some(super::port(port)?), format!("/{path}"))
        }
        None if target.starts_with("//") => {
            return Err(format!(
                "a host cannot be named, the probe is asked inside the sandbox; write {scheme}://:PORT/PATH",
            ));
        }
        None if target.starts_with('/') => (None, target.to_owned()),
        None => return Err(String::from("the path must begin with `/`")),
    };
    let mut probe = Http {
        scheme,
        port,
        path,
        method: Method::GET,
        headers: Vec::new(),
        body: None,
        statuses: BTreeSet::new(),
        crawl: None,
    };
    probe
        .uri(80, &probe.path)
        .parse::<Uri>()
        .map_err(|error| format!("the path cannot be asked for: {error}"))?;
    probe.options(&words::split(options)?)?;
    Ok(Arc::new(probe))
}

impl Http {
    fn options(&mut self, words: &[Vec<u8>]) -> Result<(), String> {
        let (mut method, mut depth) = (None, None);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let short = match &**word {
                b"-X" => Some("method"),
                b"-H" => Some("header"),
                b"-d" => Some("body"),
                _ => None,
            };
            let (name, value) = match short {
                Some(name) => {
                    let value = words.next().map(Vec::as_slice);
                    (name, value.ok_or_else(|| format!("the {name} is missing"))?)
                }
                None => words::option(word)?,
            };
            match name {
                "method" => {
                    let found = Method::from_bytes(value)
                        .map_err(|_| String::from("the method is none"))?;
                    method = Some(found);
                }
                "header" => self.headers.push(header(value)?),
                "body" => self.body = Some(value.to_vec()),
                "status" => {
                    for status in value.split(|&byte| byte == b',') {
                        let status = words::number(name, status, 100, 599)?;
                        self.statuses.extend(u16::try_from(status));
                    }
                }
                "crawl" => self.crawl = Some((words::number(name, value, 1, MOST_PAGES)?, 0)),
                "depth" => depth = Some(words::number(name, value, 1, MOST_DEPTH)?),
                other => return Err(format!("`{other}` is no option of it")),
            }
        }
        match &mut self.crawl {
            Some((_, deep)) => *deep = depth.unwrap_or(USUAL_DEPTH),
            None if depth.is_some() => return Err(String::from("depth is for a crawl")),
            None => {}
        }
        let usual = match self.body {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        self.method = method.unwrap_or(usual);
        Ok(())
    }

    fn uri(&self, port: u16, path: &str) -> String {
        format!("{}://127.0.0.1:{port}{path}", self.scheme)
    }

    fn is_good(&self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Http { status, .. } if !self.statuses.is_empty() => {
                self.statuses.contains(status)
            }
            other => other.is_good(),
        }
    }

    /// Asks for a path: the probe's own with all it says, others plainly.
    fn get(&self, scene: &Scene<'_>, port: u16, path: &str, own: bool, until: Instant) -> Outcome {
        let error = |error: &dyn std::fmt::Display| Outcome::None(format!("port {port}: {error}"));
        let stream = match scene.network.connect(port, super::left(until)) {
            Ok(stream) => stream,
            Err(refused) => return error(&refused),
        };
        let mut request = Request::builder()
            .uri(self.uri(port, path))
            .header("connection", "close");
        let mut body = None;
        if own {
            request = request.method(&self.method);
            body = self.body.as_deref();
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = match body {
            Some(body) => request
                .body(body)
                .map_err(ureq::Error::from)
                .and_then(|request| send(request, stream, until, scene.output)),
            None => request
                .body(())
                .map_err(ureq::Error::from)
                .and_then(|request| send(request, stream, until, scene.output)),
        };
        answer.unwrap_or_else(|failed| error(&failed))
    }

    /// Follows the links of the first page, the nearest first.
    fn crawl(
        &self,
        scene: &Scene<'_>,
        port: u16,
        first: Outcome,
        (most, deep): (usize, usize),
        until: Instant,
    ) -> Outcome {
        let mut left = scene.output.saturating_mul(CRAWL_FACTOR);
        let mut known = BTreeSet::from([self.path.clone()]);
        let mut queue = VecDeque::from([(self.path.clone(), 0)]);
        let mut pages = BTreeMap::new();
        let mut first = Some(first);
        while let Some((path, depth)) = queue.pop_front() {
            if Instant::now() >= until {
                return Outcome::None(format!(
                    "the crawl did not end in time: it got {} pages",
                    pages.len()
                ));
            }
            let page = match first.take() {
                Some(first) => first,
                None => self.get(scene, port, &path, false, until),
            };
            if let Outcome::Http { body, .. } = &page {
                let Some(rest) = left.checked_sub(body.len() as u64) else {
                    return Outcome::None(format!(
                        "the crawl has more than {CRAWL_FACTOR} times {} bytes after {} pages; give it fewer with crawl=",
                        scene.output,
                        pages.len()
                    ));
                };
                left = rest;
            }
            let links = if depth < deep {
                leads(&page)
            } else {
                Vec::new()
            };
            for link in links {
                if known.len() >= most {
                    break;
                }
                let path = links::resolve(&path, &link, self.scheme, port);
                if let Some(path) = path.filter(|path| known.insert(path.clone())) {
                    queue.push_back((path, depth + 1));
                }
            }
            pages.insert(path, page);
        }
        Outcome::Pages(pages)
    }
}

/// Where a page leads: its redirect, and the links of an HTML page.
fn leads(page: &Outcome) -> Vec<String> {
    let Outcome::Http { headers, body, .. } = page else {
        return Vec::new();
    };
    let value = |name: &str| headers.get(name).and_then(|values| values.first());
    let mut found: Vec<String> = value("location").cloned().into_iter().collect();
    if value("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html")) {
        found.extend(links::links(body));
    }
    found
}

fn header(line: &[u8]) -> Result<(HeaderName, HeaderValue), String> {
    let shown = || String::from_utf8_lossy(line).into_owned();
    let at = line.iter().position(|&byte| byte == b':');
    let at = at.ok_or_else(|| format!("the header `{}` has no colon", shown()))?;
    let name = HeaderName::from_bytes(line[..at].trim_ascii())
        .map_err(|error| format!("the header `{}`: {error}", shown()))?;
    let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii())
        .map_err(|error| format!("the header `{}`: {error}", shown()))?;
    Ok((name, value))
}

impl Ask for Http {
    fn port(&self) -> Option<u16> {
        self.port
    }

    fn ask(&self, scene: &Scene<'_>, deadline: Instant) -> Outcome {
        let usual = if self.scheme == "https" { 443 } else { 80 };
        let port = self.port.or(scene.port).unwrap_or(usual);
        let first = self.get(scene, port, &self.path, true, deadline);
        match self.crawl {
            Some(crawl) if self.is_good(&first) => self.crawl(scene, port, first, crawl, deadline),
            _ => first,
        }
    }

    fn is_good(&self, outcome: &Outcome) -> bool {
        self.is_good(outcome)
    }
}

/// Nothing is followed, unpacked or judged here: the answer is compared as it came.
fn send(
    request: Request<impl ureq::AsSendBody>,
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
        .allow_non_standard_methods(true)
        .max_response_header_size(HEADER_LIMIT)
        .timeout_global(Some(super::left(deadline)))
        // The server is the one in the sandbox, whatever its certificate says.
        .tls_config(TlsConfig::builder().disable_verification(true).build())
        .build();
    let connector = Connected::new(stream).chain(RustlsConnector::default());
    let agent = ureq::Agent::with_parts(config, connector, Nowhere);
    let mut response = agent.run(request)?;
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
