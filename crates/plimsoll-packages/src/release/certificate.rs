//! Which keys of a certificate are bound to it, for how long, and whether they may sign: RFC 9580,
//! section 10.1.
//!
//! Designated revokers are not asked: a revocation counts when the key itself made it.

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::packet::{Signature, SignatureType, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails, PublicParams, Tag};

use super::openpgp::{end, time_of, weak};
use super::{CLOCK_SKEW, Rejection};

/// Shortest RSA key that is believed, in bits: what apt takes.
const MIN_RSA_BITS: u32 = 2048;

/// What a certificate says about its primary key.
pub(super) struct Primary {
    /// It may sign data, not keys alone.
    pub(super) may_sign: bool,
}

/// Whether the primary key may vouch for anything at the time `made`.
pub(super) fn judge_primary(
    certificate: &SignedPublicKey,
    made: i64,
    now: i64,
) -> Result<Primary, Rejection> {
    let primary = &certificate.primary_key;
    let details = &certificate.details;
    judge_key(primary, made)?;
    // Whatever the reason given, and whenever it was made: a revoked key vouches for nothing.
    // The digest does not matter here, because believing a revocation is the safe side.
    let revoked = details.revocation_signatures.iter().any(|revocation| {
        revocation.typ() == Some(SignatureType::KeyRevocation)
            && revocation.verify_key(primary).is_ok()
    });
    if revoked {
        return Err(Rejection::KeyRevoked);
    }
    // The newest of the key's statements about itself counts: those on the key as such, and those
    // on its user ids.
    let mut newest: Option<&Signature> = None;
    let mut weak_digest = None;
    let direct = details.direct_signatures.iter().filter(|statement| {
        statement.typ() == Some(SignatureType::Key) && statement.verify_key(primary).is_ok()
    });
    let on_users = details.users.iter().flat_map(|user| {
        let verified = |statement: &&Signature| {
            statement
                .verify_certification(primary, Tag::UserId, &user.id)
                .is_ok()
        };
        let revoked = user
            .signatures
            .iter()
            .filter(|statement| statement.typ() == Some(SignatureType::CertRevocation))
            .any(|statement| verified(&statement));
        user.signatures
            .iter()
            .filter(move |_| !revoked)
            .filter(|statement| statement.typ() != Some(SignatureType::CertRevocation))
            .filter(verified)
    });
    for statement in direct.chain(on_users) {
        if let Some(name) = statement.hash_alg().and_then(weak) {
            weak_digest = Some(name);
            continue;
        }
        let Some(time) = time_of(statement).filter(|&time| time <= now.saturating_add(CLOCK_SKEW))
        else {
            continue;
        };
        if newest.and_then(time_of).is_none_or(|newest| time >= newest) {
            newest = Some(statement);
        }
    }
    let Some(statement) = newest else {
        return Err(match weak_digest {
            Some(name) => Rejection::KeyUnfit(format!("its own signature uses the digest {name}")),
            None => Rejection::KeyUnfit("it has no signature of its own".to_owned()),
        });
    };
    judge_lifetime(primary, statement, made)?;
    Ok(Primary {
        // A key that says nothing about its use is a primary key of the old kind, which may sign.
        may_sign: !has_flags(statement) || statement.key_flags().sign(),
    })
}

/// Whether the subkey is bound to its certificate and may sign at the time `made`.
pub(super) fn judge_subkey(
    certificate: &SignedPublicKey,
    subkey: &SignedPublicSubKey,
    made: i64,
    now: i64,
) -> Result<(), Rejection> {
    let primary = &certificate.primary_key;
    let unfit = |why: &str| Rejection::KeyUnfit(why.to_owned());
    judge_key(&subkey.key, made)?;
    let mut newest: Option<&Signature> = None;
    for statement in &subkey.signatures {
        if statement
            .verify_subkey_binding(primary, &subkey.key)
            .is_err()
        {
            continue;
        }
        if statement.typ() == Some(SignatureType::SubkeyRevocation) {
            return Err(Rejection::KeyRevoked);
        }
        let strong = statement.hash_alg().and_then(weak).is_none();
        let Some(time) =
            time_of(statement).filter(|&time| strong && time <= now.saturating_add(CLOCK_SKEW))
        else {
            continue;
        };
        if newest.and_then(time_of).is_none_or(|newest| time >= newest) {
            newest = Some(statement);
        }
    }
    let statement = newest.ok_or_else(|| unfit("nothing binds it to its certificate"))?;
    judge_lifetime(&subkey.key, statement, made)?;
    if !statement.key_flags().sign() {
        return Err(unfit("it may not sign"));
    }
    // RFC 9580 5.2.3.34: a signing subkey says itself that it belongs to the primary key, so that
    // nobody can adopt the subkey of another.
    let back = statement
        .embedded_signature()
        .ok_or_else(|| unfit("it does not say itself that it belongs to its certificate"))?;
    let strong = back.hash_alg().and_then(weak).is_none();
    if !strong
        || back
            .verify_primary_key_binding(&subkey.key, primary)
            .is_err()
    {
        return Err(unfit("what it says about its certificate is not true"));
    }
    Ok(())
}

/// What the key itself must be.
fn judge_key(key: &impl KeyDetails, made: i64) -> Result<(), Rejection> {
    if i64::from(key.created_at().as_secs()) > made {
        return Err(Rejection::Date(made));
    }
    match key.public_params() {
        PublicParams::RSA(params) => {
            // An OpenPGP number begins with its length in bits; the first one is the modulus.
            let bytes = params.to_bytes().unwrap_or_default();
            let bits = match bytes[..] {
                [high, low, ..] => u32::from(u16::from_be_bytes([high, low])),
                _ => 0,
            };
            if bits < MIN_RSA_BITS {
                return Err(Rejection::WeakKey(bits));
            }
            Ok(())
        }
        PublicParams::DSA(_) => Err(Rejection::KeyUnfit("it is a DSA key".to_owned())),
        _ => Ok(()),
    }
}

/// Whether `statement` gives `key` a lifetime that had ended at the time `made`.
fn judge_lifetime(
    key: &impl KeyDetails,
    statement: &Signature,
    made: i64,
) -> Result<(), Rejection> {
    let created = i64::from(key.created_at().as_secs());
    match end(created, statement.key_expiration_time()) {
        Some(ends) if ends <= made => Err(Rejection::KeyExpired(ends)),
        _ => Ok(()),
    }
}

fn has_flags(signature: &Signature) -> bool {
    signature.config().is_some_and(|config| {
        config
            .hashed_subpackets()
            .any(|subpacket| matches!(subpacket.data, SubpacketData::KeyFlags(_)))
    })
}
