//! What the tables of distributions say of a tag that names one of their releases.

use jiff::civil::Date;

use super::lines::MOVING;
use super::{By, Judged, Rebuilt, is_number};
use crate::{DISTRIBUTIONS, Distribution, Release};

/// What is known of the release that the tag names, in whole or behind a hyphen. That the base lives
/// says nothing of an application's line: then there is no answer.
pub(super) fn judge(name: &str, tag: &str, today: Date) -> Option<Judged> {
    let is_own = |distribution: &&Distribution| distribution.id == name;
    let (distribution, rebuilt) = match suite(name, tag) {
        Some((distribution, release)) => (
            distribution,
            of_release(name, tag, today, distribution, release)?,
        ),
        None => {
            let distribution = DISTRIBUTIONS.iter().copied().find(is_own)?;
            (distribution, moving(tag, today, distribution))
        }
    };
    Some(Judged {
        rebuilt,
        by: By::Releases(distribution.name, distribution.as_of),
    })
}

fn of_release(
    name: &str,
    tag: &str,
    today: Date,
    distribution: &Distribution,
    release: &Release,
) -> Option<Rebuilt> {
    let is_own = name == distribution.id;
    let last = release.long_term_until.unwrap_or(release.until);
    let shown = match release.codename {
        "" => format!("{} {}", distribution.name, release.version),
        codename => format!("{} {} ({codename})", distribution.name, release.version),
    };
    if today > last {
        let instead = match is_own {
            true => name.to_owned(),
            false => format!("{name} on a younger {}", distribution.name),
        };
        return Some(Rebuilt::No {
            since: Some(last),
            why: format!("{shown} gets no fixes since {last}"),
            instead: Some(instead),
        });
    }
    let lives = format!("{shown} gets fixes until {last}");
    let first = tag.split('-').next().unwrap_or(tag);
    // `12.5`, `bookworm-20260101`, `noble-20260101.1`: one state of the release, which stays what it is.
    let is_day = |part: &str| part.get(..8).is_some_and(is_number);
    let is_one = first != release.version && first != release.codename;
    let is_one = is_one || tag.split('-').any(is_day);
    is_own.then(|| match is_one {
        true => Rebuilt::Unknown {
            why: format!("{lives}, but {tag} is one state of it"),
        },
        false => Rebuilt::Yes { why: lives },
    })
}

/// A tag of a distribution's own image that names no release we know.
fn moving(tag: &str, today: Date, distribution: &Distribution) -> Rebuilt {
    let first = tag.split('-').next().unwrap_or(tag);
    let fits = |release: &&Release| {
        let rest = release.version.strip_prefix(first);
        MOVING.contains(&first) || rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let lives = |release: &&Release| release.released <= today && today <= release.until;
    let mut releases = distribution.releases.iter().rev().filter(fits);
    let name = distribution.name;
    match releases.find(lives) {
        Some(release) => Rebuilt::Yes {
            why: format!(
                "it moves with the releases of {name}, of which {} is alive",
                release.version
            ),
        },
        None => Rebuilt::Unknown {
            why: format!("`{tag}` names no release in our table of {name}"),
        },
    }
}

/// The release of a distribution that a tag names: `3.12-slim-bookworm`, `8-alpine3.20`, `jammy`; for a
/// distribution's own image also its version.
pub fn suite(name: &str, tag: &str) -> Option<(&'static Distribution, &'static Release)> {
    let own = DISTRIBUTIONS.iter().find(|known| known.id == name);
    if let Some(distribution) = own {
        let first = tag.split('-').next().unwrap_or(tag);
        let of = (distribution.release_of)(first).ok();
        let is_it = |release: &&Release| {
            Some(release.version) == of || !release.codename.is_empty() && release.codename == first
        };
        return Some((distribution, distribution.releases.iter().find(is_it)?));
    }
    for part in tag.split('-') {
        for distribution in DISTRIBUTIONS {
            let version = part.strip_prefix(distribution.id).unwrap_or_default();
            let is_it = |release: &&Release| {
                !release.codename.is_empty() && release.codename == part
                    || !version.is_empty() && release.version == version
            };
            if let Some(release) = distribution.releases.iter().find(is_it) {
                return Some((distribution, release));
            }
        }
    }
    None
}
