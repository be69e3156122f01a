//! How a sandbox can be made on this machine: found out by making one.

use std::fmt;
use std::fs;
use std::io;
use std::sync::OnceLock;

use crate::subordinate::{self, Ids};
use crate::{Error, Identity, sandbox};

/// How the sandbox is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By root: every user and group of the image is real inside.
    Root,
    /// By a plain user who may use other ids too: every user and group of the image is real inside.
    Subordinate,
    /// By a plain user: one id is real, the tracer answers for the others.
    Plain,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "as root",
            Self::Subordinate => "as a plain user with subordinate ids",
            Self::Plain => "as a plain user (one id; ownership changes are answered by the tracer)",
        })
    }
}

/// Why no sandbox can be made here: a sentence, with the setting to change where one is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// How a sandbox can be made here. A process without children of its own is made and ended to find
/// out; the answer is remembered.
///
/// # Errors
/// When none can be made; the reason is a sentence.
pub fn way() -> Result<Way, Unavailable> {
    static FOUND: OnceLock<Result<Way, Unavailable>> = OnceLock::new();
    FOUND.get_or_init(find).clone()
}

/// How the sandbox for an image that runs as this user is made here. Ids beyond a range of subordinate
/// ones are answered for by the tracer, and so are all where the way to the server is `recorded`: the
/// files are looked at from outside then.
///
/// # Errors
/// When none can be made; the reason is a sentence.
pub fn way_for(identity: &Identity, recorded: bool) -> Result<Way, Unavailable> {
    let found = way()?;
    let is_plain = found == Way::Subordinate && (recorded || beyond(identity).is_some());
    match is_plain {
        false => Ok(found),
        true => match sandbox::attempt(Way::Plain) {
            Ok(()) => Ok(Way::Plain),
            Err(error) => Err(Unavailable(explain(&error.to_string()))),
        },
    }
}

/// Why a plain user's image runs without subordinate ids, as a sentence; `None` for root.
pub(crate) fn why_plain(identity: &Identity) -> Option<String> {
    if rustix::process::geteuid().is_root() {
        return None;
    }
    let why = subordinate_ids().err().or_else(|| beyond(identity));
    let why = why.unwrap_or_else(|| String::from("its way to the server is recorded"));
    Some(format!("subordinate ids are not used: {why}"))
}

/// Why an image's user cannot be one of the subordinate ids.
fn beyond(identity: &Identity) -> Option<String> {
    let ids = subordinate_ids().ok()?;
    let groups = identity.groups.iter().copied().chain([identity.gid]);
    (!ids.have(identity.uid, groups)).then(|| {
        format!(
            "the image runs as user {} and group {}, and not all of its ids are in the range",
            identity.uid, identity.gid
        )
    })
}

fn find() -> Result<Way, Unavailable> {
    let root = rustix::process::geteuid().is_root();
    if root && sandbox::attempt(Way::Root).is_ok() {
        return Ok(Way::Root);
    }
    if !root && subordinate_ids().is_ok() {
        return Ok(Way::Subordinate);
    }
    match sandbox::attempt(Way::Plain) {
        Ok(()) => Ok(Way::Plain),
        Err(error) => Err(Unavailable(explain(&error.to_string()))),
    }
}

/// The ids a plain user may use, if a sandbox can be made with them; else why not, as a sentence. The
/// answer is remembered.
pub(crate) fn subordinate_ids() -> Result<&'static Ids, String> {
    static FOUND: OnceLock<Result<&'static Ids, String>> = OnceLock::new();
    let find = || {
        let ids = subordinate::ids()?;
        match sandbox::attempt(Way::Subordinate) {
            Ok(()) => Ok(ids),
            Err(Error::Sandbox { step, source }) => Err(format!("cannot {step}: {source}")),
            Err(error) => Err(error.to_string()),
        }
    };
    FOUND.get_or_init(find).clone()
}

/// The settings that are known to forbid user namespaces, and what to do about each.
const SETTINGS: [(&str, &str, &str); 3] = [
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "user namespaces are switched off: set the sysctl user.max_user_namespaces above 0",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "user namespaces are for root only: set the sysctl kernel.unprivileged_userns_clone to 1",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor restricts user namespaces: set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0, or give this program a profile that allows them",
    ),
];

fn explain(error: &str) -> String {
    let forbids =
        |path: &str, value: &str| fs::read_to_string(path).is_ok_and(|text| text.trim() == value);
    let known = SETTINGS
        .iter()
        .find(|(path, value, _)| forbids(path, value));
    match known {
        Some((_, _, why)) => format!("{why} ({error})"),
        None => format!(
            "no user namespace with a /proc of its own can be made ({error}); inside a container, its own seccomp profile or masked /proc forbids it"
        ),
    }
}

/// Gives the users and groups of a new user namespace their numbers; the caller made the process.
pub(crate) fn write_maps(pid: i32, way: Way) -> io::Result<()> {
    let write = |name: &str, text: &str| fs::write(format!("/proc/{pid}/{name}"), text);
    match way {
        Way::Root => {
            // Whoever we are, inside they are who they are here.
            write("uid_map", &identical("/proc/self/uid_map")?)?;
            write("gid_map", &identical("/proc/self/gid_map")?)
        }
        Way::Subordinate => subordinate::ids().map_err(io::Error::other)?.write(pid),
        Way::Plain => {
            let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
            // user_namespaces(7): who has no privilege may map a group only after this.
            write("setgroups", "deny")?;
            write("uid_map", &format!("0 {} 1\n", user.as_raw()))?;
            write("gid_map", &format!("0 {} 1\n", group.as_raw()))
        }
    }
}

/// Our own map (`inside outside count` in each line), with every number mapped to itself.
fn identical(map: &str) -> io::Result<String> {
    let own = fs::read_to_string(map)?;
    let line = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (first, count) = (fields.next()?, fields.nth(1)?);
        Some(format!("{first} {first} {count}\n"))
    };
    Ok(own.lines().filter_map(line).collect())
}
