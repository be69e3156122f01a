//! The name of an image in a registry: `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`.
//!
//! The grammar is that of the distribution project (`reference/regexp.go` describes it), the
//! defaults are Docker's: without a host Docker Hub is meant, there without a namespace `library`,
//! and without tag and digest `latest`.

use std::fmt;

use plimsoll_model::Digest;

/// Docker Hub, as names of images have it.
pub(crate) const HUB: &str = "docker.io";
/// Bytes of a name, host included (distribution project, `NameTotalLengthMax`).
const MAX_NAME: usize = 255;
/// Characters of a tag.
const MAX_TAG: usize = 128;

/// The name of an image in a registry, complete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Host and port: `docker.io`, `localhost:5000`, `[::1]:5000`.
    host: String,
    /// The name there: `library/httpd`.
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Parses a name as people write it, `docker://` in front or not.
    ///
    /// # Errors
    /// Says what is wrong with it, as a phrase.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix("docker://").unwrap_or(text);
        let (rest, digest) = match text.split_once('@') {
            None => (text, None),
            Some((rest, digest)) => {
                let digest = Digest::parse(digest).map_err(|error| error.to_string())?;
                (rest, Some(digest))
            }
        };
        // The colon of a port has a slash behind it.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') && !tag.ends_with(']') => (name, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag
            && !is_tag(tag)
        {
            return Err(format!("`{tag}` is no tag"));
        }
        let (host, repository) = match name.split_once('/') {
            Some((first, rest)) if is_host(first) => (first, rest.to_owned()),
            _ => (HUB, name.to_owned()),
        };
        let host = match host {
            "index.docker.io" | "registry-1.docker.io" => HUB.to_owned(),
            // Hosts are the same in either case; but a capital letter may be all that says that
            // this is one, and what we write must be read as the same again.
            host => match host.to_ascii_lowercase() {
                lower if is_host(&lower) => lower,
                _ => host.to_owned(),
            },
        };
        let repository = match host == HUB && !repository.contains('/') {
            true => format!("library/{repository}"),
            false => repository,
        };
        if !is_authority(&host) {
            return Err(format!("`{host}` is no host"));
        }
        if let Some(part) = repository.split('/').find(|part| !is_component(part)) {
            let upper = part.bytes().any(|byte| byte.is_ascii_uppercase());
            return Err(match upper {
                true => format!("`{part}` has capital letters, which no repository has"),
                false => format!("`{part}` is no part of a repository's name"),
            });
        }
        if host.len() + 1 + repository.len() > MAX_NAME {
            return Err(format!("its name has more than {MAX_NAME} characters"));
        }
        if name.len() == 64 && Digest::from_hex(name).is_some() {
            return Err("a name must not look like the identifier of an image".to_owned());
        }
        Ok(Self {
            host,
            repository,
            tag: tag.map(str::to_owned),
            digest,
        })
    }

    /// Host and port, as names of images have it: `docker.io`, `localhost:5000`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name there: `library/httpd`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The digest, where the name has one; it decides, whatever the tag says.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The tag, `latest` where neither tag nor digest was written; `None` beside a digest alone.
    pub fn tag(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, None) => Some("latest"),
            (None, Some(_)) => None,
        }
    }

    /// What a registry is asked for: the digest, else the tag.
    pub fn target(&self) -> String {
        match (&self.digest, self.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or("latest").to_owned(),
        }
    }

    /// Host and repository without tag and digest: `docker.io/library/httpd`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }

    /// The same image in another place: a mirror has its own host, and may have a prefix.
    ///
    /// # Errors
    /// When `name` (host and repository) is none.
    pub fn at(&self, name: &str) -> Result<Self, String> {
        let other = Self::parse(name)?;
        Ok(Self {
            host: other.host,
            repository: other.repository,
            ..self.clone()
        })
    }

    /// The same repository, another target.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            tag: None,
            ..self.clone()
        }
    }

    /// Whether its registry is this machine itself, where plain HTTP is no risk.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// The short form Docker shows: `httpd:2.4`, `me/app`.
    pub fn familiar(&self) -> String {
        let whole = self.to_string();
        let hub = whole.strip_prefix("docker.io/");
        match hub {
            Some(rest) => rest.strip_prefix("library/").unwrap_or(rest).to_owned(),
            None => whole,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = self.tag() {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Whether `host` (with or without a port) is this machine itself.
pub fn is_loopback(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether the first component of a name is a host and not a namespace of Docker Hub's.
fn is_host(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':'])
        || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Host and port, with only the characters they may have: it becomes part of an address.
fn is_authority(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => (address, None),
            Some((address, rest)) => (address, rest.strip_prefix(':')),
            None => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('+')) {
        return false;
    }
    if host.starts_with('[') {
        return name.parse::<std::net::Ipv6Addr>().is_ok();
    }
    name.split('.').all(|part| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty()
            && part.bytes().all(inner)
            && !part.starts_with('-')
            && !part.ends_with('-')
    })
}

/// One component of a repository: runs of letters and digits with `.`, `_`, `__` or dashes between.
fn is_component(part: &str) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators: Vec<&[u8]> = part.as_bytes().split(is_alphanumeric).collect();
    let (Some(first), Some(last)) = (separators.first(), separators.last()) else {
        return false;
    };
    part.bytes().any(|byte| is_alphanumeric(&byte))
        && first.is_empty()
        && last.is_empty()
        && separators.iter().all(|between| {
            [&b"."[..], b"_", b"__"].contains(between) || between.iter().all(|&byte| byte == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = tag.bytes();
    tag.len() <= MAX_TAG
        && bytes.next().is_some_and(word)
        && bytes.all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_docker_does() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (name, full) in [
            ("httpd", "docker.io/library/httpd:latest"),
            ("httpd:2.4", "docker.io/library/httpd:2.4"),
            ("docker://httpd:2.4", "docker.io/library/httpd:2.4"),
            ("docker.io/httpd", "docker.io/library/httpd:latest"),
            (
                "index.docker.io/library/httpd",
                "docker.io/library/httpd:latest",
            ),
            ("me/app:1", "docker.io/me/app:1"),
            ("localhost/app:1", "localhost/app:1"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000/a/b/c:x"),
            ("[::1]:5000/app:1", "[::1]:5000/app:1"),
            ("[::1]/app", "[::1]/app:latest"),
            (
                "Registry.Example.com/app",
                "registry.example.com/app:latest",
            ),
            ("Registry/app:1", "Registry/app:1"),
            ("a__b/c-_x", ""),
            ("a__b/c---d.e", "docker.io/a__b/c---d.e:latest"),
            (
                &format!("httpd@{digest}"),
                &format!("docker.io/library/httpd@{digest}"),
            ),
            (
                &format!("quay.io/me/app:1.0@{digest}"),
                &format!("quay.io/me/app:1.0@{digest}"),
            ),
        ] {
            let found = Reference::parse(name).map(|found| found.to_string());
            match full {
                "" => assert!(found.is_err(), "{name}"),
                full => assert_eq!(found.as_deref(), Ok(full), "{name}"),
            }
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = format!("localhost/{}", "a".repeat(250));
        let identifier = "ab".repeat(32);
        for name in [
            "",
            "/app",
            "app/",
            "me//app",
            "App",
            "me/App",
            "app:",
            "app:-x",
            "app@sha256:12",
            "app@md5:00",
            "host:port/app",
            "host.x:99999/app",
            "host_name.x/app",
            "[::1/app",
            "[nonsense]:1/app",
            "user:secret@host.example/app",
            "host.example/../app",
            "host.example/a?b",
            "-a.example/app",
            "app:1/../../x",
            &long,
            &identifier,
        ] {
            assert!(Reference::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_digest_decides() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let both = Reference::parse(&format!("app:1@{digest}")).unwrap();
        assert_eq!((both.target(), both.tag()), (digest, Some("1")));
        assert_eq!(Reference::parse("app").unwrap().target(), "latest");
    }

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for (host, loopback) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.9.9.9", true),
            ("[::1]:80", true),
            ("localhost.example", false),
            ("10.0.0.1", false),
            ("[2001:db8::1]", false),
        ] {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }

    #[test]
    fn the_short_form_is_the_one_that_was_written() {
        for (name, short) in [
            ("httpd:2.4", "httpd:2.4"),
            ("me/app", "me/app:latest"),
            ("localhost:5000/a:1", "localhost:5000/a:1"),
        ] {
            assert_eq!(Reference::parse(name).unwrap().familiar(), short);
        }
    }
}
