//! `InRelease`, or `Release` with `Release.gpg`: who vouches for the files of a repository.
//!
//! Source: the Debian repository format (wiki.debian.org/DebianRepository/Format), RFC 9580.
//! What is read is the signed text alone, in the form in which it was signed; whatever stands
//! around it is an error, never content.

mod certificate;
mod cleartext;
mod openpgp;

use std::collections::BTreeMap;

use plimsoll_model::Digest;

use crate::deb822;

/// Most bytes a release file may have. Debian's have 150 kB.
pub const MAX_RELEASE: usize = 16 << 20;

/// A release file whose signature was verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// `Origin`; empty where it does not say, as in the next three.
    pub origin: String,
    /// `Suite`: `stable`.
    pub suite: String,
    /// `Codename`: `bookworm`.
    pub codename: String,
    /// `Label`.
    pub label: String,
    /// `Date`: when it was made, in seconds since 1970.
    pub date: i64,
    /// `Valid-Until`: when it must no longer be believed, in seconds since 1970.
    pub valid_until: Option<i64>,
    /// `Architectures`.
    pub architectures: Vec<String>,
    /// `Components`.
    pub components: Vec<String>,
    /// `Acquire-By-Hash: yes`: index files can be fetched as `by-hash/SHA256/HEX`.
    pub acquire_by_hash: bool,
    /// `SHA256`: every index file by its path below the directory of the release file, with its
    /// digest and its size in bytes.
    pub files: BTreeMap<String, (Digest, u64)>,
    /// The fingerprints of the certificates (primary keys) whose signatures are good, in upper-case
    /// hexadecimal digits, sorted.
    pub signed_by: Vec<String>,
}

/// Why a release file is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// Larger than [`MAX_RELEASE`].
    #[error("the release file has {0} bytes, more than the limit of {MAX_RELEASE}")]
    TooLarge(usize),
    /// No signature at all.
    #[error("the release file is not signed")]
    Unsigned,
    /// The frame of the signed text is broken, or there is text outside of it; why.
    #[error("the signed text cannot be read: {0}")]
    Frame(String),
    /// The signature data cannot be read; why.
    #[error("the signature cannot be read: {0}")]
    Signature(String),
    /// A keyring cannot be read, or holds no key; why.
    #[error("keyring {number}: {why}")]
    Keyring {
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// No signature is good. At least one entry, in the order of the signatures.
    #[error("no signature of the release file can be trusted: {}", list(.0))]
    Untrusted(Vec<Rejected>),
    /// The time the release file gives itself is over.
    #[error("the release file was valid until {}, and now it is {}", time(*until), time(*now))]
    Expired {
        /// `Valid-Until`, in seconds since 1970.
        until: i64,
        /// The time it is, in seconds since 1970.
        now: i64,
    },
    /// The release file was made in the future, by more than a day.
    #[error("the release file was made at {}, but now it is {}", time(*date), time(*now))]
    FromTheFuture {
        /// `Date`.
        date: i64,
        /// The time it is.
        now: i64,
    },
    /// The signed text is no release file; why.
    #[error("the release file cannot be read: {0}")]
    Content(String),
}

/// A signature that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The key it names: fingerprint or key id, in upper-case hexadecimal digits; empty where it
    /// names none.
    pub key: String,
    /// Why.
    pub why: Rejection,
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No keyring has the key.
    #[error("no trusted key of this id")]
    UnknownKey,
    /// The text is not what was signed, or the key is another.
    #[error("the signature does not match the text")]
    Mismatch,
    /// Made with a digest that can be forged; its name.
    #[error("it uses the digest {0}, which can be forged")]
    WeakDigest(String),
    /// The key is too short to be safe; its bits.
    #[error("its RSA key has {0} bits, fewer than 2048")]
    WeakKey(u32),
    /// The key had expired when the signature was made, or has expired since; seconds since 1970.
    #[error("the key expired at {0} (seconds since 1970)")]
    KeyExpired(i64),
    /// The key was revoked.
    #[error("the key is revoked")]
    KeyRevoked,
    /// The key exists but may not sign, or is not bound to its certificate; why.
    #[error("the key cannot vouch for this: {0}")]
    KeyUnfit(String),
    /// The signature itself has expired; seconds since 1970.
    #[error("the signature expired at {0} (seconds since 1970)")]
    Expired(i64),
    /// The signature is from before its key, or from the future; seconds since 1970.
    #[error("the signature is dated {0} (seconds since 1970), which cannot be")]
    Date(i64),
    /// A kind or version of signature that does not vouch for a text, or one we do not know.
    #[error("a signature of a kind that does not count: {0}")]
    Kind(String),
}

fn list(rejected: &[Rejected]) -> String {
    let words: Vec<String> = rejected
        .iter()
        .map(|one| match &*one.key {
            "" => one.why.to_string(),
            key => format!("{key}: {}", one.why),
        })
        .collect();
    words.join("; ")
}

/// Verifies an `InRelease` file and reads it.
///
/// `keyrings` are the trusted certificates, binary or armoured, any number in each; `now` is the
/// time in seconds since 1970. One good signature by a key that is neither expired nor revoked
/// suffices, whatever the others are, as with apt.
///
/// # Errors
/// When there is no such signature, the file has expired, or it is no release file.
pub fn verify_inline(text: &[u8], keyrings: &[Vec<u8>], now: i64) -> Result<Release, ReleaseError> {
    if text.len() > MAX_RELEASE {
        return Err(ReleaseError::TooLarge(text.len()));
    }
    let message = cleartext::read(text)?;
    // RFC 9580 7: whatever its type, the signature is over lines that end with CRLF.
    let signed = message.text.replace('\n', "\r\n");
    let signed_by = openpgp::verify(signed.as_bytes(), message.signature, keyrings, now)?;
    read(&message.text, signed_by, now)
}

/// Verifies a `Release` file with the content of its `Release.gpg`, and reads it; otherwise as
/// [`verify_inline`].
///
/// # Errors
/// As [`verify_inline`].
pub fn verify_detached(
    text: &[u8],
    signature: &[u8],
    keyrings: &[Vec<u8>],
    now: i64,
) -> Result<Release, ReleaseError> {
    let length = text.len().max(signature.len());
    if length > MAX_RELEASE {
        return Err(ReleaseError::TooLarge(length));
    }
    if signature.trim_ascii().is_empty() {
        return Err(ReleaseError::Unsigned);
    }
    let signed_by = openpgp::verify(text, signature, keyrings, now)?;
    let text = std::str::from_utf8(text)
        .map_err(|_| ReleaseError::Content("it is not UTF-8".to_owned()))?;
    read(text, signed_by, now)
}

/// A clock may be wrong by so much before a date counts as the future, in seconds.
const CLOCK_SKEW: i64 = 24 * 60 * 60;

/// Reads the text of a release file.
fn read(text: &str, signed_by: Vec<String>, now: i64) -> Result<Release, ReleaseError> {
    let bad = |why: String| ReleaseError::Content(why);
    if text.replace("\r\n", "\n").contains('\r') {
        // Programs differ in whether that ends a line, so the signer may have meant another text.
        return Err(bad("it has a carriage return inside a line".to_owned()));
    }
    let mut stanzas = deb822::stanzas(text.as_bytes());
    let stanza = match stanzas.next() {
        None => return Err(bad("there is nothing in it".to_owned())),
        Some(Err((line, why))) => return Err(bad(format!("line {line}: {why}"))),
        Some(Ok(stanza)) => stanza,
    };
    if stanzas.next().is_some() {
        return Err(bad("it has more than one stanza".to_owned()));
    }
    let field = |name: &str| stanza.get(name).unwrap_or_default().into_owned();
    let words = |name: &str| {
        field(name)
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let time = |name: &str| match stanza.get(name) {
        None => Ok(None),
        Some(value) => parse_time(&value)
            .map(Some)
            .ok_or_else(|| bad(format!("{name} is not a time: {}", value.escape_debug()))),
    };
    let date = time("Date")?.ok_or_else(|| bad("it has no Date".to_owned()))?;
    let release = Release {
        origin: field("Origin"),
        suite: field("Suite"),
        codename: field("Codename"),
        label: field("Label"),
        date,
        valid_until: time("Valid-Until")?,
        architectures: words("Architectures"),
        components: words("Components"),
        acquire_by_hash: field("Acquire-By-Hash") == "yes",
        files: files(&field("SHA256")).map_err(bad)?,
        signed_by,
    };
    if release.files.is_empty() {
        return Err(bad("it lists no files with SHA-256 digests".to_owned()));
    }
    match release.valid_until {
        Some(until) if until < now => return Err(ReleaseError::Expired { until, now }),
        _ => {}
    }
    if date > now.saturating_add(CLOCK_SKEW) {
        return Err(ReleaseError::FromTheFuture { date, now });
    }
    Ok(release)
}

/// A time for people (RFC 3339).
fn time(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.to_string(),
        Err(_) => format!("{seconds} s since 1970"),
    }
}

/// Seconds since 1970 of `Sat, 10 May 2025 09:01:13 UTC`.
fn parse_time(text: &str) -> Option<i64> {
    // The format wants RFC 2822 with UTC, which that RFC calls an obsolete zone.
    let text = text.trim_ascii();
    let text = match text.strip_suffix("UTC").or_else(|| text.strip_suffix('Z')) {
        Some(rest) => format!("{rest}+0000"),
        None => text.to_owned(),
    };
    let zoned = jiff::fmt::rfc2822::parse(&text).ok()?;
    Some(zoned.timestamp().as_second())
}

/// Lines of `DIGEST SIZE PATH`.
fn files(field: &str) -> Result<BTreeMap<String, (Digest, u64)>, String> {
    let mut files = BTreeMap::new();
    for line in field.lines().filter(|line| !line.trim_ascii().is_empty()) {
        let mut words = line.split_ascii_whitespace();
        let entry = (|| {
            let digest = Digest::from_hex(&words.next()?.to_ascii_lowercase())?;
            let size: u64 = words.next()?.parse().ok()?;
            let path = words.next()?;
            words.next().is_none().then_some((path, digest, size))
        })();
        let Some((path, digest, size)) = entry else {
            return Err(format!(
                "not a digest, size and path: {}",
                line.escape_debug()
            ));
        };
        let climbs = path.split('/').any(|part| part == ".." || part.is_empty());
        if climbs {
            return Err(format!(
                "a path that leads elsewhere: {}",
                path.escape_debug()
            ));
        }
        if let Some(before) = files.insert(path.to_owned(), (digest, size))
            && before != (digest, size)
        {
            return Err(format!("two digests for {}", path.escape_debug()));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
