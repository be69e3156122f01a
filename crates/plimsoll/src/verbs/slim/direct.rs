//! `--direct-entry`: the image is seen starting in several surroundings, what its entry prepared is
//! baked, and the server is seen working when it is started itself.

use std::path::Path;

use plimsoll_model::report::DirectFacts;
use plimsoll_model::{Config, Image, ImagePath, Observations, Plan, Rootfs, Startup};
use plimsoll_run::{Outcome, Recording, Watch};
use plimsoll_slim::{Account, Direct, Starts};

use super::probes;
use super::room::{self, Phases, Room, Start, Surroundings};
use super::watch::Twice;
use crate::cli::SlimOptions;
use crate::failure::{Exit, Failure, Result};
use crate::session::Opened;

/// The host name of a start elsewhere.
const ELSEWHERE: &str = "elsewhere-2";
/// A variable that no image knows.
const STRANGER: &str = "PLIMSOLL_STRANGER";
/// Variables that are tried one by one, where all together made a difference.
const MOST_TRIED: usize = 12;

/// What became of the entry.
#[derive(Default)]
pub(super) struct Entry {
    /// What was prepared in advance, and by whom.
    pub(super) baked: Vec<(ImagePath, String)>,
    /// What the report says.
    facts: Option<DirectFacts>,
    /// What was executed before the server, by path without links.
    before: Vec<ImagePath>,
    /// What is to be said where nothing was to be done.
    notes: Vec<String>,
    /// The image that starts its server itself, and what came of starting it.
    made: Option<(Config, Rootfs, Vec<Twice>)>,
}

impl Entry {
    /// The image with this entry and the runs of that image, if it is another than before.
    pub(super) fn over(&mut self, opened: &Opened) -> Option<(Opened, Vec<Twice>)> {
        let (config, rootfs, runs) = self.made.take()?;
        let image = Image {
            config,
            ..opened.image.clone()
        };
        let opened = Opened {
            image,
            rootfs,
            is_named: opened.is_named,
            is_document: false,
            inventory: opened.inventory.clone(),
            lineage: opened.lineage.clone(),
            problems: opened.problems.clone(),
            unread: opened.unread,
            abandoned: opened.abandoned.clone(),
            upkeep: opened.upkeep.clone(),
        };
        Some((opened, runs))
    }

    /// What goes whatever the level says: the scripts that ran before the server, unless the server
    /// was seen asking for one of them, or the user did.
    pub(super) fn excluded(
        &self,
        opened: &Opened,
        seen: &Observations,
        options: &SlimOptions,
    ) -> Vec<String> {
        let is_script = |path: &&ImagePath| {
            let head = opened.rootfs.read_head(path, 2);
            head.is_ok_and(|head| head == b"#!")
        };
        let scripts = self.before.iter().filter(is_script);
        let is_needed = |path: &ImagePath| {
            let included = options
                .includes
                .iter()
                .any(|glob| path.as_str() == Some(glob));
            included || seen.seen.contains_key(path.as_bytes())
        };
        let names = scripts
            .filter(|path| !is_needed(path))
            .filter_map(|path| path.as_str());
        names
            .map(str::to_owned)
            .chain(options.excludes.iter().cloned())
            .collect()
    }

    /// What the report says of it, and more notes.
    pub(super) fn report(&self, plan: &Plan) -> (Option<DirectFacts>, Vec<String>) {
        let facts = self.facts.clone().map(|facts| {
            let before = self.before.iter().cloned();
            let (kept, ashore) = before.partition(|path| plan.keeps(path));
            DirectFacts {
                kept,
                ashore,
                ..facts
            }
        });
        (facts, self.notes.clone())
    }
}

/// Where the entry is wanted directly, its way to the server is recorded.
pub(super) fn record(starts: &mut [Start], options: &SlimOptions) {
    for start in starts.iter_mut().filter(|start| start.arguments.is_none()) {
        if options.direct_entry {
            start.surroundings.recording = Recording::On;
        }
    }
}

/// Makes an image of it that starts its server itself, if that is asked for.
///
/// # Errors
/// The reasons why that cannot be done, and (exit code 4) where the server, started itself, does not
/// do what the original does.
pub(super) fn entry(
    room: &mut Room<'_>,
    tree: &Path,
    opened: &Opened,
    originals: &[Twice],
    phases: &mut Phases,
) -> Result<Entry> {
    if !room.options.direct_entry {
        return Ok(Entry::default());
    }
    for start in &mut room.starts {
        start.surroundings = Surroundings::default();
    }
    let own = originals
        .iter()
        .find_map(|(first, second)| Some((first.startup.as_ref()?, second.startup.as_ref()?)));
    let Some((first, second)) = own else {
        return Err(refused(
            opened,
            vec!["it is only run to its end here, with given arguments".to_owned()],
        ));
    };
    let quick = Quick::new(room, tree, opened, first);
    let elsewhere = quick.start(&[(STRANGER.to_owned(), "1".to_owned())], ELSEWHERE, phases)?;
    let whom = |word: &str| account(opened, word);
    let starts = Starts {
        subject: opened.subject(),
        seen: &[first, second],
        elsewhere: &elsewhere,
        stranger: STRANGER,
        frozen: &room.options.frozen,
        whom: &whom,
    };
    let direct = match plimsoll_slim::direct(&starts) {
        Ok(Some(direct)) => direct,
        Ok(None) => {
            let note = "it starts its server itself already: --direct-entry had nothing to do";
            return Ok(Entry {
                notes: vec![note.to_owned()],
                ..Entry::default()
            });
        }
        Err(reasons) => return Err(refused(opened, reasons)),
    };
    let reasons = quick.altered(first, phases)?;
    if !reasons.is_empty() {
        return Err(refused(opened, reasons));
    }
    let runs = started(room, opened, &direct, originals, phases)?;
    Ok(told(opened, direct, runs))
}

fn refused(opened: &Opened, reasons: Vec<String>) -> Failure {
    let name = &opened.image.name;
    let is_variable = reasons
        .iter()
        .any(|reason| reason.contains("variable") && !reason.starts_with("--freeze"));
    let failure = Failure::new(format!(
        "{name} cannot start its server itself: its entry does what depends on each start"
    ))
    .details(reasons);
    match is_variable {
        true => failure.hint(
            "--freeze VARIABLE says that the value the image gives it is final; without --direct-entry the script stays",
        ),
        false => failure.hint("without --direct-entry the script stays"),
    }
}

/// Whom a word for `USER` means.
fn account(opened: &Opened, word: &str) -> Option<Account> {
    let config = Config {
        user: word.to_owned(),
        ..Config::default()
    };
    let identity = plimsoll_run::identity(&opened.rootfs, &config).ok()?;
    Some(Account {
        uid: identity.uid,
        gid: identity.gid,
        groups: identity.groups,
        home: identity.home,
    })
}

/// Starts that end where the server would begin.
struct Quick<'a> {
    room: &'a Room<'a>,
    tree: &'a Path,
    opened: &'a Opened,
    until: Recording,
}

impl<'a> Quick<'a> {
    fn new(room: &'a Room<'a>, tree: &'a Path, opened: &'a Opened, first: &Startup) -> Self {
        let program = first.server().map(|server| server.command.program.clone());
        let program = program.unwrap_or_default();
        let same = |stage: &&plimsoll_model::startup::Stage| stage.command.program == program;
        let times = first.stages.iter().filter(same).count();
        Self {
            room,
            tree,
            opened,
            until: Recording::Until { program, times },
        }
    }

    fn start(
        &self,
        variables: &[(String, String)],
        hostname: &str,
        phases: &mut Phases,
    ) -> Result<Startup> {
        let start = Start {
            arguments: None,
            again: false,
            spend: false,
            watch: Watch::Usual,
            surroundings: Surroundings {
                recording: self.until.clone(),
                hostname: Some(hostname.to_owned()),
                variables: variables.to_vec(),
                crash: true,
                unasked: true,
            },
        };
        let what = "original as far as its server";
        let outcome = self
            .room
            .run(self.tree, self.opened, what, &start, phases)?;
        Ok(outcome.startup.unwrap_or_default())
    }

    /// What comes out otherwise where variables of the image have other values, as sentences.
    fn altered(&self, first: &Startup, phases: &mut Phases) -> Result<Vec<String>> {
        let config = &self.opened.image.config;
        let names = plimsoll_slim::alterable(config, &self.room.options.frozen);
        let other = |name: &String| {
            let value = config.env(name).unwrap_or_default();
            (name.clone(), format!("{value}1"))
        };
        let mut differ = |names: &[String]| -> Result<Vec<String>> {
            let variables: Vec<(String, String)> = names.iter().map(other).collect();
            let startup = self.start(&variables, room::HOSTNAME, phases)?;
            let ignored: Vec<&str> = names.iter().map(String::as_str).collect();
            Ok(plimsoll_slim::differences(first, &startup, &ignored))
        };
        if names.is_empty() || differ(&names)?.is_empty() {
            return Ok(Vec::new());
        }
        let mut reasons = Vec::new();
        for name in names.iter().take(MOST_TRIED) {
            let value = config.env(name).unwrap_or_default();
            let differences = differ(std::slice::from_ref(name))?;
            reasons.extend(differences.first().map(|what| {
                format!("with another value of the variable {name} (the image sets it to {value:?}) a start differs: {what}")
            }));
        }
        if reasons.is_empty() {
            reasons.push(format!(
                "with other values of the variables {} a start differs",
                names.join(", ")
            ));
        }
        Ok(reasons)
    }
}

/// Starts the server itself, twice, and compares with the original; the second time it is killed, and
/// started again on what it left.
fn started(
    room: &Room<'_>,
    opened: &Opened,
    direct: &Direct,
    originals: &[Twice],
    phases: &mut Phases,
) -> Result<(Config, Rootfs, Vec<Twice>)> {
    let rootfs = plimsoll_slim::bake(&opened.rootfs, direct);
    let mut image = opened.image.clone();
    image.config.clone_from(&direct.config);
    let baked = Opened {
        image,
        is_named: opened.is_named,
        is_document: false,
        abandoned: opened.abandoned.clone(),
        upkeep: opened.upkeep.clone(),
        rootfs,
        inventory: opened.inventory.clone(),
        lineage: opened.lineage.clone(),
        problems: Vec::new(),
        unread: opened.unread,
    };
    let what = "original, its server started itself";
    let (tree, _) = room.prepare(&baked.rootfs, what, phases)?;
    let mut runs = Vec::new();
    let mut differences = Vec::new();
    let mut outputs = Vec::new();
    for (index, (start, (original, again))) in room.starts.iter().zip(originals).enumerate() {
        let one = room.run(&tree, &baked, what, start, phases)?;
        differences.extend(probes::compare(original, again, &one));
        differences.extend(probes::compare_later(&room.asked, original, again, &one));
        let crashed = Start {
            again: start.again,
            surroundings: Surroundings {
                crash: true,
                ..Surroundings::default()
            },
            ..start.clone()
        };
        let crash = room.run(&tree, &baked, what, &crashed, phases)?;
        let after = probes::compare_later(&room.asked, original, again, &crash);
        differences.extend(
            after
                .into_iter()
                .map(|what| format!("when it was killed before: {what}")),
        );
        let last = Start {
            spend: index + 1 == room.starts.len(),
            watch: Watch::Everything,
            ..start.once()
        };
        let two = room.run(&tree, &baked, what, &last, phases)?;
        outputs.push(one.output.clone());
        runs.push((one, merged(two, &crash)));
    }
    room::remove(&tree);
    differences.sort();
    differences.dedup();
    if differences.is_empty() {
        return Ok((baked.image.config, baked.rootfs, runs));
    }
    let output = outputs
        .iter()
        .flat_map(|output| probes::tail("image", output));
    Err(Failure::new(format!(
        "{} does not do the same when its server is started itself; nothing was written",
        opened.image.name
    ))
    .details(differences)
    .details(output)
    .exit(Exit::Unproved)
    .hint("without --direct-entry the script stays"))
}

/// A run that has seen what another saw as well.
fn merged(mut run: Outcome, other: &Outcome) -> Outcome {
    run.observations.merge(&other.observations);
    run
}

/// What was done, for plan and report.
fn told(opened: &Opened, direct: Direct, runs: (Config, Rootfs, Vec<Twice>)) -> Entry {
    let original = &opened.image.config;
    let config = &direct.config;
    let is_new = |pair: &&String| !original.env.contains(pair);
    let facts = DirectFacts {
        before: original.command_line(),
        entrypoint: config.entrypoint.clone(),
        cmd: config.cmd.clone(),
        user: (original.user != config.user).then(|| config.user.clone()),
        working_dir: (original.working_dir != config.working_dir)
            .then(|| config.working_dir.clone()),
        env: config.env.iter().filter(is_new).cloned().collect(),
        baked: direct
            .baked
            .iter()
            .map(|(path, baked)| (path.clone(), baked.why.clone()))
            .collect(),
        ashore: Vec::new(),
        kept: Vec::new(),
        notes: direct.notes,
    };
    let stays = direct
        .baked
        .iter()
        .filter(|(_, baked)| baked.node.is_some());
    Entry {
        baked: stays
            .map(|(path, baked)| (path.clone(), baked.why.clone()))
            .collect(),
        facts: Some(facts),
        before: direct.before,
        notes: Vec::new(),
        made: Some(runs),
    }
}
