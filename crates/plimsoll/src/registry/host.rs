//! One registry, spoken to over HTTP: who we are, where it sends us, and how long it wants us to wait.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use plimsoll_model::Open;
use serde::Deserialize;
use ureq::http::{HeaderMap, Method, Request, Response, Uri};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, SendBody};

use super::challenge;
use super::credentials::{self, Credential};
use super::places::{BUNDLES, Places};

/// Times one request is sent before it is given up.
const TRIES: u32 = 6;
/// The first wait between two tries; each further one is twice as long.
const WAIT: Duration = Duration::from_millis(250);
/// No single wait is longer, whatever the registry asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// Bytes of an answer that is an error or a token.
const MAX_ANSWER: u64 = 1 << 20;

/// A registry that can be asked.
pub(crate) struct Host {
    /// As names of images have it: `docker.io`, `localhost:5000`.
    name: String,
    /// Whether plain HTTP will do.
    plain: bool,
    places: Arc<Places>,
    agent: OnceLock<Agent>,
    /// `http` or `https`, once it is known.
    scheme: OnceLock<&'static str>,
    /// What to say who we are, by scope.
    authority: Mutex<BTreeMap<String, String>>,
}

/// What is sent.
pub(crate) enum Payload<'a> {
    /// Nothing.
    None,
    /// A document.
    Bytes(&'a [u8]),
    /// A blob, opened anew for each try.
    Blob(&'a dyn Open, u64),
}

/// One question.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// A path (`/v2/...`), or a whole address the registry named.
    pub(crate) address: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) payload: Payload<'a>,
    /// What the right to ask is called: `repository:library/httpd:pull`.
    pub(crate) scope: &'a str,
    /// The repository, for credentials that are for one alone.
    pub(crate) repository: &'a str,
}

/// Why a registry did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody answered; the words are the system's.
    Unreachable(String),
    /// Its certificate was not accepted.
    Certificate(String),
    /// It wants to know who we are, and we do not know, or it does not accept it.
    Denied {
        /// Whether credentials were found.
        known: bool,
        /// Its words.
        why: String,
    },
    /// It has no such thing.
    Missing(String),
    /// Too many requests, also after waiting.
    Busy(String),
    /// Another answer than a good one.
    Status(u16, String),
    /// Something on this machine is in the way: a file with credentials, the cache.
    Local(String),
}

impl Refusal {
    /// Whether another endpoint may do better.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Local(_))
    }
}

impl Host {
    pub(crate) fn new(name: &str, plain: bool, places: Arc<Places>) -> Self {
        Self {
            name: name.to_owned(),
            plain,
            places,
            agent: OnceLock::new(),
            scheme: OnceLock::new(),
            authority: Mutex::default(),
        }
    }

    /// Host and port to connect to.
    fn authority_part(&self) -> &str {
        match self.name.as_str() {
            // Docker Hub's registry has another host than its images' names.
            "docker.io" => "registry-1.docker.io",
            name => name,
        }
    }

    /// Asks, as often as it makes sense; answers the good answer.
    pub(crate) fn ask(&self, ask: &Ask<'_>) -> Result<Response<Body>, Refusal> {
        let mut wait = WAIT;
        let mut authorised = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = self.send(ask);
            let (refusal, pause) = match answer {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    if answer.status().is_success() {
                        return Ok(answer);
                    }
                    if status == 401 && !authorised {
                        authorised = true;
                        tries -= 1;
                        self.authorise(ask, answer.headers())?;
                        continue;
                    }
                    let asked_for = retry_after(answer.headers());
                    let refusal = self.refusal(answer, ask.repository);
                    if !matches!(status, 408 | 429 | 500 | 502 | 503 | 504) {
                        return Err(refusal);
                    }
                    (refusal, asked_for)
                }
                Err(refusal @ Refusal::Unreachable(_)) => (refusal, None),
                Err(refusal) => return Err(refusal),
            };
            // A name that is unknown, or a port nobody listens on, will not change in seconds.
            let hopeless = matches!(&refusal, Refusal::Unreachable(why) if is_hopeless(why));
            if tries == TRIES || hopeless || pause.is_some_and(|pause| pause > LONGEST_WAIT) {
                return Err(refusal);
            }
            std::thread::sleep(pause.unwrap_or(wait));
            wait *= 2;
        }
    }

    /// Sends once, and follows where it is sent on.
    fn send(&self, ask: &Ask<'_>) -> Result<Response<Body>, Refusal> {
        let base = self.base()?;
        let mut address = match ask.address.starts_with('/') {
            true => format!("{base}{}", ask.address),
            false => ask.address.clone(),
        };
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.send_to(ask, &address, &base)?;
            if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let named = header(answer.headers(), "location");
            let next = named.and_then(|named| join(&address, named));
            let Some(next) = next else {
                let why = "it redirects to nowhere".to_owned();
                return Err(Refusal::Status(answer.status().as_u16(), why));
            };
            if address.starts_with("https://") && next.starts_with("http://") {
                let why = "it redirects from https to http".to_owned();
                return Err(Refusal::Status(answer.status().as_u16(), why));
            }
            address = next;
        }
        Err(Refusal::Status(310, "it redirects in circles".to_owned()))
    }

    fn send_to(&self, ask: &Ask<'_>, address: &str, base: &str) -> Result<Response<Body>, Refusal> {
        let mut request = Request::builder().method(ask.method.clone()).uri(address);
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        // Only the registry itself is told who we are, never a host it redirects to.
        let is_registry = address
            .strip_prefix(base)
            .is_some_and(|rest| rest.starts_with(['/', '?']));
        if is_registry && let Some(words) = self.authority().get(ask.scope) {
            request = request.header("authorization", words);
        }
        let local = |error: &dyn std::fmt::Display| Refusal::Local(error.to_string());
        let agent = self.agent()?;
        let sent = match &ask.payload {
            Payload::None => agent.run(request.body(()).map_err(|error| local(&error))?),
            Payload::Bytes(bytes) => {
                agent.run(request.body(*bytes).map_err(|error| local(&error))?)
            }
            Payload::Blob(blob, size) => {
                let mut reader = blob.open().map_err(|error| local(&error))?;
                let request = request
                    .header("content-length", size.to_string())
                    .body(SendBody::from_reader(&mut reader));
                agent.run(request.map_err(|error| local(&error))?)
            }
        };
        sent.map_err(|error| refused(&error))
    }

    fn authority(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.authority
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds out how to say who we are, by what the registry demands.
    fn authorise(&self, ask: &Ask<'_>, headers: &HeaderMap) -> Result<(), Refusal> {
        self.authority().remove(ask.scope);
        let demands: Vec<challenge::Challenge> = headers
            .get_all("www-authenticate")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(challenge::parse)
            .collect();
        let credential = credentials::find(&self.places.credentials, &self.name, ask.repository)
            .map_err(Refusal::Local)?;
        let bearer = demands.iter().find(|demand| demand.scheme == "bearer");
        let words = match (bearer, &credential) {
            (Some(demand), _) => self.token(ask, demand, credential.as_ref())?,
            (None, Some(credential)) if demands.iter().any(|demand| demand.scheme == "basic") => {
                match credential.basic() {
                    Some(words) => words,
                    None => {
                        let why = "it wants a password, and only a token is known".to_owned();
                        return Err(Refusal::Denied { known: true, why });
                    }
                }
            }
            (None, known) => {
                let why = "it wants to know who asks".to_owned();
                let known = known.is_some();
                return Err(Refusal::Denied { known, why });
            }
        };
        self.authority().insert(ask.scope.to_owned(), words);
        Ok(())
    }

    /// Fetches a token (distribution project, `spec/auth/token.md` and `oauth.md`).
    fn token(
        &self,
        ask: &Ask<'_>,
        demand: &challenge::Challenge,
        credential: Option<&Credential>,
    ) -> Result<String, Refusal> {
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
        }
        let known = credential.is_some();
        let denied = |why: &str| Refusal::Denied {
            known,
            why: why.to_owned(),
        };
        let realm = demand.parameters.get("realm");
        let realm = realm.ok_or_else(|| denied("its demand names no authority"))?;
        // Whoever can change an answer over plain HTTP could have our password sent to himself.
        let base = self.base()?;
        let is_plain = realm.starts_with("http://") && base.starts_with("http://");
        if !(is_plain || realm.starts_with("https://")) {
            return Err(denied("its authority is not reached by https"));
        }
        let service = demand.parameters.get("service").map_or("", String::as_str);
        let mut scopes: Vec<&str> = ask.scope.split(' ').collect();
        let demanded = demand.parameters.get("scope").map_or("", String::as_str);
        for scope in demanded.split(' ').filter(|scope| !scope.is_empty()) {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        let agent = self.agent()?;
        let answer = match credential {
            Some(Credential::Identity(token)) => {
                let scope = scopes.join(" ");
                agent.post(realm).send_form([
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token),
                    ("service", service),
                    ("client_id", "plimsoll"),
                    ("scope", &scope),
                ])
            }
            other => {
                let mut request = agent.get(realm);
                if !service.is_empty() {
                    request = request.query("service", service);
                }
                for scope in scopes {
                    request = request.query("scope", scope);
                }
                if let Some(words) = other.and_then(Credential::basic) {
                    request = request.header("authorization", words);
                }
                request.call()
            }
        };
        let answer = answer.map_err(|error| refused(&error))?;
        let status = answer.status();
        if !status.is_success() {
            let why = format!("its authority answers {}", words(answer));
            return Err(match status.as_u16() {
                401 | 403 => Refusal::Denied { known, why },
                429 => Refusal::Busy(why),
                status => Refusal::Status(status, why),
            });
        }
        let answer: Answer =
            serde_json::from_reader(answer.into_body().into_reader().take(MAX_ANSWER))
                .map_err(|_| denied("its authority answers with no token"))?;
        let token = answer.token.or(answer.access_token);
        let token = token
            .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        token
            .map(|token| format!("Bearer {token}"))
            .ok_or_else(|| denied("its authority answers with no token"))
    }

    fn refusal(&self, answer: Response<Body>, repository: &str) -> Refusal {
        let status = answer.status().as_u16();
        let why = words(answer);
        match status {
            401 | 403 => Refusal::Denied {
                known: credentials::find(&self.places.credentials, &self.name, repository)
                    .is_ok_and(|found| found.is_some()),
                why,
            },
            404 => Refusal::Missing(why),
            429 => Refusal::Busy(why),
            status => Refusal::Status(status, why),
        }
    }

    /// `https://host`, or `http://host` where that will do.
    pub(crate) fn base(&self) -> Result<String, Refusal> {
        let scheme = match self.scheme.get() {
            Some(scheme) => scheme,
            None => {
                let scheme = self.find_scheme()?;
                self.scheme.get_or_init(|| scheme)
            }
        };
        Ok(format!("{scheme}://{}", self.authority_part()))
    }

    fn find_scheme(&self) -> Result<&'static str, Refusal> {
        let order = match (plimsoll_image::is_loopback(&self.name), self.plain) {
            (true, _) => ["http", "https"],
            (false, true) => ["https", "http"],
            (false, false) => return Ok("https"),
        };
        let mut first = None;
        for scheme in order {
            let address = format!("{scheme}://{}/v2/", self.authority_part());
            match self.agent()?.get(&address).call() {
                // "client sent an HTTP request to an HTTPS server"
                Ok(answer) if answer.status() == 400 => {}
                Ok(_) => return Ok(scheme),
                Err(error) => {
                    first.get_or_insert_with(|| refused(&error));
                }
            }
        }
        let nobody = || Refusal::Unreachable("it speaks neither HTTP nor HTTPS".to_owned());
        Err(first.unwrap_or_else(nobody))
    }

    fn agent(&self) -> Result<&Agent, Refusal> {
        if let Some(agent) = self.agent.get() {
            return Ok(agent);
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(120)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .timeout_per_write(Some(Duration::from_secs(60)))
            .max_idle_connections_per_host(8)
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
            .tls_config(self.tls().map_err(Refusal::Local)?)
            .build()
            .new_agent();
        Ok(self.agent.get_or_init(|| agent))
    }

    /// Which authorities are believed, and the certificate we show: what the user chose
    /// (`SSL_CERT_FILE`), else the machine's bundle, else the one compiled in; and beside them what
    /// lies in the directories for this registry.
    fn tls(&self) -> Result<TlsConfig, String> {
        let mut authorities = Vec::new();
        for file in &self.places.authorities {
            authorities.extend(certificates(file)?);
        }
        let (mut own, mut client) = (Vec::new(), None);
        for directory in &self.places.certificates {
            let directory = directory.join(&self.name);
            for file in files_in(&directory, "crt") {
                own.extend(certificates(&file)?);
            }
            if let Some(file) = files_in(&directory, "cert").first() {
                client = Some(ClientCert::new_with_certs(
                    &certificates(file)?,
                    key(&file.with_extension("key"))?,
                ));
            }
        }
        if authorities.is_empty()
            && let Some(bundle) = BUNDLES.iter().find(|bundle| Path::new(bundle).is_file())
        {
            authorities = certificates(Path::new(bundle))?;
        }
        authorities.extend(own);
        let roots = match authorities.is_empty() {
            true => RootCerts::WebPki,
            false => RootCerts::new_with_certs(&authorities),
        };
        Ok(TlsConfig::builder()
            .root_certs(roots)
            .client_cert(client)
            .build())
    }
}

fn files_in(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn pem(path: &Path) -> Result<Vec<PemItem<'static>>, String> {
    let failed = |why: &dyn std::fmt::Display| format!("cannot read {}: {why}", path.display());
    let bytes = fs::read(path).map_err(|error| failed(&error))?;
    let items: Result<Vec<_>, _> = parse_pem(&bytes).collect();
    items.map_err(|error| failed(&error))
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let found = pem(path)?.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    Ok(found.collect())
}

fn key(path: &Path) -> Result<PrivateKey<'static>, String> {
    let mut found = pem(path)?.into_iter().filter_map(|item| match item {
        PemItem::PrivateKey(key) => Some(key),
        _ => None,
    });
    found
        .next()
        .ok_or_else(|| format!("there is no private key in {}", path.display()))
}

fn refused(error: &ureq::Error) -> Refusal {
    match error {
        ureq::Error::Rustls(error) => Refusal::Certificate(error.to_string()),
        // rustls' errors come wrapped in those of the socket, too.
        ureq::Error::Io(error) if error.to_string().contains("certificate") => {
            Refusal::Certificate(error.to_string())
        }
        error => Refusal::Unreachable(error.to_string()),
    }
}

fn is_hopeless(why: &str) -> bool {
    ["refused", "not found", "host", "unreachable", "proxy"]
        .iter()
        .any(|word| why.to_ascii_lowercase().contains(word))
}

/// What an answer that is no good one says (OCI distribution specification, "Error Codes").
fn words(answer: Response<Body>) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Said>,
    }
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let status = answer.status();
    let wait = retry_after(answer.headers());
    let mut bytes = Vec::new();
    let _ = answer
        .into_body()
        .into_reader()
        .take(MAX_ANSWER)
        .read_to_end(&mut bytes);
    let mut text = status.to_string();
    if let Ok(errors) = serde_json::from_slice::<Errors>(&bytes) {
        for said in errors.errors.iter().take(3) {
            let message: String = said.message.chars().take(200).collect();
            text.push_str(&format!(": {message} ({})", said.code));
        }
    }
    if let Some(wait) = wait {
        text.push_str(&format!(", to be asked again in {} s", wait.as_secs()));
    }
    text
}

/// How long the registry wants us to wait (RFC 9110, 10.2.3): seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = header(headers, "retry-after")?;
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let until = SystemTime::from(date.timestamp());
    Some(
        until
            .duration_since(SystemTime::now())
            .unwrap_or(Duration::ZERO),
    )
}

/// A header's value as text.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The address `named` means seen from `from`.
pub(crate) fn join(from: &str, named: &str) -> Option<String> {
    if named.starts_with("http://") || named.starts_with("https://") {
        return Some(named.to_owned());
    }
    let from: Uri = from.parse().ok()?;
    let (scheme, authority) = (from.scheme_str()?, from.authority()?);
    if let Some(rest) = named.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    if named.starts_with('/') {
        return Some(format!("{scheme}://{authority}{named}"));
    }
    let above = from.path().rsplit_once('/').map_or("", |(above, _)| above);
    Some(format!("{scheme}://{authority}{above}/{named}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined_as_browsers_do() {
        let from = "http://127.0.0.1:5000/v2/a/blobs/uploads/?x=1";
        for (named, joined) in [
            ("http://h/x", "http://h/x"),
            ("/v2/y?z", "http://127.0.0.1:5000/v2/y?z"),
            ("//h/x", "http://h/x"),
            ("u1", "http://127.0.0.1:5000/v2/a/blobs/uploads/u1"),
        ] {
            assert_eq!(join(from, named).as_deref(), Some(joined));
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
    }
}
