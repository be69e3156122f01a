//! `secret-variable`: what is in `ENV` or `ARG` is in the image for everybody.

use plimsoll_model::Severity;

use crate::dockerfile::Keyword;
use crate::lint::rule::rule;
use crate::lint::{Hits, Sheet};

rule! {
    /// What `ENV` sets is in the image's configuration, what an `ARG` held is in its history: anybody
    /// who has the image reads both. A later `unset` changes nothing.
    ///
    /// ## Example
    ///
    /// ```dockerfile
    /// # finding
    /// ENV DB_PASSWORD=hunter2
    /// # finding
    /// ENV AUTH_URL=https://app:hunter2@auth.example.org/
    /// # finding
    /// ARG NPM_TOKEN
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Where a secret lies, what is public, a version, what is said about a secret, and a switch.
    ///
    /// ```dockerfile
    /// ENV DB_PASSWORD_FILE=/run/secrets/db PUBLIC_KEY=abc
    /// ENV PASSWORD_MIN_LENGTH=8 TOKEN_TTL=3600 AUTH_URL=https://auth.example.org/login
    /// ENV MYSQL_ALLOW_EMPTY_PASSWORD=yes SECRET_KEY=
    /// ARG AUTH_MODULE_VERSION=1.2
    /// RUN --mount=type=secret,id=npm npm ci && npm cache clean --force
    /// ```
    ///
    /// ## Remedy
    ///
    /// `RUN --mount=type=secret,id=...` for the build; at run time a secret of the cluster. A secret
    /// that was in an image is no secret any more: change it.
    id: "secret-variable",
    summary: "a secret in ENV or ARG",
    severity: Medium,
    aliases: ["SecretsUsedInArgOrEnv", "DL3064", "DS-0031"],
    run: run,
}

/// Parts of a name, between `_`, that say it is secret.
const SECRET: [&str; 10] = [
    "apikey",
    "auth",
    "credential",
    "credentials",
    "key",
    "password",
    "passwd",
    "pword",
    "secret",
    "token",
];

/// Parts that say it is not.
const OPEN: [&str; 3] = ["public", "file", "version"];

fn run(sheet: &Sheet<'_>, hits: &mut Hits) {
    let kinds = [Keyword::Env, Keyword::Arg];
    for (kind, instruction) in kinds.into_iter().flat_map(|kind| {
        sheet
            .of(kind)
            .map(move |(_, instruction)| (kind, instruction))
    }) {
        for pair in instruction.pairs() {
            let key = pair.key.text.trim_matches(['"', '\'']);
            let value = pair.value.as_ref().map_or("", |value| &*value.text);
            let value = value.trim_matches(['"', '\'']);
            let known = token(value);
            let harmless = !is_secret(key) || pair.value.is_some() && is_no_secret(key, value);
            if harmless && known.is_none() {
                continue;
            }
            let what = match known {
                Some(what) => format!("{key} holds {what}, for everybody who has the image"),
                None => {
                    format!("{key} looks like a secret, and everybody who has the image reads it")
                }
            };
            let added = hits.add(
                instruction.source(&pair.key.at),
                what,
                "RUN --mount=type=secret,id=...; at run time a secret of the cluster",
            );
            // A public signing key of a package is what official images name so.
            let harmless = kind == Keyword::Env && (key.contains("GPG") || key.contains("PGP"));
            if harmless {
                added.severity(Severity::Info);
            } else if known.is_some() {
                added.severity(Severity::High);
            }
        }
    }
}

fn is_secret(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    let mut parts = lower.split('_');
    let open = OPEN.iter().any(|open| lower.contains(open));
    !open && parts.any(|part| SECRET.contains(&part))
}

/// Last parts of a name that say something of a secret and not what it is.
const ABOUT: [&str; 26] = [
    "alg",
    "algorithm",
    "count",
    "dir",
    "directory",
    "enabled",
    "endpoint",
    "expiration",
    "expiry",
    "header",
    "host",
    "issuer",
    "len",
    "length",
    "method",
    "mode",
    "path",
    "policy",
    "port",
    "provider",
    "size",
    "timeout",
    "ttl",
    "type",
    "uri",
    "url",
];

/// Whether a value cannot be the secret its name speaks of: there is none, it is a switch, or the name is
/// about something else and no address with a password in it.
fn is_no_secret(key: &str, value: &str) -> bool {
    const SWITCHES: [&str; 6] = ["true", "false", "yes", "no", "on", "off"];
    let lower = key.to_ascii_lowercase();
    let last = lower.rsplit('_').next().unwrap_or_default();
    let has_password = value
        .split_once("://")
        .is_some_and(|(_, rest)| rest.split('/').next().unwrap_or_default().contains('@'));
    value.is_empty()
        || SWITCHES.contains(&&*value.to_ascii_lowercase())
        || ABOUT.contains(&last) && !has_password
}

/// What a value is that is secret by its shape.
fn token(value: &str) -> Option<&'static str> {
    let word = |prefix: &str, length: usize| {
        value.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= length
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        })
    };
    if word("AKIA", 16) || word("ASIA", 16) {
        return Some("an AWS access key");
    }
    if ["ghp_", "gho_", "ghs_", "ghu_", "github_pat_"]
        .iter()
        .any(|prefix| word(prefix, 20))
    {
        return Some("a GitHub token");
    }
    if word("glpat-", 16) {
        return Some("a GitLab token");
    }
    if word("xoxb-", 10) || word("xoxp-", 10) {
        return Some("a Slack token");
    }
    if word("npm_", 30) {
        return Some("an npm token");
    }
    value.contains("-----BEGIN").then_some("a private key")
}
