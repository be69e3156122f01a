//! A registry in this process, as good or as bad as a test wants it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// How the registry behaves.
#[derive(Clone, Default)]
pub(crate) struct Manner {
    /// Who may ask, as `user:password`, and whether by a token.
    pub(crate) user: Option<(&'static str, bool)>,
    /// The first answers with a blob end after so many bytes, one for each number.
    pub(crate) breaks: Vec<usize>,
    /// Blobs have their first byte changed.
    pub(crate) corrupt: bool,
    /// The first answers are 429 with these values of Retry-After.
    pub(crate) busy: Vec<&'static str>,
    /// Blobs are to be had from this host.
    pub(crate) elsewhere: Option<String>,
    /// Whether it lists referrers.
    pub(crate) referrers: bool,
}

/// What it holds, and what it was asked.
#[derive(Default)]
struct State {
    manner: Manner,
    blobs: BTreeMap<String, Vec<u8>>,
    /// By repository and target: media type and bytes.
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    /// Which repository has which blob.
    owners: Vec<(String, String)>,
    heard: Vec<String>,
}

/// A registry on a port of its own; it ends when dropped.
pub(crate) struct Server {
    /// Host and port.
    pub(crate) host: String,
    state: Arc<Mutex<State>>,
    over: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State {
            manner,
            ..State::default()
        }));
        let over = Arc::new(AtomicBool::new(false));
        let (shared, ended, own) = (Arc::clone(&state), Arc::clone(&over), host.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten().take(10_000) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (shared, own) = (Arc::clone(&shared), own.clone());
                std::thread::spawn(move || serve(stream, &shared, &own));
            }
        });
        Self { host, state, over }
    }

    /// The requests so far: `METHOD PATH`, with the range and the kind of authorization behind.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.state.lock().unwrap().heard.clone()
    }

    /// How many requests began like that.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        let heard = self.heard();
        heard
            .iter()
            .filter(|line| line.starts_with(beginning))
            .count()
    }

    /// Behaves otherwise from now on, and forgets what it was asked.
    pub(crate) fn become_so(&self, manner: Manner) {
        let mut state = self.state.lock().unwrap();
        state.manner = manner;
        state.heard.clear();
    }

    /// Holds what another one holds.
    pub(crate) fn take_from(&self, other: &Self) {
        let blobs = other.state.lock().unwrap().blobs.clone();
        self.state.lock().unwrap().blobs = blobs;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(&self.host);
    }
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

#[derive(Default)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The connection ends after so many bytes of the body.
    breaks: Option<usize>,
}

fn answer(status: u16) -> Answer {
    Answer {
        status,
        ..Answer::default()
    }
}

impl Answer {
    fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// Many requests over one connection, as the protocol has it.
fn serve(stream: TcpStream, state: &Mutex<State>, own: &str) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    for _ in 0..1000 {
        let Some(request) = read(&mut reader) else {
            return;
        };
        let answer = respond(&request, &mut state.lock().unwrap(), own);
        let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
        let body = match (request.method.as_str(), answer.breaks) {
            ("HEAD", _) => &[],
            (_, Some(breaks)) => &answer.body[..breaks.min(answer.body.len())],
            (_, None) => &answer.body[..],
        };
        if stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body))
            .is_err()
        {
            return;
        }
        if answer.breaks.is_some() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|&count| count > 0)?;
    let mut words = line.split(' ');
    let (method, address) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = address.split_once('?').unwrap_or((&address, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let plain = |text: &str| {
        text.replace("%3A", ":")
            .replace("%2F", "/")
            .replace("%2C", ",")
    };
    Some(Request {
        method,
        path: path.to_owned(),
        query: query
            .map(|(key, value)| (key.to_owned(), plain(value)))
            .collect(),
        headers,
        body,
    })
}

fn respond(request: &Request, state: &mut State, own: &str) -> Answer {
    let header = |name: &str| request.headers.get(name).map_or("", String::as_str);
    let authorization = header("authorization");
    let who = authorization.split(' ').next().unwrap_or_default();
    let words = [request.method.as_str(), &request.path, header("range"), who];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    state.heard.push(words.join(" "));
    if request.path == "/token" {
        return token(request, state, authorization);
    }
    if let Some((user, by_token)) = state.manner.user {
        let expected = match by_token {
            true => "Bearer good".to_owned(),
            false => format!("Basic {}", STANDARD.encode(user)),
        };
        if authorization != expected {
            let demand = match by_token {
                true => format!("Bearer realm=\"http://{own}/token\",service=\"{own}\""),
                false => "Basic realm=\"here\"".to_owned(),
            };
            let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}"#;
            return answer(401).header("www-authenticate", demand).body(body);
        }
    }
    if !state.manner.busy.is_empty() && request.path != "/v2/" {
        let wait = state.manner.busy.remove(0);
        return answer(429).header("retry-after", wait);
    }
    let Some(rest) = request.path.strip_prefix("/v2/") else {
        return answer(404);
    };
    if rest.is_empty() {
        return answer(200);
    }
    let kinds = ["/blobs/uploads/", "/blobs/", "/manifests/", "/referrers/"];
    let found = kinds.iter().find_map(|kind| {
        let (repository, target) = rest.split_once(kind)?;
        Some((*kind, repository.to_owned(), target.to_owned()))
    });
    match found {
        Some(("/blobs/uploads/", repository, _)) => upload(request, state, &repository),
        Some(("/blobs/", repository, digest)) => blob(request, state, &repository, &digest),
        Some(("/manifests/", repository, target)) => manifest(request, state, repository, target),
        Some(("/referrers/", repository, digest)) if state.manner.referrers => {
            referrers(state, &repository, &digest)
        }
        _ => answer(404),
    }
}

fn token(request: &Request, state: &State, authorization: &str) -> Answer {
    let user = state.manner.user.map_or("", |(user, _)| user);
    let known = authorization == format!("Basic {}", STANDARD.encode(user));
    let scope = request.query.get("scope").map_or("", String::as_str);
    if known && scope.starts_with("repository:") {
        return answer(200).body(r#"{"token":"good"}"#);
    }
    answer(200).body(r#"{"token":"anonymous"}"#)
}

fn upload(request: &Request, state: &mut State, repository: &str) -> Answer {
    if request.method == "POST" {
        if let (Some(digest), Some(from)) = (request.query.get("mount"), request.query.get("from"))
            && state.owners.contains(&(from.clone(), digest.clone()))
        {
            state.owners.push((repository.to_owned(), digest.clone()));
            return answer(201);
        }
        return answer(202).header("location", format!("/v2/{repository}/blobs/uploads/u1?x=y"));
    }
    if request.method == "DELETE" {
        return answer(204);
    }
    let Some(digest) = request.query.get("digest") else {
        return answer(400);
    };
    if digest_of(&request.body) != *digest {
        let body = r#"{"errors":[{"code":"DIGEST_INVALID","message":"not what it says"}]}"#;
        return answer(400).body(body);
    }
    state.blobs.insert(digest.clone(), request.body.clone());
    state.owners.push((repository.to_owned(), digest.clone()));
    answer(201)
}

fn blob(request: &Request, state: &mut State, repository: &str, digest: &str) -> Answer {
    let is_here = state
        .owners
        .iter()
        .any(|(owner, found)| owner == repository && found == digest);
    if request.method == "HEAD" {
        return answer(if is_here { 200 } else { 404 });
    }
    if let Some(host) = &state.manner.elsewhere {
        return answer(307).header("location", format!("http://{host}{}", request.path));
    }
    let Some(mut bytes) = state.blobs.get(digest).cloned() else {
        let body = r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"never heard of it"}]}"#;
        return answer(404).body(body);
    };
    if state.manner.corrupt {
        bytes[0] ^= 1;
    }
    let from = request.headers.get("range").and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse::<usize>()
            .ok()
    });
    let breaks = match state.manner.breaks.is_empty() {
        true => None,
        false => Some(state.manner.breaks.remove(0)),
    };
    let found = match from {
        Some(from) => answer(206)
            .header(
                "content-range",
                format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()),
            )
            .body(&bytes[from..]),
        None => answer(200).body(bytes),
    };
    Answer { breaks, ..found }
}

fn manifest(request: &Request, state: &mut State, repository: String, target: String) -> Answer {
    if request.method == "PUT" {
        let digest = digest_of(&request.body);
        let media_type = request
            .headers
            .get("content-type")
            .cloned()
            .unwrap_or_default();
        let stored = (media_type, request.body.clone());
        state
            .manifests
            .insert((repository.clone(), digest), stored.clone());
        state.manifests.insert((repository, target), stored);
        let document: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        return match document["subject"]["digest"].as_str() {
            Some(subject) if state.manner.referrers => answer(201).header("oci-subject", subject),
            _ => answer(201),
        };
    }
    match state.manifests.get(&(repository, target)) {
        Some((media_type, bytes)) => answer(200)
            .header("content-type", media_type)
            .body(bytes.clone()),
        None => {
            answer(404).body(r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such tag"}]}"#)
        }
    }
}

fn referrers(state: &State, repository: &str, digest: &str) -> Answer {
    let mut found = BTreeMap::new();
    for ((owner, _), (media_type, bytes)) in &state.manifests {
        let document: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        if owner == repository && document["subject"]["digest"] == digest {
            let entry = serde_json::json!({
                "mediaType": media_type, "digest": digest_of(bytes), "size": bytes.len(),
                "artifactType": document["artifactType"],
            });
            found.insert(digest_of(bytes), entry);
        }
    }
    let entries: Vec<_> = found.into_values().collect();
    answer(200).body(serde_json::json!({ "schemaVersion": 2, "manifests": entries }).to_string())
}

fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}
