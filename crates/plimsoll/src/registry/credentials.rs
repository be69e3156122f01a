//! Who the user is to a registry: what `docker login` and `podman login` left on this machine.
//!
//! Both write one format: `auths` with `user:password` in base64, by registry and, in Podman's files,
//! by namespace or repository; `credHelpers` and `credsStore` name a program that knows (Docker's
//! documentation of `docker login`; `containers-auth.json(5)`).

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;

/// Bytes of a file with credentials, and of what a helper prints.
const LONGEST: u64 = 1 << 20;
/// How long a helper may take: some ask the user.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who the user is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that stands for both at the registry's authority.
    Identity(String),
}

impl Credential {
    /// The value of an `Authorization` header (RFC 7617); `None` for a token, which is none.
    pub(crate) fn basic(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => Some(format!(
                "Basic {}",
                STANDARD.encode(format!("{user}:{password}"))
            )),
            Self::Identity(_) => None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    auths: BTreeMap<String, Auth>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// What a helper answers (docker/docker-credential-helpers).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Who the user is to the registry at `host`, for `repository` there.
///
/// # Errors
/// When a file that is there cannot be read, or a helper fails; the sentence says which.
pub(crate) fn find(
    files: &[PathBuf],
    host: &str,
    repository: &str,
) -> Result<Option<Credential>, String> {
    for path in files {
        let Some(file) = read(path)? else { continue };
        let named = |error: String| format!("{}: {error}", path.display());
        if let Some(found) = in_file(&file, host, repository).map_err(named)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<Option<File>, String> {
    let failed = |why: String| format!("cannot read {}: {why}", path.display());
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        // What the user may not read is not the user's.
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound
                    | std::io::ErrorKind::NotADirectory
                    | std::io::ErrorKind::PermissionDenied
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error.to_string())),
    };
    let mut bytes = Vec::new();
    let read = file.take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|error| failed(error.to_string()))?;
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    // The message of a parser may show what it read, and that is secret.
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| failed(format!("line {}: it is no JSON of this kind", error.line())))
}

fn in_file(file: &File, host: &str, repository: &str) -> Result<Option<Credential>, String> {
    let aliases = aliases(host);
    if let Some((alias, helper)) = aliases
        .iter()
        .find_map(|alias| Some((alias, file.helpers.get(*alias)?)))
        && let Some(found) = ask(helper, alias)?
    {
        return Ok(Some(found));
    }
    // `host/a/b`, then `host/a`, then `host`: the nearest is meant.
    let whole = format!("{host}/{repository}");
    let mut at = whole.as_str();
    while let Some((above, _)) = at.rsplit_once('/') {
        if let Some(found) = file.auths.get(at) {
            return of_auth(found);
        }
        at = above;
    }
    let written = |key: &str| {
        let bare = key
            .strip_prefix("https://")
            .or_else(|| key.strip_prefix("http://"));
        bare.map(|bare| bare.split('/').next().unwrap_or(bare).to_owned())
    };
    for alias in &aliases {
        let exact = file.auths.get(*alias);
        let by_address = || {
            let same = |(key, _): &(&String, &Auth)| written(key).as_deref() == Some(alias);
            file.auths.iter().find(same).map(|(_, auth)| auth)
        };
        let Some(auth) = exact.or_else(by_address) else {
            continue;
        };
        if let Some(found) = of_auth(auth)? {
            return Ok(Some(found));
        }
    }
    if file.store.is_empty() {
        return Ok(None);
    }
    for alias in &aliases {
        if let Some(found) = ask(&file.store, alias)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The names one registry has in these files; Docker Hub has its oldest address there.
fn aliases(host: &str) -> Vec<&str> {
    match host {
        "docker.io" => vec![
            "https://index.docker.io/v1/",
            "docker.io",
            "index.docker.io",
            "registry-1.docker.io",
        ],
        host => vec![host],
    }
}

fn of_auth(auth: &Auth) -> Result<Option<Credential>, String> {
    if !auth.identitytoken.is_empty() {
        return Ok(Some(Credential::Identity(auth.identitytoken.clone())));
    }
    if auth.auth.is_empty() {
        let password = Credential::Password {
            user: auth.username.clone(),
            password: auth.password.clone(),
        };
        return Ok((!auth.username.is_empty()).then_some(password));
    }
    // Some write it without its padding.
    let decoded = STANDARD_NO_PAD
        .decode(auth.auth.trim().trim_end_matches('='))
        .ok();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    // Docker ends passwords with a zero byte in some files.
    let pair = text.as_deref().map(|text| text.trim_end_matches('\0'));
    match pair.and_then(|pair| pair.split_once(':')) {
        Some((user, password)) => Ok(Some(Credential::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        })),
        None => Err("an `auth` in it is not user:password in base64".to_owned()),
    }
}

/// Asks `docker-credential-NAME get`; `None` if it knows nobody.
fn ask(helper: &str, host: &str) -> Result<Option<Credential>, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if helper.is_empty() || !helper.bytes().all(plain) {
        return Err(format!("`{helper}` is no name of a credential helper"));
    }
    let program = format!("docker-credential-{helper}");
    let failed = |why: String| format!("{program} {why}");
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not read is answered for by what it prints.
        let _ = input.write_all(host.as_bytes());
    }
    let output = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = output.map(|output| output.take(LONGEST).read_to_end(&mut text));
        read.transpose().map(|_| text)
    });
    let until = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(format!(
                    "did not answer in {} s",
                    PATIENCE.as_secs()
                )));
            }
            Err(error) => return Err(failed(format!("cannot be waited for: {error}"))),
        }
    };
    let text = reader.join().ok().and_then(Result::ok).unwrap_or_default();
    if !status.success() {
        let said = String::from_utf8_lossy(&text);
        // The helpers' own words for "nobody is logged in".
        if said.contains("not found") || said.trim().is_empty() {
            return Ok(None);
        }
        return Err(failed(format!("failed ({status}): {}", said.trim())));
    }
    let answer: Answer = serde_json::from_slice(&text)
        .map_err(|_| failed("answered something else than a name and a secret".to_owned()))?;
    Ok(Some(match answer.username.as_str() {
        "<token>" => Credential::Identity(answer.secret),
        _ => Credential::Password {
            user: answer.username,
            password: answer.secret,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        (directory, vec![path])
    }

    fn user(files: &[PathBuf], host: &str, repository: &str) -> Option<String> {
        match find(files, host, repository).unwrap()? {
            Credential::Password { user, password } => Some(format!("{user}/{password}")),
            Credential::Identity(token) => Some(format!("token {token}")),
        }
    }

    #[test]
    fn the_nearest_entry_is_meant() {
        let encode = |text: &str| STANDARD.encode(text);
        let (_directory, files) = file(&format!(
            r#"{{"auths": {{
                "quay.example": {{"auth": "{}"}},
                "quay.example/team": {{"auth": "{}"}},
                "quay.example/team/app": {{"auth": "{}"}},
                "https://index.docker.io/v1/": {{"auth": "{}"}},
                "https://old.example/v2/": {{"username": "old", "password": "o"}},
                "token.example": {{"identitytoken": "t"}},
                "empty.example": {{}}
            }}}}"#,
            encode("a:1"),
            encode("b:2"),
            encode("c:3:4"),
            encode("hub:5")
        ));
        for (host, repository, expected) in [
            ("quay.example", "other", Some("a/1")),
            ("quay.example", "team/other", Some("b/2")),
            ("quay.example", "team/app", Some("c/3:4")),
            ("quay.example", "team/app/deeper", Some("c/3:4")),
            ("quay.example", "teamwork", Some("a/1")),
            ("docker.io", "library/httpd", Some("hub/5")),
            ("old.example", "x", Some("old/o")),
            ("token.example", "x", Some("token t")),
            ("empty.example", "x", None),
            ("quay.example.evil", "team/app", None),
            ("evil.example", "x", None),
        ] {
            let found = user(&files, host, repository);
            assert_eq!(found.as_deref(), expected, "{host}/{repository}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_and_not_shown() {
        let (_directory, files) = file(r#"{"auths": {"h": "c2VjcmV0"}}"#);
        let error = find(&files, "h", "x").err().unwrap();
        assert!(
            error.contains("config.json") && !error.contains("c2Vj"),
            "{error}"
        );
        let (_directory, files) = file(r#"{"auths": {"h": {"auth": "%%%"}}}"#);
        assert!(find(&files, "h", "x").is_err());
        assert!(
            find(&[PathBuf::from("/nowhere/x.json")], "h", "x")
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_helper_is_a_name_and_no_path() {
        let (_directory, files) = file(r#"{"credsStore": "../../bin/sh"}"#);
        assert!(find(&files, "h", "x").err().unwrap().contains("no name"));
    }
}
