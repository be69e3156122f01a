//! A signed index of a repository, and the key it is verified with.

use plimsoll_packages::release::{verify_detached, verify_inline};

use crate::Target;
use crate::make::{BETWEEN, parts};

pub(crate) static TARGET: Target = Target {
    id: "signature",
    summary: "a signed index of a repository, with the key ring it is verified against",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    let text = "Origin: x\nSuite: stable\nCodename: a\nDate: Mon, 01 Jan 2024 00:00:00 UTC\nSHA256:\n 0000000000000000000000000000000000000000000000000000000000000000 10 main/binary-amd64/Packages\n";
    let armour =
        "-----BEGIN PGP SIGNATURE-----\n\nwsBzBAABCAAdFiEE\n=AAAA\n-----END PGP SIGNATURE-----\n";
    let key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxjMEZQAAABYJKwYBBAHaRw8BAQdA\n=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n";
    let inline = format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}{armour}");
    vec![
        [inline.as_bytes(), BETWEEN, key.as_bytes()].concat(),
        [
            text.as_bytes(),
            BETWEEN,
            key.as_bytes(),
            BETWEEN,
            armour.as_bytes(),
        ]
        .concat(),
    ]
}

/// A time in 2026, in seconds since 1970.
const NOW: i64 = 1_790_000_000;

fn run(data: &[u8]) {
    match parts(data).as_slice() {
        // Nobody has a key here: nothing may be believed.
        [text, key] => {
            assert!(verify_inline(text, &[key.to_vec()], NOW).is_err());
        }
        [text, key, signature] => {
            assert!(verify_detached(text, signature, &[key.to_vec()], NOW).is_err());
        }
        _ => assert!(verify_inline(data, &[], NOW).is_err()),
    }
}
