//! Which package archives a build uses: `--mirror`'s, else the recipe's, else the environment's,
//! else the machine's own. No mirror is compiled in.

use std::path::Path;

use plimsoll_build::Repository;
use plimsoll_build::recipe::RepositorySection;
use plimsoll_model::fetch::FetchErrorKind;
use plimsoll_model::{Fetch, OsRelease};

use crate::apt;
use crate::cli::Mirror;
use crate::failure::{Failure, Result};
use crate::fetch::without_credentials;

/// An `InRelease` file has some hundred kilobytes; this is the largest that is read.
const MAX_RELEASE: u64 = 16 << 20;

/// The archives to build from, in the order they are named, and what is to be said of the ones
/// left out.
pub(crate) fn repositories(
    given: &Mirror,
    sections: &[RepositorySection],
    fetch: &dyn Fetch,
) -> Result<(Vec<Repository>, Vec<String>)> {
    let etc = Path::new("/etc");
    if let Some(uri) = &given.mirror {
        return Ok((vec![by_hand(given, uri, etc)?], Vec::new()));
    }
    if !sections.is_empty() {
        let found = sections.iter().map(|section| by_recipe(section, etc));
        return Ok((found.collect::<Result<_>>()?, Vec::new()));
    }
    if let Ok(uri) = std::env::var("PLIMSOLL_MIRROR") {
        return Ok((vec![by_hand(given, &uri, etc)?], Vec::new()));
    }
    let (sources, mut notes) = apt::sources(etc);
    let os = os_release(etc);
    let mut found = Vec::new();
    let mut unreachable = Vec::new();
    for source in sources {
        let shown = format!("{} {}", without_credentials(&source.uri), source.suite);
        let url = format!("{}/dists/{}/InRelease", source.uri, source.suite);
        match fetch.fresh(&url, MAX_RELEASE) {
            Err(error) => {
                if matches!(error.kind, FetchErrorKind::Unreachable(_)) {
                    unreachable.push(error.to_string());
                }
                notes.push(format!("left out {shown}: {}", error.kind_text()));
            }
            Ok(text) => {
                // Only whose it is; whether that is true is verified when it is resolved.
                let origin = origin(&text);
                if !is_distribution(&origin, &os) {
                    notes.push(format!(
                        "left out {shown}: it is {origin:?}'s, not the distribution's"
                    ));
                    continue;
                }
                found.push(Repository {
                    uri: source.uri,
                    suite: source.suite,
                    components: source.components,
                    keyrings: source.keyrings,
                    trusted: source.trusted,
                });
            }
        }
    }
    if found.is_empty() {
        let why = unreachable.first().cloned().unwrap_or_else(|| {
            "this machine's package manager names no archive of a Debian kind".to_owned()
        });
        return Err(
            Failure::new(format!("no package mirror can be used: {why}"))
                .unreachable(true)
                .hint("name one with --mirror URI --suite SUITE, or in PLIMSOLL_MIRROR"),
        );
    }
    Ok((found, notes))
}

/// The archives that offer packages of an image's distribution release: `--mirror`'s, else the
/// environment's, else this machine's own, with the suites of that release in the place of its own.
pub(crate) fn for_release(
    given: &Mirror,
    release: &OsRelease,
    fetch: &dyn Fetch,
) -> Result<Vec<Repository>> {
    let os = os_release(Path::new("/etc"));
    let by_hand = given.mirror.is_some() || std::env::var_os("PLIMSOLL_MIRROR").is_some();
    if !by_hand && !os.ids.contains(&release.id) {
        let shown = &release.pretty_name;
        return Err(
            Failure::new(format!("this machine has no archive of {shown}"))
                .hint("name one with --mirror URI --suite SUITE"),
        );
    }
    let (mut repositories, _) = repositories(given, &[], fetch)?;
    let own = os.codename.unwrap_or_default();
    if by_hand {
        // Whoever names no suite means that of the image, and not this machine's.
        if let (None, Some(wanted)) = (&given.suite, codename(release)) {
            for repository in &mut repositories {
                repository.suite.clone_from(&wanted);
            }
        }
        return Ok(repositories);
    }
    let wanted = codename(release)
        .filter(|_| !own.is_empty())
        .ok_or_else(|| {
            Failure::new(format!(
                "which suite of the archive is {} {}?",
                release.id, release.version_id
            ))
            .hint("name one with --mirror URI --suite SUITE")
        })?;
    for repository in &mut repositories {
        repository.suite = repository.suite.replacen(&own, &wanted, 1);
    }
    Ok(repositories)
}

/// The name of a release: its own word, else that of our table.
fn codename(release: &OsRelease) -> Option<String> {
    if !release.codename.is_empty() {
        return Some(release.codename.clone());
    }
    let mut distributions = plimsoll_scan::DISTRIBUTIONS.iter();
    let distribution = distributions.find(|known| known.id == release.id)?;
    let mut releases = distribution.releases.iter();
    let known = releases.find(|known| known.version == release.version_id)?;
    (!known.codename.is_empty()).then(|| known.codename.to_owned())
}

/// A section of the recipe, its key read.
fn by_recipe(section: &RepositorySection, etc: &Path) -> Result<Repository> {
    let keyrings = match &section.signed_by {
        None => apt::all_keyrings(etc),
        Some(key) if key.contains("BEGIN PGP PUBLIC KEY BLOCK") => vec![key.clone().into_bytes()],
        Some(path) => vec![read_keyring(Path::new(path))?],
    };
    Ok(Repository {
        uri: section.uri.trim_end_matches('/').to_owned(),
        suite: section.suite.clone(),
        components: section.components.clone(),
        keyrings,
        trusted: false,
    })
}

fn read_keyring(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        Failure::because(
            format_args!("cannot read the keyring {}", path.display()),
            &error,
        )
    })
}

fn by_hand(given: &Mirror, uri: &str, etc: &Path) -> Result<Repository> {
    let keyrings = if given.keyrings.is_empty() {
        apt::all_keyrings(etc)
    } else {
        given
            .keyrings
            .iter()
            .map(|path| read_keyring(path))
            .collect::<Result<_>>()?
    };
    let suite = given
        .suite
        .clone()
        .or_else(|| std::env::var("PLIMSOLL_SUITE").ok());
    let suite = suite.or_else(|| os_release(etc).codename).ok_or_else(|| {
        Failure::new(format!(
            "which suite of {} is meant?",
            without_credentials(uri)
        ))
        .hint("name it with --suite, such as --suite stable")
    })?;
    Ok(Repository {
        uri: uri.trim_end_matches('/').to_owned(),
        suite,
        components: given.components.clone(),
        keyrings,
        trusted: false,
    })
}

/// What this machine runs.
struct Os {
    ids: Vec<String>,
    codename: Option<String>,
}

fn os_release(etc: &Path) -> Os {
    let text = std::fs::read_to_string(etc.join("os-release")).unwrap_or_default();
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| value.trim_matches(['"', '\'']).to_owned())
    };
    let mut ids: Vec<String> = field("ID").into_iter().collect();
    ids.extend(
        field("ID_LIKE")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned),
    );
    Os {
        ids,
        codename: field("VERSION_CODENAME"),
    }
}

fn origin(release: &[u8]) -> String {
    let text = String::from_utf8_lossy(&release[..release.len().min(4096)]).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("Origin:"));
    line.unwrap_or_default().trim().to_owned()
}

/// Third parties' archives on the machine have no part in an image nobody asked them for.
fn is_distribution(origin: &str, os: &Os) -> bool {
    os.ids.iter().any(|id| id.eq_ignore_ascii_case(origin))
}

/// The words of a fetch error without its address.
trait KindText {
    fn kind_text(&self) -> String;
}

impl KindText for plimsoll_model::FetchError {
    fn kind_text(&self) -> String {
        let whole = self.to_string();
        whole
            .strip_prefix(&format!("{}: ", self.url))
            .map(str::to_owned)
            .unwrap_or(whole)
    }
}
