//! Where things lie on a screen of any size.

use ratatui::layout::Rect;

use super::state::Pane;

/// A screen narrower than this shows one pane, the one that has the keys.
const BOTH_PANES: u16 = 76;

/// The parts of the screen; what there is no room for is empty.
pub(super) struct Areas {
    pub(super) title: Rect,
    pub(super) layers: Option<Rect>,
    pub(super) tree: Option<Rect>,
    pub(super) details: Rect,
    pub(super) status: Rect,
    /// For what lies over the panes.
    pub(super) over: Rect,
    /// Whether panes have frames.
    pub(super) framed: bool,
}

impl Areas {
    pub(super) fn of(area: Rect, pane: Pane) -> Self {
        let height = area.height;
        let title = u16::from(height >= 8);
        let status = u16::from(height >= 3);
        let details = match height {
            0..14 => 0,
            14..22 => 3,
            22..30 => 6,
            _ => 8,
        };
        let strip = |y: u16, height: u16| Rect {
            y: area.y + y,
            height,
            ..area
        };
        let panes = strip(title, height - title - status - details);
        // The list of layers gives way to the tree on a narrow screen.
        let left = (area.width * 2 / 5).clamp(30, 60).min(area.width);
        let (layers, tree) = if area.width >= BOTH_PANES {
            let layers = Rect {
                width: left,
                ..panes
            };
            let tree = Rect {
                x: panes.x + left,
                width: panes.width - left,
                ..panes
            };
            (Some(layers), Some(tree))
        } else {
            match pane {
                Pane::Layers => (Some(panes), None),
                Pane::Tree => (None, Some(panes)),
            }
        };
        let margin = |length: u16| if length >= 90 { length / 20 } else { 0 };
        let (x, y) = (margin(area.width), u16::from(height >= 34));
        Self {
            title: strip(0, title),
            layers,
            tree,
            details: strip(height - status - details, details),
            status: strip(height - status, status),
            over: Rect {
                x: area.x + x,
                y: area.y + y,
                width: area.width - 2 * x,
                height: height - status - 2 * y,
            },
            framed: height >= 10,
        }
    }
}
