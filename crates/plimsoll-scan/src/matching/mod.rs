//! What is known about the packages of one image: each package is looked up in the slice of its
//! distribution release or ecosystem, and its version is held against every advisory there.
//!
//! A package that cannot be judged is never counted as one without vulnerabilities: it is listed with
//! the reason.

mod layers;
mod maker;
mod merge;
mod products;
mod range;
mod red_hat;
mod score;

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::package::ecosystem::{self, is_distribution};
use plimsoll_model::vulnerability::{
    Affected, AskedData, Ended, Exploited, Lack, Part, SeverityBy, Unjudged, VulnerabilityState,
};
use plimsoll_model::{
    FileTree, ImagePath, Inventory, OsRelease, Package, ScanFacts, Severity, Vulnerability,
    os_release,
};
use plimsoll_packages::version;

use crate::{
    Advisory, Date, Meta, PackageKind, Scope, Slice, Status, Support, support, support::table,
};
use range::Hit;

/// What a scan is asked.
pub struct ScanRequest<'a> {
    /// The image, or what stands for it, as the user wrote it.
    pub name: &'a str,
    /// What is installed, and on which distribution.
    pub inventory: &'a Inventory,
    /// Its files, by whose layers packages are told apart; `None` where only the inventory is known.
    pub tree: Option<&'a FileTree>,
    /// How many layers, from the lowest, are the base's, where that is known.
    pub base_layers: Option<usize>,
    /// The data, by what they are about: at least those of [`wanted`].
    pub data: &'a BTreeMap<Scope, Data>,
    /// Since when a vulnerability is known to be exploited.
    pub exploited: &'a dyn Fn(&str) -> Option<Exploited>,
    /// How likely it is to be exploited, in millionths.
    pub epss: &'a dyn Fn(&str) -> Option<u32>,
    /// The day.
    pub today: Date,
    /// Data older than this many days are stale.
    pub max_age: i64,
}

/// What there is about one scope.
pub enum Data {
    /// The advisories.
    Slice(Box<Slice>),
    /// Nothing was ever fetched.
    Missing,
    /// What there is cannot be read; why, as a phrase.
    Unreadable(String),
}

/// What the data that a scan of this inventory needs are about.
pub fn wanted(inventory: &Inventory) -> BTreeSet<Scope> {
    let os = inventory.release.as_ref();
    let packages = inventory.packages.iter();
    packages
        .filter_map(|package| scope(os, package).ok())
        .collect()
}

/// Matches an inventory against what is known.
pub fn scan(request: &ScanRequest<'_>) -> ScanFacts {
    let mut state = State {
        request,
        unjudged: BTreeMap::new(),
        vulnerabilities: Vec::new(),
        judged: 0,
        unversioned: Vec::new(),
    };
    let mut scopes = BTreeSet::new();
    for package in &request.inventory.packages {
        match state.package(package) {
            Ok(scope) => {
                state.judged += 1;
                scopes.extend(scope);
            }
            Err(why) => state.unjudged.entry(why).or_default().push(label(package)),
        }
    }
    let data: Vec<AskedData> = scopes
        .iter()
        .filter_map(|scope| match request.data.get(scope)? {
            Data::Slice(slice) => Some(asked(slice.meta(), request.today)),
            _ => None,
        })
        .collect();
    let mut unjudged: Vec<Unjudged> = state
        .unjudged
        .into_iter()
        .map(|(Hindrance(why, lack), packages)| Unjudged {
            why,
            packages,
            lack,
        })
        .collect();
    for data in &data {
        unjudged.extend(outdated(data, request.max_age).map(|why| Unjudged {
            why,
            ..Unjudged::default()
        }));
    }
    let ended = ended(request);
    let os = request.inventory.release.as_ref();
    if let (Some((ended, days)), Some(own)) = (&ended, os.and_then(Scope::of_os))
        && scopes.contains(&own)
    {
        let why = uncovered(&own, ended, *days, request.max_age);
        unjudged.extend(why.map(|why| Unjudged {
            why,
            lack: Lack::Release,
            ..Unjudged::default()
        }));
    }
    if request.inventory.packages.is_empty() {
        unjudged.push(Unjudged {
            why: "no package is known in it, so that nothing can be looked up".to_owned(),
            ..Unjudged::default()
        });
    }
    let mut vulnerabilities = state.vulnerabilities;
    vulnerabilities.sort_by(|a, b| {
        heaviness(b)
            .cmp(&heaviness(a))
            .then_with(|| name(a).cmp(&name(b)))
    });
    ScanFacts {
        name: request.name.to_owned(),
        distribution: distribution(request.inventory),
        day: request.today.to_string(),
        ended: ended.map(|(ended, _)| ended),
        data,
        packages: request.inventory.packages.len() as u64,
        judged: state.judged,
        unjudged,
        unversioned: state.unversioned,
        vulnerabilities,
        ..ScanFacts::default()
    }
}

/// The distribution in its own words.
fn distribution(inventory: &Inventory) -> String {
    let Some(os) = &inventory.release else {
        return String::new();
    };
    if !os.pretty_name.is_empty() {
        return os.pretty_name.clone();
    }
    format!("{} {}", os.id, os.version_id).trim().to_owned()
}

/// That nobody fixes the distribution release any more, and for how many days.
fn ended(request: &ScanRequest<'_>) -> Option<(Ended, i64)> {
    let os = request.inventory.release.as_ref()?;
    let Support::Ended { on } = support(os, request.today) else {
        return None;
    };
    let days = on.until(request.today).ok()?.get_days();
    let mut paths = os_release::PATHS.iter().map(|path| ImagePath::from(*path));
    let place = request
        .tree
        .and_then(|tree| paths.find(|path| tree.contains(path)));
    let ended = Ended {
        on: on.to_string(),
        by: table(os),
        place,
        accepted: None,
    };
    Some((ended, i64::from(days)))
}

/// Why data about a release that is over do not say what is wrong with it, whenever they were fetched: the
/// list of its vendor ends with it. As a sentence without a full stop.
fn uncovered(scope: &Scope, ended: &Ended, days: i64, max_age: i64) -> Option<String> {
    (days > max_age).then(|| {
        format!(
            "{scope} gets no fixes since {} (by {}): what became known in the {days} days since need not be in \
             the data about it, whenever they were fetched, and {max_age} are the limit",
            ended.on, ended.by
        )
    })
}

/// By this the worst come first.
fn heaviness(
    it: &Vulnerability,
) -> (
    bool,
    Option<Severity>,
    std::cmp::Reverse<VulnerabilityState>,
    u8,
) {
    let score = it.cvss.as_ref().map_or(0, |cvss| cvss.score);
    (
        it.exploited.is_some(),
        it.severity,
        std::cmp::Reverse(it.state),
        score,
    )
}

fn name(it: &Vulnerability) -> (&str, &str, &str) {
    (&it.package.source, &it.package.name, &it.id)
}

fn label(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
        .trim_end()
        .to_owned()
}

/// Why a package cannot be judged, and whose fault that is.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hindrance(String, Lack);

impl From<String> for Hindrance {
    /// What is said without more is nothing anybody may accept.
    fn from(why: String) -> Self {
        Self(why, Lack::Data)
    }
}

impl Hindrance {
    /// The package's own fault.
    fn own(why: String) -> Self {
        Self(why, Lack::Package)
    }
}

/// What the advisories about a package are filed under, or why nobody can know.
fn scope(os: Option<&OsRelease>, package: &Package) -> Result<Scope, Hindrance> {
    let kind = match maker::maker(os, package) {
        // What others say about the application holds whoever packed it.
        Some(_) => ecosystem::GENERIC,
        None => package.ecosystem,
    };
    if is_distribution(kind) {
        let Some(os) = os else {
            let why = "the image does not say which distribution it is of: it has no os-release";
            return Err(why.to_owned().into());
        };
        return Scope::of_os(os).ok_or_else(|| {
            let why = match os.id.as_str() {
                "" => "os-release has no ID: the distribution is not known".to_owned(),
                id => {
                    format!(
                        "os-release names no release of {id} that advisories could be filed under"
                    )
                }
            };
            why.into()
        });
    }
    let name = match kind {
        ecosystem::GENERIC => "bitnami",
        other => other,
    };
    Scope::parse(name)
        .ok_or_else(|| Hindrance::own(format!("no feed is known for packages of the kind {name}")))
}

struct State<'a> {
    request: &'a ScanRequest<'a>,
    unjudged: BTreeMap<Hindrance, Vec<String>>,
    vulnerabilities: Vec<Vulnerability>,
    judged: u64,
    /// Packages without a version that nothing is known about.
    unversioned: Vec<String>,
}

impl<'a> State<'a> {
    /// Judges one package; answers what it was judged by, if by anything of its own.
    fn package(&mut self, package: &'a Package) -> Result<Option<Scope>, Hindrance> {
        // The distribution's package that brought it answers for it.
        if package.part_of.is_some() {
            return Ok(None);
        }
        let os = self.request.inventory.release.as_ref();
        let maker = maker::maker(os, package);
        let scope = scope(os, package)?;
        let slice = match self.request.data.get(&scope) {
            Some(Data::Slice(slice)) if slice.meta().rows > 0 => slice,
            Some(Data::Slice(_)) => {
                return Err(format!("the data about {scope} hold not a single advisory").into());
            }
            Some(Data::Unreadable(why)) => {
                return Err(format!("the data about {scope} cannot be read: {why}").into());
            }
            Some(Data::Missing) | None => {
                return Err(format!("there are no data about {scope}").into());
            }
        };
        let kind_of_package = match maker {
            Some(_) => ecosystem::GENERIC,
            None => package.ecosystem,
        };
        let order = version::order_of(kind_of_package).ok_or_else(|| {
            format!("how versions of the kind {kind_of_package} are ordered is not known")
        })?;
        if maker.is_some() && self.is_part(package) {
            return Ok(None);
        }
        let corrupt =
            |error: crate::SliceError| format!("the data about {scope} are nonsense: {error}");
        let mut found: Vec<(Advisory<'a>, Hit<'a>)> = Vec::new();
        let mut about = BTreeSet::new();
        for (name, kind) in names(package, maker.as_deref(), slice)? {
            for advisory in slice.lookup(&name).map_err(corrupt)? {
                if advisory.status == Status::NotAffected {
                    continue;
                }
                // A name may be both a source package and an installed one.
                let version = match advisory.kind {
                    PackageKind::Source if kind.source => package.source_version(),
                    PackageKind::Binary if kind.binary => &package.version,
                    _ => continue,
                };
                about.insert(advisory.cve().unwrap_or(advisory.id));
                if version.is_empty() {
                    continue;
                }
                let version = match maker {
                    Some(_) => maker::upstream(version),
                    None => version,
                };
                let is_rpm = kind_of_package == ecosystem::RPM;
                if is_rpm && red_hat::is_of_another_kind(&advisory, &package.version) {
                    continue;
                }
                let compare = match advisory.kind {
                    PackageKind::Source if is_rpm && package.source_version.is_some() => {
                        red_hat::without_epochs
                    }
                    _ => order.compare,
                };
                let hit = range::hit(&advisory, version, compare);
                if hit != Hit::None {
                    found.push((advisory, hit));
                }
            }
        }
        if package.version.is_empty() {
            // Where nothing is known about any version, none need be known.
            return match about.len() {
                0 => {
                    self.unversioned.push(package.name.clone());
                    Ok(Some(scope))
                }
                1 => Err(Hindrance::own(
                    "its version is not known, and there is an advisory about it".to_owned(),
                )),
                many => Err(Hindrance::own(format!(
                    "its version is not known, and there are {many} advisories about it"
                ))),
            };
        }
        if !found.is_empty() {
            let affected = self.affected(package, maker);
            for (id, (advisory, hit)) in merge::merged(found) {
                self.vulnerabilities
                    .push(self.vulnerability(id, &advisory, &hit, &affected, &scope));
            }
        }
        Ok(Some(scope))
    }

    /// Whether it was built from the source of another package of this image, which answers for it.
    fn is_part(&self, package: &Package) -> bool {
        let Some(whole) = products::whole(&package.name) else {
            return false;
        };
        let version = maker::upstream(&package.version);
        let mut all = self.request.inventory.packages.iter();
        all.any(|other| other.name == whole && maker::upstream(&other.version) == version)
    }

    fn affected(&self, package: &Package, maker: Option<String>) -> Affected {
        let layer = self
            .request
            .tree
            .and_then(|tree| layers::layer(tree, package));
        let part = match (layer, self.request.base_layers) {
            // What the distribution did not build is the application's, wherever the base ends.
            (None, _) | (_, None) if maker.is_some() || !is_distribution(package.ecosystem) => {
                Part::Application
            }
            (None, _) | (_, None) => Part::Unknown,
            (Some(layer), Some(base)) if (layer as usize) < base => Part::Base,
            _ => Part::Application,
        };
        Affected {
            ecosystem: package.ecosystem,
            name: package.name.clone(),
            version: package.version.clone(),
            source: package.source_name().to_owned(),
            source_version: package.source_version().to_owned(),
            purl: package.purl(self.request.inventory.release.as_ref()),
            part,
            layer,
            place: package.database.clone(),
            maker,
        }
    }

    fn vulnerability(
        &self,
        id: &str,
        advisory: &Advisory<'_>,
        hit: &Hit<'_>,
        affected: &Affected,
        scope: &Scope,
    ) -> Vulnerability {
        let (fixable, fixed) = match hit {
            Hit::FixedIn(version) => (true, vec![(*version).to_owned()]),
            Hit::LastIn(version) => (true, vec![format!("later than {version}")]),
            Hit::Unfixed | Hit::None => (false, Vec::new()),
        };
        let state = match advisory.status {
            Status::Unimportant => VulnerabilityState::Unimportant,
            _ if fixable => VulnerabilityState::Fixable,
            _ => VulnerabilityState::Unfixed,
        };
        let cvss = score::newest(&advisory.cvss);
        let (severity, severity_by) = match (advisory.severity, &cvss) {
            (Some(severity), _) => (Some(severity), SeverityBy::Vendor),
            (None, Some(cvss)) => (Some(score::rating(cvss.score)), SeverityBy::Cvss),
            (None, None) => (None, SeverityBy::Nobody),
        };
        let mut aliases: Vec<String> = std::iter::once(advisory.id)
            .chain(advisory.aliases.iter().copied())
            .filter(|alias| *alias != id)
            .map(str::to_owned)
            .collect();
        aliases.sort();
        aliases.dedup();
        Vulnerability {
            id: id.to_owned(),
            aliases,
            package: affected.clone(),
            state,
            status: advisory.status.name(),
            fixed,
            severity,
            severity_by,
            cvss,
            exploited: (self.request.exploited)(id),
            epss: (self.request.epss)(id),
            feed: advisory.feed.to_owned(),
            title: advisory.title.to_owned(),
            url: advisory.page(scope),
        }
    }
}

/// Which rows of a name count.
struct Kinds {
    source: bool,
    binary: bool,
}

/// The names a package is looked up by.
///
/// # Errors
/// Why there is none that the data know.
fn names(
    package: &Package,
    maker: Option<&str>,
    slice: &Slice,
) -> Result<Vec<(String, Kinds)>, Hindrance> {
    if package.ecosystem == ecosystem::GENERIC || maker.is_some() {
        let name = match maker {
            Some(_) => products::without_series(package.source_name()),
            None => &package.name,
        };
        let known = products::names(name)
            .into_iter()
            .find(|name| slice.packages().any(|known| known == name));
        let name = known.ok_or_else(|| {
            Hindrance::own(match maker {
                Some(maker) => format!(
                    "{maker} built it and not the distribution, whose data are about packages of its own; \
                     no feed is known that watches it"
                ),
                None => format!("no feed is known that watches {name} as it is built from source"),
            })
        })?;
        return Ok(vec![(
            name,
            Kinds {
                source: true,
                binary: true,
            },
        )]);
    }
    let own = package.name.as_str();
    let source = package.source_name();
    let both = |name: &str| {
        (
            name.to_owned(),
            Kinds {
                source: true,
                binary: true,
            },
        )
    };
    if own == source {
        return Ok(vec![both(&normal(package.ecosystem, own))]);
    }
    Ok(vec![
        (
            own.to_owned(),
            Kinds {
                source: false,
                binary: true,
            },
        ),
        (
            source.to_owned(),
            Kinds {
                source: true,
                binary: false,
            },
        ),
    ])
}

/// A name as feeds write it: Python's are one however they are spelt.
fn normal(ecosystem: &str, name: &str) -> String {
    match ecosystem {
        ecosystem::PYPI => {
            let mut normal = String::with_capacity(name.len());
            for character in name.chars() {
                match character {
                    '-' | '_' | '.' if normal.ends_with('-') => {}
                    '-' | '_' | '.' => normal.push('-'),
                    other => normal.extend(other.to_lowercase()),
                }
            }
            normal
        }
        _ => name.to_owned(),
    }
}

/// Distributions whose feed has nothing but fixes, in whatever form it comes to us.
const FIXES_ONLY: [&str; 3] = ["alpine", "chainguard", "wolfi"];

/// What was asked, and how old it is on the day `today`.
pub fn asked(meta: &Meta, today: Date) -> AskedData {
    let mut feeds: Vec<String> = meta
        .origins
        .iter()
        .map(|origin| origin.feed.clone())
        .collect();
    feeds.sort();
    feeds.dedup();
    AskedData {
        scope: meta.scope.to_string(),
        feeds,
        date: meta.day().map(|day| day.to_string()).unwrap_or_default(),
        content: meta.date().unwrap_or_default().to_owned(),
        age: meta.age(today),
        rows: meta.rows,
        lists_unfixed: !FIXES_ONLY.contains(&meta.scope.name())
            && meta.origins.iter().any(|origin| origin.lists_unfixed),
    }
}

/// What is wrong with data of this age where they may be `max_age` days old, as a sentence without a full
/// stop; `None` where nothing is.
pub fn outdated(data: &AskedData, max_age: i64) -> Option<String> {
    let scope = &data.scope;
    let why = match data.age {
        None if !data.date.is_empty() => format!(
            "the data about {scope} are of a day that is still to come: the clock of this machine is wrong, or \
             that of whoever made them, and nobody knows how old they are"
        ),
        None => format!(
            "nothing says of which day the data about {scope} are (`plimsoll db build --date` does)"
        ),
        Some(age) if age > max_age => format!(
            "the data about {scope} are {age} days old (of {}), more than the limit of {max_age}: what \
             became known since is not in them",
            data.date
        ),
        Some(_) => return None,
    };
    Some(why)
}

#[cfg(test)]
mod tests;
