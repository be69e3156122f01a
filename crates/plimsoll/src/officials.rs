//! What this machine knows of Docker's official images: the table compiled in, and the lists of tags that
//! somebody fetched.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use plimsoll_checks::Abandoned;
use plimsoll_checks::lint::Bases;
use plimsoll_model::{Lineage, text};
use plimsoll_scan::officials::{self, Listed, OFFICIALS, Rebuilt};

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
        let (listed, problem) = match read(cache) {
            Ok(listed) => (listed, None),
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
    pub(crate) fn rebuilt(&self, name: &str) -> Option<Rebuilt> {
        // `python 3.8.1`: what a variable of an official image betrays.
        let spaced = name.replacen(' ', ":", 1);
        let name = match name.split_once(' ') {
            // Every Java image has its variable, not only the official one of that name.
            Some((image, _)) if is_betrayed(image) => &spaced,
            Some(_) => return None,
            None => name,
        };
        let (name, tag) = officials::official(name)?;
        Some(officials::rebuilt(
            name,
            tag,
            self.today,
            self.listed.as_ref(),
        ))
    }

    /// Of which day what is known is, as a phrase.
    pub(crate) fn age(&self) -> String {
        let days = |of: Date| match self.today.duration_since(of).as_hours() / 24 {
            ..=0 => "today's".to_owned(),
            1 => "1 day old".to_owned(),
            days => format!("{days} days old"),
        };
        let table = OFFICIALS.as_of();
        let table = format!("our table of {table}, {}", days(table));
        match &self.listed {
            Some(listed) => {
                let of = listed.date;
                format!("lists of {of}, {}; {table}", days(of))
            }
            None => table,
        }
    }

    /// The ancestors that are known not to be rebuilt any more.
    pub(crate) fn abandoned_of(&self, lineage: &Lineage) -> Vec<Abandoned> {
        let names = lineage.ancestors.iter().map(|ancestor| &*ancestor.name);
        names.filter_map(|name| self.abandoned(name)).collect()
    }

    /// A line for each ancestor that is an official image.
    pub(crate) fn notes(&self, lineage: &Lineage) -> Vec<String> {
        let mut notes = Vec::new();
        for ancestor in &lineage.ancestors {
            if let Some(rebuilt) = self.rebuilt(&ancestor.name) {
                let name = text::printable(ancestor.name.as_bytes());
                notes.push(format!("{name}: {rebuilt} ({})", self.age()));
            }
        }
        notes
    }
}

impl Bases for Officials {
    fn abandoned(&self, name: &str) -> Option<Abandoned> {
        match self.rebuilt(name)? {
            Rebuilt::No { why, instead, .. } => Some(Abandoned {
                name: text::printable(name.as_bytes()),
                why: format!("{why} ({})", self.age()),
                instead,
            }),
            Rebuilt::Yes { .. } | Rebuilt::Unknown { .. } => None,
        }
    }
}

/// Whether a variable with a version gives this image away, and no other.
fn is_betrayed(image: &str) -> bool {
    let known = OFFICIALS.find(image);
    known.is_some_and(|official| official.gone.is_none())
}

/// Where the fetched lists are.
pub(crate) fn file(cache: &Path) -> PathBuf {
    cache.join("advisories").join(FILE)
}

/// Their name in the store of advisories.
pub(crate) const FILE: &str = "official-images.txt";

fn read(cache: &Path) -> Result<Option<Listed>, String> {
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
    let text = std::fs::read_to_string(&path).map_err(|error| named(error.to_string()))?;
    let listed = Listed::read(&text).map_err(|error| named(error.to_string()))?;
    Ok(Some(listed))
}
