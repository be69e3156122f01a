//! What is known of the selected path, or of the selected layer.

use plimsoll_model::text::{bytes, count};
use plimsoll_model::{Kind, Node};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Widget as _, Wrap};

use super::draw::{put, shown};
use super::forest::Id;
use super::sheet::Mark;
use super::state::{Pane, State};
use super::theme::Theme;
use crate::verbs::files;

/// Draws them, as many lines as there is room for.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, state: &State, theme: Theme) {
    if area.height < 2 {
        return;
    }
    let block = Block::new().borders(Borders::TOP).border_style(theme.dim());
    let inner = block.inner(area);
    block.render(area, buffer);
    let inner = Rect {
        x: inner.x + u16::from(inner.width > 2),
        width: inner.width.saturating_sub(2),
        ..inner
    };
    match state.pane {
        Pane::Layers => {
            let lines = of_layer(state, theme);
            let text = Paragraph::new(lines).wrap(Wrap { trim: true });
            text.render(inner, buffer);
        }
        Pane::Tree => {
            let lines = of_path(state, usize::from(inner.width), theme);
            for (number, line) in (0..inner.height).zip(lines) {
                put(buffer, inner, number, &line);
            }
        }
    }
}

fn of_layer(state: &State, theme: Theme) -> Vec<Line<'static>> {
    let number = state.scope.layer;
    let Some(layer) = state.subject.layers.get(number as usize) else {
        return vec![Line::raw(match state.is_read() {
            true => "the image has no layers",
            false => "which layers it has is not known yet",
        })];
    };
    let mut facts = match state.is_read() {
        true => format!(
            "  {} in {}, {} to pull",
            bytes(layer.bytes),
            some(layer.files, "file"),
            bytes(layer.stored)
        ),
        false => format!(
            "  {} to pull; its files are not read yet",
            bytes(layer.stored)
        ),
    };
    if layer.dead > 0 {
        facts.push_str(&format!(
            ", {} of them dead: hidden by later layers",
            bytes(layer.dead)
        ));
    }
    let part = match state.subject.base {
        Some(base) if number < base => " (of the base)",
        Some(_) => " (of the application)",
        None => "",
    };
    let name = Span::styled(format!("layer {number}{part}"), theme.bold());
    vec![
        Line::from(vec![name, Span::raw(facts)]),
        Line::styled(layer.digest.clone(), theme.dim()),
        Line::raw(match layer.instruction.as_str() {
            "" => "the history does not say what made it".to_owned(),
            instruction => {
                let lines = instruction.lines().map(|line| shown(line.as_bytes()));
                lines.collect::<Vec<_>>().join(" ")
            }
        }),
    ]
}

fn of_path(state: &State, width: usize, theme: Theme) -> Vec<Line<'static>> {
    if !state.is_read() {
        return Vec::new();
    }
    let id = state.rows.selected();
    let node = state.node(id);
    let mut path = state.forest.path(id).to_string();
    if let Some(Kind::Symlink(target)) = node.map(|node| &node.kind) {
        path.push_str(&format!(" -> {}", shown(target)));
    }
    let mut lines = vec![
        Line::styled(tail(&path, width), theme.bold()),
        Line::raw(what(state, id, node)),
    ];
    let said = history(state, id);
    if !said.is_empty() {
        lines.push(Line::raw(said));
    }
    for dead in state.forest.dead(id) {
        let how = match dead.removed {
            true => "removed",
            false => "written over",
        };
        let text = format!(
            "{} in layer {} that no container sees: {how} by layer {}",
            bytes(dead.size),
            dead.layer,
            dead.hidden_by
        );
        lines.push(Line::styled(text, theme.wasted()));
    }
    let is_dir = node.is_some_and(Node::is_dir);
    if is_dir && state.sheet.dead(id) > 0 {
        let text = format!(
            "{} below it that no container sees",
            bytes(state.sheet.dead(id))
        );
        lines.push(Line::styled(text, theme.wasted()));
    }
    if let Some(plan) = state.subject.plan.as_ref().filter(|_| node.is_some()) {
        let path = state.forest.path(id);
        let reason = plan
            .plan
            .keep
            .get(&path)
            .and_then(|reasons| reasons.first());
        lines.push(Line::raw(match reason {
            Some(reason) => format!("slim keeps it: {reason}"),
            None if is_dir => "slim leaves it ashore".to_owned(),
            None => "slim leaves it ashore: nothing that stays asked for it".to_owned(),
        }));
    }
    lines
}

/// Kind, size, mode, owner, time, package.
fn what(state: &State, id: Id, node: Option<&Node>) -> String {
    let Some(node) = node else {
        return String::new();
    };
    let mut words = Vec::new();
    words.push(match &node.kind {
        Kind::Dir => format!(
            "directory, {} in {}",
            bytes(state.sheet.bytes(id)),
            some(state.sheet.files(id).into(), "file")
        ),
        Kind::File { size, at } => {
            let programs = state.known.as_ref().map(|known| &known.programs);
            let kind = match programs.is_some_and(|programs| programs.contains(at)) {
                true => "program or library",
                false => "file",
            };
            format!("{kind}, {}", bytes(*size))
        }
        Kind::Symlink(_) => "symbolic link".to_owned(),
        Kind::Device {
            block,
            major,
            minor,
        } => {
            let kind = if *block { "block" } else { "character" };
            format!("{kind} device {major}:{minor}")
        }
        Kind::Fifo => "pipe".to_owned(),
    });
    let meta = &node.meta;
    words.push(format!("{} ({:04o})", files::mode(node), meta.mode));
    words.push(format!("owner {}:{}", meta.uid, meta.gid));
    if let Ok(time) = jiff::Timestamp::from_second(meta.mtime) {
        words.push(time.strftime("%Y-%m-%d %H:%M").to_string());
    }
    match (state.owner(id), &state.known) {
        (Some(package), _) => words.push(format!("package {}", shown(package.as_bytes()))),
        (None, Some(_)) if !node.is_dir() => words.push("of no package".to_owned()),
        _ => {}
    }
    if let Some(xattrs) = &meta.xattrs {
        let names = xattrs.keys().map(|name| shown(name));
        words.push(names.collect::<Vec<_>>().join(" "));
    }
    words.join(", ")
}

/// `1 file`, `1,234 files`.
pub(super) fn some(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{} {thing}s", count(number)),
    }
}

/// Which layers did what to it.
fn history(state: &State, id: Id) -> String {
    /// More are summed up.
    const MOST: usize = 6;
    let mut said = Vec::new();
    let mut there = false;
    let mut more = 0;
    for (layer, node) in state.forest.history(id) {
        let did = match (there, node.is_some()) {
            (false, true) => "brought it",
            (true, true) => "wrote it again",
            (true, false) => "removed it",
            (false, false) => continue,
        };
        there = node.is_some();
        match said.len() < MOST {
            true => said.push(format!("layer {layer} {did}")),
            false => more += 1,
        }
    }
    if more > 0 {
        said.push(format!("{more} more did something to it"));
    }
    let mut said = said.join(", ");
    let instruction = |layer: u32| {
        let row = state.subject.layers.get(layer as usize)?;
        Some(row.instruction.as_str()).filter(|instruction| !instruction.is_empty())
    };
    let last = state.node(id).map(|node| node.layer);
    if let Some(text) = last.and_then(instruction)
        && state.sheet.mark(id) != Mark::Absent
    {
        let line: Vec<&str> = text.split_whitespace().take(40).collect();
        said.push_str(&format!(": {}", shown(line.join(" ").as_bytes())));
    }
    said
}

/// The end of a text that is too wide, which says more than its beginning.
fn tail(text: &str, width: usize) -> String {
    if Span::raw(text).width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut kept: Vec<char> = Vec::new();
    for letter in text.chars().rev() {
        let wide = Span::raw(letter.to_string()).width();
        if wide > left {
            break;
        }
        left -= wide;
        kept.push(letter);
    }
    kept.push('…');
    kept.into_iter().rev().collect()
}
