//! What a secret looks like: by the name it is stored under, and by its own form.

/// Why a value is a secret, in words; `None` where nothing says so.
pub(crate) fn in_pair(name: &str, value: &str) -> Option<&'static str> {
    let value = value.trim().trim_matches(['"', '\'']);
    if is_placeholder(value) {
        return None;
    }
    by_form(value).or_else(|| by_name(name, value))
}

/// What a value is by its own form: tokens that their makers gave a mark for this purpose, keys in
/// PEM, and passwords in addresses.
pub(crate) fn by_form(value: &str) -> Option<&'static str> {
    if is_private_key(value.as_bytes()) {
        return Some("a private key");
    }
    for (mark, least, what) in MARKS {
        if let Some(at) = value.find(mark)
            && !value[..at].ends_with(|sign: char| sign.is_ascii_alphanumeric())
        {
            let rest = &value[at + mark.len()..];
            let length = rest
                .bytes()
                .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
                .count();
            if length >= *least && !is_placeholder(&rest[..length]) {
                return Some(what);
            }
        }
    }
    if is_web_token(value) {
        return Some("a JSON web token");
    }
    password_in_address(value).then_some("a password in an address")
}

/// What tokens begin with, and how many characters follow at least. Sources: the makers'
/// documentation of their secret-scanning programmes.
const MARKS: &[(&str, usize, &str)] = &[
    ("AKIA", 16, "the id of an AWS access key"),
    ("AIza", 35, "a Google API key"),
    ("SG.", 40, "a SendGrid key"),
    ("dckr_pat_", 20, "a Docker access token"),
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("github_pat_", 40, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("hvs.", 24, "a Vault token"),
    ("npm_", 36, "an npm token"),
    ("pypi-AgE", 50, "a PyPI token"),
    ("sk-ant-", 40, "an API key"),
    ("sk-proj-", 40, "an API key"),
    ("sk_live_", 16, "a Stripe key"),
    ("rk_live_", 16, "a Stripe key"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
];

/// Whether these bytes hold a private key in PEM (RFC 7468) that no password protects.
pub(crate) fn is_private_key(bytes: &[u8]) -> bool {
    const KINDS: [&[u8]; 6] = [b"", b"RSA ", b"EC ", b"DSA ", b"OPENSSH ", b"PGP "];
    let text = bytes;
    let Some(at) = find(text, b"-----BEGIN ") else {
        return false;
    };
    let rest = &text[at + b"-----BEGIN ".len()..];
    let is_key = KINDS.iter().any(|kind| {
        let behind = rest.strip_prefix(*kind);
        let behind = behind.and_then(|rest| rest.strip_prefix(b"PRIVATE KEY"));
        behind.is_some_and(|rest| rest.starts_with(b"-----") || rest.starts_with(b" BLOCK-----"))
    });
    // A PEM header of the old encryption; and text about keys has no body.
    is_key && find(rest, b"Proc-Type: 4,ENCRYPTED").is_none() && has_body(rest)
}

/// Whether base64 follows the first line.
fn has_body(rest: &[u8]) -> bool {
    // In variables line feeds are often written as `\n`.
    let body = rest
        .splitn(2, |&byte| byte == b'\n' || byte == b'\\')
        .nth(1);
    let body = body.unwrap_or_default();
    let signs = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    body.iter().skip(1).take(40).filter(signs).count() >= 32
}

/// What a name calls its value.
pub(crate) fn by_name(name: &str, value: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name
        .split(|sign: char| !sign.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let (what, behind) = named(&words)?;
    // `PASSWORD_FILE`, `TOKEN_TTL`: about a secret, and not it.
    if behind.iter().any(|word| ABOUT.contains(word)) || words.contains(&"public") {
        return None;
    }
    let is_path = value.starts_with('/') || value.starts_with("./");
    let is_word = matches!(
        &*value.to_ascii_lowercase(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "none" | "null" | "0" | "1"
    );
    (!is_path && !is_word).then_some(what)
}

/// The words of a name that call something a secret, and what is behind them.
fn named<'a, 'b>(words: &'b [&'a str]) -> Option<(&'static str, &'b [&'a str])> {
    for (index, word) in words.iter().enumerate() {
        let (first, rest) = (*word, &words[index + 1..]);
        let what = match first {
            "password" | "passwd" | "passphrase" | "pwd" | "pword"
                if index > 0 || first != "pwd" =>
            {
                "a password"
            }
            "pass" if index > 0 && rest.is_empty() => "a password",
            "secret" | "secrets" => "a secret",
            "token" | "authtoken" => "a token",
            "apikey" | "accesskey" | "secretkey" | "privatekey" => "a key",
            "credential" | "credentials" => "credentials",
            "api" | "access" | "private" | "encryption" | "signing" | "master" | "app"
                if rest.first() == Some(&"key") =>
            {
                return Some(("a key", &rest[1..]));
            }
            _ if first.len() > 8 && first.ends_with("password") => "a password",
            _ => continue,
        };
        return Some((what, rest));
    }
    None
}

/// Words behind the name of a secret that tell of it.
const ABOUT: &[&str] = &[
    "age",
    "algorithm",
    "backend",
    "cache",
    "class",
    "command",
    "dir",
    "directory",
    "enabled",
    "encoder",
    "endpoint",
    "expiration",
    "expires",
    "expiry",
    "file",
    "files",
    "hasher",
    "header",
    "host",
    "id",
    "interval",
    "issuer",
    "length",
    "lifetime",
    "limit",
    "manager",
    "max",
    "method",
    "min",
    "mode",
    "name",
    "path",
    "paths",
    "policy",
    "port",
    "prefix",
    "provider",
    "rounds",
    "service",
    "store",
    "timeout",
    "ttl",
    "type",
    "uri",
    "url",
    "user",
    "username",
    "validity",
    "version",
];

/// Values that only stand where a secret will.
fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    value.is_empty()
        || value.starts_with(['$', '<', '{', '%'])
        || lower.chars().all(|sign| "x*.-_?".contains(sign))
        || [
            "your-",
            "your_",
            "replace",
            "placeholder",
            "insert-",
            "redacted",
            "not-a-secret",
        ]
        .iter()
        .any(|start| lower.starts_with(start))
}

/// Three parts in base64url with dots between, the first of which begins `{"` (RFC 7519).
fn is_web_token(value: &str) -> bool {
    let Some(at) = value.find("eyJ") else {
        return false;
    };
    let token = value[at..].split(|sign: char| sign.is_whitespace() || "\"',;".contains(sign));
    let parts: Vec<&str> = token.take(1).flat_map(|token| token.split('.')).collect();
    let is_part = |part: &&str| {
        let mut signs = part.bytes();
        part.len() >= 10 && signs.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    parts.len() == 3 && parts[1].starts_with("eyJ") && parts.iter().all(is_part)
}

/// `scheme://user:password@host` (RFC 3986, userinfo).
pub(crate) fn password_in_address(text: &str) -> bool {
    text.match_indices("://").any(|(at, mark)| {
        let rest = &text[at + mark.len()..];
        let end = rest.find(['/', '?', '#', ' ', '"', '\'', '\n']);
        let authority = &rest[..end.unwrap_or(rest.len())];
        let Some((user, _)) = authority.rsplit_once('@') else {
            return false;
        };
        let password = user.split_once(':').map_or("", |(_, password)| password);
        !is_placeholder(password)
    })
}

/// A secret as a report may show it: enough to know it again, too little to use it.
pub(crate) fn masked(value: &str) -> String {
    let shown: String = match value.chars().count() {
        0..8 => String::new(),
        8..20 => value.chars().take(2).collect(),
        _ => value.chars().take(4).collect(),
    };
    format!("{shown}…")
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_forms_are_known() {
        let github = format!("ghp_{}", "a1".repeat(18));
        let jwt = format!("eyJhbGciOiJI.eyJzdWIiOiIx.{}", "s".repeat(20));
        for (name, value, is) in [
            ("DB_PASSWORD", "hunter2", true),
            (
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                true,
            ),
            ("POSTGRES_PASSWORD", "changeme", true),
            ("MYSQL_ROOT_PASSWORD", "12345", true),
            ("PGPASSWORD", "hunter2", true),
            ("SMTP_PASS", "hunter2", true),
            ("NPM_TOKEN", "abc", true),
            ("X", &github, true),
            ("X", &jwt, true),
            ("DATABASE_URL", "postgres://app:hunter2@db/app", true),
            ("DATABASE_URL", "postgres://db/app", false),
            ("DATABASE_URL", "postgres://app@db/app", false),
            ("DATABASE_URL", "postgres://app:$PASS@db/app", false),
            ("GPG_KEY", "E3FF2839C048B25C084DEBE9B26995E310250568", false),
            (
                "GPG_KEYS",
                "0D96DF4D4110E5C43FBFB17F2D347EA6AA65421D",
                false,
            ),
            ("PASSWORD_FILE", "/run/secrets/db", false),
            ("DB_PASSWORD", "/run/secrets/db", false),
            ("DB_PASSWORD", "", false),
            ("DB_PASSWORD", "${DB_PASSWORD}", false),
            ("DB_PASSWORD", "xxxx", false),
            ("PASSWORD_MIN_LENGTH", "8", false),
            ("TOKEN_TTL", "3600", false),
            ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes", false),
            ("PWD", "/srv", false),
            ("SSH_AUTH_SOCK", "/agent", false),
            ("PUBLIC_KEY", "abc", false),
            ("PYTHON_SHA256", &"a".repeat(64), false),
            ("NODE_OPTIONS", "--max-old-space-size=4096", false),
            ("BYPASS", "on", false),
            ("COMPASS", "north", false),
        ] {
            assert_eq!(in_pair(name, value).is_some(), is, "{name}={value}");
        }
    }

    #[test]
    fn a_private_key_has_a_body_and_no_password() {
        let body = "MC4CAQAwBQYDK2VwBCIEIHBsaW1zb2xscGxpbXNvbGxwbGltc29sbHBs";
        for (kind, is) in [
            ("PRIVATE KEY", true),
            ("RSA PRIVATE KEY", true),
            ("OPENSSH PRIVATE KEY", true),
            ("ENCRYPTED PRIVATE KEY", false),
            ("PUBLIC KEY", false),
            ("CERTIFICATE", false),
        ] {
            let pem = format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n");
            assert_eq!(is_private_key(pem.as_bytes()), is, "{kind}");
            assert_eq!(by_form(&pem.replace('\n', "\\n")).is_some(), is, "{kind}");
        }
        assert!(!is_private_key(
            b"write -----BEGIN PRIVATE KEY----- above it\n"
        ));
        let old =
            format!("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{body}\n-----END");
        assert!(!is_private_key(old.as_bytes()));
    }

    #[test]
    fn a_secret_is_never_shown() {
        for secret in ["hunter2", "hunter22", &"x".repeat(40)] {
            assert!(masked(secret).chars().count() <= 5);
            assert!(!masked(secret).contains(secret));
        }
    }
}
