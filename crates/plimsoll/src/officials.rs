//! What this machine knows of Docker's official images: the table compiled in, and the lists of tags that
//! somebody fetched.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use plimsoll_checks::Abandoned;
use plimsoll_checks::lint::Bases;
use plimsoll_model::report::Upkeep;
use plimsoll_model::{Lineage, text};
use plimsoll_scan::DISTRIBUTIONS;
use plimsoll_scan::officials::{self, By, Judged, Listed, OFFICIALS, Rebuilt};

/// What users call it, in `--for` and `--mirror`.
pub(crate) const NAME: &str = "official-images";
/// The fetched lists are not larger.
const MAX_FILE: u64 = 16 << 20;

/// What is known of official images on this day.
#[derive(Debug)]
pub(crate) struct Officials {
    listed: Option<Listed>,
    today: Date,
    /// Why what was fetched cannot be used.
    pub(crate) problem: Option<String>,
}

impl Officials {
    /// What is known, with what was fetched into the cache.
    pub(crate) fn of(cache: &Path) -> Self {
        let (listed, problem) = match fetched(cache) {
            Ok(fetched) => (fetched.map(|(listed, _)| listed), None),
            Err(why) => (None, Some(why)),
        };
        Self {
            listed,
            today: jiff::Zoned::now().date(),
            problem,
        }
    }

    /// What was fetched, where something was.
    pub(crate) fn listed(&self) -> Option<&Listed> {
        self.listed.as_ref()
    }

    /// Whether the official image of this name is still rebuilt; `None` for images of others.
    pub(crate) fn rebuilt(&self, name: &str) -> Option<Judged> {
        // `python 3.8.1`, `alpine 3.20.3`: what a variable, or a step of its history, betrays.
        if let Some((image, version)) = name.split_once(' ') {
            let is_known = is_betrayed(image) || is_distribution(image) && !version.contains(' ');
            return is_known.then(|| officials::rebuilt_version(image, version, self.today));
        }
        let (name, tag) = officials::official(name)?;
        let listed = self.listed.as_ref();
        Some(officials::rebuilt(name, tag, self.today, listed))
    }

    /// Of which day an answer is, as a phrase.
    fn age(&self, by: By) -> String {
        let mut age = match by {
            By::Lists(of) => format!("lists of {of}, {}", self.days(of)),
            By::Lines(of) => format!("our table of {of}, {}", self.days(of)),
            By::Releases(name, of) => {
                format!("our table of {name} releases of {of}, {}", self.days(of))
            }
        };
        if let Some(old) = self.listed.as_ref()
            && !old.is_fresh(self.today)
        {
            age.push_str(&format!("; the lists of {} are too old to count", old.date));
        }
        age
    }

    /// How old what is of this day is, as a phrase.
    fn days(&self, of: Date) -> String {
        match self.today.duration_since(of).as_hours() / 24 {
            ..=0 => "today's".to_owned(),
            1 => "1 day old".to_owned(),
            days => format!("{days} days old"),
        }
    }

    /// The ancestors that are known not to be rebuilt any more.
    pub(crate) fn abandoned_of(&self, lineage: &Lineage) -> Vec<Abandoned> {
        let names = lineage.ancestors.iter().map(|ancestor| &*ancestor.name);
        names.filter_map(|name| self.abandoned(name)).collect()
    }

    /// What is known of each ancestor that is an official image.
    pub(crate) fn upkeep(&self, lineage: &Lineage) -> Vec<Upkeep> {
        let known = lineage.ancestors.iter().filter_map(|ancestor| {
            let Judged { rebuilt, by } = self.rebuilt(&ancestor.name)?;
            let name = ancestor.name.clone();
            let by = self.age(by);
            Some(match rebuilt {
                Rebuilt::Yes { why } => Upkeep {
                    name,
                    rebuilt: Some(true),
                    why,
                    since: None,
                    instead: None,
                    by,
                },
                Rebuilt::No {
                    since,
                    why,
                    instead,
                } => Upkeep {
                    name,
                    rebuilt: Some(false),
                    why,
                    since: since.map(|day| day.to_string()),
                    instead,
                    by,
                },
                Rebuilt::Unknown { why } => Upkeep {
                    name,
                    rebuilt: None,
                    why,
                    since: None,
                    instead: None,
                    by,
                },
            })
        });
        known.collect()
    }
}

impl Bases for Officials {
    fn abandoned(&self, name: &str) -> Option<Abandoned> {
        // What its os-release says is told as the end of the distribution already.
        if name
            .split_once(' ')
            .is_some_and(|(id, _)| is_distribution(id))
        {
            return None;
        }
        let Judged { rebuilt, by } = self.rebuilt(name)?;
        match rebuilt {
            Rebuilt::No { why, instead, .. } => Some(Abandoned {
                name: text::printable(name.as_bytes()),
                why: format!("{why} ({})", self.age(by)),
                instead,
            }),
            Rebuilt::Yes { .. } | Rebuilt::Unknown { .. } => None,
        }
    }
}

/// What is known of an official image, as a line.
pub(crate) fn line(upkeep: &Upkeep) -> String {
    let name = text::printable(upkeep.name.as_bytes());
    let Upkeep { why, by, .. } = upkeep;
    let instead = match &upkeep.instead {
        Some(instead) => format!("; in its place: {instead}"),
        None => String::new(),
    };
    let judged = match upkeep.rebuilt {
        Some(true) => "still rebuilt",
        Some(false) => "no longer rebuilt",
        None => "whether it is still rebuilt is not known",
    };
    format!("{name}: {judged}: {why}{instead} ({by})")
}

/// Whether a variable with a version gives this image away, and no other: every Java image has its
/// variable, not only the official one of that name.
fn is_betrayed(image: &str) -> bool {
    let known = OFFICIALS.find(image);
    known.is_some_and(|official| official.gone.is_none())
}

/// Whether this is a distribution with an image of its own.
fn is_distribution(image: &str) -> bool {
    DISTRIBUTIONS.iter().any(|known| known.id == image)
}

/// Where the fetched lists are.
pub(crate) fn file(cache: &Path) -> PathBuf {
    cache.join("advisories").join(FILE)
}

/// Their name in the store of advisories.
pub(crate) const FILE: &str = "official-images.txt";

/// What was fetched, and its file.
///
/// # Errors
/// Why it cannot be used.
pub(crate) fn fetched(cache: &Path) -> Result<Option<(Listed, Vec<u8>)>, String> {
    let path = file(cache);
    let named = |why: String| format!("{}: {why}", path.display());
    let size = match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(named(error.to_string())),
        Ok(facts) => facts.len(),
    };
    if size > MAX_FILE {
        return Err(named(format!("has more than {MAX_FILE} bytes")));
    }
    let bytes = std::fs::read(&path).map_err(|error| named(error.to_string()))?;
    let listed = parsed(&bytes).map_err(named)?;
    Ok(Some((listed, bytes)))
}

/// The lists in such a file.
///
/// # Errors
/// Why it is none.
pub(crate) fn parsed(bytes: &[u8]) -> Result<Listed, String> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("has more than {MAX_FILE} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    Listed::read(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_variable_is_not_looked_up_as_a_tag() {
        let mut listed = Listed::default();
        listed.date = jiff::civil::date(2026, 11, 29);
        listed.complete = true;
        listed.insert("mysql", ["8.4".to_owned(), "8.4.7".to_owned()].into());
        let officials = Officials {
            today: listed.date,
            listed: Some(listed),
            problem: None,
        };
        let said = |name: &str| Some(officials.rebuilt(name)?.rebuilt.to_string());
        let mysql = said("mysql 8.4.6-1.el9").unwrap();
        assert!(
            mysql.contains("not known: mysql 8.4 gets fixes until"),
            "{mysql}"
        );
        assert_eq!(officials.abandoned("mysql 8.4.6-1.el9"), None);
        assert!(officials.abandoned("mysql:8.4.6").is_some());
        assert!(officials.abandoned("mysql 5.7.44-1.el7").is_some());
        let alpine = said("alpine 3.16.3").unwrap();
        assert!(
            alpine.contains("Alpine 3.16 gets no fixes since"),
            "{alpine}"
        );
        assert_eq!(officials.abandoned("alpine 3.16.3"), None);
        assert!(officials.abandoned("alpine:3.16").is_some());
        for other in ["debian 12 (bookworm)", "java 17.0.2", "a bazel-built image"] {
            assert_eq!(said(other), None, "{other}");
        }
    }
}
