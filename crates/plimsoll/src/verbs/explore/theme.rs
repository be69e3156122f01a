//! Colours: the sixteen of the terminal, which the user has chosen to be readable; none if asked for none.

use plimsoll_model::{Kind, Node};
use ratatui::style::{Color, Modifier, Style};

use super::sheet::Mark;

/// How things look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    /// Whether there are colours (`NO_COLOR`, <https://no-color.org>).
    pub(super) colours: bool,
}

impl Theme {
    fn colour(self, colour: Color) -> Style {
        match self.colours {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }

    /// What matters less.
    pub(super) fn dim(self) -> Style {
        match self.colours {
            true => Style::new().fg(Color::DarkGray),
            false => Style::new().add_modifier(Modifier::DIM),
        }
    }

    pub(super) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The frame of the pane that has the keys, or of another one.
    pub(super) fn frame(self, has_keys: bool) -> Style {
        match has_keys {
            true => self.colour(Color::Cyan).add_modifier(Modifier::BOLD),
            false => self.dim(),
        }
    }

    /// The selected line, in the pane that has the keys or in another one.
    pub(super) fn selected(self, has_keys: bool) -> Style {
        match has_keys {
            true => Style::new().add_modifier(Modifier::REVERSED),
            false => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    pub(super) fn mark(self, mark: Mark) -> Style {
        match mark {
            Mark::Added => self.colour(Color::Green),
            Mark::Changed => self.colour(Color::Yellow),
            Mark::Removed => self.colour(Color::Red),
            Mark::Absent => self.dim(),
            Mark::Same => Style::new(),
        }
    }

    pub(super) fn wasted(self) -> Style {
        self.colour(Color::Magenta)
    }

    /// A name, by what it is and what became of it.
    pub(super) fn name(self, mark: Mark, node: Option<&Node>) -> Style {
        let gone = Style::new().add_modifier(Modifier::CROSSED_OUT);
        match (mark, node.map(|node| &node.kind)) {
            (Mark::Removed | Mark::Absent, _) => self.mark(mark).patch(gone),
            (Mark::Added | Mark::Changed, Some(Kind::Dir)) => {
                self.mark(mark).add_modifier(Modifier::BOLD)
            }
            (Mark::Added | Mark::Changed, _) => self.mark(mark),
            (_, Some(Kind::Dir)) => self.colour(Color::Blue).add_modifier(Modifier::BOLD),
            (_, Some(Kind::Symlink(_))) => self.colour(Color::Cyan),
            _ => Style::new(),
        }
    }

    /// What was searched for.
    pub(super) fn hit(self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }

    pub(super) fn message(self) -> Style {
        self.colour(Color::Yellow).add_modifier(Modifier::BOLD)
    }
}
