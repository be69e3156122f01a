//! `secret-file`: a key is copied into the image.

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// A private key or a file of passwords in a layer is there for everybody who has the image, also when
    /// a later `RUN` removes it.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// COPY id_ed25519 /root/.ssh/id_ed25519
    /// # finding
    /// COPY .env /app/.env
    /// ```
    ///
    /// ## Not a finding
    ///
    /// A public key, a pattern for settings, and a stage that is thrown away.
    ///
    /// ```dockerfile
    /// FROM docker.io/library/debian:13.1-slim AS build
    /// COPY .npmrc /root/.npmrc
    /// FROM docker.io/library/debian:13.1-slim
    /// COPY id_ed25519.pub .env.example /app/
    /// USER 10001
    /// ```
    ///
    /// ## Remedy
    ///
    /// `RUN --mount=type=secret,id=...` or `--mount=type=ssh` for the build; at run time a secret of the
    /// cluster. A key that was in an image is no secret any more: change it.
    id: "secret-file",
    summary: "a file of secrets is copied",
    severity: High,
    aliases: [],
    run: run,
}

/// Names of files that hold secrets.
const NAMES: [&str; 17] = [
    ".dockercfg",
    ".env",
    ".git-credentials",
    ".htpasswd",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    "credentials.json",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_rsa",
    "kubeconfig",
    "secrets.yml",
];

/// Endings of files that hold private keys.
const ENDINGS: [&str; 5] = [".jks", ".key", ".keystore", ".p12", ".pfx"];

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    for (index, copy) in sheet.of(Keyword::Copy).chain(sheet.of(Keyword::Add)) {
        let ships = sheet.stages.holding(index).is_none_or(|stage| stage.ships);
        let Some((_, sources)) = copy.words().split_last() else {
            continue;
        };
        if !ships || copy.flag("from").is_some() {
            continue;
        }
        for word in sources {
            let path = word.text.trim_matches(['"', '\'', '/']);
            let name = path.rsplit('/').next().unwrap_or(path);
            let directory = path
                .split('/')
                .any(|part| matches!(part, ".aws" | ".ssh" | ".gnupg"));
            let public =
                name.contains("pub") || name.contains("known_hosts") || name.contains("config");
            let key = ENDINGS.iter().any(|ending| name.ends_with(ending));
            if NAMES.contains(&name) || (directory || key) && !public {
                hits.add(
                    copy.source(&word.at),
                    format!("{name} is in the image for everybody who has it"),
                    "RUN --mount=type=secret for the build, a secret of the cluster at run time",
                );
            }
        }
    }
}
