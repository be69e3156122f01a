//! The configuration of an image that starts its server itself.

use std::collections::BTreeMap;

use plimsoll_model::config::DEFAULT_PATH;
use plimsoll_model::startup::{Stage, Who};
use plimsoll_model::text::printable;
use plimsoll_model::{Config, ImagePath, Startup};

use super::{Account, Baked, Starts, differ};

/// The original's configuration with the server in the place of its entry.
pub(super) fn config(starts: &Starts<'_>, first: &Startup) -> Result<Config, Vec<String>> {
    let mut against = Vec::new();
    let Some(server) = first.server() else {
        return Err(against);
    };
    let mut config = starts.subject.image.config.clone();
    let mut words = Vec::new();
    for word in &server.command.arguments {
        match std::str::from_utf8(word) {
            Ok(word) => words.push(word.to_owned()),
            Err(_) => against.push(format!(
                "an argument of the server is no text: {}",
                printable(word)
            )),
        }
    }
    match std::str::from_utf8(&server.directory) {
        // What the original says stays as it is written, if it means the same.
        Ok(directory) if ImagePath::new(directory) == ImagePath::new(&config.working_dir) => {}
        Ok(directory) => directory.clone_into(&mut config.working_dir),
        Err(_) => against.push("the server's working directory is no text".to_owned()),
    }
    let account = user(starts, &server.who);
    match &account {
        Ok((user, _)) => config.user.clone_from(user),
        Err(why) => against.push(why.clone()),
    }
    let home = account.map(|(_, account)| account.home).unwrap_or_default();
    match variables(&starts.subject.image.config, server, &home) {
        Ok(env) => config.env = env,
        Err(why) => against.push(why),
    }
    if let Err(why) = name(starts, server, &config, &mut words) {
        against.push(why);
    }
    if !against.is_empty() {
        return Err(against);
    }
    let original = &starts.subject.image.config;
    (config.entrypoint, config.cmd) = split(original, words);
    Ok(config)
}

/// Where the original was given arguments at its start, the result is given them in the same place.
fn split(original: &Config, mut words: Vec<String>) -> (Vec<String>, Vec<String>) {
    let cmd = &original.cmd;
    if original.entrypoint.is_empty() || words == *cmd {
        return (Vec::new(), words);
    }
    if !cmd.is_empty() && words.ends_with(cmd) {
        let arguments = words.split_off(words.len() - cmd.len());
        return (words, arguments);
    }
    (words, Vec::new())
}

/// A word for `USER` that means exactly these.
fn user(starts: &Starts<'_>, who: &Who) -> Result<(String, Account), String> {
    let ([uid, rest @ ..], [gid, others @ ..]) = (who.users, who.groups);
    if rest.iter().any(|id| *id != uid) || others.iter().any(|id| *id != gid) {
        return Err(format!(
            "the server starts with different real and effective ids ({:?}, {:?}), which USER cannot say",
            who.users, who.groups
        ));
    }
    let mut groups = who.others.clone();
    groups.push(gid);
    groups.sort_unstable();
    groups.dedup();
    let own = starts.subject.image.config.user.clone();
    let words = [own, format!("{uid}"), format!("{uid}:{gid}")];
    let fits = |word: &String| {
        let account = (starts.whom)(word)?;
        let same = account.uid == uid && account.gid == gid && account.groups == groups;
        same.then(|| (word.clone(), account))
    };
    words.iter().find_map(fits).ok_or_else(|| {
        format!("the server runs as user {uid}, group {gid} and groups {groups:?}, which no USER can say")
    })
}

/// The variables that are the server's own: in the order of the configuration, new ones by name.
fn variables(original: &Config, server: &Stage, home: &str) -> Result<Vec<String>, String> {
    let mut left: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in differ::environment(server) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec());
        match (text(name), text(value)) {
            (Ok(name), Ok(value)) => {
                left.insert(name, value);
            }
            _ => return Err(format!("the variable {} is no text", printable(name))),
        }
    }
    let declared = |name: &str| original.env(name).is_some();
    // A runtime sets these so by itself.
    if left.get("PATH").is_some_and(|value| value == DEFAULT_PATH) && !declared("PATH") {
        left.remove("PATH");
    }
    if left.get("HOME").is_some_and(|value| value == home) && !declared("HOME") {
        left.remove("HOME");
    }
    let mut env = Vec::new();
    for pair in &original.env {
        let name = pair.split('=').next().unwrap_or_default();
        if let Some(value) = left.remove(name) {
            env.push(format!("{name}={value}"));
        }
    }
    env.extend(
        left.into_iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    Ok(env)
}

/// A runtime must find, under the server's own name, the program that was executed.
fn name(
    starts: &Starts<'_>,
    server: &Stage,
    config: &Config,
    words: &mut [String],
) -> Result<(), String> {
    let tree = &starts.subject.rootfs.tree;
    let real = |path: &ImagePath| tree.resolve(path).ok().map(|found| found.path);
    let program = ImagePath::new(&server.command.program);
    let called = words.first().cloned().unwrap_or_default();
    let found = match called.contains('/') {
        true => real(&ImagePath::root().join(&config.working_dir).join(&called)),
        false => {
            let mut places = config
                .search_path()
                .map(|place| ImagePath::new(place).join(&called));
            places.find_map(|place| {
                let path = real(&place)?;
                tree.get(&path)?.is_executable().then_some(path)
            })
        }
    };
    let wanted = real(&program);
    if wanted.is_none() {
        return Err(format!(
            "the server {program} is not in the image: it was made at the start"
        ));
    }
    if found == wanted {
        return Ok(());
    }
    let last = |name: &str| name.rsplit('/').next().map(str::to_owned);
    if last(&called) == last(&program.to_string())
        && let (Some(first), Some(path)) = (words.first_mut(), program.as_str())
    {
        path.clone_into(first);
        return Ok(());
    }
    Err(format!(
        "the server {program} is started under the name {called}, which a configuration cannot say"
    ))
}

/// What the user should know of an image that starts its server itself.
pub(super) fn notes(
    starts: &Starts<'_>,
    first: &Startup,
    config: &Config,
    baked: &BTreeMap<ImagePath, Baked>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let original = &starts.subject.image.config;
    if !original.entrypoint.is_empty() && config.entrypoint.is_empty() {
        notes.push(
            "arguments given at a start are the whole command now: no script looks at them"
                .to_owned(),
        );
    } else if !original.entrypoint.is_empty() && original.cmd != config.cmd {
        notes.push(
            "arguments given at a start are added to the server's own: no script looks at them"
                .to_owned(),
        );
    }
    for pair in &original.env {
        let name = pair.split('=').next().unwrap_or_default();
        if super::is_frozen(starts.frozen, name) {
            notes.push(format!(
                "{pair} is final: what the entry script makes of it is baked"
            ));
        }
    }
    let covered = baked.keys().find(|path| {
        ["/run", "/var/run", "/tmp"]
            .iter()
            .any(|root| path.starts_with(root) && path.as_bytes() != root.as_bytes())
    });
    if let Some(path) = covered {
        notes.push(format!(
            "{path} was prepared at the start: a memory file system mounted above it would hide it"
        ));
    }
    let listed = first.touched.seen.iter().find(|(path, seen)| {
        let name = ImagePath::new(path);
        seen.access.has(plimsoll_model::Access::LISTED) && name.file_name().ends_with(b".d")
    });
    if let Some((path, _)) = listed {
        let path = ImagePath::new(path);
        notes.push(format!(
            "files put into {path} are no longer looked at when it starts"
        ));
    }
    notes
}
