//! `secret-file`: keys and credentials in files, also in layers that later ones hide.

use std::collections::BTreeSet;
use std::io::{self, Read as _};

use plimsoll_model::{Evidence, Extent, ImagePath, Kind, Problem, Severity};

use crate::check::check;
use crate::programs;
use crate::secrets;
use crate::{Findings, Look};

check! {
    /// No secrets in the image: whoever can pull it can read every file of every layer, also those
    /// that a later instruction removed. A key that was copied in and deleted again is published.
    /// (CIS Docker Benchmark 4.10.)
    ///
    /// ## Example
    ///
    /// ```image
    /// /srv/.env                 0644 "DB_PASSWORD=hunter2\n"                     # finding
    /// /root/.npmrc              0600 "//registry.example/:_authToken=c0ffee\n"   # finding
    /// /root/.git-credentials    0600 "https://me:hunter2@git.example\n"          # finding
    /// /root/.aws/credentials    0600 "[default]\naws_secret_access_key = wJalrXUtnFEMI\n"  # finding
    /// ```
    ///
    /// A key that a later layer deletes:
    ///
    /// ```image
    /// /root/.ssh/id_ed25519  0600 "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n-----END"   # finding
    /// --- layer RUN rm /root/.ssh/id_ed25519
    /// /root/.ssh/id_ed25519  removed    # finding [dead-bytes]
    /// ```
    ///
    /// ## Not a finding
    ///
    /// Certificates and public keys; examples to fill in; what a package brings, and test keys of
    /// libraries, which everybody has; keys under a password.
    ///
    /// ```image
    /// /etc/ssl/certs/ca.pem             0644 "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUF\n-----END"
    /// /root/.ssh/id_ed25519.pub         0644 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@here\n"
    /// /srv/.env.example                 0644 "DB_PASSWORD=hunter2\n"
    /// /srv/.env                         0644 "PORT=8080\nDB_PASSWORD=\n"
    /// /root/.npmrc                      0600 "//registry.example/:_authToken=${NPM_TOKEN}\n"
    /// /srv/node_modules/tls/test/a.key  0644 "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHBsaW1zb2xscGxpbXNvbGxw\n-----END"
    /// ```
    ///
    /// ## Remedy
    ///
    /// `RUN --mount=type=secret` or `--mount=type=ssh` while building, a mounted file while running,
    /// and a line in `.dockerignore`. What was in an image that left the building must be replaced.
    id: "secret-file",
    practice: "no secrets in the image",
    summary: "a private key or credentials are in a layer",
    severity: High,
    run: run,
}

/// More bytes than this are no credentials.
const LARGEST: u64 = 64 * 1024;
const REMEDY: &str = "RUN --mount=type=secret, and a line in .dockerignore; replace the secret";

const HOST_KEY: &str = "the same private key of an SSH server";

/// A kind of file that may hold secrets.
struct Kept {
    /// Whether the file is one, by its path and name.
    is: fn(&ImagePath, &str) -> bool,
    /// What is in it, if it does.
    holds: fn(&[u8]) -> bool,
    what: &'static str,
    severity: Severity,
}

const KINDS: &[Kept] = &[
    Kept {
        // Every container of the image has the same host key.
        is: |_, name| name.starts_with("ssh_host_") && name.ends_with("_key"),
        holds: secrets::is_private_key,
        what: HOST_KEY,
        severity: Severity::Medium,
    },
    Kept {
        is: |_, name| is_key(name),
        holds: secrets::is_private_key,
        what: "a private key",
        severity: Severity::High,
    },
    Kept {
        is: |_, name| is_settings(name),
        holds: |text| pairs(text).any(|(name, value)| secrets::in_pair(name, value).is_some()),
        what: "passwords or keys of an application",
        severity: Severity::High,
    },
    Kept {
        is: |_, name| matches!(name, ".npmrc" | ".yarnrc" | ".yarnrc.yml" | "auth.json"),
        holds: |text| {
            has_value(
                text,
                &[
                    "_authToken",
                    "_password",
                    "_auth",
                    "npmAuthToken",
                    "password",
                    "token",
                ],
            )
        },
        what: "credentials for a package registry",
        severity: Severity::High,
    },
    Kept {
        is: |path, name| {
            name == ".pypirc"
                || path.as_bytes().ends_with(b"/.gem/credentials")
                || path.as_bytes().ends_with(b"/.cargo/credentials")
                || path.as_bytes().ends_with(b"/.cargo/credentials.toml")
                || path.as_bytes().ends_with(b"/.m2/settings.xml")
        },
        holds: |text| {
            has_value(
                text,
                &["password", "token", ":rubygems_api_key", "<password>"],
            )
        },
        what: "credentials for a package registry",
        severity: Severity::High,
    },
    Kept {
        is: |_, name| matches!(name, ".netrc" | "_netrc"),
        holds: |text| {
            let text = String::from_utf8_lossy(text);
            let mut words = text.split_whitespace();
            words.any(|word| word == "password") && words.next().is_some()
        },
        what: "passwords for other machines",
        severity: Severity::High,
    },
    Kept {
        is: |path, name| {
            name == ".git-credentials"
                || path.as_bytes().ends_with(b"/.git/config")
                || name == ".gitconfig"
        },
        holds: |text| secrets::password_in_address(&String::from_utf8_lossy(text)),
        what: "credentials for git",
        severity: Severity::High,
    },
    Kept {
        is: |path, name| path.as_bytes().ends_with(b"/.docker/config.json") || name == ".dockercfg",
        holds: |text| has_value(text, &["\"auth\"", "\"identitytoken\"", "\"password\""]),
        what: "credentials for a registry of images",
        severity: Severity::High,
    },
    Kept {
        is: |path, name| {
            path.as_bytes().ends_with(b"/.aws/credentials")
                || matches!(name, ".boto" | ".s3cfg" | "credentials.csv")
        },
        holds: |text| {
            has_value(
                text,
                &["aws_secret_access_key", "secret_key", "Secret access key"],
            )
        },
        what: "credentials for a cloud",
        severity: Severity::High,
    },
    Kept {
        is: |path, name| {
            name.ends_with(".json")
                && (name.contains("credentials")
                    || name.contains("service") && name.contains("account"))
                || path.as_bytes().ends_with(b"/.azure/accessTokens.json")
        },
        holds: |text| {
            has_value(
                text,
                &[
                    "\"private_key\"",
                    "\"refresh_token\"",
                    "\"client_secret\"",
                    "\"accessToken\"",
                ],
            )
        },
        what: "credentials for a cloud",
        severity: Severity::High,
    },
    Kept {
        is: |path, name| path.as_bytes().ends_with(b"/.kube/config") || name == "kubeconfig",
        holds: |text| has_value(text, &["client-key-data", "token", "password"]),
        what: "credentials for a cluster",
        severity: Severity::High,
    },
    Kept {
        is: |path, name| {
            matches!(
                name,
                ".my.cnf" | ".pgpass" | ".mylogin.cnf" | ".vault-token"
            ) || path.as_bytes().ends_with(b"/gh/hosts.yml")
        },
        holds: |text| !text.trim_ascii().is_empty(),
        what: "credentials of a client",
        severity: Severity::High,
    },
    Kept {
        is: |_, name| name.ends_with(".tfstate"),
        holds: |text| {
            has_value(
                text,
                &[
                    "\"password\"",
                    "\"private_key\"",
                    "\"secret\"",
                    "\"access_key\"",
                ],
            )
        },
        what: "secrets in the state of Terraform",
        severity: Severity::High,
    },
];

fn run(look: &Look, findings: &mut Findings) {
    let tree = &look.rootfs.tree;
    let mut live: BTreeSet<&ImagePath> = BTreeSet::new();
    let mut host_keys = Vec::new();
    for (path, node) in tree.iter() {
        let Kind::File { size, at } = node.kind else {
            continue;
        };
        let Some(kind) = kind(path, size) else {
            continue;
        };
        if is_everybodys(path) || look.is_owned(path) {
            continue;
        }
        match read(look, at, size) {
            Ok(text) if (kind.holds)(&text) => {
                live.insert(path);
                if kind.what == HOST_KEY {
                    host_keys.push(path.clone());
                    continue;
                }
                let message = format!("`{path}` holds {}", kind.what);
                let evidence = Evidence::Path {
                    path: path.clone(),
                    layer: node.layer,
                    size,
                };
                findings.add_as(kind.severity, message, vec![evidence], REMEDY);
            }
            Ok(_) => {}
            Err(error) => findings.problem(unreadable(path, node.layer, size, &error)),
        }
    }
    if !host_keys.is_empty() {
        let names = programs::some(&host_keys);
        findings.add_as(
            Severity::Medium,
            format!("every container has {HOST_KEY}: {names}"),
            programs::evidence_of(tree, &host_keys),
            "rm -f /etc/ssh/ssh_host_* in the RUN that installs, and make them at the start",
        );
    }
    // What later layers hide, newest first: of one path once is enough.
    let mut told: BTreeSet<&ImagePath> = BTreeSet::new();
    for dead in tree.dead.iter().rev() {
        let path = &dead.path;
        let Some(kind) = kind(path, dead.size) else {
            continue;
        };
        if is_everybodys(path) || live.contains(path) || told.contains(path) || look.is_owned(path)
        {
            continue;
        }
        match read(look, dead.at, dead.size) {
            Ok(text) if (kind.holds)(&text) => {
                told.insert(path);
                let does = if dead.removed {
                    "removes it"
                } else {
                    "writes it again"
                };
                let message = format!(
                    "`{path}` in layer {} holds {}, for whoever has the image: layer {} {does}, \
                     and hides nothing",
                    dead.layer, kind.what, dead.hidden_by
                );
                let evidence = Evidence::Path {
                    path: path.clone(),
                    layer: dead.layer,
                    size: dead.size,
                };
                findings.add_as(kind.severity, message, vec![evidence], REMEDY);
            }
            Ok(_) => {}
            Err(error) => findings.problem(unreadable(path, dead.layer, dead.size, &error)),
        }
    }
}

fn kind(path: &ImagePath, size: u64) -> Option<&'static Kept> {
    if size == 0 || size > LARGEST {
        return None;
    }
    let name = std::str::from_utf8(path.file_name()).ok()?;
    KINDS.iter().find(|kind| (kind.is)(path, name))
}

fn read(look: &Look, at: Extent, size: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    look.rootfs
        .contents
        .open(at, size)?
        .read_to_end(&mut text)?;
    Ok(text)
}

fn unreadable(path: &ImagePath, layer: u32, size: u64, error: &io::Error) -> Problem {
    Problem {
        message: format!("cannot be read, so whether it holds a secret is not known: {error}"),
        evidence: Evidence::Path {
            path: path.clone(),
            layer,
            size,
        },
    }
}

/// Directories of libraries, examples and tests: what lies there everybody has.
fn is_everybodys(path: &ImagePath) -> bool {
    const PARTS: &[&[u8]] = &[
        b"__tests__",
        b"demo",
        b"demos",
        b"dist-packages",
        b"doc",
        b"docs",
        b"example",
        b"examples",
        b"fixture",
        b"fixtures",
        b"gems",
        b"mock",
        b"mocks",
        b"node_modules",
        b"sample",
        b"samples",
        b"site-packages",
        b"spec",
        b"test",
        b"testdata",
        b"testing",
        b"tests",
    ];
    let name = path.file_name();
    let snake_oil = name.windows(8).any(|part| part == b"snakeoil");
    let mut parts = path.components().rev().skip(1);
    snake_oil || path.starts_with("/usr/share") || parts.any(|part| PARTS.contains(&part))
}

/// Names that keys are stored under.
fn is_key(name: &str) -> bool {
    const NAMES: &[&str] = &["identity", "id_dsa", "id_ecdsa", "id_ed25519", "id_rsa"];
    const ENDS: &[&str] = &[".key", ".p8", ".pem", ".pk8", ".ppk"];
    NAMES.contains(&name)
        || name.starts_with("id_") && !name.contains('.') && !name.ends_with("_pub")
        || name.starts_with("privkey")
        || ENDS.iter().any(|end| name.ends_with(end))
        || name.ends_with("_rsa")
        || name.ends_with("_ed25519")
}

/// `.env`, `.env.production`, `prod.env`; not `.env.example`.
fn is_settings(name: &str) -> bool {
    const MODELS: &[&str] = &[
        "default", "defaults", "dist", "example", "sample", "template", "test",
    ];
    let is = name == ".env" || name.starts_with(".env.") || name.ends_with(".env");
    is && !name
        .split(['.', '-', '_'])
        .any(|part| MODELS.contains(&part))
}

/// `NAME=value`, a line each, as shells and dotenv read them.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.split(|&byte| byte == b'\n');
    let lines = lines.filter_map(|line| std::str::from_utf8(line).ok());
    lines
        .map(|line| line.trim().trim_start_matches("export "))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
}

/// Whether one of these keys has a value that is no variable to be filled in.
fn has_value(text: &[u8], keys: &[&str]) -> bool {
    let text = String::from_utf8_lossy(text);
    keys.iter().any(|key| {
        text.match_indices(key).any(|(at, _)| {
            let rest = text[at + key.len()..].trim_start_matches(['"', '\'', ' ', '\t']);
            let value = match key.ends_with('>') {
                true => rest,
                false => match rest.strip_prefix(['=', ':', ',']) {
                    Some(value) => value,
                    None => return false,
                },
            };
            let value = value.trim_start_matches(['"', '\'', ' ', '\t']);
            let end = value.find(['"', '\'', ' ', '\n', '\r', ',', '<']);
            let value = &value[..end.unwrap_or(value.len())];
            !value.is_empty() && !value.starts_with(['$', '{', '%']) && value != "null"
        })
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_model::fixture::Fixture;

    use super::*;

    const KEY: &str =
        "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIHBsaW1zb2xscGxpbXNvbGxw\\n-----END";

    fn found(text: &str) -> Vec<String> {
        let fixture = Fixture::new(text);
        let (findings, problems) = CHECK.on(&Look::plain(&fixture.subject()));
        assert_eq!(problems, []);
        findings
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn what_a_later_layer_hides_is_told_with_both_layers() {
        let text = format!(
            "--- layer\n/srv/a.key 0600 \"{KEY}\"\n/srv/b.key 0600 \"{KEY}\"\n--- layer\n\
             /srv/a.key removed\n/srv/b.key 0600 \"{KEY}\""
        );
        assert_eq!(
            found(&text),
            [
                "`/srv/b.key` holds a private key",
                "`/srv/a.key` in layer 1 holds a private key, for whoever has the image: layer 2 \
                 removes it, and hides nothing"
            ]
        );
    }

    #[test]
    fn what_a_package_brings_is_no_secret() {
        let text = format!(
            "/opt/x.key 0600 \"{KEY}\"\nPACKAGE x 1\nPACKAGE x owns /opt/x.key\n\
             /etc/ssl/private/ssl-cert-snakeoil.key 0600 \"{KEY}\""
        );
        assert_eq!(found(&text), [""; 0]);
    }

    #[test]
    fn a_key_without_a_value_is_none() {
        for (text, has) in [
            ("password = x", true),
            ("password: \"x\"", true),
            ("password =\n", false),
            ("password: ${X}", false),
            ("passwordless = x", false),
            ("\"auth\": \"dXNlcjpw\"", true),
            ("<password>x</password>", true),
        ] {
            let keys = ["password", "\"auth\"", "<password>"];
            assert_eq!(has_value(text.as_bytes(), &keys), has, "{text}");
        }
    }
}
