//! What speaks against baking a preparation: the evidence of the runs, and of the scripts.

use std::collections::BTreeSet;

use plimsoll_model::startup::{Command, What};
use plimsoll_model::text::printable;
use plimsoll_model::{Access, ImagePath, Startup};

use super::helpers::{self, Takes};
use super::{Starts, differ, is_frozen, text_of};
use crate::script::{self, Given, Taken, is_shell as is_shell_name};

/// Variables that hold something else each time, or in each place.
const FICKLE: [(&str, &str); 6] = [
    ("EPOCHREALTIME", "the time"),
    ("EPOCHSECONDS", "the time"),
    ("HOSTNAME", "the host name"),
    ("RANDOM", "a random number"),
    ("SECONDS", "the time"),
    ("SRANDOM", "a random number"),
];

/// Files below /proc and /sys that every program's C library or run time may look at, and that say
/// nothing of the machine which a preparation would depend on.
const HARMLESS: [&str; 12] = [
    "/proc/filesystems",
    "/proc/mounts",
    "/proc/self",
    "/proc/sys/kernel/cap_last_cap",
    "/proc/sys/kernel/ngroups_max",
    "/proc/sys/vm/overcommit_memory",
    "/proc/thread-self",
    "/sys/devices/system/cpu",
    "/sys/fs/selinux",
    "/sys/kernel/mm/transparent_hugepage",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/random",
];

/// What was found out.
pub(super) struct Against {
    /// The reasons, each a sentence.
    pub(super) reasons: Vec<String>,
    /// The variables that scripts and the programs they call read, by name.
    pub(super) read: BTreeSet<String>,
}

/// Everything that speaks against it.
pub(super) fn against(starts: &Starts<'_>, first: &Startup) -> Against {
    let mut found = Vec::new();
    let mut read = BTreeSet::new();
    for blind in &first.blind {
        found.push(format!("not everything was seen of its start: {blind}"));
    }
    stays(starts, first, &mut found);
    inherits(first, &mut found);
    volumes(starts, first, &mut found);
    supplied(first, &mut found);
    commands(starts, first, &mut found, &mut read);
    let different = starts.seen.iter().skip(1);
    for other in different {
        let differences = super::differences(first, other, &[]);
        found.extend(
            differences
                .into_iter()
                .map(|what| format!("two starts differ: {what}")),
        );
    }
    let differences = super::differences(first, starts.elsewhere, &[starts.stranger]);
    found.extend(differences.into_iter().map(|what| {
        format!("a start under another host name and with one more variable differs: {what}")
    }));
    Against {
        reasons: found,
        read,
    }
}

/// The server must be what process 1 has become, alone.
fn stays(starts: &Starts<'_>, first: &Startup, found: &mut Vec<String>) {
    let Some(server) = first.server() else {
        return found.push("it never executed a program".to_owned());
    };
    if is_shell(starts, &server.command) {
        found.push(format!(
            "process 1 stays the shell of `{}`: it does not end in an exec of the server",
            differ::line(server)
        ));
    }
    for program in &first.beside {
        found.push(format!(
            "{program} still ran beside process 1 when the server was started, and nobody else would start it"
        ));
    }
}

/// What an image's configuration has no words for must be as the runtime gave it.
fn inherits(first: &Startup, found: &mut Vec<String>) {
    let (Some(start), Some(server)) = (first.stages.first(), first.server()) else {
        return;
    };
    let names: BTreeSet<&String> = start
        .inherited
        .keys()
        .chain(server.inherited.keys())
        .collect();
    for name in names {
        let (before, after) = (start.inherited.get(name), server.inherited.get(name));
        if before != after && !is_raised(name, before, after) {
            let word = |value: Option<&String>| value.map_or("none".to_owned(), String::clone);
            found.push(format!(
                "the server is given another {name} than a runtime gives ({}, was {}), which a configuration cannot say",
                word(after),
                word(before)
            ));
        }
    }
}

/// Programs written in Go raise the soft limit on open files to the hard one as they start, and older
/// ones hand that on (`syscall.Exec`): nothing a script wanted.
fn is_raised(name: &str, before: Option<&String>, after: Option<&String>) -> bool {
    let limits = |value: Option<&String>| {
        value.and_then(|text| {
            text.split_once(" / ")
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
        })
    };
    match (limits(before), limits(after)) {
        (Some((_, was)), Some((soft, hard))) => {
            name == "limit on open files" && soft == hard && hard == was
        }
        _ => false,
    }
}

/// What lies in a volume is another at each start.
fn volumes(starts: &Starts<'_>, first: &Startup, found: &mut Vec<String>) {
    let tree = &starts.subject.rootfs.tree;
    let volumes = &starts.subject.image.config.volumes;
    for volume in volumes.iter().map(ImagePath::new) {
        let real = tree
            .resolve(&volume)
            .map_or_else(|_| volume.clone(), |found| found.path);
        let inside = |path: &ImagePath| path.starts_with(&volume) || path.starts_with(&real);
        // A directory is merely where something was made; that is what says more.
        let is_directory = |what: &What| matches!(what, What::Directory { .. });
        let written = first.prepared.iter().filter(|(path, _)| inside(path));
        let written = written.min_by_key(|(_, prepared)| is_directory(&prepared.what));
        let looked = first.touched.seen.iter().find(|(path, seen)| {
            let spelt = ImagePath::new(path);
            let itself = [&volume, &real].contains(&&spelt);
            // That the working directory is there is asked by every shell.
            let asks =
                !itself || seen.access.has(Access::LISTED) || seen.access.has(Access::CHANGED);
            inside(&spelt) && asks
        });
        match (written, looked) {
            (Some((path, prepared)), _) => found.push(format!(
                "{} writes into the volume {volume}: {path}; what lies there is another at each start",
                name_or(&prepared.by, "it")
            )),
            (None, Some((path, seen))) => found.push(format!(
                "{} looks into the volume {volume} before the server starts ({} {}); what lies there is another at each start",
                name_or(&seen.by, "its start"),
                ImagePath::new(path),
                seen.access
            )),
            (None, None) => {}
        }
    }
}

fn name_or<'a>(name: &'a str, otherwise: &'a str) -> &'a str {
    if name.is_empty() { otherwise } else { name }
}

/// What the runtime and the machine supply is another in each place.
fn supplied(first: &Startup, found: &mut Vec<String>) {
    for (path, prepared) in &first.prepared {
        if differ::is_written_by_runtime(path) {
            let by = name_or(&prepared.by, "it");
            found.push(format!(
                "{by} changes {path}, which the runtime writes at each start"
            ));
        }
    }
    for (path, seen) in &first.touched.seen {
        let path = ImagePath::new(path);
        let by = name_or(&seen.by, "its start");
        let reads = seen.access.has(Access::OPENED);
        if differ::is_written_by_runtime(&path) && reads {
            found.push(format!(
                "{by} reads {path}, which the runtime writes at each start"
            ));
        }
        let is_random = [&b"/dev/random"[..], b"/dev/urandom"].contains(&path.as_bytes());
        if is_random && reads {
            found.push(format!(
                "{by} reads {path}: it makes something that is to be secret"
            ));
        }
        let is_state = path.starts_with("/proc") || path.starts_with("/sys");
        let asks = reads || seen.access.has(Access::LOOKED_UP);
        if is_state && asks && !is_harmless(&path) {
            found.push(format!("{by} asks for the state of the machine: {path}"));
        }
    }
}

fn is_harmless(path: &ImagePath) -> bool {
    let of_process = path
        .components()
        .nth(1)
        .is_some_and(|name| name.iter().all(u8::is_ascii_digit));
    let root = path.depth() < 2;
    let listed = HARMLESS.iter().any(|known| path.starts_with(known));
    root || listed || (path.starts_with("/proc") && of_process)
}

/// What scripts and the programs they call take from outside.
fn commands(
    starts: &Starts<'_>,
    first: &Startup,
    found: &mut Vec<String>,
    variables: &mut BTreeSet<String>,
) {
    let makes = first
        .prepared
        .values()
        .any(|prepared| matches!(prepared.what, What::File(_)));
    let mut dynamic = false;
    let mut done = BTreeSet::new();
    for command in all_commands(first) {
        match kind(starts, first, command) {
            Kind::Script { name, text } => {
                if !done.insert(name.clone()) {
                    continue;
                }
                let taken = read(starts, first, &text);
                dynamic |= !taken.unnamed.is_empty();
                variables.extend(taken.variables.keys().cloned());
                told(starts, &name, &taken, found);
            }
            Kind::Foreign { name, language } => found.push(format!(
                "{name} is a program for {language}: which variables it reads cannot be told"
            )),
            Kind::Program => {
                if let Takes::Variables(names) = helpers::takes(command) {
                    variables.extend(names);
                }
                helper(starts, command, makes, found);
            }
        }
    }
    // Files read as script by a name that is computed: those the shells were seen opening.
    if dynamic {
        for (name, text) in opened_as_script(starts, first) {
            if done.insert(name.clone()) {
                let taken = read(starts, first, &text);
                variables.extend(taken.variables.keys().cloned());
                told(starts, &name, &taken, found);
            }
        }
    }
}

/// All commands before the server.
fn all_commands(first: &Startup) -> impl Iterator<Item = &Command> {
    let stages = first.stages.iter().map(|stage| &stage.command);
    stages
        .take(first.stages.len().saturating_sub(1))
        .chain(&first.helpers)
}

fn read(starts: &Starts<'_>, first: &Startup, text: &str) -> Taken {
    let sources = |name: &str| {
        let path = ImagePath::new(name);
        let path = starts
            .subject
            .rootfs
            .tree
            .resolve(&path)
            .map_or(path, |found| found.path);
        let bytes = text_of(starts.subject.rootfs, first, &path)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    script::read(text, &sources)
}

/// The sentences about one script.
fn told(starts: &Starts<'_>, name: &str, taken: &Taken, found: &mut Vec<String>) {
    if let Some(trouble) = &taken.trouble {
        found.push(format!("{name} is not understood: {trouble}"));
    }
    for (variable, line) in &taken.variables {
        found.extend(reads(starts, &format!("{name}, line {line},"), variable));
    }
    for (what, line) in &taken.any {
        if !starts.frozen.iter().any(|glob| glob == "*") {
            found.push(format!(
                "{name}, line {line}: {what}; it may be any variable of the environment"
            ));
        }
    }
}

/// The sentence about a variable that is read, unless its value is final.
fn reads(starts: &Starts<'_>, who: &str, variable: &str) -> Option<String> {
    if let Some((_, what)) = FICKLE.iter().find(|(name, _)| *name == variable) {
        return Some(format!("{who} reads {variable}: {what}"));
    }
    if is_frozen(starts.frozen, variable) {
        return None;
    }
    let set = match starts.subject.image.config.env(variable) {
        Some(value) => format!("the image sets it to {value:?}, and a start may say otherwise"),
        None => "the image leaves it to the start".to_owned(),
    };
    Some(format!("{who} reads the variable {variable}: {set}"))
}

fn helper(starts: &Starts<'_>, command: &Command, makes: bool, found: &mut Vec<String>) {
    let name = printable(&command.program);
    match helpers::takes(command) {
        Takes::Nothing => {}
        Takes::Clock if makes => found.push(format!("{name} is asked for the time, and files are written")),
        Takes::Clock => {}
        Takes::Variables(variables) => {
            for variable in variables {
                found.extend(reads(starts, &name, &variable));
            }
        }
        Takes::AnyVariable(why) => {
            if !starts.frozen.iter().any(|glob| glob == "*") {
                found.push(format!("{name} may read any variable of the environment: {why}"));
            }
        }
        Takes::Chance => found.push(format!(
            "{name} makes something by chance (a key, a password, a number) that must be made at each place anew"
        )),
        Takes::Machine => found.push(format!("{name} asks the machine or the network, which are others at each start")),
        Takes::Unknown => {
            // The same program as the server in another role is no better known.
            found.push(format!("{name} is run before the server, and what it takes from outside is not known"));
        }
    }
}

/// What a command is.
enum Kind {
    /// A shell script, or a shell with a text.
    Script { name: String, text: String },
    /// A script for another interpreter.
    Foreign { name: String, language: String },
    /// Anything else.
    Program,
}

/// Whether a command is run by a shell.
pub(super) fn is_shell(starts: &Starts<'_>, command: &Command) -> bool {
    let nothing = Startup::default();
    matches!(kind(starts, &nothing, command), Kind::Script { .. })
        || is_shell_name(&helpers::name(command))
}

fn kind(starts: &Starts<'_>, first: &Startup, command: &Command) -> Kind {
    let rootfs = starts.subject.rootfs;
    let real = |path: &[u8]| {
        let path = ImagePath::new(path);
        rootfs.tree.resolve(&path).map_or(path, |found| found.path)
    };
    let text = |path: &ImagePath| {
        let bytes = text_of(rootfs, first, path)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let name = printable(ImagePath::new(&command.program).as_bytes());
    let path = real(&command.program);
    let head = rootfs.read_head(&path, 256).unwrap_or_default();
    let prepared = first.prepared.contains_key(&path);
    if is_shell_name(&helpers::name(command)) && head.starts_with(b"\x7fELF") {
        let words = command.arguments.iter().skip(1);
        let words: Vec<String> = words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        return match script::given(&words) {
            Given::Text(text) => Kind::Script {
                name: format!("`{} -c`", helpers::name(command)),
                text: text.to_owned(),
            },
            Given::File(file) => script_file(text(&real(file.as_bytes())), file.to_owned()),
            Given::Nothing => Kind::Program,
        };
    }
    if head.starts_with(b"\x7fELF") && !prepared {
        return Kind::Program;
    }
    let Some(text) = text(&path) else {
        return Kind::Program;
    };
    let line = text.lines().next().unwrap_or_default();
    let Some(line) = line.strip_prefix("#!") else {
        // A shell runs a text without a first line by itself.
        return Kind::Script { name, text };
    };
    let mut words = line.split_whitespace();
    let last = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut language = words.next().map(last).unwrap_or_default();
    if language == "env" {
        language = words
            .find(|word| !word.starts_with('-'))
            .map(last)
            .unwrap_or_default();
    }
    match is_shell_name(&language) {
        true => Kind::Script { name, text },
        false => Kind::Foreign { name, language },
    }
}

fn script_file(text: Option<String>, name: String) -> Kind {
    match text {
        Some(text) => Kind::Script { name, text },
        None => Kind::Foreign {
            name,
            language: "a shell, and cannot be read".to_owned(),
        },
    }
}

/// Text files that shells opened and that are named like scripts.
fn opened_as_script(starts: &Starts<'_>, first: &Startup) -> Vec<(String, String)> {
    const ENDS: [&[u8]; 5] = [b".sh", b".bash", b".envsh", b".env", b"envvars"];
    let opened = first.touched.seen.iter().filter(|(path, seen)| {
        let by = seen.by.rsplit('/').next().unwrap_or_default();
        let shell = is_shell_name(by) || by == "busybox";
        shell && seen.access.has(Access::OPENED) && ENDS.iter().any(|end| path.ends_with(end))
    });
    let paths = opened.map(|(path, _)| ImagePath::new(path));
    let read = |path: ImagePath| {
        let real = starts.subject.rootfs.tree.resolve(&path).ok()?.path;
        let bytes = text_of(starts.subject.rootfs, first, &real)?;
        Some((
            path.to_string(),
            String::from_utf8_lossy(&bytes).into_owned(),
        ))
    };
    paths.filter_map(read).collect()
}

/// The files of all commands before the server, by path without links, interpreters left out.
pub(super) fn executed(starts: &Starts<'_>, first: &Startup) -> Vec<ImagePath> {
    let tree = &starts.subject.rootfs.tree;
    let mut found = BTreeSet::new();
    for command in all_commands(first) {
        let path = ImagePath::new(&command.program);
        found.insert(tree.resolve(&path).map_or(path, |found| found.path));
    }
    found.into_iter().collect()
}
