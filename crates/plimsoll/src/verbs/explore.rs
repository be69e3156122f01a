//! `explore`: an image in the terminal, layer by layer and file by file.
//!
//! [`state::State`] is told of keys and answers and wishes for things; [`draw`] shows it; both know
//! neither a terminal nor a file. [`work::Work`] does, on threads of its own, what takes longer than a
//! key may. This file ties them to a terminal.

mod areas;
mod details;
mod draw;
mod forest;
mod keys;
mod list;
mod mouse;
mod page;
mod rows;
mod search;
mod sheet;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod work;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use plimsoll_model::Problem;
use plimsoll_model::text::instruction;
use ratatui::crossterm::event::{self, Event};

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::plan_file::PlanFile;
use crate::session::{self, Context};
use crate::verbs::{files, why};

use forest::Forest;
use state::{Answer, LayerRow, State, Subject, Wish};
use terminal::{Ears, Taken};
use theme::Theme;
use work::Work;

/// How long keys are waited for while an answer is on its way, and when nothing is.
const SOON: Duration = Duration::from_millis(20);
const LATER: Duration = Duration::from_secs(60);
/// Keys that are taken in before the screen is drawn again: who holds a key down sees it move.
const KEYS_A_FRAME: usize = 32;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Explore) -> Result<Exit> {
    refuse_without_terminal()?;
    let name = &arguments.image;
    context.progress.step(&format!("reading {name}"));
    let open = |name: &str, options: &plimsoll_image::Options<'_>| {
        let options = plimsoll_image::Options {
            changes: true,
            ..options.clone()
        };
        plimsoll_image::open(name, &options)
    };
    let mut opened = session::image(context, name, arguments.platform.as_deref(), None, open)?;
    let layers = opened.image.layers.len();
    if let Some(layer) = arguments.layer.filter(|&layer| layer as usize >= layers) {
        return Err(Failure::new(format!(
            "{name} has no layer {layer}: it has {layers}, and the lowest is 0"
        )));
    }
    let plan = why::known(context, &opened.image.digest, arguments.plan.as_deref());
    let plan = match (plan, &arguments.plan) {
        (Ok(plan), _) => plan.map(Arc::new),
        (Err(failure), Some(_)) => return Err(failure),
        // A plan nobody asked for.
        (Err(_), None) => None,
    };
    let changes = std::mem::take(&mut opened.changes);
    let forest = Arc::new(Forest::new(changes, &opened.rootfs.tree.dead));
    let subject = subject(name, &opened, plan.clone());
    let work = Work {
        image: opened.image,
        rootfs: opened.rootfs,
        inventory: OnceLock::new(),
        forest: Arc::clone(&forest),
        plan,
        leftovers: context.leftovers.clone(),
    };
    let (wishes, wished) = channel();
    let (answers, answered) = channel();
    work.start(wished, answers)
        .map_err(|error| Failure::because("cannot start a thread", &error))?;
    let mut state = State::new(subject, forest, arguments.layer);
    context.progress.done();
    show(context, &mut state, &wishes, &answered)?;
    Ok(files::ended(&state.subject.problems))
}

/// A program that draws on what is no terminal helps nobody.
fn refuse_without_terminal() -> Result<()> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let missing = match (io::stdin().is_terminal(), io::stdout().is_terminal()) {
        (false, _) => "standard input is none",
        (_, false) => "standard output is none",
        _ if dumb => "this one (TERM=dumb) cannot be drawn on",
        _ => return Ok(()),
    };
    let hint = "`plimsoll tree IMAGE`, `plimsoll ls IMAGE` and `plimsoll inspect --json IMAGE` say the \
                same without one";
    Err(Failure::new(format!("explore needs a terminal, and {missing}")).hint(hint))
}

/// The image in the words of the screen.
fn subject(name: &str, opened: &plimsoll_image::Opened, plan: Option<Arc<PlanFile>>) -> Subject {
    let (config, tree) = (&opened.image.config, &opened.rootfs.tree);
    let mut dead: BTreeMap<u32, u64> = BTreeMap::new();
    for bytes in &tree.dead {
        *dead.entry(bytes.layer).or_default() += bytes.size;
    }
    let layers = opened.image.layers.iter().zip(0_u32..);
    let layers = layers.map(|(layer, number)| {
        let facts = tree.layers.get(number as usize).cloned();
        let facts = facts.unwrap_or_default();
        LayerRow {
            instruction: instruction(layer.created_by.as_deref().unwrap_or_default()),
            digest: layer.blob.descriptor.digest.to_string(),
            stored: layer.blob.descriptor.size,
            bytes: facts.bytes,
            files: facts.files,
            dead: dead.get(&number).copied().unwrap_or(0),
        }
    });
    let problems: Vec<Problem> = opened.problems.clone();
    let base = opened.lineage.base_layers();
    Subject {
        name: name.to_owned(),
        platform: format!("{}/{}", config.os, config.architecture),
        layers: layers.collect(),
        live: tree.live_bytes(),
        files: tree.file_count(),
        dead: tree.dead_bytes(),
        base: base.and_then(|base| u32::try_from(base).ok()),
        problems,
        plan,
    }
}

/// Draws, waits for keys and answers, until the user has seen enough.
fn show(
    context: &Context,
    state: &mut State,
    wishes: &Sender<Wish>,
    answers: &Receiver<Answer>,
) -> Result<()> {
    let failed = |error: io::Error| Failure::because("cannot use the terminal", &error);
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let theme = Theme { colours };
    let ears = Ears::open().map_err(failed)?;
    let mut taken = Taken::take(&context.leftovers).map_err(failed)?;
    loop {
        if !taken.is_ours() {
            return Err(Failure::new("a thread of the explorer has failed"));
        }
        while let Ok(answer) = answers.try_recv() {
            state.answer(answer);
        }
        taken
            .screen
            .draw(|frame| draw::draw(frame, state, theme))
            .map_err(failed)?;
        // Keys that came while the screen was drawn wait in the library already.
        if !ears.has_key().map_err(failed)? && !hear(&ears, state, answers)? {
            continue;
        }
        for _ in 0..KEYS_A_FRAME {
            if !ears.has_key().map_err(failed)? {
                break;
            }
            let wish = match event::read().map_err(failed)? {
                Event::Key(key) => state.key(key),
                Event::Mouse(mouse) => state.mouse(mouse),
                _ => None,
            };
            match wish {
                Some(Wish::Quit) => return Ok(()),
                Some(Wish::Suspend) => taken.suspend().map_err(failed)?,
                Some(wish) => {
                    let _ = wishes.send(wish);
                }
                None => {}
            }
        }
    }
}

/// Waits for a key, an answer or another size; whether it may be a key.
fn hear(ears: &Ears, state: &mut State, answers: &Receiver<Answer>) -> Result<bool> {
    loop {
        match answers.try_recv() {
            Ok(answer) => {
                state.answer(answer);
                return Ok(false);
            }
            Err(TryRecvError::Disconnected) => {
                return Err(Failure::new("a thread of the explorer has failed"));
            }
            Err(TryRecvError::Empty) => {}
        }
        let patience = if state.waiting > 0 { SOON } else { LATER };
        let heard = ears.wait(patience);
        if heard.map_err(|error| Failure::because("cannot use the terminal", &error))? {
            return Ok(true);
        }
    }
}
