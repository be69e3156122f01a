//! Which hosts stand for a registry: mirrors, other locations, plain HTTP, bans.
//!
//! A subset of `containers-registries.conf(5)`: `[[registry]]` with `prefix`, `location`,
//! `insecure`, `blocked` and `[[registry.mirror]]`. `insecure` allows plain HTTP where TLS is not
//! spoken; certificates that cannot be verified are never taken.

use std::path::{Path, PathBuf};

use plimsoll_image::Reference;
use serde::Deserialize;

use super::places::Places;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    registry: Vec<Rule>,
}

/// `[[registry]]`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Rule {
    prefix: String,
    location: String,
    insecure: bool,
    blocked: bool,
    mirror: Vec<Mirror>,
}

/// `[[registry.mirror]]`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct Mirror {
    location: String,
    insecure: bool,
    #[serde(rename = "pull-from-mirror")]
    pull: String,
}

/// A place to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Host and repository there.
    pub(crate) reference: Reference,
    /// Plain HTTP will do where TLS is not spoken.
    pub(crate) plain: bool,
}

/// All rules of this machine and of the command line.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    /// Mirrors of Docker Hub, from the command line.
    mirrors: Vec<String>,
    /// Hosts plain HTTP will do for, from the command line.
    plain: Vec<String>,
}

impl Rules {
    /// Reads the machine's files.
    ///
    /// # Errors
    /// When one that is there cannot be understood; the sentence names it.
    pub(crate) fn read(
        places: &Places,
        mirrors: &[String],
        plain: &[String],
    ) -> Result<Self, String> {
        let mut files: Vec<PathBuf> = Vec::new();
        files.extend(
            places
                .registries
                .iter()
                .find(|path| path.is_file())
                .cloned(),
        );
        for directory in &places.registries_more {
            let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
            let mut more: Vec<PathBuf> = entries
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|end| end == "conf"))
                .collect();
            more.sort();
            files.extend(more);
        }
        let mut rules = Vec::new();
        for path in files {
            rules.extend(read(&path)?);
        }
        Ok(Self {
            rules,
            mirrors: mirrors.to_vec(),
            plain: plain.to_vec(),
        })
    }

    /// Where `reference` is asked for, mirrors first, its own registry last.
    ///
    /// # Errors
    /// When the rules forbid it, or make no name of it.
    pub(crate) fn endpoints(&self, reference: &Reference) -> Result<Vec<Endpoint>, String> {
        let name = reference.name();
        let mut found = Vec::new();
        let mut own = reference.clone();
        let mut plain = self.is_plain(reference.host());
        // The longest prefix that fits is meant.
        let rule = self
            .rules
            .iter()
            .filter_map(|rule| Some((rule, rule.covers(&name)?)))
            .max_by_key(|(_, length)| *length);
        if let Some((rule, length)) = rule {
            if rule.blocked {
                return Err(format!("{name} is blocked by registries.conf"));
            }
            let rest = &name[length..];
            for mirror in &rule.mirror {
                let usable = match mirror.pull.as_str() {
                    "digest-only" => reference.digest().is_some(),
                    "tag-only" => reference.digest().is_none(),
                    _ => true,
                };
                if usable {
                    let reference = reference.at(&format!("{}{rest}", mirror.location))?;
                    let plain = mirror.insecure || self.is_plain(reference.host());
                    found.push(Endpoint { reference, plain });
                }
            }
            if !rule.location.is_empty() {
                own = reference.at(&format!("{}{rest}", rule.location))?;
            }
            plain = plain || rule.insecure;
        }
        if reference.host() == "docker.io" {
            for mirror in &self.mirrors {
                let (place, plain) = match mirror.split_once("://") {
                    Some((scheme, place)) => (place, scheme == "http"),
                    None => (mirror.as_str(), false),
                };
                let place = place.trim_end_matches('/');
                let reference = reference.at(&format!("{place}/{}", reference.repository()))?;
                let plain = plain || self.is_plain(reference.host());
                found.push(Endpoint { reference, plain });
            }
        }
        found.push(Endpoint {
            reference: own,
            plain,
        });
        Ok(found)
    }

    fn is_plain(&self, host: &str) -> bool {
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        self.plain
            .iter()
            .any(|plain| plain == host || plain == bare)
    }
}

impl Rule {
    /// How much of `name` the prefix covers, if it does.
    fn covers(&self, name: &str) -> Option<usize> {
        let prefix = match self.prefix.as_str() {
            "" => self.location.as_str(),
            prefix => prefix,
        };
        if let Some(domain) = prefix.strip_prefix("*.") {
            let host = name.split('/').next().unwrap_or(name);
            let bare = host.split(':').next().unwrap_or(host);
            let above = bare.strip_suffix(domain)?;
            return above.ends_with('.').then_some(host.len());
        }
        let rest = name.strip_prefix(prefix)?;
        let whole = rest.is_empty() || rest.starts_with('/');
        (!prefix.is_empty() && whole).then_some(prefix.len())
    }
}

fn read(path: &Path) -> Result<Vec<Rule>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(Vec::new()),
        Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
    };
    toml::from_str::<File>(&text)
        .map(|file| file.registry)
        .map_err(|error| format!("cannot understand {}: {}", path.display(), error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Rules {
        Rules {
            rules: toml::from_str::<File>(text).unwrap().registry,
            ..Rules::default()
        }
    }

    fn places(rules: &Rules, name: &str) -> Vec<String> {
        let reference = Reference::parse(name).unwrap();
        let found = rules.endpoints(&reference).unwrap();
        let shown = |found: &Endpoint| match found.plain {
            true => format!("{} plain", found.reference),
            false => found.reference.to_string(),
        };
        found.iter().map(shown).collect()
    }

    #[test]
    fn the_longest_prefix_decides() {
        let rules = rules(
            r#"
            [[registry]]
            location = "docker.io"
            [[registry.mirror]]
            location = "mirror.example/hub"
            insecure = true

            [[registry]]
            prefix = "docker.io/team"
            location = "inner.example:5000/team-images"

            [[registry]]
            prefix = "*.corp.example"
            blocked = true
            "#,
        );
        assert_eq!(
            places(&rules, "httpd:2"),
            [
                "mirror.example/hub/library/httpd:2 plain",
                "docker.io/library/httpd:2"
            ]
        );
        assert_eq!(
            places(&rules, "team/app"),
            ["inner.example:5000/team-images/app:latest"]
        );
        assert_eq!(places(&rules, "teams/app").len(), 2);
        let blocked = Reference::parse("a.corp.example/x").unwrap();
        assert!(rules.endpoints(&blocked).unwrap_err().contains("blocked"));
        assert_eq!(places(&rules, "corp.example/x"), ["corp.example/x:latest"]);
    }

    #[test]
    fn mirrors_of_the_command_line_are_docker_hubs() {
        let rules = Rules {
            mirrors: vec!["http://127.0.0.1:5000/".to_owned(), "m.example".to_owned()],
            plain: vec!["old.example".to_owned()],
            ..Rules::default()
        };
        assert_eq!(
            places(&rules, "httpd"),
            [
                "127.0.0.1:5000/library/httpd:latest plain",
                "m.example/library/httpd:latest",
                "docker.io/library/httpd:latest"
            ]
        );
        assert_eq!(
            places(&rules, "old.example:80/x"),
            ["old.example:80/x:latest plain"]
        );
    }
}
