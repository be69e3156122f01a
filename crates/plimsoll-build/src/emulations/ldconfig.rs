//! The cache of shared libraries, `/etc/ld.so.cache`.

use std::collections::BTreeMap;

use plimsoll_model::{ImagePath, Kind};

use super::{Options, emulation};
use crate::ldcache::{self, Entry};
use crate::shell::{Shell, Stop};

emulation! {
    /// Every dynamically linked program looks its libraries up in `/etc/ld.so.cache`.
    ///
    /// `ldconfig` (on Ubuntu `ldconfig.real`; libc's trigger calls it after every installation)
    /// walks the directories of `/etc/ld.so.conf` and the standard ones, reads the soname of every
    /// library, makes the link of that name where it is missing, and writes the cache in glibc's
    /// own order (`ldconfig(8)`, `dl-cache.h` of glibc). Libraries in `glibc-hwcaps` directories are
    /// reported: they are found only through a cache that `ldconfig` itself writes.
    id: "ldconfig",
    commands: &["ldconfig", "ldconfig.real"],
    scripts: &[],
    run: run,
}

fn run(shell: &mut Shell<'_>, words: &[String]) -> Result<i32, Stop> {
    let options = Options::new(&words[1..], &["r", "f", "C", "c"]);
    if options.has(&["p", "print-cache", "V", "version"]) {
        return Ok(0);
    }
    let written = update(shell, !options.has(&["X"]), !options.has(&["N"]));
    written
        .map(|()| 0)
        .map_err(|error| shell.stop(error.to_string()))
}

/// A library as a directory lists it.
struct Library {
    file: Vec<u8>,
    is_link: bool,
    flags: u32,
}

fn update(shell: &mut Shell<'_>, makes_links: bool, writes_cache: bool) -> std::io::Result<()> {
    let Some(machine) = ldcache::Machine::of(&shell.world.architecture) else {
        let architecture = shell.world.architecture.clone();
        shell.report(format!(
            "the cache of libraries for {architecture} is not emulated"
        ));
        return Ok(());
    };
    let mut entries = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for directory in directories(shell, &machine) {
        let Some(real) = shell
            .stage
            .real(&directory)
            .filter(|real| shell.stage.is_dir(real))
        else {
            continue;
        };
        if !seen.insert(real.clone()) {
            continue;
        }
        let capable = real.join("glibc-hwcaps");
        if shell.stage.is_dir(&capable) {
            shell.report(format!("libraries in {capable} are not in the cache"));
        }
        for (soname, library) in libraries(shell, &real, &machine)? {
            let link = real.join(&soname);
            let name_differs = library.file != soname;
            let replaceable = shell.stage.node_itself(&link).is_none()
                || shell
                    .stage
                    .link(&link)
                    .is_some_and(|target| target != library.file);
            if makes_links && !library.is_link && name_differs && replaceable {
                shell.stage.symlink(&link, &library.file)?;
            }
            entries.push(Entry {
                soname: soname.clone(),
                path: [directory.as_bytes(), b"/", &soname].concat(),
                flags: library.flags,
            });
        }
    }
    if writes_cache {
        let bytes = ldcache::write(entries);
        shell
            .stage
            .write(&"/etc/ld.so.cache".into(), &bytes, 0o644)?;
    }
    Ok(())
}

/// The directories of the configuration, then the ones built in.
fn directories(shell: &Shell<'_>, machine: &ldcache::Machine) -> Vec<ImagePath> {
    let mut found = Vec::new();
    read_conf(shell, &"/etc/ld.so.conf".into(), &mut found, 0);
    let triplet = machine.triplet;
    for directory in [
        format!("/lib/{triplet}"),
        format!("/usr/lib/{triplet}"),
        "/lib".to_owned(),
        "/usr/lib".to_owned(),
    ] {
        found.push(ImagePath::new(directory));
    }
    found
}

fn read_conf(shell: &Shell<'_>, file: &ImagePath, found: &mut Vec<ImagePath>, depth: usize) {
    let text = shell.stage.read_text(file);
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(pattern) = line.strip_prefix("include") {
            let parent = file.parent().unwrap_or_else(ImagePath::root);
            let pattern = parent.join(pattern.trim());
            let glyphs: Vec<(char, bool)> = String::from_utf8_lossy(pattern.file_name())
                .chars()
                .map(|character| (character, false))
                .collect();
            let directory = pattern.parent().unwrap_or_else(ImagePath::root);
            for path in shell.stage.list(&directory) {
                let name: Vec<char> = String::from_utf8_lossy(path.file_name()).chars().collect();
                let fits = crate::shell::pattern::matches(&glyphs, &name);
                if fits && depth < 10 && !name.starts_with(&['.']) {
                    read_conf(shell, &path, found, depth + 1);
                }
            }
        } else if line.starts_with('/') {
            let directory = line.split(['=', ' ', '\t', ',']).next().unwrap_or_default();
            found.push(ImagePath::new(directory));
        }
    }
}

/// The libraries of a directory by soname, as `ldconfig` chooses among several: a file before a
/// link, then the newer name.
fn libraries(
    shell: &Shell<'_>,
    directory: &ImagePath,
    machine: &ldcache::Machine,
) -> std::io::Result<BTreeMap<Vec<u8>, Library>> {
    let mut chosen: BTreeMap<Vec<u8>, Library> = BTreeMap::new();
    for path in shell.stage.list(directory) {
        let name = path.file_name().to_vec();
        let is_candidate = (name.starts_with(b"lib") || name.starts_with(b"ld-"))
            && name.windows(3).any(|window| window == b".so")
            && !name.ends_with(b"-gdb.py")
            && !name.ends_with(b".dpkg-new");
        if !is_candidate || !shell.stage.is_file(&path) {
            continue;
        }
        let is_link = matches!(
            shell.stage.node_itself(&path).map(|node| &node.kind),
            Some(Kind::Symlink(_))
        );
        let bytes = shell.stage.read(&path)?;
        let Some(library) = ldcache::read(&bytes, machine) else {
            continue;
        };
        let mut soname = library.soname.unwrap_or_else(|| name.clone());
        let mut is_link = is_link;
        if is_link && name != soname {
            // The link the compiler uses (`libx.so`) keeps its own name; any other link of a
            // strange name counts as a file.
            let for_compiler = name.ends_with(b".so") && soname.starts_with(&name);
            is_link = for_compiler;
        }
        if is_link {
            soname = name.clone();
        }
        let new = Library {
            file: name,
            is_link,
            flags: library.flags,
        };
        match chosen.get_mut(&soname) {
            Some(old) => {
                let newer = ldcache::compare(&old.file, &new.file).is_lt();
                if (!new.is_link && old.is_link) || (new.is_link == old.is_link && newer) {
                    *old = new;
                }
            }
            None => drop(chosen.insert(soname, new)),
        }
    }
    Ok(chosen)
}
