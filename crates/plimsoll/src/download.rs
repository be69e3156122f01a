//! Large documents over a bad line: only if they changed, and from where the last try broke off.
//!
//! What has come is kept in a directory until it is whole, with the validators it came with
//! (`ETag`, `Last-Modified`): RFC 9110, 13.1 (conditional requests) and 14 (ranges).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822;
use plimsoll_model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::fetch::{agent, without_credentials};

/// How often a request is tried, with what has come kept between.
const TRIES: u32 = 4;

/// What a server said of a document when it was fetched: sent back to learn whether it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    /// `ETag`; empty where there was none.
    pub(crate) etag: String,
    /// `Last-Modified`.
    pub(crate) modified: String,
}

/// What came.
pub(crate) enum Got {
    /// It is what was known before.
    Same,
    /// The document, and what to send the next time.
    New(Vec<u8>, Validators),
}

/// Fetches documents.
pub(crate) struct Downloads {
    agent: ureq::Agent,
    /// Whether documents may be packed on the way: then they are not the bytes a sum is of.
    packed: bool,
    /// Where parts are kept.
    directory: PathBuf,
    /// Bytes of documents that have come over the line.
    fetched: Arc<AtomicU64>,
}

impl Downloads {
    /// Which keep parts in this directory.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            agent: agent(),
            packed: false,
            directory,
            fetched: Arc::default(),
        }
    }

    /// The same, whose documents may come packed (gzip) where the server likes.
    pub(crate) fn packed(&self) -> Self {
        Self {
            agent: self.agent.clone(),
            packed: true,
            directory: self.directory.clone(),
            fetched: Arc::clone(&self.fetched),
        }
    }

    /// How many bytes of documents have come over the line, as they were packed.
    pub(crate) fn fetched(&self) -> u64 {
        self.fetched.load(Ordering::Relaxed)
    }

    /// The document at `url`, unless it is the one `known` came with; at most `limit` bytes.
    ///
    /// # Errors
    /// As a sentence that begins with the address.
    pub(crate) fn get(
        &self,
        url: &str,
        known: Option<&Validators>,
        limit: u64,
        on_bytes: &dyn Fn(u64, u64),
    ) -> Result<Got, String> {
        let shown = without_credentials(url);
        let named = |why: String| format!("{shown}: {why}");
        if let Some(path) = url.strip_prefix("file:") {
            let path = format!("/{}", path.trim_start_matches('/'));
            let got = file(Path::new(&path), known, limit);
            return got.map_err(named);
        }
        fs::create_dir_all(&self.directory)
            .map_err(|error| named(format!("cannot keep what comes: {error}")))?;
        let part = Part::of(&self.directory, url);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.attempt(url, known, limit, &part, on_bytes) {
                Ok(got) => return Ok(got),
                Err(Broken::Final(why)) => return Err(named(why)),
                Err(Broken::Again(why, _)) if tries == TRIES => return Err(named(why)),
                Err(Broken::Again(_, wait)) => std::thread::sleep(wait * tries),
            }
        }
    }

    fn attempt(
        &self,
        url: &str,
        known: Option<&Validators>,
        limit: u64,
        part: &Part,
        on_bytes: &dyn Fn(u64, u64),
    ) -> Result<Got, Broken> {
        let coding = if self.packed { "gzip" } else { "identity" };
        let mut request = self.agent.get(url).header("Accept-Encoding", coding);
        let kept = part.kept();
        if let Some((length, validators)) = &kept {
            request = request.header("Range", format!("bytes={length}-"));
            request = request.header("If-Range", validators.strong());
        } else if let Some(known) = known {
            if !known.etag.is_empty() {
                request = request.header("If-None-Match", &known.etag);
            }
            if !known.modified.is_empty() {
                request = request.header("If-Modified-Since", &known.modified);
            }
        }
        let short = Duration::from_millis(300);
        let response = request.call().map_err(|error| match error.to_string() {
            why if why.contains("timeout") => Broken::Again(format!("not reachable: {why}"), short),
            why => Broken::Final(format!("not reachable: {why}")),
        })?;
        let status = response.status().as_u16();
        let header = |name: &str| -> String {
            let value = response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let said = format!("the server answered {status}");
        let start = match status {
            304 if kept.is_none() && known.is_some() => return Ok(Got::Same),
            200 => 0,
            206 => {
                let (length, _) = kept.ok_or_else(|| Broken::Final(said.clone()))?;
                let range = header("content-range");
                if !range.starts_with(&format!("bytes {length}-")) {
                    part.forget();
                    return Err(Broken::Again(
                        format!("{said} with the range {range:?}"),
                        short,
                    ));
                }
                length
            }
            416 => {
                part.forget();
                return Err(Broken::Again(said, Duration::ZERO));
            }
            429 | 500..=599 => {
                let seconds = header("retry-after").parse().unwrap_or(0);
                let wait = Duration::from_secs(u64::min(seconds, 10)).max(short);
                return Err(Broken::Again(said, wait));
            }
            _ => return Err(Broken::Final(said)),
        };
        let validators = Validators {
            etag: header("etag"),
            modified: header("last-modified"),
        };
        let total = header("content-length").parse::<u64>().ok();
        let expected = total.map(|total| start + total);
        if expected.is_some_and(|expected| expected > limit) {
            return Err(Broken::Final(format!("has more than {limit} bytes")));
        }
        let promised = promised(&header);
        let disk = |error: io::Error| Broken::Final(format!("cannot keep what comes: {error}"));
        let mut file = part.open(start, &validators).map_err(disk)?;
        let mut body = response.into_body().into_reader();
        let mut done = start;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    return Err(Broken::Again(
                        cut(done, expected, &error.to_string()),
                        short,
                    ));
                }
            };
            file.write_all(&buffer[..count]).map_err(disk)?;
            done += count as u64;
            self.fetched.fetch_add(count as u64, Ordering::Relaxed);
            if done > limit {
                part.forget();
                return Err(Broken::Final(format!("has more than {limit} bytes")));
            }
            on_bytes(done, expected.unwrap_or(0));
        }
        if expected.is_some_and(|expected| expected != done) {
            return Err(Broken::Again(
                cut(done, expected, "the connection ended"),
                short,
            ));
        }
        drop(file);
        let bytes = fs::read(&part.path).map_err(disk)?;
        part.forget();
        // A digest of a part says nothing of the whole.
        if start == 0
            && let Some((what, wanted)) = promised
        {
            let found = what.of(&bytes);
            if found != wanted {
                let (found, wanted) = (STANDARD.encode(found), STANDARD.encode(wanted));
                let name = what.name();
                return Err(Broken::Final(format!(
                    "has {name} {found}, expected {wanted}"
                )));
            }
        }
        Ok(Got::New(bytes, validators))
    }
}

/// A document of this machine, with what a web server would say of it: its last change and, as `ETag`, that
/// and its size.
fn file(path: &Path, known: Option<&Validators>, limit: u64) -> Result<Got, String> {
    let failed = |error: io::Error| error.to_string();
    let mut file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.len() > limit {
        return Err(format!("has more than {limit} bytes"));
    }
    let changed = metadata.modified().map_err(failed)?;
    let validators = match jiff::Timestamp::try_from(changed) {
        Ok(moment) => Validators {
            etag: format!("\"{moment}-{}\"", metadata.len()),
            modified: rfc2822::DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&moment)
                .unwrap_or_default(),
        },
        Err(_) => Validators::default(),
    };
    if known.is_some_and(|known| *known == validators && !known.etag.is_empty()) {
        return Ok(Got::Same);
    }
    let mut bytes = Vec::new();
    let read = Read::by_ref(&mut file)
        .take(limit + 1)
        .read_to_end(&mut bytes);
    read.map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(format!("has more than {limit} bytes"));
    }
    Ok(Got::New(bytes, validators))
}

fn cut(done: u64, expected: Option<u64>, why: &str) -> String {
    match expected {
        Some(expected) => format!("was cut after {done} of {expected} bytes: {why}"),
        None => format!("was cut after {done} bytes: {why}"),
    }
}

/// Why an attempt came to nothing.
enum Broken {
    Final(String),
    /// Worth another try, after this pause.
    Again(String, Duration),
}

/// The digest a server sends along: RFC 9530, its predecessor, and what storage services send.
fn promised(header: &dyn Fn(&str) -> String) -> Option<(Sum, Vec<u8>)> {
    let decode = |text: &str| STANDARD.decode(text.trim().trim_matches(':')).ok();
    for name in ["repr-digest", "content-digest", "digest"] {
        for value in header(name).split(',') {
            if let Some((algorithm, sum)) = value.trim().split_once('=')
                && algorithm.eq_ignore_ascii_case("sha-256")
            {
                return Some((Sum::Sha256, decode(sum)?));
            }
        }
    }
    let stored = header("x-goog-hash");
    let md5 = stored
        .split(',')
        .find_map(|value| value.trim().strip_prefix("md5="));
    Some((Sum::Md5, decode(md5?)?))
}

#[derive(Debug, Clone, Copy)]
enum Sum {
    Sha256,
    /// No protection from an attacker, but from a cut line.
    Md5,
}

impl Sum {
    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Md5 => {
                use md5::Digest as _;
                md5::Md5::digest(bytes).to_vec()
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Md5 => "md5",
        }
    }
}

impl Validators {
    /// What a range may be asked for by: a weak tag is no promise of equal bytes.
    fn strong(&self) -> &str {
        if self.etag.is_empty() || self.etag.starts_with("W/") {
            &self.modified
        } else {
            &self.etag
        }
    }
}

/// The part of a document that has come, and a file with what it came with.
struct Part {
    path: PathBuf,
    notes: PathBuf,
}

impl Part {
    fn of(directory: &Path, url: &str) -> Self {
        let name = Digest::from_bytes(Sha256::digest(url).into()).short();
        Self {
            path: directory.join(format!("{name}.part")),
            notes: directory.join(format!("{name}.json")),
        }
    }

    /// How much there is, if it can be asked to be continued.
    fn kept(&self) -> Option<(u64, Validators)> {
        let notes: Validators = serde_json::from_slice(&fs::read(&self.notes).ok()?).ok()?;
        let length = fs::metadata(&self.path).ok()?.len();
        (length > 0 && !notes.strong().is_empty()).then_some((length, notes))
    }

    /// The file, to be written from `start`.
    fn open(&self, start: u64, validators: &Validators) -> io::Result<File> {
        if start == 0 {
            let notes = serde_json::to_vec(validators)?;
            fs::write(&self.notes, notes)?;
        }
        let mut options = OpenOptions::new();
        options.create(true).write(true);
        if start == 0 {
            options.truncate(true);
        } else {
            options.append(true);
        }
        options.open(&self.path)
    }

    fn forget(&self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(&self.notes);
    }
}
