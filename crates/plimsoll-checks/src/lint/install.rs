//! Commands that install packages: which package manager, which packages.

use crate::dockerfile::shell::{Argument, Command};

/// A package manager as its command line goes.
pub(super) struct Manager {
    /// Its family: what shares options and caches.
    pub(super) family: &'static str,
    programs: &'static [&'static str],
    verbs: &'static [&'static str],
    /// Options that take the next word.
    takes: &'static [&'static str],
}

const MANAGERS: &[Manager] = &[
    Manager {
        family: "apt",
        programs: &["apt-get", "apt", "aptitude"],
        verbs: &["install"],
        takes: &[
            "-o",
            "-t",
            "-c",
            "-a",
            "--option",
            "--target-release",
            "--host-architecture",
        ],
    },
    Manager {
        family: "apk",
        programs: &["apk"],
        verbs: &["add"],
        takes: &[
            "-t",
            "--virtual",
            "-X",
            "--repository",
            "-p",
            "--root",
            "--keys-dir",
            "--repositories-file",
            "--arch",
            "--wait",
        ],
    },
    Manager {
        family: "dnf",
        programs: &["dnf", "dnf5", "microdnf"],
        verbs: &["install", "groupinstall", "localinstall", "in"],
        takes: &[
            "-c",
            "-x",
            "--enablerepo",
            "--disablerepo",
            "--repo",
            "--installroot",
            "--setopt",
        ],
    },
    Manager {
        family: "yum",
        programs: &["yum"],
        verbs: &["install", "groupinstall", "localinstall"],
        takes: &[
            "-c",
            "-x",
            "--enablerepo",
            "--disablerepo",
            "--installroot",
            "--setopt",
        ],
    },
    Manager {
        family: "zypper",
        programs: &["zypper"],
        verbs: &["install", "in"],
        takes: &["-t", "--type", "-r", "--repo", "--from", "-R", "--root"],
    },
    Manager {
        family: "pip",
        programs: &["pip", "pip2", "pip3"],
        verbs: &["install"],
        takes: &[
            "-r",
            "--requirement",
            "-c",
            "--constraint",
            "-i",
            "--index-url",
            "--extra-index-url",
            "-f",
            "--find-links",
            "-t",
            "--target",
            "--prefix",
            "--root",
            "-e",
            "--editable",
            "--trusted-host",
            "--proxy",
            "--timeout",
            "--src",
            "--platform",
            "--python-version",
            "--abi",
            "--implementation",
            "--progress-bar",
            "--cache-dir",
            "--global-option",
            "--no-binary",
            "--only-binary",
            "--install-option",
            "--config-settings",
            "-b",
        ],
    },
    Manager {
        family: "npm",
        programs: &["npm"],
        verbs: &["install", "i", "add"],
        takes: &[
            "--prefix",
            "--registry",
            "--loglevel",
            "--cache",
            "--userconfig",
            "-C",
        ],
    },
    Manager {
        family: "yarn",
        programs: &["yarn"],
        verbs: &["install", "add"],
        takes: &["--cwd", "--cache-folder", "--network-timeout"],
    },
    Manager {
        family: "gem",
        programs: &["gem"],
        verbs: &["install", "i"],
        takes: &[
            "-v",
            "--version",
            "-i",
            "--install-dir",
            "-n",
            "--bindir",
            "-s",
            "--source",
            "-P",
        ],
    },
    Manager {
        family: "go",
        programs: &["go"],
        verbs: &["install"],
        takes: &[
            "-ldflags", "-tags", "-o", "-mod", "-modfile", "-p", "-gcflags",
        ],
    },
];

/// An installation.
pub(super) struct Install<'a> {
    /// By whom.
    pub(super) manager: &'static Manager,
    /// The packages that are named.
    pub(super) packages: Vec<&'a Argument>,
}

/// The installation that a command is, if it is one.
pub(super) fn of(command: &Command) -> Option<Install<'_>> {
    let (manager, arguments) = called(command)?;
    let mut packages = Vec::new();
    let mut verb = false;
    let mut skip = false;
    for argument in arguments {
        let text = &*argument.text;
        if std::mem::take(&mut skip) {
            continue;
        }
        if text.starts_with('-') && text.len() > 1 {
            skip = manager.takes.contains(&text);
        } else if !verb {
            if !manager.verbs.contains(&text) {
                return None;
            }
            verb = true;
        } else {
            packages.push(argument);
        }
    }
    verb.then_some(Install { manager, packages })
}

/// The package manager a command calls, and its arguments: also as `python -m pip`.
pub(super) fn called(command: &Command) -> Option<(&'static Manager, &[Argument])> {
    let name = command.name();
    let mut arguments = command.arguments();
    let name = match arguments {
        [flag, module, rest @ ..] if flag.text == "-m" && name.starts_with("python") => {
            arguments = rest;
            &*module.text
        }
        _ => name,
    };
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let manager = MANAGERS.iter().find(|manager| {
        manager.programs.contains(&name) || (stem == "pip" && manager.family == "pip")
    })?;
    Some((manager, arguments))
}

/// What a package manager is told to do: `update` of `apt-get -q update`.
pub(super) fn verb(command: &Command) -> Option<&str> {
    let (manager, arguments) = called(command)?;
    let mut skip = false;
    for argument in arguments {
        let text = &*argument.text;
        if std::mem::take(&mut skip) {
            continue;
        }
        if text.starts_with('-') {
            skip = manager.takes.contains(&text);
        } else {
            return Some(text);
        }
    }
    None
}

/// The family of the package manager a command calls.
pub(super) fn family(command: &Command) -> Option<&'static str> {
    Some(called(command)?.0.family)
}
