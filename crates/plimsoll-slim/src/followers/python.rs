//! What Python modules import, at once or at the first request.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use plimsoll_model::{ImagePath, Reason};

use super::follower;
use crate::Level;
use crate::keep::{Keep, Pull};
use crate::loader::Loader;
use crate::own;
use crate::python::{
    Import, Imports, IsText, Kind, Names, Places, is_for_builders, required, source_of,
};
use crate::scene::{ELF_LIMIT, Look, Scene};
use crate::valve::Cap;

follower! {
    /// A Python program imports half of what it needs at its first request. So every module that is
    /// kept is parsed, and what it imports comes along wherever the statement stands (in functions,
    /// in `try`), found as the import system finds it (the Python language reference, chapter 5):
    /// the application's own directories, the standard library, installed distributions, `.pth`
    /// files, namespace packages, extension modules. Names of modules on the command line
    /// (`gunicorn app:app`, `python -m app`) are roots; names in the application's strings
    /// (`"site.settings"`) count where they lead to a module, and in an installed package's strings
    /// those that begin with its own name.
    ///
    /// The interpreter imports a few modules itself. Codecs are loaded by name, so `encodings` stays
    /// whole, at the level `file` without those of other machines (EBCDIC, classic Mac OS ...);
    /// `zoneinfo` brings its data. Compiled
    /// files stay beside their sources, but for parts of the standard library that no run asked for.
    ///
    /// ## Example
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/python3.11 /app/main.py
    /// WORKDIR /app
    /// /usr/bin/python3.11               0755 elf                                   # kept
    /// /app/main.py                      0644 "import os\ndef f():\n  from lib import late\n" # kept
    /// /app/lib/__init__.py              0644 ""                                    # kept [python]
    /// /app/lib/late.py                  0644 "import wheel_a\n"                    # kept [python]
    /// /usr/lib/python3.11/os.py         0644 "import stat\n"                       # kept [python]
    /// /usr/lib/python3.11/stat.py       0644 ""                                    # kept [python]
    /// /usr/lib/python3.11/tarfile.py    0644 ""
    /// /usr/lib/python3.11/encodings/__init__.py 0644 ""                            # kept [python]
    /// /usr/lib/python3.11/encodings/cp850.py    0644 ""                            # kept [python]
    /// /usr/lib/python3/dist-packages/wheel_a.py 0644 ""                            # kept [python]
    /// /usr/lib/python3/dist-packages/wheel_b.py 0644 ""
    /// ```
    ///
    /// ## Not followed
    ///
    /// The standard library offers tools to developers (`pdb`, `doctest`, `unittest`, `tkinter`,
    /// `idlelib` ...) and imports them here and there; they come along where the application or a
    /// distribution asks for them; so do the installers (`pip`, `setuptools`, `wheel` ...), which
    /// import each other in case they are asked to build. A name that is put together at run time is not seen.
    ///
    /// ```image
    /// ENTRYPOINT /usr/bin/python3.11 /app/main.py
    /// WORKDIR /app
    /// /usr/bin/python3.11               0755 elf                         # kept
    /// /app/main.py                      0644 "import bdb\n"              # kept
    /// /usr/lib/python3.11/os.py         0644 ""                          # kept [python]
    /// /usr/lib/python3.11/bdb.py        0644 "import pdb\n"              # kept [python]
    /// /usr/lib/python3.11/pdb.py        0644 ""
    /// ```
    id: "python",
    follow: follow,
}

/// Packages and modules of the standard library that are for developers.
const FOR_DEVELOPERS: &[&str] = &[
    "_pyrepl",
    "antigravity",
    "cProfile",
    "code",
    "compileall",
    "distutils",
    "doctest",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pdb",
    "profile",
    "pydoc",
    "pydoc_data",
    "readline",
    "rlcompleter",
    "test",
    "tkinter",
    "trace",
    "turtle",
    "turtledemo",
    "unittest",
    "venv",
    "xmlrpc",
];

/// What an interpreter imports before it runs anything (documentation of the modules `site` and
/// `sys`: what is in `sys.modules` at start and is no part of the interpreter's own file).
const STARTUP: &[&str] = &[
    "_collections_abc",
    "_sitebuiltins",
    "abc",
    "codecs",
    "encodings",
    "genericpath",
    "io",
    "os",
    "posixpath",
    "site",
    "stat",
];

/// Parts of `importlib` that an interpreter has inside itself and uses to import anything
/// (`Python/frozen.c`). The others (`resources`, `metadata`) are modules like any.
const FROZEN_IMPORTERS: &[&str] = &[
    "__init__",
    "_bootstrap",
    "_bootstrap_external",
    "machinery",
    "util",
];

/// Codecs of other machines (the Python library reference, `codecs`: standard encodings): EBCDIC of
/// mainframes, classic Mac OS, handhelds and printers, and two that only Windows has. At the level
/// `file` they stay ashore unless a run asked for one; the risk counts them.
const FOREIGN_CODECS: &[&str] = &[
    "cp037",
    "cp1026",
    "cp1140",
    "cp273",
    "cp424",
    "cp500",
    "cp875",
    "hp_roman8",
    "mac_arabic",
    "mac_croatian",
    "mac_farsi",
    "mac_greek",
    "mac_iceland",
    "mac_latin2",
    "mac_romanian",
    "mac_turkish",
    "mbcs",
    "oem",
    "palmos",
];

fn follow(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let places = scene.python();
    if places.is_empty() {
        return;
    }
    if let Some(source) = source_of(path) {
        // What was read compiled has its imports in its source.
        if scene.tree().contains(&source) {
            let reason = Reason::by("python", path, "is the source of");
            keep.path(&source, Pull::Opened, reason);
        }
        return;
    }
    if is_interpreter(path) {
        for name in STARTUP {
            let import = Import::Module((*name).to_owned());
            ask(scene, places, path, (Kind::Own, Within::All), &import, keep);
        }
        return named_on_the_command_line(scene, places, path, keep);
    }
    if path.file_name().ends_with(b".so") {
        return native(scene, places, path, keep);
    }
    if !is_script(scene, path) {
        return;
    }
    own::home(scene, path, "python", is_script, keep);
    // Read once for both questions, and only where either answer is not known.
    let mut text = None;
    let look = || {
        text = scene.text(path);
        Ok::<_, Infallible>(IsText(text.is_some()))
    };
    let Ok(is_text) = scene.learned(path, "", look);
    if !is_text.0 {
        return;
    }
    let kind = places.kind(path);
    if kind == Kind::Standard {
        whole(scene, places, path, keep);
    }
    if kind == Kind::Installed && path.file_name() == b"__init__.py" {
        if scene.observations().seen.is_empty() {
            all_of_it(scene, path, keep);
        }
        for module in required(scene, path) {
            let reason = Reason::by("python", path, "its distribution requires it");
            keep.path(&module, Pull::Opened, reason);
        }
    }
    // What a run did not make a package import it does without; but what it names in its strings it may
    // load by what a request or a setting says (`django.template.loaders.cached`).
    let is_settled =
        scene.level() == Level::File && kind != Kind::Own && is_settled(scene, places, path);
    let within = match (is_settled, kind) {
        (false, _) => Within::All,
        (true, Kind::Installed) => Within::Package,
        (true, _) => return,
    };
    let imports = imports(scene, path, kind, text);
    match &imports.0 {
        Err(why) => keep.problem(path, format!("its imports are not known: it {why}")),
        Ok(imports) => {
            let counts =
                |import: &&Import| within == Within::All || matches!(import, Import::Text(_));
            for import in imports.iter().filter(counts) {
                ask(scene, places, path, (kind, within), import, keep);
            }
        }
    }
}

/// What the module at `path` imports; its text is read if nobody has read it yet.
fn imports(scene: &Scene<'_>, path: &ImagePath, kind: Kind, text: Option<String>) -> Arc<Imports> {
    let is_program = kind == Kind::Own || path.file_name() == b"__main__.py";
    let parse = || {
        let text = text.or_else(|| scene.text(path)).unwrap_or_default();
        Ok::<_, Infallible>(Imports::of(&text, is_program))
    };
    let about = if is_program { "a program" } else { "" };
    let Ok(imports) = scene.learned(path, about, parse);
    imports
}

/// Keeps what the modules of distributions at these paths import of the standard library: they come
/// along because their packages do, and not because anything reached them, but nothing else would
/// bring what is no package of theirs.
pub(crate) fn standard_needs<'p>(
    scene: &Scene<'_>,
    paths: impl Iterator<Item = &'p ImagePath>,
    keep: &mut Keep<'_>,
) {
    let places = scene.python();
    if places.is_empty() {
        return;
    }
    for path in paths {
        if !path.file_name().ends_with(b".py") || places.kind(path) != Kind::Installed {
            continue;
        }
        if let Ok(imports) = &imports(scene, path, Kind::Installed, None).0 {
            for import in imports {
                ask(
                    scene,
                    places,
                    path,
                    (Kind::Installed, Within::Standard),
                    import,
                    keep,
                );
            }
        }
    }
}

/// Which of the modules that an import leads to come along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    All,
    /// Those of the same installed package.
    Package,
    /// Those of the standard library that are not for developers.
    Standard,
}

/// Whether a run has shown what a module needs, which is all that counts at the level `file`: it was
/// loaded; it is one of those that an interpreter has inside itself, so that no file of it is opened;
/// or it is a codec, of which those that bring libraries are left to chance there.
fn is_settled(scene: &Scene<'_>, places: &Places, path: &ImagePath) -> bool {
    if scene.observations().seen.is_empty() {
        return false;
    }
    let Some(home) = places.home(path) else {
        return scene.loaded_modules().contains(path);
    };
    let name = path.file_name().strip_suffix(b".py").unwrap_or_default();
    let is_inside = path.parent().as_ref() == Some(home)
        && STARTUP.iter().any(|startup| startup.as_bytes() == name);
    let is_importer = path.parent() == Some(home.join("importlib"))
        && FROZEN_IMPORTERS
            .iter()
            .any(|frozen| frozen.as_bytes() == name);
    is_inside
        || is_importer
        || path.starts_with(home.join("encodings"))
        || scene.loaded_modules().contains(path)
}

/// Every module of a package, where no run showed which are used: what a package imports by names
/// it makes itself cannot be read.
fn all_of_it(scene: &Scene<'_>, path: &ImagePath, keep: &mut Keep<'_>) {
    let Some(directory) = path.parent() else {
        return;
    };
    let modules: Vec<ImagePath> = scene
        .tree()
        .subtree(&directory)
        .filter(|(path, node)| node.is_file() && !is_for_builders(path))
        .map(|(path, _)| path)
        .filter(|path| path.file_name().ends_with(b".py") || path.file_name().ends_with(b".so"))
        .cloned()
        .collect();
    for module in modules {
        let reason = Reason::by("python", path, "nothing was run to see what of it is used");
        keep.path(&module, Pull::Opened, reason);
    }
}

/// Keeps what an import leads to.
fn ask(
    scene: &Scene<'_>,
    places: &Places,
    path: &ImagePath,
    (kind, within): (Kind, Within),
    import: &Import,
    keep: &mut Keep<'_>,
) {
    let detail = match import {
        Import::Fallback(tried, instead) => {
            let leads = |import| leads(scene, places, path, import);
            let is_enough = !tried.is_empty() && tried.iter().all(leads);
            let instead = instead.iter().filter(|_| !is_enough);
            for import in tried.iter().chain(instead) {
                ask(scene, places, path, (kind, within), import, keep);
            }
            return;
        }
        Import::Module(name) => format!("imports {name}"),
        Import::From(level, name, _) => {
            format!("imports from {}{name}", ".".repeat(*level as usize))
        }
        // Distributions are full of names; the application's are about itself, and so is a name that
        // begins with the distribution's own package.
        Import::Text(name) if kind != Kind::Own && !is_of_package(places, path, name) => return,
        Import::Text(name) => format!("names {name}"),
        Import::Distribution(name) => format!("looks up the entry point of {name}"),
    };
    for module in places.resolve(scene, path, import) {
        let is_outside = match within {
            Within::All => false,
            Within::Package => !is_same_package(places, path, &module),
            Within::Standard => places.kind(&module) != Kind::Standard,
        };
        let is_careful = kind == Kind::Standard || within == Within::Standard;
        if is_outside || is_careful && is_for_developers(places, &module) {
            continue;
        }
        let tools = (places.installer(path), places.installer(&module));
        if matches!(tools, (Some(one), Some(other)) if one != other) {
            continue;
        }
        let reason = Reason::by("python", path, detail.clone());
        let kept = keep.path(&module, Pull::Opened, reason);
        // What the standard library has for later is compiled when it is asked for, if ever.
        let is_compiled = |module: &ImagePath| {
            places.kind(module) != Kind::Standard && scene.level() != Level::File
        };
        if let Some(module) = kept.filter(is_compiled) {
            compiled(scene, &module, keep);
        }
    }
}

/// Whether a name with dots begins with the installed package that the module at `path` is of:
/// `sqlalchemy.sql.default_comparator` in a module of `sqlalchemy`.
fn is_of_package(places: &Places, path: &ImagePath, name: &str) -> bool {
    let first = name.split_once('.').map(|(first, _)| first.as_bytes());
    first.is_some() && package(places, path) == first
}

/// The first component of `path` below the site it lies in.
fn package<'p>(places: &Places, path: &'p ImagePath) -> Option<&'p [u8]> {
    let site = places.site(path)?;
    path.components().nth(site.depth())
}

fn is_same_package(places: &Places, one: &ImagePath, other: &ImagePath) -> bool {
    places.site(one) == places.site(other) && package(places, one) == package(places, other)
}

/// What an extension module of a distribution imports.
fn native(scene: &Scene<'_>, places: &Places, path: &ImagePath, keep: &mut Keep<'_>) {
    let Some(package) = places
        .site(path)
        .and_then(|site| path.components().nth(site.depth()))
    else {
        return;
    };
    if scene.level() == Level::File && scene.loaded_modules().contains(path) {
        return;
    }
    let package = package.split(|&byte| byte == b'.').next();
    let package = String::from_utf8_lossy(package.unwrap_or_default()).into_owned();
    let read = || {
        let bytes = scene.rootfs().read(path, ELF_LIMIT)?;
        Ok::<_, io::Error>(Names::of(&bytes, &package))
    };
    let Ok(names) = scene.learned(path, &package, read) else {
        return;
    };
    for name in &names.0 {
        // A word that is no name with dots is believed where the standard library has it.
        let is_meant =
            |module: &ImagePath| name.contains('.') || places.kind(module) == Kind::Standard;
        let import = match name.contains('.') {
            true => Import::Text(name.clone()),
            false => Import::Module(name.clone()),
        };
        for module in places.resolve(scene, path, &import) {
            if is_meant(&module) && !is_for_developers(places, &module) {
                let reason = Reason::by("python", path, format!("names {name}"));
                keep.path(&module, Pull::Opened, reason);
            }
        }
    }
}

/// Whether an import finds a module that can be loaded: one of C needs its libraries.
fn leads(scene: &Scene<'_>, places: &Places, path: &ImagePath, import: &Import) -> bool {
    let found = places.resolve(scene, path, import);
    !found.is_empty()
        && found.iter().all(|module| match &*scene.look(module) {
            Look::Elf(elf) => {
                let origin = module.parent().unwrap_or_else(ImagePath::root);
                let directories = scene.loader().directories(elf, &origin, &[]);
                let is_there =
                    |soname: &Vec<u8>| !Loader::find(scene, elf, soname, &directories).is_empty();
                elf.needed.iter().all(is_there)
            }
            Look::Unreadable(_) => false,
            Look::Script(_) | Look::Other => true,
        })
}

/// The compiled file beside a module (PEP 3147): without it, every start would compile it again.
fn compiled(scene: &Scene<'_>, module: &ImagePath, keep: &mut Keep<'_>) {
    let (Some(directory), Some(stem)) = (module.parent(), module.file_name().strip_suffix(b".py"))
    else {
        return;
    };
    let cache = directory.join("__pycache__");
    let prefix = cache.join([stem, b".cpython-"].concat());
    let compiled: Vec<ImagePath> = scene
        .tree()
        .children(&cache)
        .map(|(path, _)| path)
        .filter(|path| {
            path.as_bytes().starts_with(prefix.as_bytes())
                && !path.file_name().windows(5).any(|part| part == b".opt-")
        })
        .cloned()
        .collect();
    for path in compiled {
        keep.path(
            &path,
            Pull::Opened,
            Reason::by("python", module, "compiled from"),
        );
    }
}

/// The codecs of the directory `all`; `path` is the module that loads them.
fn codecs(scene: &Scene<'_>, path: &ImagePath, all: &ImagePath, keep: &mut Keep<'_>) {
    const CAP: Cap = Cap {
        files: 1000,
        bytes: 16 << 20,
    };
    let reason = Reason::by("python", path, "codecs are loaded by name");
    if scene.level() != Level::File {
        return keep.tree(all, CAP, reason);
    }
    // `cp037.py`, `__pycache__/cp037.cpython-311.pyc`.
    let is_foreign = |path: &ImagePath| {
        let stem = path.file_name().split(|&byte| byte == b'.').next();
        FOREIGN_CODECS
            .iter()
            .any(|name| stem == Some(name.as_bytes()))
    };
    let files = scene.tree().subtree(all).map(|(path, _)| path);
    let files = files.filter(|path| !is_foreign(path)).take(CAP.files);
    for file in files.cloned().collect::<Vec<_>>() {
        keep.path(&file, Pull::Opened, reason.clone());
    }
}

/// What a part of the standard library loads by name.
fn whole(scene: &Scene<'_>, places: &Places, path: &ImagePath, keep: &mut Keep<'_>) {
    let Some(home) = places.home(path) else {
        return;
    };
    let directory = path.parent().unwrap_or_else(ImagePath::root);
    if directory == *home && path.file_name() == b"os.py" {
        codecs(scene, path, &home.join("encodings"), keep);
    }
    if directory == *home && path.file_name() == b"sysconfig.py" {
        let data = scene.tree().children(home).map(|(path, _)| path);
        let data = data.filter(|path| path.file_name().starts_with(b"_sysconfigdata"));
        for path_of_data in data.cloned().collect::<Vec<_>>() {
            let reason = Reason::by("python", path, "its name is made at run time");
            keep.path(&path_of_data, Pull::Opened, reason);
        }
    }
    if directory == home.join("zoneinfo") && path.file_name() == b"__init__.py" {
        // PEP 615: the system's database, else the distribution `tzdata`.
        let import = Import::Module("tzdata.zoneinfo".to_owned());
        let reason = || Reason::by("python", path, "time zones are looked up by name");
        let modules = places.resolve(scene, path, &import);
        let data = modules.last().and_then(ImagePath::parent);
        let data = data.unwrap_or_else(|| ImagePath::new("/usr/share/zoneinfo"));
        for module in modules {
            keep.path(&module, Pull::Opened, reason());
        }
        keep.tree(
            &data,
            Cap {
                files: 5000,
                bytes: 8 << 20,
            },
            reason(),
        );
    }
}

/// `-m MODULE`, and `MODULE:NAME` as servers are told their application.
fn named_on_the_command_line(
    scene: &Scene<'_>,
    places: &Places,
    path: &ImagePath,
    keep: &mut Keep<'_>,
) {
    let config = scene.config();
    let words = config.command_line();
    let from = ImagePath::new(&config.working_dir).join("-");
    let mut modules: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 && words[index - 1] == "-m" {
            modules.push(word.clone());
            modules.push(format!("{word}.__main__"));
        }
        if let Some((module, _)) = word.split_once(':') {
            modules.push(module.to_owned());
        }
    }
    for module in modules {
        ask(
            scene,
            places,
            &from,
            (Kind::Own, Within::All),
            &Import::Module(module),
            keep,
        );
    }
    // A script that the interpreter is given is the program, executable or not.
    for word in words.iter().filter(|word| word.ends_with(".py")) {
        let script = ImagePath::new(&config.working_dir).join(word);
        let reason = Reason::by("python", path, "is told to run it");
        keep.path(&script, Pull::Opened, reason);
    }
}

/// `python3.11`, `python3`, `pypy3`: not `python3.11-config`.
fn is_interpreter(path: &ImagePath) -> bool {
    let name = path.file_name();
    let version = name
        .strip_prefix(b"python")
        .or_else(|| name.strip_prefix(b"pypy"));
    version.is_some_and(|version| {
        version
            .iter()
            .all(|&byte| byte.is_ascii_digit() || byte == b'.')
    })
}

fn is_script(scene: &Scene<'_>, path: &ImagePath) -> bool {
    path.file_name().ends_with(b".py")
        || match &*scene.look(path) {
            Look::Script(line) => line.windows(6).any(|part| part == b"python"),
            _ => false,
        }
}

fn is_for_developers(places: &Places, module: &ImagePath) -> bool {
    let Some(home) = places.home(module) else {
        return false;
    };
    let mut parts = module.components().skip(home.depth());
    let first = parts.next().filter(|part| *part != b"lib-dynload");
    let Some(name) = first.or_else(|| parts.next()) else {
        return false;
    };
    let name = name.split(|&byte| byte == b'.').next().unwrap_or(name);
    std::str::from_utf8(name).is_ok_and(|name| FOR_DEVELOPERS.binary_search(&name).is_ok())
}
