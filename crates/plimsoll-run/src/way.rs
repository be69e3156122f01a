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
    let is_plain = match found {
        Way::Root => !is_here(identity),
        Way::Subordinate => recorded || beyond(identity).is_some(),
        Way::Plain => false,
    };
    match is_plain {
        false => Ok(found),
        true => match sandbox::attempt(Way::Plain) {
            Ok(()) => Ok(Way::Plain),
            Err(error) => Err(Unavailable(explain(&error.to_string()))),
        },
    }
}

/// Why an image's users are not real, as a sentence; `None` for root where they could be.
pub(crate) fn why_plain(identity: &Identity) -> Option<String> {
    if rustix::process::geteuid().is_root() {
        let why = "the image's users are not real: user 0 here is that of a user namespace in which not \
             everybody is somebody, or groups may not be set";
        return (!is_anybody() || !is_here(identity)).then(|| why.to_owned());
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

/// Whether user 0 may be every user and set every group that an image is likely to have. It may not in
/// a user namespace that was made for one id alone (user_namespaces(7), "Defining user and group ID
/// mappings" and "The /proc/pid/setgroups file").
fn is_anybody() -> bool {
    let denied = fs::read_to_string("/proc/self/setgroups").is_ok_and(|text| text.trim() == "deny");
    !denied
        && ["uid_map", "gid_map"]
            .iter()
            .all(|name| extent(&own_map(name)) > NOBODY)
}

/// Whether this identity is somebody in our own user namespace.
fn is_here(identity: &Identity) -> bool {
    let (users, groups) = (own_map("uid_map"), own_map("gid_map"));
    let mut all = identity.groups.iter().chain([&identity.gid]);
    has(&users, identity.uid) && all.all(|&group| has(&groups, group))
}

/// The largest number that images commonly use.
const NOBODY: u64 = 65_534;

/// Our own map of users or groups: the first of each range inside, and how many there are.
fn own_map(name: &str) -> Vec<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    ranges(&text)
}

fn ranges(map: &str) -> Vec<(u64, u64)> {
    let line = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        Some((fields.next()?.parse().ok()?, fields.nth(1)?.parse().ok()?))
    };
    let mut ranges: Vec<(u64, u64)> = map.lines().filter_map(line).collect();
    ranges.sort_unstable();
    ranges
}

/// The first number, counted from 0, that these ranges (in order) do not have.
fn extent(ranges: &[(u64, u64)]) -> u64 {
    ranges
        .iter()
        .fold(0, |end, &(first, count)| match first <= end {
            true => end.max(first.saturating_add(count)),
            false => end,
        })
}

fn has(ranges: &[(u64, u64)], id: u32) -> bool {
    let id = u64::from(id);
    ranges
        .iter()
        .any(|&(first, count)| id >= first && id - first < count)
}

fn find() -> Result<Way, Unavailable> {
    let root = rustix::process::geteuid().is_root();
    if root && is_anybody() && sandbox::attempt(Way::Root).is_ok() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_somebody_here_is_read_off_the_map() {
        let all = ranges("         0          0 4294967295\n");
        assert!(extent(&all) > NOBODY && has(&all, 100_000));
        let one = ranges("0 1000 1\n");
        assert_eq!(extent(&one), 1);
        assert!(has(&one, 0) && !has(&one, 1));
        // As rootless engines write it.
        let two = ranges("1 100000 65536\n0 1000 1\n");
        assert_eq!(extent(&two), 65_537);
        assert!(has(&two, 65_536) && !has(&two, 65_537));
        let gap = ranges("0 1000 1\n2 100000 65536\nnonsense\n");
        assert_eq!(extent(&gap), 1);
        assert_eq!(extent(&[]), 0);
    }
}
