//! Release files signed by keys of every sort, tampered with in every way.

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, DetachedSignature, KeyType, SignedPublicSubKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, Signature, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{Duration, KeyDetails as _, Password};

use self::keys::{BORN, NOW, Odd, Owner, SIGNED, sign, statement};
use super::*;

mod keys;

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn text() -> String {
    format!(
        "Origin: Debian\nLabel: Debian\nSuite: stable\nCodename: bookworm\n\
         Date: Thu, 28 May 2026 20:26:40 UTC\nAcquire-By-Hash: yes\n\
         Architectures: all amd64\nComponents: main contrib\nMD5Sum:\n 00 1 main/x\n\
         SHA256:\n {HASH}     1234 main/binary-amd64/Packages.xz\n {HASH} 5 main/Release"
    )
}

/// An `InRelease` file, framed by rPGP.
fn inline(text: &str, signatures: Vec<Signature>) -> String {
    let message = CleartextSignedMessage::new_many(text, |_| Ok(signatures)).unwrap();
    message.to_armored_string(ArmorOptions::default()).unwrap()
}

fn detached(signature: Signature) -> Vec<u8> {
    DetachedSignature::new(signature)
        .to_armored_bytes(ArmorOptions::default())
        .unwrap()
}

fn verify(message: &str, owners: &[&Owner]) -> Result<Release, ReleaseError> {
    let keyrings: Vec<Vec<u8>> = owners.iter().map(|owner| owner.keyring()).collect();
    verify_inline(message.as_bytes(), &keyrings, NOW)
}

/// Why the only signature was rejected.
fn rejection(result: Result<Release, ReleaseError>) -> Rejection {
    match result {
        Err(ReleaseError::Untrusted(rejected)) => {
            assert_eq!(rejected.len(), 1, "{rejected:?}");
            rejected[0].why.clone()
        }
        other => panic!("not rejected by its signature: {other:?}"),
    }
}

#[test]
fn a_signed_release_is_read() {
    let owner = Owner::new(1);
    let release = verify(&inline(&text(), vec![owner.sign(&text())]), &[&owner]).unwrap();
    assert_eq!((&*release.origin, &*release.label), ("Debian", "Debian"));
    assert_eq!(
        (&*release.suite, &*release.codename),
        ("stable", "bookworm")
    );
    assert_eq!(release.date, 1_780_000_000);
    assert_eq!(release.valid_until, None);
    assert_eq!(release.architectures, ["all", "amd64"]);
    assert_eq!(release.components, ["main", "contrib"]);
    assert!(release.acquire_by_hash);
    let digest = Digest::from_hex(HASH).unwrap();
    let files: Vec<_> = release.files.into_iter().collect();
    let expected = [
        ("main/Release".to_owned(), (digest, 5)),
        ("main/binary-amd64/Packages.xz".to_owned(), (digest, 1234)),
    ];
    assert_eq!(files, expected);
    assert_eq!(release.signed_by, [owner.name()]);
}

#[test]
fn keyrings_may_be_binary_or_armoured_and_hold_many() {
    let (one, two) = (Owner::new(1), Owner::new(2));
    let message = inline(&text(), vec![two.sign(&text())]);
    for keyring in [
        [one.keyring(), two.keyring()].concat(),
        [one.armoured(), two.armoured()].concat(),
        [
            b"A comment.\n".to_vec(),
            one.armoured(),
            b"\n".to_vec(),
            two.armoured(),
        ]
        .concat(),
    ] {
        let release = verify_inline(message.as_bytes(), &[one.keyring(), keyring], NOW).unwrap();
        assert_eq!(release.signed_by, [two.name()]);
    }
    for keyring in [
        &b""[..],
        b"nonsense",
        b"\x00\x00\x00\x20\x01\x01\x00\x02KBXf",
        b"\x99\x01",
    ] {
        let result = verify_inline(message.as_bytes(), &[two.keyring(), keyring.to_vec()], NOW);
        assert!(
            matches!(result, Err(ReleaseError::Keyring { number: 2, .. })),
            "{result:?}"
        );
    }
    let result = verify_inline(message.as_bytes(), &[], NOW);
    assert_eq!(rejection(result), Rejection::UnknownKey);
}

#[test]
fn the_primary_key_may_sign_too() {
    let owner = Owner::new(1);
    let by_primary = sign(
        &owner.primary,
        &text(),
        SIGNED,
        HashAlgorithm::Sha256,
        vec![],
    );
    let release = verify(&inline(&text(), vec![by_primary]), &[&owner]).unwrap();
    assert_eq!(release.signed_by, [owner.name()]);
}

#[test]
fn one_good_signature_among_others_suffices() {
    let (one, two, stranger) = (Owner::new(1), Owner::new(2), Owner::new(3));
    let signatures = vec![
        stranger.sign(&text()),
        two.sign("something else"),
        one.sign(&text()),
    ];
    let message = inline(&text(), signatures);
    assert_eq!(
        verify(&message, &[&one, &two]).unwrap().signed_by,
        [one.name()]
    );
    let both = inline(&text(), vec![two.sign(&text()), one.sign(&text())]);
    let mut names = [one.name(), two.name()];
    names.sort();
    assert_eq!(verify(&both, &[&one, &two]).unwrap().signed_by, names);
    match verify(&message, &[&two]) {
        Err(ReleaseError::Untrusted(rejected)) => {
            let why: Vec<_> = rejected.iter().map(|one| one.why.clone()).collect();
            let expected = [
                Rejection::UnknownKey,
                Rejection::Mismatch,
                Rejection::UnknownKey,
            ];
            assert_eq!(why, expected);
            let named = one.subkey.fingerprint().to_string().to_uppercase();
            assert_eq!(rejected[2].key, named);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_changed_text_is_not_what_was_signed() {
    let owner = Owner::new(1);
    let message = inline(&text(), vec![owner.sign(&text())]);
    for (from, to) in [
        ("stable", "stablE"),
        ("1234", "1235"),
        ("Suite: stable\n", ""),
        ("Codename", "\nCodename"),
        ("main contrib", "main  contrib"),
    ] {
        let tampered = message.replacen(from, to, 1);
        assert_ne!(tampered, message);
        assert_eq!(
            rejection(verify(&tampered, &[&owner])),
            Rejection::Mismatch,
            "{from}"
        );
    }
}

#[test]
fn line_ends_and_blanks_behind_lines_are_not_signed() {
    let owner = Owner::new(1);
    let message = inline(&text(), vec![owner.sign(&text())]);
    let original = verify(&message, &[&owner]).unwrap();
    for same in [
        message.replace('\n', "\r\n"),
        message.replace("stable\n", "stable \t\n"),
        format!("{message}\n\n"),
    ] {
        assert_eq!(verify(&same, &[&owner]).unwrap(), original);
    }
    // A carriage return alone ends no line.
    let odd = message.replace("Suite: stable\n", "Suite: stable\r");
    assert_eq!(rejection(verify(&odd, &[&owner])), Rejection::Mismatch);
}

#[test]
fn text_outside_of_the_frame_is_an_error() {
    let owner = Owner::new(1);
    let message = inline(&text(), vec![owner.sign(&text())]);
    for odd in [
        format!("Suite: evil\n{message}"),
        format!("\n{message}"),
        format!("{message}Suite: evil\n"),
        format!("{message}{message}"),
        message.replacen("Hash: SHA512", "Suite: evil", 1),
        message.replacen("Suite: stable", "-Suite: stable", 1),
        message.replace("-----END PGP SIGNATURE-----", ""),
        message[..300].to_owned(),
        "-----BEGIN PGP SIGNED MESSAGE-----".to_owned(),
    ] {
        let result = verify(&odd, &[&owner]);
        assert!(
            matches!(result, Err(ReleaseError::Frame(_))),
            "{odd}\n{result:?}"
        );
    }
}

#[test]
fn a_dash_at_the_beginning_of_a_line_is_escaped() {
    let owner = Owner::new(1);
    let text = "Origin: x\n-dashed\n- - twice\nend";
    let message = inline(text, vec![owner.sign(text)]);
    assert!(message.contains("\n- -dashed\n- - - twice\n"));
    let message = cleartext::read(message.as_bytes()).unwrap();
    assert_eq!(message.text, text);
    let keyrings = [owner.keyring()];
    let names = openpgp::verify(message.text.as_bytes(), message.signature, &keyrings, NOW);
    assert_eq!(names, Ok(vec![owner.name()]));
}

#[test]
fn what_is_not_signed_is_said_to_be_so() {
    let owner = Owner::new(1);
    assert_eq!(verify(&text(), &[&owner]), Err(ReleaseError::Unsigned));
    assert_eq!(verify("", &[&owner]), Err(ReleaseError::Unsigned));
    let result = verify_detached(text().as_bytes(), b" \n", &[owner.keyring()], NOW);
    assert_eq!(result, Err(ReleaseError::Unsigned));
    let empty = inline(&text(), vec![]);
    assert!(matches!(
        verify(&empty, &[&owner]),
        Err(ReleaseError::Signature(_))
    ));
    let huge = vec![b'\n'; MAX_RELEASE + 1];
    let result = verify_inline(&huge, &[], NOW);
    assert_eq!(result, Err(ReleaseError::TooLarge(MAX_RELEASE + 1)));
}

#[test]
fn a_detached_signature_is_over_the_bytes_of_the_file() {
    let owner = Owner::new(1);
    let text = text() + "\n";
    let binary = statement(
        SignatureType::Binary,
        &owner.subkey,
        SIGNED,
        HashAlgorithm::Sha256,
        vec![],
    )
    .sign(&owner.subkey, &Password::empty(), text.as_bytes())
    .unwrap();
    let keyrings = [owner.keyring()];
    let check =
        |text: &str, signature: &[u8]| verify_detached(text.as_bytes(), signature, &keyrings, NOW);
    let armoured = detached(binary.clone());
    let raw = DetachedSignature::new(binary).to_bytes().unwrap();
    let stranger = detached(Owner::new(2).sign(&text));
    for signature in [&armoured, &raw, &[stranger, armoured.clone()].concat()] {
        assert_eq!(check(&text, signature).unwrap().signed_by, [owner.name()]);
    }
    let other = check(&text.replace("stable", "stablE"), &armoured);
    assert_eq!(rejection(other), Rejection::Mismatch);
    assert!(matches!(
        check(&text, b"nonsense"),
        Err(ReleaseError::Signature(_))
    ));
    assert!(matches!(
        check(&text, &armoured[..150]),
        Err(ReleaseError::Signature(_))
    ));
}

#[test]
fn a_key_that_is_not_fit_vouches_for_nothing() {
    let unfit = |why: &str| Rejection::KeyUnfit(why.to_owned());
    let year = 365 * 24 * 60 * 60;
    let over = Rejection::KeyExpired(i64::from(BORN + year));
    for (odd, expected) in [
        (
            Odd {
                lasts: year,
                ..Odd::default()
            },
            over.clone(),
        ),
        (
            Odd {
                subkey_lasts: year,
                ..Odd::default()
            },
            over,
        ),
        (
            Odd {
                revoked: true,
                ..Odd::default()
            },
            Rejection::KeyRevoked,
        ),
        (
            Odd {
                subkey_revoked: true,
                ..Odd::default()
            },
            Rejection::KeyRevoked,
        ),
        (
            Odd {
                subkey_may_sign: false,
                ..Odd::default()
            },
            unfit("it may not sign"),
        ),
        (
            Odd {
                back_signature: false,
                ..Odd::default()
            },
            unfit("it does not say itself that it belongs to its certificate"),
        ),
        (
            Odd {
                primary: KeyType::Rsa(2048),
                digest: HashAlgorithm::Sha1,
                ..Odd::default()
            },
            unfit("its own signature uses the digest SHA1"),
        ),
        (
            Odd {
                primary: KeyType::Rsa(1024),
                ..Odd::default()
            },
            Rejection::WeakKey(1024),
        ),
    ] {
        let owner = Owner::odd(1, &odd);
        let message = inline(&text(), vec![owner.sign(&text())]);
        assert_eq!(rejection(verify(&message, &[&owner])), expected);
    }
}

#[test]
fn a_key_that_expired_after_it_signed_still_counts() {
    let odd = Odd {
        lasts: SIGNED - BORN + 50,
        ..Odd::default()
    };
    let owner = Owner::odd(1, &odd);
    assert!(verify(&inline(&text(), vec![owner.sign(&text())]), &[&owner]).is_ok());
}

#[test]
fn a_subkey_of_another_cannot_be_adopted() {
    let (good, thief) = (Owner::new(1), Owner::new(2));
    // The thief binds the good subkey to their own certificate, with its own back signature.
    let mut certificate = thief.certificate.clone();
    let stolen = good.certificate.public_subkeys[0].key.clone();
    let back = good.certificate.public_subkeys[0].signatures[0]
        .embedded_signature()
        .unwrap();
    let mut flags = KeyFlags::default();
    flags.set_sign(true);
    let more = vec![
        SubpacketData::KeyFlags(flags),
        SubpacketData::EmbeddedSignature(Box::new(back.clone())),
    ];
    let binding = statement(
        SignatureType::SubkeyBinding,
        &thief.primary,
        BORN,
        HashAlgorithm::Sha256,
        more,
    )
    .sign_subkey_binding(
        &thief.primary,
        &certificate.primary_key,
        &Password::empty(),
        &stolen,
    )
    .unwrap();
    certificate.public_subkeys = vec![SignedPublicSubKey::new(stolen, vec![binding])];
    let keyring = certificate.to_bytes().unwrap();
    let message = inline(&text(), vec![good.sign(&text())]);
    let result = verify_inline(message.as_bytes(), &[keyring], NOW);
    let why = "what it says about its certificate is not true";
    assert_eq!(rejection(result), Rejection::KeyUnfit(why.to_owned()));
}

#[test]
fn a_subkey_that_was_slipped_in_is_not_bound() {
    let (good, thief) = (Owner::new(1), Owner::new(2));
    let mut certificate = good.certificate.clone();
    certificate
        .public_subkeys
        .extend(thief.certificate.public_subkeys.clone());
    let message = inline(&text(), vec![thief.sign(&text())]);
    let keyring = certificate.to_bytes().unwrap();
    let result = verify_inline(message.as_bytes(), &[keyring], NOW);
    let why = "nothing binds it to its certificate";
    assert_eq!(rejection(result), Rejection::KeyUnfit(why.to_owned()));
}

#[test]
fn a_signature_that_is_not_sound_does_not_count() {
    let primary = KeyType::Rsa(2048);
    let owner = Owner::odd(
        1,
        &Odd {
            primary,
            ..Odd::default()
        },
    );
    let key = &owner.subkey;
    let sha1 = sign(&owner.primary, &text(), SIGNED, HashAlgorithm::Sha1, vec![]);
    let md5 = sign(&owner.primary, &text(), SIGNED, HashAlgorithm::Md5, vec![]);
    let early = sign(key, &text(), BORN - 1, HashAlgorithm::Sha256, vec![]);
    let late = sign(
        key,
        &text(),
        SIGNED + 200_000,
        HashAlgorithm::Sha256,
        vec![],
    );
    let ends = SubpacketData::SignatureExpirationTime(Duration::from_secs(50));
    let over = sign(key, &text(), SIGNED, HashAlgorithm::Sha256, vec![ends]);
    let public = owner.primary.public_key();
    let digest = HashAlgorithm::Sha256;
    let revocation = statement(
        SignatureType::KeyRevocation,
        &owner.primary,
        SIGNED,
        digest,
        vec![],
    )
    .sign_key(&owner.primary, &Password::empty(), public)
    .unwrap();
    let mut critical = statement(
        SignatureType::Text,
        key,
        SIGNED,
        HashAlgorithm::Sha256,
        vec![],
    );
    let odd = SubpacketData::Experimental(101, b"only on sundays".to_vec().into());
    critical
        .hashed_subpackets
        .push(Subpacket::critical(odd).unwrap());
    let critical = critical
        .sign(key, &Password::empty(), text().as_bytes())
        .unwrap();
    for (signature, expected) in [
        (sha1, Some(Rejection::WeakDigest("SHA1".to_owned()))),
        (md5, Some(Rejection::WeakDigest("MD5".to_owned()))),
        (early, Some(Rejection::Date(i64::from(BORN) - 1))),
        (late, Some(Rejection::Date(i64::from(SIGNED) + 200_000))),
        (over, Some(Rejection::Expired(i64::from(SIGNED) + 50))),
        (revocation, None),
        (critical, None),
    ] {
        let why = rejection(verify(&inline(&text(), vec![signature]), &[&owner]));
        match expected {
            Some(expected) => assert_eq!(why, expected),
            None => assert!(matches!(why, Rejection::Kind(_)), "{why:?}"),
        }
    }
}

#[test]
fn a_release_has_its_time() {
    let owner = Owner::new(1);
    let keyrings = [owner.keyring()];
    let text = format!("Valid-Until: Thu, 28 May 2026 20:30:00 UTC\n{}", text());
    let message = inline(&text, vec![owner.sign(&text)]);
    let at = |now| verify_inline(message.as_bytes(), &keyrings, now);
    let until = 1_780_000_200;
    assert_eq!(at(NOW).unwrap().valid_until, Some(until));
    assert!(at(until).is_ok());
    let now = until + 1;
    assert_eq!(at(now), Err(ReleaseError::Expired { until, now }));
    let now = i64::from(SIGNED) - 90_000;
    // The signature is from the future as well, and is looked at first.
    assert_eq!(rejection(at(now)), Rejection::Date(i64::from(SIGNED)));
    let old = sign(
        &owner.subkey,
        &text,
        BORN + 1,
        HashAlgorithm::Sha256,
        vec![],
    );
    let result = verify_inline(inline(&text, vec![old]).as_bytes(), &keyrings, now);
    let date = i64::from(SIGNED);
    assert_eq!(result, Err(ReleaseError::FromTheFuture { date, now }));
}

#[test]
fn what_is_signed_but_no_release_is_refused() {
    let owner = Owner::new(1);
    let whole = text();
    for (content, why) in [
        (String::new(), "nothing in it"),
        (whole.replace("stable", "sta\rble"), "carriage return"),
        ("nonsense".to_owned(), "line 1"),
        (
            whole.replace("\nSuite", "\n\nSuite"),
            "more than one stanza",
        ),
        (whole.replace("Date: ", "Day: "), "no Date"),
        (whole.replace("28 May", "38 May"), "Date is not a time"),
        (whole.replace("SHA256:", "SHA512:"), "no files"),
        (whole.replace("1234", "12x4"), "not a digest, size and path"),
        (
            whole.replace(&format!("{HASH} 5"), "00 5"),
            "not a digest, size and path",
        ),
        (
            whole.replace("main/Release", "../Release"),
            "leads elsewhere",
        ),
        (whole.replace("main/Release", "/Release"), "leads elsewhere"),
        (
            whole.replace("main/Release", "main/binary-amd64/Packages.xz"),
            "two digests",
        ),
    ] {
        match verify(&inline(&content, vec![owner.sign(&content)]), &[&owner]) {
            Err(ReleaseError::Content(message)) => assert!(message.contains(why), "{message}"),
            other => panic!("{why}: {other:?}"),
        }
    }
}

#[test]
fn no_damage_is_a_panic_or_another_text() {
    let owner = Owner::new(1);
    let message = inline(&text(), vec![owner.sign(&text())]).into_bytes();
    let original = verify_inline(&message, &[owner.keyring()], NOW).unwrap();
    for at in (0..message.len()).step_by(3) {
        for bit in [0, 3, 6] {
            let mut damaged = message.clone();
            damaged[at] ^= 1 << bit;
            if let Ok(release) = verify_inline(&damaged, &[owner.keyring()], NOW) {
                assert_eq!(release, original, "byte {at}, bit {bit}");
            }
        }
    }
}
