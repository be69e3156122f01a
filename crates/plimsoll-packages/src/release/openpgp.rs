//! Which certificates vouch for a text: RFC 9580, sections 5.2 and 10.1.
//!
//! The cryptography and the packets are rPGP's. What is decided here is what a signature must look
//! like to be believed; what a key must be is decided in `certificate`.

use std::collections::BTreeSet;

use pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType, SubpacketData};
use pgp::types::KeyDetails;

use super::certificate::{judge_primary, judge_subkey};
use super::{CLOCK_SKEW, Rejected, Rejection, ReleaseError};

/// Most signatures that are looked at; Debian's release files carry three.
const MAX_SIGNATURES: usize = 64;

/// The fingerprints of the certificates with a good signature over `text`, sorted.
pub(super) fn verify(
    text: &[u8],
    signature: &[u8],
    keyrings: &[Vec<u8>],
    now: i64,
) -> Result<Vec<String>, ReleaseError> {
    let signatures = read_signatures(signature)?;
    let (certificates, unreadable) = read_keyrings(keyrings)?;
    let mut good = BTreeSet::new();
    let mut rejected = Vec::new();
    for signature in &signatures {
        match judge(signature, text, &certificates, now) {
            Ok(certificate) => {
                good.insert(fingerprint(certificate));
            }
            Err(why) => rejected.push(Rejected {
                key: issuer(signature),
                why,
            }),
        }
    }
    if !good.is_empty() {
        return Ok(good.into_iter().collect());
    }
    if unreadable > 0 {
        let why = format!("{unreadable} certificates of the keyrings cannot be read");
        rejected.push(Rejected {
            key: String::new(),
            why: Rejection::KeyUnfit(why),
        });
    }
    Err(ReleaseError::Untrusted(rejected))
}

fn fingerprint(key: &impl KeyDetails) -> String {
    format!("{:X}", HexBytes(key.fingerprint().as_bytes()))
}

struct HexBytes<'a>(&'a [u8]);

impl std::fmt::UpperHex for HexBytes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// The key a signature names: its fingerprint if it says so, else its id.
fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(|f| f.as_bytes());
    let id = || {
        signature
            .issuer_key_id()
            .first()
            .map(|id| AsRef::<[u8]>::as_ref(*id))
    };
    let bytes = fingerprint.or_else(id).unwrap_or_default();
    format!("{:X}", HexBytes(bytes))
}

fn read_signatures(bytes: &[u8]) -> Result<Vec<Signature>, ReleaseError> {
    let bad = |why: String| ReleaseError::Signature(why);
    let mut found = Vec::new();
    for block in blocks(bytes, b"-----BEGIN PGP SIGNATURE-----") {
        let (signatures, _) =
            DetachedSignature::from_reader_many(block).map_err(|error| bad(error.to_string()))?;
        for signature in signatures {
            found.push(signature.map_err(|error| bad(error.to_string()))?.signature);
            if found.len() > MAX_SIGNATURES {
                return Err(bad(format!("there are more than {MAX_SIGNATURES}")));
            }
        }
    }
    if found.is_empty() {
        return Err(bad("there is none that can be understood".to_owned()));
    }
    Ok(found)
}

/// Every certificate that can be read, and how many cannot.
fn read_keyrings(keyrings: &[Vec<u8>]) -> Result<(Vec<SignedPublicKey>, usize), ReleaseError> {
    let mut certificates = Vec::new();
    let mut unreadable = 0;
    for (index, keyring) in keyrings.iter().enumerate() {
        let bad = |why: String| ReleaseError::Keyring {
            number: index + 1,
            why,
        };
        if keyring.get(8..12) == Some(b"KBXf") {
            let why =
                "a GnuPG keybox, which plimsoll does not read (gpg --export writes a keyring)";
            return Err(bad(why.to_owned()));
        }
        let before = certificates.len();
        for block in blocks(keyring, b"-----BEGIN PGP PUBLIC KEY BLOCK-----") {
            let (keys, _) =
                SignedPublicKey::from_reader_many(block).map_err(|error| bad(error.to_string()))?;
            for key in keys {
                match key {
                    Ok(key) => certificates.push(key),
                    Err(_) => unreadable += 1,
                }
            }
        }
        if certificates.len() == before {
            return Err(bad("no certificate in it can be read".to_owned()));
        }
    }
    Ok((certificates, unreadable))
}

/// The armoured blocks of `bytes`, each from its first line on; all of it if it is not armoured.
fn blocks<'a>(bytes: &'a [u8], begin: &[u8]) -> Vec<&'a [u8]> {
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        return vec![bytes];
    }
    let starts: Vec<usize> = memchr::memmem::find_iter(bytes, begin)
        .take(MAX_SIGNATURES)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| &bytes[start..end])
        .collect()
}

/// The certificate for which `signature` vouches for `text`.
fn judge<'a>(
    signature: &Signature,
    text: &[u8],
    certificates: &'a [SignedPublicKey],
    now: i64,
) -> Result<&'a SignedPublicKey, Rejection> {
    let kind = |why: &str| Rejection::Kind(why.to_owned());
    let config = signature.config().ok_or_else(|| kind("unknown version"))?;
    match config.typ() {
        SignatureType::Text | SignatureType::Binary => {}
        other => return Err(Rejection::Kind(format!("{other:?}"))),
    }
    if let Some(name) = weak(config.hash_alg) {
        return Err(Rejection::WeakDigest(name));
    }
    // RFC 9580 5.2.3.7: who does not understand a critical subpacket must not believe it.
    let critical = config.hashed_subpackets().any(|subpacket| {
        subpacket.is_critical
            && matches!(
                subpacket.data,
                SubpacketData::Other(..)
                    | SubpacketData::Experimental(..)
                    | SubpacketData::Notation(_)
            )
    });
    if critical {
        return Err(kind(
            "it has a critical part that plimsoll does not understand",
        ));
    }
    let made = config.created().ok_or_else(|| kind("without a time"))?;
    let made = i64::from(made.as_secs());
    if made > now.saturating_add(CLOCK_SKEW) {
        return Err(Rejection::Date(made));
    }
    if let Some(ends) = end(made, signature.signature_expiration_time())
        && ends <= now
    {
        return Err(Rejection::Expired(ends));
    }
    // A key may be in several keyrings, an old copy in one of them: the first good one counts.
    let mut why = Rejection::UnknownKey;
    for certificate in certificates {
        match judge_with(signature, text, certificate, made, now) {
            Ok(true) => return Ok(certificate),
            Ok(false) => {}
            Err(rejection) => why = rejection,
        }
    }
    Err(why)
}

/// Whether a key of `certificate` made `signature` over `text` at the time `made`, and may vouch
/// for it. `false` if the signature names none of its keys.
fn judge_with(
    signature: &Signature,
    text: &[u8],
    certificate: &SignedPublicKey,
    made: i64,
    now: i64,
) -> Result<bool, Rejection> {
    let primary = &certificate.primary_key;
    if names(signature, primary) {
        let owner = judge_primary(certificate, made, now)?;
        if !owner.may_sign {
            return Err(Rejection::KeyUnfit("it may not sign".to_owned()));
        }
        signature
            .verify(primary, text)
            .map_err(|_| Rejection::Mismatch)?;
        return Ok(true);
    }
    for subkey in &certificate.public_subkeys {
        if names(signature, &subkey.key) {
            judge_primary(certificate, made, now)?;
            judge_subkey(certificate, subkey, made, now)?;
            signature
                .verify(&subkey.key, text)
                .map_err(|_| Rejection::Mismatch)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether `signature` says that `key` made it; one that names nobody could be anybody's, and is
/// not looked into: every tool names the key.
fn names(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if fingerprints.is_empty() {
        let id = key.legacy_key_id();
        signature.issuer_key_id().iter().any(|&named| *named == id)
    } else {
        let fingerprint = key.fingerprint();
        fingerprints.iter().any(|&named| *named == fingerprint)
    }
}

/// When something that begins then and lasts so long ends; a length of 0 means for ever.
pub(super) fn end(begin: i64, length: Option<pgp::types::Duration>) -> Option<i64> {
    let seconds = length?.as_secs();
    (seconds > 0).then(|| begin + i64::from(seconds))
}

pub(super) fn time_of(signature: &Signature) -> Option<i64> {
    signature.created().map(|time| i64::from(time.as_secs()))
}

/// The name of a digest for which collisions are known, or of one nobody knows.
pub(super) fn weak(algorithm: HashAlgorithm) -> Option<String> {
    match algorithm {
        HashAlgorithm::Sha224
        | HashAlgorithm::Sha256
        | HashAlgorithm::Sha384
        | HashAlgorithm::Sha512
        | HashAlgorithm::Sha3_256
        | HashAlgorithm::Sha3_512 => None,
        other => Some(other.to_string()),
    }
}
