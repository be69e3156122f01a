//! Where the dynamic loader of an image searches libraries, without running it.
//!
//! Source: `ld.so(8)` of glibc (order of search, `$ORIGIN`, `$LIB`, `$PLATFORM`, hwcaps),
//! `ldconfig(8)` (ld.so.conf), musl's `ldso/dynlink.c` documentation (path file, default path).

use plimsoll_model::ImagePath;

use crate::elf::Elf;
use crate::glob;
use crate::scene::{Look, Scene};

/// Where the dynamic loader of an image searches.
pub(crate) struct Loader {
    /// `LD_LIBRARY_PATH` of the image's configuration.
    environment: Vec<ImagePath>,
    /// What the configuration names (the cache is made of these), then the built-in directories.
    defaults: Vec<ImagePath>,
    /// Patterns of that configuration of which not every match was read.
    cut: Vec<ImagePath>,
}

impl Loader {
    pub(crate) fn of(scene: &Scene<'_>) -> Self {
        let environment = scene.config().env("LD_LIBRARY_PATH").unwrap_or_default();
        let environment = environment
            .split([':', ';'])
            .filter(|directory| directory.starts_with('/'))
            .map(ImagePath::from)
            .collect();
        let (mut defaults, mut cut) = (Vec::new(), Vec::new());
        read_conf(scene, &"/etc/ld.so.conf".into(), &mut defaults, &mut cut, 0);
        for path in scene.expand(&"/etc/ld-musl-*.path".into()) {
            let text = scene.text(&path).unwrap_or_default();
            let directories = text.split(['\n', ':']).map(str::trim);
            let directories = directories.filter(|directory| directory.starts_with('/'));
            defaults.extend(directories.map(ImagePath::from));
        }
        Self {
            environment,
            defaults,
            cut,
        }
    }

    /// Patterns of its configuration of which not every match was read.
    pub(crate) fn cut(&self) -> &[ImagePath] {
        &self.cut
    }

    /// The directories the loader searches for what `elf`, a file in `origin`, needs; `inherited`
    /// are the `DT_RPATH` directories of the objects that loaded it.
    pub(crate) fn directories(
        &self,
        elf: &Elf,
        origin: &ImagePath,
        inherited: &[ImagePath],
    ) -> Vec<ImagePath> {
        let expand = |list: &[Vec<u8>]| -> Vec<ImagePath> {
            list.iter()
                .flat_map(|text| expand(text, elf, origin))
                .collect()
        };
        let mut directories = Vec::new();
        if elf.runpath.is_empty() {
            directories.extend(expand(&elf.rpath));
            directories.extend_from_slice(inherited);
        }
        directories.extend_from_slice(&self.environment);
        directories.extend(expand(&elf.runpath));
        if !elf.no_default_dirs {
            directories.extend_from_slice(&self.defaults);
            directories.extend(built_in(elf));
        }
        let mut seen = std::collections::BTreeSet::new();
        directories.retain(|directory| seen.insert(directory.clone()));
        directories
    }

    /// What the `DT_RPATH` of `elf` hands down to the objects it loads; nothing if it has a
    /// `DT_RUNPATH`, which is for its own needs only.
    pub(crate) fn handed_down(elf: &Elf, origin: &ImagePath) -> Vec<ImagePath> {
        if elf.runpath.is_empty() {
            let rpath = elf.rpath.iter();
            rpath.flat_map(|text| expand(text, elf, origin)).collect()
        } else {
            Vec::new()
        }
    }

    /// Where `soname` is found: first the plain place, then every variant for a newer processor,
    /// because the machine that runs the image chooses among them.
    pub(crate) fn find(
        scene: &Scene<'_>,
        asker: &Elf,
        soname: &[u8],
        directories: &[ImagePath],
    ) -> Vec<ImagePath> {
        for directory in directories {
            let mut found = Vec::new();
            let plain = directory.join(soname);
            if takes(scene, asker, &plain) {
                found.push(plain);
            }
            let levels = directory.join("glibc-hwcaps");
            if let Ok(levels) = scene.tree().resolve(&levels) {
                let children = scene.tree().children(&levels.path);
                let places = children.map(|(level, _)| level.join(soname));
                found.extend(places.filter(|place| takes(scene, asker, place)));
            }
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
}

/// Whether there is a file the loader of `asker` would take; it skips those of another class or
/// machine and searches on.
fn takes(scene: &Scene<'_>, asker: &Elf, path: &ImagePath) -> bool {
    let Ok(found) = scene.tree().resolve(path) else {
        return false;
    };
    matches!(&*scene.look(&found.path), Look::Elf(elf) if elf.fits(asker))
}

/// Reads ld.so.conf and what it includes.
fn read_conf(
    scene: &Scene<'_>,
    path: &ImagePath,
    directories: &mut Vec<ImagePath>,
    cut: &mut Vec<ImagePath>,
    depth: u32,
) {
    // glibc has no limit of its own; nobody nests deeper than one.
    if depth > 8 || directories.len() > 1000 {
        return;
    }
    for line in scene.text(path).unwrap_or_default().lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(pattern) = line
            .strip_prefix("include")
            .filter(|rest| rest.starts_with([' ', '\t']))
        {
            let base = path.parent().unwrap_or_else(ImagePath::root);
            let pattern = base.join(pattern.trim());
            let (found, is_cut) = glob::expand(scene.tree(), &pattern);
            if is_cut {
                cut.push(pattern);
            }
            for path in found {
                read_conf(scene, &path, directories, cut, depth + 1);
            }
        } else if line.starts_with('/') {
            // `DIRECTORY=TYPE` is an old form that is still read.
            let directory = line.split(['=', ' ', '\t']).next().unwrap_or(line);
            directories.push(directory.into());
        }
    }
}

/// The directories a loader searches with no configuration: glibc's of Debian (multiarch) and of
/// the rest, then musl's.
fn built_in(elf: &Elf) -> Vec<ImagePath> {
    let mut directories = Vec::new();
    if let Some(triplet) = triplet(elf) {
        directories.push(ImagePath::root().join("lib").join(triplet));
        directories.push(ImagePath::root().join("usr/lib").join(triplet));
    }
    let wide = ["/lib64", "/usr/lib64"];
    let plain = ["/lib", "/usr/lib", "/usr/local/lib"];
    let wide = wide.into_iter().filter(|_| elf.wide);
    directories.extend(wide.chain(plain).map(ImagePath::from));
    directories
}

/// Debian's multiarch name of the machine (its wiki, "Multiarch/Tuples").
fn triplet(elf: &Elf) -> Option<&'static str> {
    use object::elf as e;
    Some(match (e::Machine(elf.machine), elf.wide) {
        (e::EM_X86_64, true) => "x86_64-linux-gnu",
        (e::EM_X86_64, false) => "x86_64-linux-gnux32",
        (e::EM_386, _) => "i386-linux-gnu",
        (e::EM_AARCH64, true) => "aarch64-linux-gnu",
        (e::EM_ARM, false) => "arm-linux-gnueabihf",
        (e::EM_PPC64, true) => "powerpc64le-linux-gnu",
        (e::EM_S390, true) => "s390x-linux-gnu",
        (e::EM_RISCV, true) => "riscv64-linux-gnu",
        (e::EM_LOONGARCH, true) => "loongarch64-linux-gnu",
        _ => return None,
    })
}

/// The directories one entry of a search path may mean. `$LIB` and `$PLATFORM` are fixed when the
/// loader is built, so the usual values are all tried.
fn expand(text: &[u8], elf: &Elf, origin: &ImagePath) -> Vec<ImagePath> {
    let text = String::from_utf8_lossy(text);
    let plain = |text: &str, name: &str, value: &str| {
        text.replace(&format!("${{{name}}}"), value)
            .replace(&format!("${name}"), value)
    };
    let origin = String::from_utf8_lossy(origin.as_bytes());
    let text = plain(&text, "ORIGIN", &origin);
    let platform = match object::elf::Machine(elf.machine) {
        object::elf::EM_AARCH64 => "aarch64",
        object::elf::EM_386 => "i686",
        _ => "x86_64",
    };
    let text = plain(&text, "PLATFORM", platform);
    let mut texts = Vec::new();
    if text.contains("$LIB") || text.contains("${LIB}") {
        let multiarch = triplet(elf).map(|triplet| format!("lib/{triplet}"));
        let values = multiarch.into_iter().chain(["lib64".into(), "lib".into()]);
        texts.extend(values.map(|value| plain(&text, "LIB", &value)));
    } else {
        texts.push(text);
    }
    // A relative entry means the working directory of the day: nothing that can be known.
    let absolute = texts.iter().filter(|text| text.starts_with('/'));
    absolute.map(ImagePath::new).collect()
}
