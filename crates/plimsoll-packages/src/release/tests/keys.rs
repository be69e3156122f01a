//! Keys, certificates and signatures of every sort, made for the tests.

use pgp::composed::{ArmorOptions, KeyType, SignedKeyDetails, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    KeyFlags, PubKeyInner, PublicKey, PublicSubkey, SecretKey, SecretSubkey, Signature,
    SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::ser::Serialize as _;
use pgp::types::{
    Duration, KeyDetails as _, KeyVersion, Password, SignedUser, SigningKey, Tag, Timestamp,
};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// When the keys were made, the texts signed, and the signatures checked.
pub(super) const BORN: u32 = 1_700_000_000;
pub(super) const SIGNED: u32 = 1_780_000_000;
pub(super) const NOW: i64 = 1_780_000_100;

/// What is odd about a certificate; by default nothing.
pub(super) struct Odd {
    pub(super) primary: KeyType,
    pub(super) digest: HashAlgorithm,
    /// Seconds that the primary key and the subkey last; 0 for ever.
    pub(super) lasts: u32,
    pub(super) subkey_lasts: u32,
    pub(super) back_signature: bool,
    pub(super) subkey_may_sign: bool,
    pub(super) revoked: bool,
    pub(super) subkey_revoked: bool,
}

impl Default for Odd {
    fn default() -> Self {
        Self {
            primary: KeyType::Ed25519,
            digest: HashAlgorithm::Sha256,
            lasts: 0,
            subkey_lasts: 0,
            back_signature: true,
            subkey_may_sign: true,
            revoked: false,
            subkey_revoked: false,
        }
    }
}

/// A certificate and its secrets.
pub(super) struct Owner {
    pub(super) primary: SecretKey,
    pub(super) subkey: SecretSubkey,
    pub(super) certificate: SignedPublicKey,
}

/// A signature in the making.
pub(super) fn statement(
    kind: SignatureType,
    by: &impl SigningKey,
    made: u32,
    digest: HashAlgorithm,
    more: Vec<SubpacketData>,
) -> SignatureConfig {
    let mut config = SignatureConfig::v4(kind, by.algorithm(), digest);
    let made = SubpacketData::SignatureCreationTime(Timestamp::from_secs(made));
    let by = SubpacketData::IssuerFingerprint(by.fingerprint());
    config.hashed_subpackets = [made, by]
        .into_iter()
        .chain(more)
        .map(|data| Subpacket::regular(data).unwrap())
        .collect();
    config
}

pub(super) fn inner(kind: &KeyType, seed: u64) -> (PubKeyInner, pgp::types::SecretParams) {
    let (public, secret) = kind.generate(StdRng::seed_from_u64(seed)).unwrap();
    let born = Timestamp::from_secs(BORN);
    let key = PubKeyInner::new(KeyVersion::V4, kind.to_alg(), born, None, public).unwrap();
    (key, secret)
}

impl Owner {
    pub(super) fn new(seed: u64) -> Self {
        Self::odd(seed, &Odd::default())
    }

    pub(super) fn odd(seed: u64, odd: &Odd) -> Self {
        let password = Password::empty();
        let (key, secret) = inner(&odd.primary, seed);
        let public = PublicKey::from_inner(key).unwrap();
        let primary = SecretKey::new(public.clone(), secret).unwrap();
        let (key, secret) = inner(&KeyType::Ed25519, seed + 1000);
        let sub_public = PublicSubkey::from_inner(key).unwrap();
        let subkey = SecretSubkey::new(sub_public.clone(), secret).unwrap();

        let flags = |sign: bool| {
            let mut flags = KeyFlags::default();
            flags.set_certify(true);
            flags.set_sign(sign);
            SubpacketData::KeyFlags(flags)
        };
        let lasts = |seconds| SubpacketData::KeyExpirationTime(Duration::from_secs(seconds));
        let by_primary = |kind, more| statement(kind, &primary, BORN, odd.digest, more);

        let id = UserId::from_str(Default::default(), "Archive <archive@example.org>").unwrap();
        let on_id = by_primary(
            SignatureType::CertPositive,
            vec![flags(true), lasts(odd.lasts)],
        )
        .sign_certification(&primary, &public, &password, Tag::UserId, &id)
        .unwrap();
        let mut binding = vec![flags(odd.subkey_may_sign), lasts(odd.subkey_lasts)];
        if odd.back_signature {
            let back = statement(
                SignatureType::KeyBinding,
                &subkey,
                BORN,
                HashAlgorithm::Sha256,
                vec![],
            )
            .sign_primary_key_binding(&subkey, &sub_public, &password, &public)
            .unwrap();
            binding.push(SubpacketData::EmbeddedSignature(Box::new(back)));
        }
        let mut on_subkey = vec![
            by_primary(SignatureType::SubkeyBinding, binding)
                .sign_subkey_binding(&primary, &public, &password, &sub_public)
                .unwrap(),
        ];
        if odd.subkey_revoked {
            let revocation = by_primary(SignatureType::SubkeyRevocation, vec![])
                .sign_subkey_binding(&primary, &public, &password, &sub_public);
            on_subkey.push(revocation.unwrap());
        }
        let mut revocations = Vec::new();
        if odd.revoked {
            let revocation = by_primary(SignatureType::KeyRevocation, vec![]);
            revocations.push(revocation.sign_key(&primary, &password, &public).unwrap());
        }
        let users = vec![SignedUser::new(id, vec![on_id])];
        let details = SignedKeyDetails::new(revocations, vec![], users, vec![]);
        let subkeys = vec![SignedPublicSubKey::new(sub_public, on_subkey)];
        let certificate = SignedPublicKey::new(public, details, subkeys);
        Self {
            primary,
            subkey,
            certificate,
        }
    }

    pub(super) fn keyring(&self) -> Vec<u8> {
        self.certificate.to_bytes().unwrap()
    }

    pub(super) fn armoured(&self) -> Vec<u8> {
        self.certificate
            .to_armored_bytes(ArmorOptions::default())
            .unwrap()
    }

    pub(super) fn name(&self) -> String {
        self.certificate.fingerprint().to_string().to_uppercase()
    }

    /// A signature by the subkey, as archives make them.
    pub(super) fn sign(&self, text: &str) -> Signature {
        sign(&self.subkey, text, SIGNED, HashAlgorithm::Sha512, vec![])
    }
}

pub(super) fn sign(
    key: &impl SigningKey,
    text: &str,
    made: u32,
    digest: HashAlgorithm,
    more: Vec<SubpacketData>,
) -> Signature {
    statement(SignatureType::Text, key, made, digest, more)
        .sign(key, &Password::empty(), text.as_bytes())
        .unwrap()
}
