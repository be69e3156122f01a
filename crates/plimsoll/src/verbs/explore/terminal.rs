//! The terminal: taken, and given back as it was, whatever happens.

use std::io::{self, BufWriter, Read as _, Stdout, Write as _};
use std::mem::ManuallyDrop;
use std::os::unix::net::UnixStream;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::style::Print;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{event, execute};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::interrupt::Leftovers;

/// Whether the terminal is ours at the moment.
static OURS: AtomicBool = AtomicBool::new(false);

/// Bytes of a frame that are written at once.
const FRAME: usize = 64 << 10;

/// Clicks and the wheel are told, as numbers of any size (xterm, "Mouse Tracking": 1000, 1006); not every
/// move of the mouse, which the library would ask for as well. Text is then selected with Shift held.
const LISTEN_TO_MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
const NO_MOUSE: &str = "\x1b[?1006l\x1b[?1000l";

pub(super) type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// The terminal while it is ours. Dropped, it is what it was.
pub(super) struct Taken {
    /// Never dropped: it would print what it cannot do, and panic where nobody can read that. We give
    /// the terminal back ourselves.
    pub(super) screen: ManuallyDrop<Screen>,
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
            Ok(screen) => Ok(Self {
                screen: ManuallyDrop::new(screen),
            }),
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

/// Listens for keys, and for another size of the terminal.
///
/// The library could wait by itself, but does not notice when the terminal is gone: it reads its end
/// again and again.
pub(super) struct Ears {
    resized: UnixStream,
}

impl Ears {
    /// Listens from now on.
    pub(super) fn open() -> io::Result<Self> {
        let (resized, told) = UnixStream::pair()?;
        resized.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGWINCH, told)?;
        Ok(Self { resized })
    }

    /// Waits for so long; whether there is something.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn wait(&self, patience: Duration) -> io::Result<bool> {
        let keys = io::stdin();
        let mut heard = [
            PollFd::new(&keys, PollFlags::IN),
            PollFd::new(&self.resized, PollFlags::IN),
        ];
        let count = listen(&mut heard, patience)?;
        let mut told = [0; 64];
        while matches!((&self.resized).read(&mut told), Ok(1..)) {}
        Ok(count > 0)
    }

    /// Whether there is a key that can be read without waiting.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn has_key(&self) -> io::Result<bool> {
        let keys = io::stdin();
        listen(&mut [PollFd::new(&keys, PollFlags::IN)], Duration::ZERO)?;
        event::poll(Duration::ZERO)
    }
}

/// Waits until one of them, of which the first is the terminal, has something; how many have.
fn listen(heard: &mut [PollFd<'_>], patience: Duration) -> io::Result<usize> {
    let patience = Timespec::try_from(patience).unwrap_or_default();
    let count = match poll(heard, Some(&patience)) {
        Ok(count) => count,
        Err(rustix::io::Errno::INTR) => 0,
        Err(error) => return Err(error.into()),
    };
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    match heard.first() {
        Some(terminal) if terminal.revents().intersects(gone) => {
            let why = "it is no longer there";
            Err(io::Error::new(io::ErrorKind::NotConnected, why))
        }
        _ => Ok(count),
    }
}

fn enter() -> io::Result<()> {
    OURS.store(true, Ordering::SeqCst);
    let entered = enable_raw_mode()
        .and_then(|()| execute!(io::stdout(), EnterAlternateScreen, Print(LISTEN_TO_MOUSE)));
    if entered.is_err() {
        give_back();
    }
    entered
}

/// Once for each time it was taken. What cannot be written any more goes unsaid: whoever closed the
/// terminal does not miss it.
fn give_back() {
    if OURS.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), Print(NO_MOUSE), LeaveAlternateScreen, Show);
        let _ = io::stdout().flush();
        let _ = disable_raw_mode();
    }
}
