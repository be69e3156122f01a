//! From a lock to a draft: packages unpacked into a tree in memory, scripts emulated, the recipe's
//! own files made, dpkg's database written; layer by layer.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use plimsoll_model::config::DEFAULT_PATH;
use plimsoll_model::{Config, Draft, DraftLayer, Fetch, ImagePath, Kind, Spool};

use crate::emulations;
use crate::lock::Lock;
use crate::order;
use crate::recipe::{FileKind, Recipe};
use crate::shell::{self, Unemulated};
use crate::stage::Stage;
use crate::unpack::{self, Unit, UnitKind, Unpacked};
use crate::world::{Installed, World};
use crate::{Error, Event, Progress, accounts, dpkg};

/// An image in the making, and what is to be said about it.
pub struct Composed {
    /// The image.
    pub draft: Draft,
    /// What maintainer scripts would have done and was not emulated, by package, script and line.
    pub unemulated: Vec<Unemulated>,
    /// What else is worth knowing, one sentence each.
    pub notes: Vec<String>,
}

/// Bytes of stack for the following of scripts.
const STACK: usize = 256 << 20;

/// Top-level directories that are links into `/usr` (merged `/usr`), and whether they are always
/// made; the others only where a package has something below them.
const MERGED: [(&str, bool); 7] = [
    ("bin", true),
    ("lib", true),
    ("lib32", false),
    ("lib64", false),
    ("libo32", false),
    ("libx32", false),
    ("sbin", true),
];

/// Makes the image of a recipe from the archives of a lock.
///
/// The same lock gives the same bytes: times come from the packages (or from the recipe's
/// `source-date`), never from a clock. File bodies go through `spool`, which the draft keeps using.
///
/// # Errors
/// When the lock belongs to another recipe, an archive is not what the lock promises or holds what
/// no package may, two packages ship the same path, or the recipe's own files cannot be made.
pub fn compose(
    recipe: &Recipe,
    lock: &Lock,
    fetch: &dyn Fetch,
    spool: Arc<dyn Spool>,
    progress: &Progress<'_>,
) -> Result<Composed, Error> {
    let serves = lock.recipe == recipe.packages_digest().hex();
    if !serves || lock.architecture != recipe.architecture() {
        return Err(Error::StaleLock);
    }
    let unpacked = unpack::unpack_all(lock, fetch, &*spool, progress)?;
    // Scripts nest, and the caller's stack may be small.
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || assemble(recipe, lock, &unpacked, spool, progress))?
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that composes ended").into()))
    })
}

fn assemble(
    recipe: &Recipe,
    lock: &Lock,
    unpacked: &[Unpacked],
    spool: Arc<dyn Spool>,
    progress: &Progress<'_>,
) -> Result<Composed, Error> {
    let mut composer = Composer {
        recipe,
        unpacked,
        stage: Stage::new(spool, 0),
        world: World {
            architecture: lock.architecture.clone(),
            ..World::default()
        },
        owners: BTreeMap::new(),
        directories: BTreeSet::new(),
        unemulated: Vec::new(),
        notes: Vec::new(),
        date: 0,
    };
    let mut layers = Vec::new();
    for (number, section) in recipe.layers.iter().enumerate() {
        let name = section.name.get_ref();
        progress(Event::Layer { name });
        let members: Vec<usize> = (0..unpacked.len())
            .filter(|&index| lock.archives[index].layer == *name)
            .collect();
        composer.layer(number, &members)?;
        let rootfs = composer.stage.end_layer();
        let asked: Vec<&str> = section
            .packages
            .iter()
            .map(|p| p.get_ref().as_str())
            .collect();
        let essential = if section.essential { "essential " } else { "" };
        layers.push(DraftLayer {
            rootfs,
            created_by: format!("plimsoll build {name}: {essential}{}", asked.join(" ")),
        });
    }
    if let Some(error) = composer.stage.take_failure() {
        return Err(Error::Spool(error));
    }
    let config = config(recipe, composer.date);
    let mut unemulated = composer.unemulated;
    unemulated.sort();
    unemulated.dedup();
    Ok(Composed {
        draft: Draft {
            config,
            layers,
            annotations: BTreeMap::new(),
        },
        unemulated,
        notes: composer.notes,
    })
}

struct Composer<'a> {
    recipe: &'a Recipe,
    unpacked: &'a [Unpacked],
    stage: Stage,
    world: World,
    /// Real path → the package that shipped it, directories excepted.
    owners: BTreeMap<ImagePath, usize>,
    /// Real paths of directories that a package shipped.
    directories: BTreeSet<ImagePath>,
    unemulated: Vec<Unemulated>,
    notes: Vec<String>,
    /// The date of the image so far.
    date: i64,
}

impl Composer<'_> {
    fn layer(&mut self, number: usize, members: &[usize]) -> Result<(), Error> {
        let unpacked = self.unpacked;
        let packages: Vec<&Unpacked> = members.iter().map(|&index| &unpacked[index]).collect();
        let newest = packages
            .iter()
            .map(|package| package.newest)
            .max()
            .unwrap_or(0);
        self.date = self
            .recipe
            .image
            .source_date
            .unwrap_or(self.date.max(newest));
        self.stage.time = self.date;
        self.merge_usr(&packages)?;
        let order: Vec<usize> = order::installation(&packages)
            .into_iter()
            .map(|index| members[index])
            .collect();
        for &index in &order {
            let package = &unpacked[index];
            if let Some(templates) = package.control.files.get("templates") {
                self.world.load_templates(templates);
            }
            self.script(package, "preinst", &["install"]);
            self.install(index)?;
            let installed = Installed {
                version: package.version.clone(),
                architecture: package.architecture.clone(),
                configured: false,
            };
            self.world.packages.insert(package.name.clone(), installed);
            for unit in &package.members {
                let owners = self.world.shipped.entry(unit.path.clone()).or_default();
                owners.push(package.name.clone());
            }
        }
        for &index in &order {
            let package = &unpacked[index];
            self.script(package, "config", &["configure", ""]);
            self.script(package, "postinst", &["configure", ""]);
            if let Some(installed) = self.world.packages.get_mut(&package.name) {
                installed.configured = true;
            }
        }
        self.triggers(&packages);
        self.files(number)?;
        for &index in &order {
            dpkg::write_info(&mut self.stage, &unpacked[index])?;
        }
        let all: Vec<&Unpacked> = unpacked
            .iter()
            .filter(|package| self.world.packages.contains_key(&package.name))
            .collect();
        dpkg::write_database(&mut self.stage, &self.world, &all)?;
        Ok(())
    }

    /// Makes `/bin`, `/lib` and their kin links into `/usr` before anything is unpacked: packages
    /// that still ship `/bin/x` are unpacked through them, as on every current Debian and Ubuntu.
    fn merge_usr(&mut self, packages: &[&Unpacked]) -> Result<(), Error> {
        for (name, always) in MERGED {
            let link = ImagePath::new(format!("/{name}"));
            let below = format!("/{name}/");
            let used = packages.iter().any(|package| {
                let mut units = package.members.iter();
                units.any(|unit| unit.path.as_bytes().starts_with(below.as_bytes()))
            });
            if (always || used) && self.stage.node_itself(&link).is_none() {
                let target = format!("usr/{name}");
                self.stage.make_dir(&ImagePath::new(&target), 0o755)?;
                self.stage.symlink(&link, target.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Unpacks one package into the tree, by dpkg's rules.
    fn install(&mut self, index: usize) -> Result<(), Error> {
        let unpacked = self.unpacked;
        let package = &unpacked[index];
        for unit in &package.members {
            let diverted = self.world.diversions.get(&unit.path);
            let path = match diverted {
                Some(diversion) if diversion.package != package.name => diversion.to.clone(),
                _ => unit.path.clone(),
            };
            self.install_unit(index, unit, &path)
                .map_err(|error| match error {
                    Error::Spool(error) => Error::Package {
                        package: package.name.clone(),
                        why: error.to_string(),
                    },
                    error => error,
                })?;
        }
        Ok(())
    }

    fn install_unit(&mut self, index: usize, unit: &Unit, path: &ImagePath) -> Result<(), Error> {
        if matches!(unit.kind, UnitKind::Node(Kind::Dir)) {
            // A directory that is there, or a link to one, stays; its owner is who shipped it first.
            if let Some(real) = self.stage.real(path).filter(|real| self.stage.is_dir(real)) {
                if self.directories.insert(real.clone()) {
                    let meta = unit.meta.clone();
                    self.stage.change(&real, false, |old| *old = meta.clone())?;
                }
                return Ok(());
            }
            let real = self.stage.place(path, Kind::Dir, unit.meta.clone())?;
            self.directories.insert(real);
            return Ok(());
        }
        if let Some(real) = self.stage.real_parent(path) {
            if let Some(&other) = self.owners.get(&real)
                && other != index
                && !self.may_replace(index, other, path)?
            {
                return Ok(());
            }
            let is_link = matches!(unit.kind, UnitKind::Node(Kind::Symlink(_)));
            if is_link
                && self
                    .stage
                    .tree()
                    .get(&real)
                    .is_some_and(plimsoll_model::Node::is_dir)
            {
                // dpkg never puts a link in the place of a directory.
                let package = &self.unpacked[index].name;
                self.notes.push(format!(
                    "{path} of {package} is a link, but a directory is there"
                ));
                return Ok(());
            }
        }
        let real = match &unit.kind {
            UnitKind::Node(kind) => self.stage.place(path, kind.clone(), unit.meta.clone())?,
            UnitKind::Hardlink(target) => {
                self.stage.hard_link(path, target)?;
                self.stage.real_parent(path).unwrap_or_else(|| path.clone())
            }
        };
        self.owners.insert(real, index);
        Ok(())
    }

    /// Whether a package may write over another's path (Debian policy 7.6): yes where it replaces
    /// the other; where the other replaces it, its own file is left out.
    fn may_replace(&self, index: usize, other: usize, path: &ImagePath) -> Result<bool, Error> {
        let (new, old) = (&self.unpacked[index], &self.unpacked[other]);
        let replaces = |one: &Unpacked, another: &Unpacked| {
            one.replaces.iter().flatten().any(|relation| {
                relation.name == another.name && relation.satisfied_by_version(&another.version)
            })
        };
        if replaces(new, old) {
            Ok(true)
        } else if replaces(old, new) {
            Ok(false)
        } else {
            Err(Error::Overlap {
                path: path.clone(),
                first: old.name.clone(),
                second: new.name.clone(),
            })
        }
    }

    /// Emulates one script of a package, if it has one.
    fn script(&mut self, package: &Unpacked, script: &str, arguments: &[&str]) {
        let Some(bytes) = package.control.scripts.get(script) else {
            return;
        };
        let (stage, world) = (&mut self.stage, &mut self.world);
        let found = match emulations::for_script(&package.name, script) {
            Some(emulation) => {
                shell::replace(stage, world, &package.name, script, emulation, arguments)
            }
            None => shell::follow(stage, world, &package.name, script, bytes, arguments),
        };
        self.unemulated.extend(found);
    }

    /// Answers the triggers that these packages and their scripts set off (`deb-triggers(5)`).
    fn triggers(&mut self, packages: &[&Unpacked]) {
        for package in packages {
            for trigger in &package.control.triggers {
                if trigger.directive.starts_with("activate") {
                    self.world.triggers.insert(trigger.name.clone());
                }
            }
        }
        // Every package so far may be interested, in the order of the names; a script may set off
        // further triggers, but not without end.
        for _ in 0..4 {
            let fired = std::mem::take(&mut self.world.triggers);
            let mut interested: BTreeMap<String, (&Unpacked, Vec<String>)> = BTreeMap::new();
            let unpacked = self.unpacked;
            for package in unpacked {
                if !self.world.packages.contains_key(&package.name) {
                    continue;
                }
                for trigger in &package.control.triggers {
                    if !trigger.directive.starts_with("interest") {
                        continue;
                    }
                    let touched = trigger.name.starts_with('/')
                        && packages.iter().any(|other| {
                            other.name != package.name
                                && other
                                    .members
                                    .iter()
                                    .any(|u| u.path.starts_with(&trigger.name))
                        });
                    if fired.contains(&trigger.name) || touched {
                        let entry = interested.entry(package.name.clone());
                        entry
                            .or_insert((package, Vec::new()))
                            .1
                            .push(trigger.name.clone());
                    }
                }
            }
            if interested.is_empty() {
                return;
            }
            for (package, names) in interested.into_values() {
                self.script(package, "postinst", &["triggered", &names.join(" ")]);
            }
            if self.world.triggers.is_empty() {
                return;
            }
        }
    }

    /// Makes the recipe's own files of a layer.
    fn files(&mut self, number: usize) -> Result<(), Error> {
        let recipe = self.recipe;
        for file in &recipe.files {
            if recipe.layer_of(file) != number {
                continue;
            }
            let path = ImagePath::new(file.path.get_ref());
            let failed = |why: String| Error::File {
                path: path.clone(),
                why,
            };
            let owner = file.owner.as_deref().unwrap_or("0:0");
            let (user, group) = owner.split_once(':').unwrap_or((owner, ""));
            let uid = accounts::user(&self.stage, user);
            let uid = uid.ok_or_else(|| failed(format!("the image has no user `{user}`")))?;
            let gid = match group {
                "" => accounts::main_group(&self.stage, user).unwrap_or(uid),
                group => accounts::group(&self.stage, group)
                    .ok_or_else(|| failed(format!("the image has no group `{group}`")))?,
            };
            let mode = file.mode();
            let made = match recipe.kind_of(file)? {
                FileKind::Bytes(bytes) => {
                    // A link that is in the way is replaced, not written through.
                    if self.stage.link(&path).is_some() {
                        self.stage.remove(&path);
                    }
                    self.stage.write(&path, bytes, mode)
                }
                FileKind::Directory => self.stage.make_dir(&path, mode),
                FileKind::Link(target) => self.stage.symlink(&path, target.as_bytes()),
            };
            let is_link = matches!(recipe.kind_of(file)?, FileKind::Link(_));
            let made = made.and_then(|()| {
                self.stage.change(&path, !is_link, |meta| {
                    (meta.uid, meta.gid) = (uid, gid);
                    if !is_link {
                        meta.mode = mode;
                    }
                })
            });
            made.map_err(|error| failed(error.to_string()))?;
        }
        Ok(())
    }
}

/// The configuration the recipe asks for.
fn config(recipe: &Recipe, date: i64) -> Config {
    let image = &recipe.image;
    // Go's words for Debian's architectures.
    let (architecture, variant) = match recipe.architecture() {
        "i386" => ("386", None),
        "armhf" => ("arm", Some("v7")),
        "armel" => ("arm", Some("v5")),
        "arm64" => ("arm64", Some("v8")),
        "ppc64el" => ("ppc64le", None),
        "mips64el" => ("mips64le", None),
        other => (other, None),
    };
    let mut env: Vec<String> = Vec::new();
    if !image.env.contains_key("PATH") {
        env.push(format!("PATH={DEFAULT_PATH}"));
    }
    env.extend(
        image
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort();
        list.dedup();
        list
    };
    Config {
        raw: Vec::new(),
        created: jiff::Timestamp::from_second(date)
            .ok()
            .map(|time| time.to_string()),
        architecture: architecture.to_owned(),
        variant: variant.map(str::to_owned),
        os: "linux".to_owned(),
        user: image.user.clone(),
        entrypoint: image.entrypoint.clone(),
        cmd: image.cmd.clone(),
        env,
        working_dir: image.workdir.clone(),
        exposed_ports: sorted(&image.expose),
        volumes: sorted(&image.volumes),
        labels: image.labels.clone(),
        stop_signal: image.stop_signal.clone(),
        healthcheck: image.healthcheck.clone(),
        history: Vec::new(),
    }
}
