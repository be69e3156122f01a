//! Registries (OCI distribution specification): pulled from, mirrors first, and pushed to.
//!
//! The HTTP is ureq's, which the binary has anyway; ARCHITECTURE.md says why no crate for the whole
//! protocol is used.

mod cache;
mod challenge;
mod credentials;
mod host;
mod places;
mod referrers;
mod rules;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_image::{
    ContainerStorage, Engine, Error, Pushed, Reference, Remotes, Repository, Wanted,
};
use plimsoll_model::{Digest, Open};
use ureq::http::Method;

use crate::cli::Registry;
use crate::engine;

use cache::{Body, Cache, Failed};
use host::{Ask, Host, Payload, Refusal, header, join};
use places::Places;
pub(crate) use referrers::Referrer;
use rules::Rules;

/// Blobs that are fetched at a time.
const AT_A_TIME: usize = 4;
/// The media types of manifests and indexes that are understood.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The ways to registries and engines.
pub(crate) struct Registries {
    places: Arc<Places>,
    cache: Arc<Cache>,
    settings: Registry,
    /// The machine's rules, read when they are first needed.
    rules: Mutex<Option<Arc<Rules>>>,
    hosts: Mutex<BTreeMap<(String, bool), Arc<Host>>>,
}

impl Registries {
    /// Where Docker Hub says what it knows of its images; `none`: nobody is asked.
    pub(crate) fn hub(&self) -> &str {
        &self.settings.hub
    }

    /// With blobs kept below `cache`.
    pub(crate) fn new(cache: &Path, settings: &Registry) -> Self {
        Self {
            places: Arc::new(Places::of_environment(settings.authfile.clone())),
            cache: Arc::new(Cache::new(cache, settings.cache_size.0)),
            settings: settings.clone(),
            rules: Mutex::default(),
            hosts: Mutex::default(),
        }
    }

    fn rules(&self) -> Result<Arc<Rules>, String> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rules) = &*rules {
            return Ok(Arc::clone(rules));
        }
        let settings = &self.settings;
        let read = Rules::read(
            &self.places,
            &settings.registry_mirrors,
            &settings.plain_http,
        )?;
        Ok(Arc::clone(rules.insert(Arc::new(read))))
    }

    fn host(&self, name: &str, plain: bool) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts
            .entry((name.to_owned(), plain))
            .or_insert_with(|| Arc::new(Host::new(name, plain, Arc::clone(&self.places))));
        Arc::clone(host)
    }

    /// The repository, with everything it can do.
    pub(crate) fn open(&self, reference: &Reference) -> Result<Repo, Error> {
        let refuse = |why: String| Error::Remote {
            what: reference.name(),
            why,
            hint: None,
        };
        let endpoints = self.rules().and_then(|rules| rules.endpoints(reference));
        let endpoints = endpoints.map_err(refuse)?;
        let endpoints = endpoints.into_iter().map(|endpoint| Endpoint {
            host: self.host(endpoint.reference.host(), endpoint.plain),
            repository: endpoint.reference.repository().to_owned(),
            name: endpoint.reference.name(),
        });
        Ok(Repo {
            reference: reference.clone(),
            endpoints: endpoints.collect(),
            cache: Arc::clone(&self.cache),
        })
    }
}

impl Remotes for Registries {
    fn repository(&self, reference: &Reference) -> Result<Arc<dyn Repository>, Error> {
        Ok(Arc::new(self.open(reference)?))
    }

    fn save(&self, engine: Engine, name: &str, out: &mut std::fs::File) -> Result<(), Error> {
        let kind = match engine {
            Engine::Docker => engine::Kind::Docker,
            Engine::Podman => engine::Kind::Podman,
        };
        let failed = |failure: crate::failure::Failure| Error::Remote {
            what: format!("{}:{name}", kind.scheme()),
            why: failure.message().to_owned(),
            hint: failure.advice().map(str::to_owned),
        };
        let engine = engine::Engine::connect(kind).map_err(failed)?;
        let mut archive = engine.save(name).map_err(failed)?;
        std::io::copy(&mut archive, out)
            .map(drop)
            .map_err(|error| Error::Remote {
                what: format!("{}:{name}", kind.scheme()),
                why: format!("its archive breaks off: {error}"),
                hint: None,
            })
    }

    fn container_storage(&self) -> ContainerStorage {
        self.places.storage.place()
    }
}

impl Drop for Registries {
    fn drop(&mut self) {
        // Only who fetched anything may have made it too much.
        if !self
            .hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
        {
            self.cache.tidy();
        }
    }
}

/// A place a repository is asked for at.
struct Endpoint {
    host: Arc<Host>,
    repository: String,
    name: String,
}

impl Endpoint {
    fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.repository)
    }

    fn pull(&self) -> String {
        format!("repository:{}:pull", self.repository)
    }

    fn push(&self) -> String {
        format!("repository:{}:pull,push", self.repository)
    }

    fn get(&self, rest: &str, headers: Vec<(&'static str, String)>) -> Ask<'_> {
        Ask {
            method: Method::GET,
            address: self.path(rest),
            headers,
            payload: Payload::None,
            scope: "",
            repository: &self.repository,
        }
    }
}

/// A repository of a registry, and of its mirrors.
pub(crate) struct Repo {
    reference: Reference,
    /// Mirrors first, the registry itself last.
    endpoints: Vec<Endpoint>,
    cache: Arc<Cache>,
}

impl Repo {
    /// Asks every place in turn; the last, the registry itself, has the last word.
    fn anywhere<T>(
        &self,
        what: &str,
        ask: impl Fn(&Endpoint) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let mut refused = Vec::new();
        for endpoint in &self.endpoints {
            match ask(endpoint) {
                Ok(value) => return Ok(value),
                Err(refusal) => {
                    let stop = refusal.is_final();
                    refused.push((endpoint.name.as_str(), refusal));
                    if stop {
                        break;
                    }
                }
            }
        }
        Err(self.error(what, refused))
    }

    /// The registry itself, which alone is written to.
    fn own(&self) -> Result<&Endpoint, Error> {
        self.endpoints.last().ok_or_else(|| Error::Remote {
            what: self.reference.name(),
            why: "there is no place for it".to_owned(),
            hint: None,
        })
    }

    fn error(&self, what: &str, mut refused: Vec<(&str, Refusal)>) -> Error {
        let Some((name, refusal)) = refused.pop() else {
            return Error::Remote {
                what: what.to_owned(),
                why: "nobody was asked".to_owned(),
                hint: None,
            };
        };
        let host = name.split('/').next().unwrap_or(name);
        let login = |known: bool| match known {
            true => format!("the credentials for {host} may be out of date: docker login {host}"),
            false => format!(
                "a private image needs docker login {host} or podman login {host}, or --authfile FILE; \
                 a public one may be misspelt"
            ),
        };
        let (why, hint) = match refusal {
            Refusal::Missing(why) => (format!("the registry has none ({why})"), None),
            Refusal::Denied { known, why } => (format!("access denied: {why}"), Some(login(known))),
            Refusal::Busy(why) => {
                let hint = "log in for a higher limit, or name a mirror with --registry-mirror";
                (format!("too many requests: {why}"), Some(hint.to_owned()))
            }
            Refusal::Unreachable(why) => {
                let hint = "behind a proxy set HTTPS_PROXY; a copy of Docker Hub is named with \
                            --registry-mirror";
                (format!("cannot reach {host}: {why}"), Some(hint.to_owned()))
            }
            Refusal::Certificate(why) => {
                let hint = format!(
                    "an authority of your own belongs into /etc/docker/certs.d/{host}/ca.crt or \
                     SSL_CERT_FILE; a registry without TLS is named with --plain-http {host}"
                );
                (format!("cannot trust {host}: {why}"), Some(hint))
            }
            Refusal::Status(_, why) => (format!("{host} answers {why}"), None),
            Refusal::Local(why) => (why, None),
        };
        let mirrors: Vec<&str> = refused.iter().map(|(name, _)| *name).collect();
        let why = match mirrors.is_empty() {
            true => why,
            false => format!("{why}; nor was it to be had from {}", mirrors.join(", ")),
        };
        Error::Remote {
            what: what.to_owned(),
            why,
            hint,
        }
    }

    /// One blob, brought here.
    fn blob(&self, wanted: Wanted, on_bytes: &dyn Fn(u64)) -> Result<PathBuf, Error> {
        let what = format!("blob {} of {}", wanted.digest, self.reference.name());
        let fetch = |from: u64| -> Result<Body, Error> {
            self.anywhere(&what, |endpoint| {
                let headers = match from {
                    0 => Vec::new(),
                    from => vec![("range", format!("bytes={from}-"))],
                };
                let scope = endpoint.pull();
                let ask = Ask {
                    scope: &scope,
                    ..endpoint.get(&format!("blobs/{}", wanted.digest), headers)
                };
                let answer = match endpoint.host.ask(&ask) {
                    // It has no such range: from the start, then.
                    Err(Refusal::Status(416, _)) => endpoint.host.ask(&Ask {
                        headers: Vec::new(),
                        ..ask
                    })?,
                    other => other?,
                };
                let range = header(answer.headers(), "content-range");
                let begins = range.and_then(|range| {
                    let range = range.strip_prefix("bytes ")?;
                    range.split('-').next()?.parse::<u64>().ok()
                });
                let from = match answer.status().as_u16() {
                    206 => begins.unwrap_or(from),
                    _ => 0,
                };
                Ok(Body {
                    from,
                    reader: Box::new(answer.into_body().into_reader()),
                })
            })
        };
        self.cache
            .blob(wanted, &fetch, on_bytes)
            .map_err(|failed| match failed {
                Failed::Source(error) => error,
                Failed::Mismatch {
                    property,
                    expected,
                    found,
                } => Error::Mismatch {
                    what: format!("{what}, {property}"),
                    expected,
                    found,
                },
                Failed::Short { at, why } => Error::Remote {
                    what,
                    why: format!(
                        "it breaks off after {at} bytes, however often it is asked for: {why}"
                    ),
                    hint: Some("what is here is kept: the next run goes on from there".to_owned()),
                },
                Failed::Disk(path, source) => Error::Io {
                    what: path.display().to_string(),
                    source,
                },
            })
    }

    /// Whether the registry itself has a blob.
    fn has(&self, endpoint: &Endpoint, digest: &Digest) -> Result<bool, Refusal> {
        let scope = endpoint.push();
        let ask = Ask {
            method: Method::HEAD,
            scope: &scope,
            ..endpoint.get(&format!("blobs/{digest}"), Vec::new())
        };
        match endpoint.host.ask(&ask) {
            Ok(_) => Ok(true),
            Err(Refusal::Missing(_)) => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    fn upload(
        &self,
        endpoint: &Endpoint,
        blob: Wanted,
        body: &dyn Open,
        from: Option<&str>,
    ) -> Result<Pushed, Refusal> {
        if self.has(endpoint, &blob.digest)? {
            return Ok(Pushed::WasThere);
        }
        // The right to read where it is mounted from is asked for together with the right to write.
        let scope = match from {
            Some(from) => format!("{} repository:{from}:pull", endpoint.push()),
            None => endpoint.push(),
        };
        let begin = match from {
            Some(from) => format!("blobs/uploads/?mount={}&from={from}", blob.digest),
            None => "blobs/uploads/".to_owned(),
        };
        let location = match begin_upload(endpoint, &begin, &scope) {
            // Who may not read there may still write here.
            Err(Refusal::Denied { .. }) if from.is_some() => {
                return self.upload(endpoint, blob, body, None);
            }
            other => match other? {
                Begun::Mounted => return Ok(Pushed::Mounted),
                Begun::At(location) => location,
            },
        };
        let separator = if location.contains('?') { '&' } else { '?' };
        let size = blob.size.unwrap_or(0);
        endpoint.host.ask(&Ask {
            method: Method::PUT,
            address: format!("{location}{separator}digest={}", blob.digest),
            headers: vec![("content-type", "application/octet-stream".to_owned())],
            payload: Payload::Blob(body, size),
            scope: &scope,
            repository: &endpoint.repository,
        })?;
        Ok(Pushed::Sent)
    }
}

/// What comes of beginning to send a blob.
enum Begun {
    /// It is there already.
    Mounted,
    /// It is to be sent to this address.
    At(String),
}

/// Asks where to send a blob (OCI distribution specification, "Pushing blobs").
fn begin_upload(endpoint: &Endpoint, begin: &str, scope: &str) -> Result<Begun, Refusal> {
    let ask = Ask {
        method: Method::POST,
        payload: Payload::Bytes(b""),
        scope,
        ..endpoint.get(begin, Vec::new())
    };
    let answer = endpoint.host.ask(&ask)?;
    if answer.status() == 201 {
        return Ok(Begun::Mounted);
    }
    let location = header(answer.headers(), "location").unwrap_or_default();
    let here = format!("{}{}", endpoint.host.base()?, ask.address);
    let location = join(&here, location).filter(|_| !location.is_empty());
    location.map(Begun::At).ok_or_else(|| {
        let why = "it says nowhere to send the blob".to_owned();
        Refusal::Status(answer.status().as_u16(), why)
    })
}

impl Repository for Repo {
    fn name(&self) -> String {
        self.reference.name()
    }

    fn manifest(&self, target: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let separator = if target.contains(':') { '@' } else { ':' };
        let what = format!("{}{separator}{target}", self.reference.name());
        let bytes = self.anywhere(&what, |endpoint| {
            let scope = endpoint.pull();
            let headers = vec![("accept", ACCEPT.to_owned())];
            let answer = endpoint.host.ask(&Ask {
                scope: &scope,
                ..endpoint.get(&format!("manifests/{target}"), headers)
            })?;
            let mut bytes = Vec::new();
            let reader = answer.into_body().into_reader();
            let read = reader.take(limit + 1).read_to_end(&mut bytes);
            read.map_err(|error| Refusal::Unreachable(error.to_string()))?;
            Ok(bytes)
        })?;
        match bytes.len() as u64 > limit {
            false => Ok(bytes),
            true => Err(Error::Limit {
                what,
                name: "document",
                limit,
                unit: "bytes",
            }),
        }
    }

    fn blobs(
        &self,
        wanted: &[Wanted],
        progress: Option<&(dyn Fn(u64, u64) + Sync)>,
    ) -> Result<Vec<PathBuf>, Error> {
        let total = wanted.iter().filter_map(|blob| blob.size).sum();
        let done = AtomicU64::new(0);
        let on_bytes = |count: u64| {
            let done = done.fetch_add(count, Ordering::Relaxed) + count;
            if let Some(progress) = progress {
                progress(done.min(total), total);
            }
        };
        let next = AtomicUsize::new(0);
        let failed = AtomicUsize::new(usize::MAX);
        let results = Mutex::new(Vec::new());
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(blob) = wanted.get(number) else {
                    return;
                };
                // What comes behind one that failed is not worth its bytes.
                if failed.load(Ordering::Relaxed) < number {
                    return;
                }
                let result = self.blob(*blob, &on_bytes);
                if result.is_err() {
                    failed.fetch_min(number, Ordering::Relaxed);
                }
                let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                results.push((number, result));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..AT_A_TIME.min(wanted.len()) {
                scope.spawn(work);
            }
            work();
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(number, _)| *number);
        results.into_iter().map(|(_, result)| result).collect()
    }

    fn may_push(&self) -> Result<(), Error> {
        let endpoint = self.own()?;
        let scope = endpoint.push();
        match begin_upload(endpoint, "blobs/uploads/", &scope) {
            Ok(Begun::Mounted) => Ok(()),
            Ok(Begun::At(address)) => {
                // Taken back; where that is not understood, it ends by itself.
                let _ = endpoint.host.ask(&Ask {
                    method: Method::DELETE,
                    address,
                    scope: &scope,
                    ..endpoint.get("", Vec::new())
                });
                Ok(())
            }
            Err(refusal) => {
                let what = format!("nothing can be pushed to {}", self.reference.name());
                Err(self.error(&what, vec![(&endpoint.name, refusal)]))
            }
        }
    }

    fn push_blob(
        &self,
        blob: Wanted,
        body: &dyn Open,
        from: Option<&str>,
    ) -> Result<Pushed, Error> {
        let what = format!("blob {} for {}", blob.digest, self.reference.name());
        let endpoint = self.own()?;
        let pushed = self.upload(endpoint, blob, body, from);
        pushed.map_err(|refusal| self.error(&what, vec![(&endpoint.name, refusal)]))
    }

    fn push_manifest(&self, target: &str, media_type: &str, bytes: &[u8]) -> Result<(), Error> {
        self.put_manifest(target, media_type, bytes).map(drop)
    }
}

impl Repo {
    /// Stores a manifest; answers whether the registry says that it lists it with what it refers to.
    fn put_manifest(&self, target: &str, media_type: &str, bytes: &[u8]) -> Result<bool, Error> {
        let endpoint = self.own()?;
        let scope = endpoint.push();
        let pushed = endpoint.host.ask(&Ask {
            method: Method::PUT,
            payload: Payload::Bytes(bytes),
            scope: &scope,
            ..endpoint.get(
                &format!("manifests/{target}"),
                vec![("content-type", media_type.to_owned())],
            )
        });
        let what = format!("manifest {target} for {}", self.reference.name());
        pushed
            .map(|answer| header(answer.headers(), "oci-subject").is_some())
            .map_err(|refusal| self.error(&what, vec![(&endpoint.name, refusal)]))
    }
}
