//! A package repository made in memory: archives, index, signature.

use std::collections::BTreeMap;

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, KeyType, SignedKeyDetails, SignedPublicKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{
    KeyFlags, PubKeyInner, PublicKey, SecretKey, SignatureConfig, SignatureType, Subpacket,
    SubpacketData, UserId,
};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, KeyVersion, Password, SignedUser, Tag, Timestamp};
use plimsoll_build::Repository;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sha2::{Digest as _, Sha256};

const URI: &str = "http://mirror.test/debian";

/// One path of a package.
#[derive(Clone)]
pub(crate) struct Entry {
    path: String,
    kind: u8,
    link: String,
    body: Vec<u8>,
    mode: u32,
    time: u64,
    conffile: bool,
}

impl Entry {
    fn new(path: &str, kind: u8, link: &str, body: &str, mode: u32) -> Self {
        Self {
            path: path.to_owned(),
            kind,
            link: link.to_owned(),
            body: body.as_bytes().to_vec(),
            mode,
            time: 1_700_000_000,
            conffile: false,
        }
    }

    pub(crate) fn file(path: &str, body: &str) -> Self {
        Self::new(path, b'0', "", body, 0o644)
    }

    pub(crate) fn dir(path: &str) -> Self {
        Self::new(path, b'5', "", "", 0o755)
    }

    pub(crate) fn link(path: &str, target: &str) -> Self {
        Self::new(path, b'2', target, "", 0o777)
    }

    pub(crate) fn hard_link(path: &str, target: &str) -> Self {
        Self::new(path, b'1', target, "", 0o644)
    }

    pub(crate) fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    pub(crate) fn time(self, time: u64) -> Self {
        Self { time, ..self }
    }

    pub(crate) fn conffile(self) -> Self {
        Self {
            conffile: true,
            ..self
        }
    }
}

/// A package in the making.
pub(crate) struct Package {
    name: String,
    version: String,
    fields: String,
    scripts: Vec<(String, String)>,
    entries: Vec<Entry>,
}

impl Package {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            fields: String::new(),
            scripts: Vec::new(),
            entries: Vec::new(),
        }
    }

    pub(crate) fn field(mut self, line: &str) -> Self {
        self.fields += &format!("{line}\n");
        self
    }

    pub(crate) fn script(mut self, name: &str, text: &str) -> Self {
        self.scripts.push((name.to_owned(), text.to_owned()));
        self
    }

    pub(crate) fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    fn stanza(&self) -> String {
        format!(
            "Package: {}\nVersion: {}\nArchitecture: amd64\n{}",
            self.name, self.version, self.fields
        )
    }

    /// The archive: `ar` of `debian-binary`, `control.tar`, `data.tar`.
    fn archive(&self) -> Vec<u8> {
        let mut control = vec![Entry::file("./control", &self.stanza())];
        let conffiles: String = self
            .entries
            .iter()
            .filter(|entry| entry.conffile)
            .map(|entry| format!("/{}\n", entry.path))
            .collect();
        if !conffiles.is_empty() {
            control.push(Entry::file("./conffiles", &conffiles));
        }
        for (name, text) in &self.scripts {
            control.push(Entry::file(&format!("./{name}"), text).mode(0o755));
        }
        let mut data = vec![Entry::dir("./")];
        let mut known: Vec<String> = Vec::new();
        for entry in &self.entries {
            // Parents first, as every real package has them.
            let parts: Vec<&str> = entry.path.split('/').collect();
            for end in 1..parts.len() {
                let parent = parts[..end].join("/");
                let is_own = self.entries.iter().any(|entry| entry.path == parent);
                if !known.contains(&parent) && !is_own && !parent.contains("..") {
                    data.push(Entry::dir(&format!("./{parent}")));
                    known.push(parent);
                }
            }
            let path = format!("./{}", entry.path);
            data.push(Entry {
                path,
                ..entry.clone()
            });
        }
        let mut ar = b"!<arch>\n".to_vec();
        for (name, body) in [
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar", tar(&control)),
            ("data.tar", tar(&data)),
        ] {
            let header = format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
                0,
                0,
                0,
                "100644",
                body.len()
            );
            ar.extend(header.bytes());
            ar.extend(&body);
            if body.len() % 2 == 1 {
                ar.push(b'\n');
            }
        }
        ar
    }
}

fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let mut block = [0_u8; 512];
        let mut put =
            |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, &entry.path);
        put(100, &format!("{:07o}", entry.mode));
        put(108, "0000000");
        put(116, "0000000");
        put(124, &format!("{:011o}", entry.body.len()));
        put(136, &format!("{:011o}", entry.time));
        put(148, "        ");
        put(157, &entry.link);
        put(257, "ustar\0");
        put(263, "00");
        block[156] = entry.kind;
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(block);
        bytes.extend(&entry.body);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// The key that signs for a repository.
struct Key {
    secret: SecretKey,
    certificate: SignedPublicKey,
}

impl Key {
    fn new(seed: u64) -> Self {
        let kind = KeyType::Ed25519;
        let (public, secret) = kind.generate(StdRng::seed_from_u64(seed)).unwrap();
        let born = Timestamp::from_secs(1_600_000_000);
        let inner = PubKeyInner::new(KeyVersion::V4, kind.to_alg(), born, None, public).unwrap();
        let public = PublicKey::from_inner(inner).unwrap();
        let secret = SecretKey::new(public.clone(), secret).unwrap();
        let id = UserId::from_str(Default::default(), "Test <test@example.org>").unwrap();
        let mut flags = KeyFlags::default();
        flags.set_certify(true);
        flags.set_sign(true);
        let flags = SubpacketData::KeyFlags(flags);
        let on_id = statement(
            &secret,
            SignatureType::CertPositive,
            1_600_000_000,
            vec![flags],
        )
        .sign_certification(&secret, &public, &Password::empty(), Tag::UserId, &id)
        .unwrap();
        let users = vec![SignedUser::new(id, vec![on_id])];
        let details = SignedKeyDetails::new(Vec::new(), Vec::new(), users, Vec::new());
        let certificate = SignedPublicKey::new(public, details, Vec::new());
        Self {
            secret,
            certificate,
        }
    }

    /// The text in its signed frame.
    fn sign(&self, text: &str) -> String {
        let signature = statement(&self.secret, SignatureType::Text, 1_750_000_000, Vec::new());
        let message = CleartextSignedMessage::new_many(text, |text| {
            let signed = signature.sign(&self.secret, &Password::empty(), text.as_bytes())?;
            Ok(vec![signed])
        });
        message
            .unwrap()
            .to_armored_string(ArmorOptions::default())
            .unwrap()
    }
}

/// A signature in the making.
fn statement(
    by: &SecretKey,
    kind: SignatureType,
    made: u32,
    more: Vec<SubpacketData>,
) -> SignatureConfig {
    let mut config = SignatureConfig::v4(kind, by.algorithm(), HashAlgorithm::Sha256);
    let made = SubpacketData::SignatureCreationTime(Timestamp::from_secs(made));
    let by = SubpacketData::IssuerFingerprint(by.fingerprint());
    let all = [made, by].into_iter().chain(more);
    config.hashed_subpackets = all.map(|data| Subpacket::regular(data).unwrap()).collect();
    config
}

/// The repository.
pub(crate) struct Mirror {
    key: Key,
    packages: Vec<Package>,
}

impl Mirror {
    /// A repository whose key is made from this number.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            key: Key::new(seed),
            packages: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, package: Package) {
        self.packages.push(package);
    }

    pub(crate) fn public_key(&self) -> Vec<u8> {
        self.key.certificate.to_bytes().unwrap()
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository {
            uri: URI.to_owned(),
            suite: "stable".to_owned(),
            components: vec!["main".to_owned()],
            keyrings: vec![self.public_key()],
            trusted: false,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{URI}/{path}")
    }

    fn index(&self) -> String {
        let stanza = |package: &Package| {
            let archive = package.archive();
            format!(
                "{}Filename: pool/{}.deb\nSize: {}\nSHA256: {}\n\n",
                package.stanza(),
                package.name,
                archive.len(),
                hex(&archive)
            )
        };
        self.packages.iter().map(stanza).collect()
    }

    pub(crate) fn release_text(&self) -> String {
        let index = self.index();
        format!(
            "Origin: Test\nSuite: stable\nCodename: test\nDate: Wed, 15 Nov 2023 00:00:00 UTC\n\
             Architectures: amd64\nComponents: main\nSHA256:\n {} {} main/binary-amd64/Packages\n",
            hex(index.as_bytes()),
            index.len()
        )
    }

    /// Everything the repository serves, by address.
    pub(crate) fn served(&self) -> BTreeMap<String, Vec<u8>> {
        let text = self.release_text();
        let signed = self.key.sign(&text);
        let mut served = BTreeMap::from([
            (self.url("dists/stable/InRelease"), signed.into_bytes()),
            (
                self.url("dists/stable/main/binary-amd64/Packages"),
                self.index().into_bytes(),
            ),
        ]);
        for package in &self.packages {
            served.insert(
                self.url(&format!("pool/{}.deb", package.name)),
                package.archive(),
            );
        }
        served
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
