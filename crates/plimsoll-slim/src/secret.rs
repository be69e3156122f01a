//! Files that look like somebody's secret: they lie beside an application because a `COPY . .`
//! brought them, and an image is no place for them.
//!
//! What a run opened or a configuration names is needed, secret or not; what would only come along
//! is left ashore, and the report says so.

use memchr::memmem;
use plimsoll_model::ImagePath;

use crate::scene::Scene;

/// Larger files are no keys.
const KEY_LIMIT: u64 = 64 << 10;

/// Names under which tools keep passwords, tokens and private keys (their manuals: ssh-keygen(1),
/// netrc(5), npmrc, pypirc, git-credential-store(1), docker-login, the AWS CLI's configuration,
/// PostgreSQL's password file).
const NAMES: &[&str] = &[
    ".dockercfg",
    ".env",
    ".git-credentials",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
];

/// A directory and a file in it that is one of those.
const PLACES: &[(&str, &str)] = &[(".aws", "credentials"), (".docker", "config.json")];

/// What a file that looks like a secret seems to be; `None` for all others.
pub(crate) fn what(scene: &Scene<'_>, path: &ImagePath) -> Option<&'static str> {
    let name = std::str::from_utf8(path.file_name()).ok()?;
    let parent = path.parent();
    let above = parent.as_ref().map_or(&b""[..], ImagePath::file_name);
    let is_placed =
        |(directory, file): &(&str, &str)| directory.as_bytes() == above && *file == name;
    if NAMES.contains(&name) || PLACES.iter().any(is_placed) || is_environment(name) {
        return Some("a file of credentials by its name");
    }
    if !may_hold_key(name) {
        return None;
    }
    let size = scene.tree().get(path)?.size();
    if size == 0 || size > KEY_LIMIT {
        return None;
    }
    let head = scene.rootfs().read_head(path, 4096).ok()?;
    is_private_key(&head).then_some("a private key")
}

/// Whether keys are kept under such a name: not every file beside an application is opened for this.
fn may_hold_key(name: &str) -> bool {
    const ENDINGS: &[&str] = &["asc", "gpg", "key", "p8", "pem", "ppk"];
    match name.rsplit_once('.') {
        Some((_, ending)) => ENDINGS.contains(&ending),
        None => true,
    }
}

/// `.env.production`, but not `.env.example`, which is there to be read.
fn is_environment(name: &str) -> bool {
    const SAMPLES: &[&str] = &["dist", "example", "sample", "template"];
    let stage = name.strip_prefix(".env.");
    stage.is_some_and(|stage| !SAMPLES.contains(&stage))
}

/// RFC 7468 (PEM), RFC 4880 (OpenPGP's armour) and OpenSSH's own form.
fn is_private_key(head: &[u8]) -> bool {
    let Some(at) = memmem::find(head, b"-----BEGIN ") else {
        return false;
    };
    let label = &head[at + 11..];
    let label = &label[..memmem::find(label, b"-----").unwrap_or(0)];
    label.ends_with(b"PRIVATE KEY") || label == b"PGP PRIVATE KEY BLOCK"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_certificates_and_samples_from_secrets() {
        assert!(is_private_key(b"x\n-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert!(is_private_key(b"-----BEGIN PRIVATE KEY-----\nMC4C"));
        assert!(is_private_key(b"-----BEGIN PGP PRIVATE KEY BLOCK-----"));
        assert!(!is_private_key(b"-----BEGIN CERTIFICATE-----\n"));
        assert!(!is_private_key(b"-----BEGIN PUBLIC KEY-----\n"));
        assert!(!is_private_key(b"-----BEGIN PRIVATE"));
        assert!(is_environment(".env.production") && !is_environment(".env.example"));
    }
}
