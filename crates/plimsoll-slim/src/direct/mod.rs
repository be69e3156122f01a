//! An image that starts its server itself: what its entry script prepared is baked in.
//!
//! Two things must be so. What the script did must be the same at every start, in every place: that
//! is seen by running it, in different surroundings, and comparing. And nothing in it may wait for a
//! word from outside: that is read out of the script, because no run says what another variable
//! would have changed. Whatever speaks against one of them is a reason to refuse, with its evidence.

mod bake;
mod differ;
mod entry;
mod helpers;
mod reasons;

use std::collections::BTreeMap;

use plimsoll_model::{Config, ImagePath, Node, Rootfs, Startup, Subject};

use crate::script;

pub use bake::bake;
pub use differ::differences;

/// Whom a word for `USER` means, and that user's home; `None` if the image has no such user.
pub type Whom<'a> = &'a dyn Fn(&str) -> Option<Account>;

/// A user of the image, as a runtime would start a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// All group ids, `gid` among them, sorted.
    pub groups: Vec<u32>,
    /// The home directory a runtime would set.
    pub home: String,
}

/// What is known of an image's starts.
pub struct Starts<'a> {
    /// The image.
    pub subject: Subject<'a>,
    /// Full starts in the same surroundings, at different times; the first one counts.
    pub seen: &'a [&'a Startup],
    /// A start under another host name and with one more variable.
    pub elsewhere: &'a Startup,
    /// The name of that variable.
    pub stranger: &'a str,
    /// Names and globs of variables whose value in the image is final.
    pub frozen: &'a [String],
    /// Who is meant by a word for `USER`.
    pub whom: Whom<'a>,
}

/// An image that starts its server itself.
pub struct Direct {
    /// The configuration: command, user, working directory and environment are the server's.
    pub config: Config,
    /// What differs in the tree: the node and its bytes if they are new, or nothing if the path goes.
    pub baked: BTreeMap<ImagePath, Baked>,
    /// The scripts and programs that were executed before the server, by path without links.
    pub before: Vec<ImagePath>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// A path as the server found it.
pub struct Baked {
    /// What it is; `None` if it is gone.
    pub node: Option<Node>,
    /// The bytes of a file, where they are not the image's own.
    pub bytes: Option<Vec<u8>>,
    /// Why, for a reason: `written by /entry.sh at start`.
    pub why: String,
}

/// Whether the image can start its server itself; the reasons if it cannot, each a sentence.
///
/// `Ok(None)`: it does so already.
///
/// # Errors
/// The reasons against it, the strongest evidence first.
pub fn direct(starts: &Starts<'_>) -> Result<Option<Direct>, Vec<String>> {
    let Some(&first) = starts.seen.first() else {
        return Err(vec!["it was not seen starting".to_owned()]);
    };
    if let ([_], true) = (&first.stages[..], first.helpers.is_empty())
        && !reasons::is_shell(starts, &first.stages[0].command)
    {
        return Ok(None);
    }
    let reasons::Against {
        reasons: mut against,
        read,
    } = reasons::against(starts, first);
    let config = match entry::config(starts, first) {
        Ok(config) => Some(config),
        Err(more) => {
            against.extend(more);
            None
        }
    };
    let baked = match bake::plan(starts, first) {
        Ok(baked) => baked,
        Err(more) => {
            against.extend(more);
            BTreeMap::new()
        }
    };
    let mut seen = std::collections::BTreeSet::new();
    against.retain(|reason| seen.insert(reason.clone()));
    let idle = idle(starts, &read);
    match config {
        Some(config) if against.is_empty() => {
            let mut notes = entry::notes(starts, first, &config, &baked);
            notes.extend(idle);
            Ok(Some(Direct {
                notes,
                config,
                baked,
                before: reasons::executed(starts, first),
            }))
        }
        _ => {
            against.extend(idle);
            Err(against)
        }
    }
}

/// What is to be said of names that were called final and mean nothing here.
fn idle(starts: &Starts<'_>, read: &std::collections::BTreeSet<String>) -> Vec<String> {
    let config = &starts.subject.image.config;
    let set = config.env.iter().filter_map(|pair| pair.split('=').next());
    let names: Vec<&str> = set.chain(read.iter().map(String::as_str)).collect();
    let unused = |glob: &&String| {
        let one = std::slice::from_ref(*glob);
        glob.as_str() != "*" && !names.iter().any(|name| is_frozen(one, name))
    };
    let said = starts
        .frozen
        .iter()
        .filter(unused)
        .map(|glob| match &**glob {
            "HOSTNAME" => {
                "--freeze HOSTNAME: what a runtime decides at each start cannot be final".to_owned()
            }
            _ => format!(
                "--freeze {glob}: the image sets no variable of this name, and its entry reads none"
            ),
        });
    said.collect()
}

/// The variables of the configuration that a preparation could depend on, and which are not said
/// to be final: those that are neither the search path nor for the C library and the user.
pub fn alterable(config: &Config, frozen: &[String]) -> Vec<String> {
    const APART: [&str; 6] = ["HOME", "LANG", "LANGUAGE", "PATH", "TERM", "TZ"];
    let names = config
        .env
        .iter()
        .filter_map(|pair| Some(pair.split_once('=')?.0));
    names
        .filter(|name| {
            let is_apart =
                APART.contains(name) || name.starts_with("LC_") || name.starts_with("LD_");
            !is_apart && !is_frozen(frozen, name)
        })
        .map(str::to_owned)
        .collect()
}

fn is_frozen(frozen: &[String], name: &str) -> bool {
    // What a runtime decides can never be final.
    name != "HOSTNAME"
        && frozen
            .iter()
            .any(|glob| crate::glob::names(glob, name.as_bytes()))
}

/// The bytes of a file as it was before the server: prepared, or the image's own.
fn text_of(rootfs: &Rootfs, startup: &Startup, path: &ImagePath) -> Option<Vec<u8>> {
    use plimsoll_model::startup::What;
    if let Some(What::File(bytes)) = startup.prepared.get(path).map(|prepared| &prepared.what) {
        return Some(bytes.clone());
    }
    rootfs.read(path, script::MAX_SCRIPT).ok()
}
