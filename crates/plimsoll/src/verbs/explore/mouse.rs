//! What clicks and the wheel mean.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::keys::Action;
use super::state::{Over, Pane, State, Wish};

/// Lines that the wheel moves at once.
const WHEEL: isize = 3;

/// Where lines lie on the screen; kept from the last time it was drawn.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Places {
    pub(super) layers: Rect,
    pub(super) tree: Rect,
    /// Of what lies over the panes.
    pub(super) over: Rect,
}

/// The line of `area` that a place is in.
fn line(area: Rect, at: Position) -> Option<usize> {
    area.contains(at).then(|| usize::from(at.y - area.y))
}

impl State {
    /// The mouse was used.
    pub(super) fn mouse(&mut self, mouse: MouseEvent) -> Option<Wish> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollUp => self.wheel(at, -WHEEL),
            MouseEventKind::ScrollDown => self.wheel(at, WHEEL),
            MouseEventKind::Down(MouseButton::Left) => {
                self.message = None;
                return self.click(at);
            }
            _ => {}
        }
        None
    }

    fn wheel(&mut self, at: Position, lines: isize) {
        match &mut self.over {
            Over::Page(page) => page.go(lines),
            Over::List(list) => list.go(lines),
            Over::Prompt { .. } => {}
            Over::Nothing if self.places.layers.contains(at) => self.go_layers(lines.signum()),
            Over::Nothing => self.rows.go(lines),
        }
    }

    /// Selects what is there; what was selected already is opened or closed.
    fn click(&mut self, at: Position) -> Option<Wish> {
        match &mut self.over {
            Over::Page(_) | Over::List(_) if !self.places.over.contains(at) => {
                self.over = Over::Nothing;
                return None;
            }
            Over::Page(_) | Over::Prompt { .. } => return None,
            Over::List(list) => {
                let clicked = line(self.places.over, at)? + list.top;
                let id = *list.rows.get(clicked)?;
                if list.cursor == clicked {
                    self.over = Over::Nothing;
                    self.select(id);
                } else {
                    list.cursor = clicked;
                }
                return None;
            }
            Over::Nothing => {}
        }
        if let Some(clicked) = line(self.places.layers, at) {
            let layer = clicked + self.layer_top;
            if layer < self.subject.layers.len() {
                self.pane = Pane::Layers;
                let from = self.scope.layer as isize;
                self.go_layers(layer as isize - from);
            }
            return None;
        }
        let clicked = line(self.places.tree, at)? + self.rows.top;
        if clicked >= self.rows.len() {
            return None;
        }
        self.pane = Pane::Tree;
        if clicked == self.rows.cursor {
            return self.act(Action::Toggle);
        }
        self.rows.cursor = clicked;
        None
    }
}
