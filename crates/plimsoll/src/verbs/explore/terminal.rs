//! The terminal: taken, and given back as it was, whatever happens.

use std::io::{self, BufWriter, Stdout, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use crate::interrupt::Leftovers;

/// Whether the terminal is ours at the moment.
static OURS: AtomicBool = AtomicBool::new(false);

/// Bytes of a frame that are written at once.
const FRAME: usize = 64 << 10;

pub(super) type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// The terminal while it is ours. Dropped, it is what it was.
pub(super) struct Taken {
    pub(super) screen: Screen,
}

impl Taken {
    /// Takes the terminal. It is also given back when a signal ends the process or a thread panics.
    pub(super) fn take(leftovers: &Leftovers) -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        leftovers.put_right(give_back);
        enter()?;
        let out = BufWriter::with_capacity(FRAME, io::stdout());
        match Terminal::new(CrosstermBackend::new(out)) {
            Ok(screen) => Ok(Self { screen }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Whether it still is ours: a thread that panics gives it back for all.
    pub(super) fn is_ours(&self) -> bool {
        OURS.load(Ordering::SeqCst)
    }

    /// Stops the process, as Ctrl-Z does elsewhere, and takes the terminal again when it goes on.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        enter()?;
        self.screen.clear()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    OURS.store(true, Ordering::SeqCst);
    let entered = enable_raw_mode().and_then(|()| execute!(io::stdout(), EnterAlternateScreen));
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Once for each time it was taken. What cannot be written any more goes unsaid: whoever closed the
/// terminal does not miss it.
fn give_back() {
    if OURS.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _ = io::stdout().flush();
        let _ = disable_raw_mode();
    }
}
