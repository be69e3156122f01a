//! Programs that speak TLS: the certificates they trust and the library's configuration.

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::keep::{Keep, Pull};
use crate::scene::{Look, Scene};

follower! {
    /// A program linked with a TLS library reads the certificates it trusts when it first calls
    /// out, long after the start; and OpenSSL reads its configuration at start, but goes on
    /// silently, and differently, without it.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /server
    /// /server                            0755 elf needed=libssl.so.3    # kept
    /// /usr/lib/libssl.so.3               0644 elf soname=libssl.so.3 needed=libcrypto.so.3 # kept
    /// /usr/lib/libcrypto.so.3            0644 elf soname=libcrypto.so.3 # kept
    /// /etc/ssl/certs/ca-certificates.crt 0644 "-----BEGIN CERTIFICATE-----\n"  # kept [tls]
    /// /usr/lib/ssl/openssl.cnf           -> /etc/ssl/openssl.cnf        # kept [tls]
    /// /etc/ssl/openssl.cnf               0644 "[default]\n"             # kept [symlink]
    /// /etc/ssl/private/key.pem           0600 "secret"
    /// ```
    id: "tls",
    follow: follow,
}

/// Libraries that read the bundle of trusted certificates.
const SPEAKS: &[&[u8]] = &[
    b"libssl.so",
    b"libgnutls.so",
    b"libnss3.so",
    b"libmbedtls.so",
];

/// Where distributions put the bundle: Debian and Alpine, Fedora, Alpine's own, OpenSUSE.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
];

/// Where OpenSSL's configuration lies: its `OPENSSLDIR` on Debian, Alpine and Fedora, and from
/// source.
const CONFIGURATIONS: &[&str] = &[
    "/usr/lib/ssl/openssl.cnf",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/usr/local/ssl/openssl.cnf",
];

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let look = scene.look(path);
    let Look::Elf(elf) = &*look else {
        return;
    };
    let soname = elf.soname.as_deref().unwrap_or_default();
    if SPEAKS.iter().any(|name| soname.starts_with(name)) || elf.symbols.contains("SSL_CTX_new") {
        for bundle in BUNDLES {
            let reason = Reason::by("tls", path, "trusted certificates");
            keep.path(&ImagePath::new(bundle), Pull::Opened, reason);
        }
    }
    if soname.starts_with(b"libcrypto.so") {
        for configuration in CONFIGURATIONS {
            let reason = Reason::by("tls", path, "configuration of OpenSSL");
            keep.path(&ImagePath::new(configuration), Pull::Opened, reason);
        }
    }
}
