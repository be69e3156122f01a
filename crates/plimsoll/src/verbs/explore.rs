//! `explore`: an image in the terminal, layer by layer and file by file.
//!
//! [`state::State`] is told of keys and answers and wishes for things; [`draw`] shows it; both know
//! neither a terminal nor a file. [`load`] reads the image on a thread while the screen is there already;
//! [`work::Work`] does, on threads of its own, what takes longer than a key may. This file ties them to a
//! terminal.

mod areas;
mod details;
mod draw;
mod forest;
mod keys;
mod list;
mod load;
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

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event};

use crate::cli;
use crate::failure::{Exit, Failure, Result};
use crate::session::Context;
use crate::verbs::files;

use state::{Answer, State, Wish};
use terminal::{Ears, Taken};
use theme::Theme;

/// How long a name may take to turn out to mean nothing before the screen is shown.
const FIRST: Duration = Duration::from_millis(40);
/// How long keys are waited for while an answer is on its way, and when nothing is.
const SOON: Duration = Duration::from_millis(20);
const LATER: Duration = Duration::from_secs(60);
/// Keys that are taken in before the screen is drawn again: who holds a key down sees it move.
const KEYS_A_FRAME: usize = 32;

/// Runs the verb.
pub(crate) fn run(context: &Context, arguments: &cli::Explore) -> Result<Exit> {
    refuse_without_terminal()?;
    let (wishes, wished) = channel();
    let (answers, answered) = channel();
    let progress = load::start(context, arguments, wished, answers)
        .map_err(|error| Failure::because("cannot start a thread", &error))?;
    let mut state = State::opening(&arguments.image, arguments.layer);
    // A name that means nothing is no reason to take the terminal.
    if let Ok(answer) = answered.recv_timeout(FIRST) {
        state.answer(answer);
    }
    if let Some(failure) = state.failed.take() {
        return Err(failure);
    }
    let talk = Talk {
        wishes,
        answers: answered,
        progress,
    };
    show(context, &mut state, &talk)?;
    match state.failed.take() {
        Some(failure) => Err(failure),
        None => Ok(files::ended(&state.subject.problems)),
    }
}

/// The ways to the threads behind the screen, and back.
struct Talk {
    wishes: Sender<Wish>,
    answers: Receiver<Answer>,
    progress: Arc<load::Progress>,
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

/// Draws, waits for keys and answers, until the user has seen enough.
fn show(context: &Context, state: &mut State, talk: &Talk) -> Result<()> {
    let failed = |error: io::Error| Failure::because("cannot use the terminal", &error);
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let theme = Theme { colours };
    let ears = Ears::open().map_err(failed)?;
    let mut taken = Taken::take(&context.leftovers).map_err(failed)?;
    loop {
        if !taken.is_ours() {
            return Err(Failure::new("a thread of the explorer has failed"));
        }
        while let Ok(answer) = talk.answers.try_recv() {
            state.answer(answer);
        }
        taken
            .screen
            .draw(|frame| draw::draw(frame, state, theme))
            .map_err(failed)?;
        // Keys that came while the screen was drawn wait in the library already.
        if !ears.has_key().map_err(failed)? && !hear(&ears, state, talk)? {
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
                    let _ = talk.wishes.send(wish);
                }
                None => {}
            }
        }
    }
}

/// Waits for a key, an answer, another size or news of the reading; whether it may be a key.
fn hear(ears: &Ears, state: &mut State, talk: &Talk) -> Result<bool> {
    loop {
        match talk.answers.try_recv() {
            Ok(answer) => {
                state.answer(answer);
                return Ok(false);
            }
            Err(TryRecvError::Disconnected) if state.failed.is_none() => {
                return Err(Failure::new("a thread of the explorer has failed"));
            }
            Err(_) => {}
        }
        if state.read_on(talk.progress.look()) {
            return Ok(false);
        }
        let patience = if state.waiting > 0 { SOON } else { LATER };
        let heard = ears.wait(patience);
        if heard.map_err(|error| Failure::because("cannot use the terminal", &error))? {
            return Ok(true);
        }
    }
}
