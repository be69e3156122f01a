//! The screen. What is drawn is what fits on it: nothing here looks at all paths.

use plimsoll_model::text::{bytes, count, printable};
use plimsoll_model::{Kind, Node};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget as _};

use super::areas::Areas;
use super::details;
use super::forest::Id;
use super::list::List;
use super::mouse::Places;
use super::page::Page;
use super::rows::{self, Sort};
use super::sheet::Mark;
use super::state::{Over, Pane, State};
use super::theme::Theme;
use crate::verbs::files;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State, theme: Theme) {
    let areas = Areas::of(frame.area(), state.pane);
    let buffer = frame.buffer_mut();
    // A pane that is not drawn is nowhere.
    state.places = Places::default();
    title(buffer, areas.title, state, theme);
    if let Some(area) = areas.layers {
        layers(buffer, area, areas.framed, state, theme);
    }
    if let Some(area) = areas.tree {
        tree(buffer, area, areas.framed, state, theme);
    }
    details::draw(buffer, areas.details, state, theme);
    status(buffer, areas.status, state, theme);
    let area = areas.over;
    match &mut state.over {
        Over::Page(page) => state.places.over = over_page(buffer, area, page, theme),
        Over::List(list) => {
            let lines = |id: Id| {
                let sizes = format!(
                    "{:>8}  {:>13}  ",
                    bytes(state.sheet.bytes(id)),
                    details::some(state.sheet.files(id).into(), "file")
                );
                format!("{sizes}{}", state.forest.path(id))
            };
            state.places.over = over_list(buffer, area, list, lines, theme);
        }
        Over::Nothing | Over::Prompt { .. } => return,
    }
    state.height = usize::from(state.places.over.height);
}

/// A line of text at a place; nothing where there is no such place.
pub(super) fn put(buffer: &mut Buffer, area: Rect, line: u16, text: &Line<'_>) {
    if line < area.height {
        buffer.set_line(area.x, area.y + line, text, area.width);
    }
}

/// What is inside the frame of a pane.
fn framed(
    buffer: &mut Buffer,
    area: Rect,
    is_framed: bool,
    style: Style,
    (above, below): (Line<'_>, String),
) -> Rect {
    if !is_framed || area.height < 3 || area.width < 4 {
        return area;
    }
    let below = Line::from(below).right_aligned();
    let block = Block::bordered().border_style(style);
    let block = block.title(above).title_bottom(below);
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

fn title(buffer: &mut Buffer, area: Rect, state: &State, theme: Theme) {
    let subject = &state.subject;
    let name = Span::styled(format!(" {}", shown(subject.name.as_bytes())), theme.bold());
    let not_read = match (state.reading, &state.failed) {
        (Some(reading), _) => Some((reading.shown(), theme.message())),
        (None, Some(_)) => Some(("cannot be read".to_owned(), theme.wasted())),
        (None, None) => None,
    };
    if let Some((said, style)) = not_read {
        let platform = Span::raw(format!("  {}  ", subject.platform));
        let line = vec![name, platform, Span::styled(said, style)];
        return put(buffer, area, 0, &Line::from(line));
    }
    let mut facts = format!(
        "  {}  {} in {}, {} dead",
        subject.platform,
        bytes(subject.live),
        details::some(subject.files, "file"),
        bytes(subject.dead)
    );
    match &state.known {
        Some(known) => {
            let packages = details::some(known.packages.len() as u64, "package");
            facts.push_str(&format!(", {packages}"));
        }
        None => facts.push_str(", packages ..."),
    }
    if !subject.problems.is_empty() {
        facts.push_str(&format!(
            ", {}",
            details::some(subject.problems.len() as u64, "problem")
        ));
    }
    put(buffer, area, 0, &Line::from(vec![name, Span::raw(facts)]));
}

fn layers(buffer: &mut Buffer, area: Rect, is_framed: bool, state: &mut State, theme: Theme) {
    let has_keys = state.pane == Pane::Layers;
    let selected = state.scope.layer as usize;
    let total = state.subject.layers.len();
    let titles = (
        Line::from(format!(" Layers ({total}) ")),
        format!(" {} of {total} ", (selected + 1).min(total)),
    );
    let inner = framed(buffer, area, is_framed, theme.frame(has_keys), titles);
    state.places.layers = inner;
    let height = usize::from(inner.height);
    if has_keys {
        state.height = height;
    }
    state.layer_top = rows::window(selected, state.layer_top, height, total);
    let rows = state.subject.layers.iter().enumerate();
    for (line, (number, layer)) in (0_u16..).zip(rows.skip(state.layer_top).take(height)) {
        let in_scope = number == selected || state.scope.whole && number < selected;
        let part = match state.subject.base {
            Some(base) if number < base as usize => "base",
            Some(_) => "app ",
            None => "    ",
        };
        let dead = match layer.dead {
            0 => String::new(),
            dead => format!("{}!", bytes(dead)),
        };
        let mut spans = vec![
            Span::raw(if in_scope { "▌" } else { " " }),
            Span::raw(format!("{number:>2} ")),
            Span::styled(part, theme.dim()),
            Span::raw(format!(
                "{:>8} ",
                match state.is_read() {
                    true => bytes(layer.bytes),
                    false => bytes(layer.stored),
                }
            )),
        ];
        if inner.width >= 36 {
            spans.push(Span::styled(format!("{dead:>8} "), theme.wasted()));
        }
        spans.push(Span::raw(one_line(&layer.instruction)));
        let mut text = Line::from(spans);
        if number == selected {
            text = text.style(theme.selected(has_keys));
            buffer.set_style(row(inner, line), theme.selected(has_keys));
        }
        put(buffer, inner, line, &text);
    }
}

/// The place of one line.
fn row(area: Rect, line: u16) -> Rect {
    Rect {
        y: area.y.saturating_add(line),
        height: u16::from(line < area.height),
        ..area
    }
}

fn tree(buffer: &mut Buffer, area: Rect, is_framed: bool, state: &mut State, theme: Theme) {
    let has_keys = state.pane == Pane::Tree;
    if !state.is_read() {
        return not_yet(buffer, area, is_framed, state, theme);
    }
    let titles = (
        tree_title(state, theme),
        format!(
            " {} of {} ",
            count(state.rows.cursor as u64 + 1),
            count(state.rows.len() as u64)
        ),
    );
    let mut inner = framed(buffer, area, is_framed, theme.frame(has_keys), titles);
    let columns = Columns::of(inner.width);
    if inner.height >= 8 {
        let heads = columns.heads();
        put(buffer, inner, 0, &Line::styled(heads, theme.dim()));
        inner.y += 1;
        inner.height -= 1;
    }
    state.places.tree = inner;
    let height = usize::from(inner.height);
    if has_keys {
        state.height = height;
    }
    let window = state.rows.window(height);
    if state.rows.len() == 1 && state.filter.is_on() {
        let text =
            "   nothing here is so marked: Esc forgets the filters, [ and ] change the layer";
        put(buffer, inner, 1, &Line::styled(text, theme.dim()));
    }
    for (line, index) in (0_u16..).zip(window) {
        let Some(id) = state.rows.get(index) else {
            break;
        };
        let mut text = tree_line(state, id, &columns, theme);
        if index == state.rows.cursor {
            text = text.style(theme.selected(has_keys));
            buffer.set_style(row(inner, line), theme.selected(has_keys));
        }
        put(buffer, inner, line, &text);
    }
}

/// In place of a tree that is not there: why.
fn not_yet(buffer: &mut Buffer, area: Rect, is_framed: bool, state: &State, theme: Theme) {
    /// Cells of the bar.
    const BAR: u64 = 40;
    let style = theme.frame(state.pane == Pane::Tree);
    let titles = (Line::from(" Files "), String::new());
    let inner = framed(buffer, area, is_framed, style, titles);
    let Some(reading) = state.reading else {
        let text = " it cannot be read: q ends, and says why again";
        return put(buffer, inner, 0, &Line::raw(text));
    };
    let said = format!(" {} ...", reading.shown());
    put(buffer, inner, 0, &Line::styled(said, theme.message()));
    let room = BAR.min(u64::from(inner.width.saturating_sub(2)));
    if reading.total > 0 {
        let part = u128::from(reading.done.min(reading.total)) * u128::from(room);
        let full = (part / u128::from(reading.total)) as usize;
        let bar = format!(" {}{}", "█".repeat(full), "░".repeat(room as usize - full));
        put(buffer, inner, 1, &Line::raw(bar));
    }
    let more = " Tab goes to the layers; ? help; q quit";
    put(buffer, inner, 3, &Line::styled(more, theme.dim()));
}

/// What the tree is a tree of, and what is marked in it.
fn tree_title(state: &State, theme: Theme) -> Line<'static> {
    let scope = state.scope;
    let what = match (scope.whole, scope.layer) {
        (true, 0) => "Layer 0".to_owned(),
        (true, layer) => format!("Layers 0 to {layer}"),
        (false, layer) => format!("What layer {layer} did"),
    };
    let filter = state.filter;
    let named = [
        (filter.added, "added"),
        (filter.changed, "changed"),
        (filter.removed, "removed"),
        (filter.wasted, "wasted"),
    ];
    let named = named.iter().filter(|(on, _)| *on).map(|(_, name)| *name);
    let named: Vec<&str> = named.collect();
    let mut spans = vec![Span::raw(format!(" {what}"))];
    if !named.is_empty() {
        let text = format!(", only {}", named.join(", "));
        spans.push(Span::styled(text, theme.message()));
    }
    if state.rows.sort == Sort::Size {
        spans.push(Span::raw(", by size"));
    }
    spans.push(Span::raw(": "));
    let totals = state.sheet.totals;
    let mut total = |sign: &str, number: u32, style| {
        if number > 0 {
            let text = format!("{sign}{} ", count(number.into()));
            spans.push(Span::styled(text, style));
        }
    };
    total("+", totals.added, theme.mark(Mark::Added));
    total("~", totals.changed, theme.mark(Mark::Changed));
    total("-", totals.removed, theme.mark(Mark::Removed));
    total("!", totals.wasted, theme.wasted());
    if scope.whole && scope.before() > 0 {
        spans.push(Span::raw(format!("since layer {} ", scope.before() - 1)));
    }
    Line::from(spans)
}

/// Which columns there is room for.
struct Columns {
    size: bool,
    package: usize,
    mode: bool,
    ids: bool,
}

impl Columns {
    fn of(width: u16) -> Self {
        Self {
            size: width >= 24,
            package: match width {
                0..46 => 0,
                46..64 => 11,
                64..100 => 15,
                _ => 24,
            },
            mode: width >= 64,
            ids: width >= 78,
        }
    }

    fn heads(&self) -> String {
        self.line("", "size", "mode", "owner", "package") + "name"
    }

    /// Everything before the name.
    fn line(&self, marks: &str, size: &str, mode: &str, ids: &str, package: &str) -> String {
        let mut line = format!("{marks:2} ");
        if self.size {
            line.push_str(&format!("{size:>8} "));
        }
        if self.mode {
            line.push_str(&format!("{mode:10} "));
        }
        if self.ids {
            line.push_str(&format!("{ids:>11} "));
        }
        if self.package > 0 {
            line.push_str(&cell(package, self.package));
        }
        line
    }
}

/// Text in a column of so many cells, with one more behind it.
fn cell(text: &str, width: usize) -> String {
    let mut cell = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let wide = Span::raw(letter.to_string()).width();
        if used + wide > width {
            cell.pop();
            cell.push('…');
            break;
        }
        used += wide;
        cell.push(letter);
    }
    let used = Span::raw(cell.as_str()).width();
    cell.push_str(&" ".repeat((width + 1).saturating_sub(used)));
    cell
}

fn tree_line(state: &State, id: Id, columns: &Columns, theme: Theme) -> Line<'static> {
    let (forest, sheet) = (&state.forest, &state.sheet);
    let mark = sheet.mark(id);
    let node = state.node(id);
    let is_dir = node.is_some_and(Node::is_dir);
    let has_more = forest.end(id) > id + 1;
    let wasted = match sheet.dead(id) {
        0 => " ",
        _ => "!",
    };
    let size = match node {
        _ if is_dir || has_more => bytes(sheet.bytes(id)),
        _ if state.filter.wasted && sheet.dead(id) > 0 => bytes(sheet.bytes(id)),
        Some(node) if node.is_file() => bytes(node.size()),
        _ => String::new(),
    };
    let mode = node.map(files::mode).unwrap_or_default();
    let ids = node.map(|node| format!("{}:{}", node.meta.uid, node.meta.gid));
    let owner = state.owner(id).map(|package| {
        let name = package.split(' ').next();
        name.unwrap_or_default().to_owned()
    });
    let before = columns.line(
        "",
        &size,
        &mode,
        &ids.unwrap_or_default(),
        &owner.unwrap_or_default(),
    );
    let arrow = match (has_more, state.rows.is_open(id)) {
        (false, _) => "  ",
        (true, true) => "▾ ",
        (true, false) => "▸ ",
    };
    let indent = " ".repeat(forest.depth(id).saturating_sub(1).min(MOST_INDENT) * INDENT);
    let mut name = shown(forest.name(id));
    if is_dir {
        name.push('/');
    }
    let mut style = theme.name(mark, node);
    if state.is_hit(id) {
        style = style.patch(theme.hit());
    }
    let mut spans = vec![
        Span::styled(sign(mark), theme.mark(mark)),
        Span::styled(wasted, theme.wasted()),
        Span::raw(before.get(2..).unwrap_or_default().to_owned()),
        Span::styled(format!("{indent}{arrow}"), theme.dim()),
        Span::styled(name, style),
    ];
    if let Some(Kind::Symlink(target)) = node.map(|node| &node.kind) {
        spans.push(Span::styled(format!(" -> {}", shown(target)), theme.dim()));
    }
    Line::from(spans)
}

/// Columns for each directory in a directory, and how deep they still move to the right.
const INDENT: usize = 2;
const MOST_INDENT: usize = 20;

/// A mark as a letter.
pub(super) fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Added => "+",
        Mark::Changed => "~",
        Mark::Removed => "-",
        Mark::Absent => "·",
        Mark::Same => " ",
    }
}

/// The line at the bottom: what is typed, what was said, or what can be done.
fn status(buffer: &mut Buffer, area: Rect, state: &State, theme: Theme) {
    let hits = state.hits.len();
    let line = match (&state.over, &state.message) {
        (Over::Prompt { typed, .. }, _) => {
            let mut spans = vec![
                Span::styled(" /", theme.bold()),
                Span::raw(shown(typed.as_bytes())),
                Span::raw("▏"),
            ];
            if !typed.is_empty() {
                let found = match hits {
                    0 => "  nothing matches".to_owned(),
                    _ => format!("  {} of {}", state.hit(), count(hits as u64)),
                };
                spans.push(Span::styled(found, theme.dim()));
            }
            Line::from(spans)
        }
        (_, Some(message)) => {
            Line::styled(format!(" {}", shown(message.as_bytes())), theme.message())
        }
        _ if state.waiting > usize::from(state.known.is_none()) => {
            Line::styled(" reading ...", theme.message())
        }
        (Over::Page(_), _) => Line::styled(
            " q back  arrows PgUp PgDn move  s text or numbers",
            theme.dim(),
        ),
        (Over::List(_), _) => Line::styled(" q back  Enter go there", theme.dim()),
        _ if hits > 0 => Line::styled(
            format!(
                " /{}: {} of {}  n next  N before  Esc forget",
                shown(state.pattern.as_bytes()),
                state.hit(),
                count(hits as u64)
            ),
            theme.dim(),
        ),
        _ => Line::styled(
            " ? help  q quit  Tab layers  t one or all  / search  a c r w filter  s sort  d biggest  \
             v view  e extract  y why",
            theme.dim(),
        ),
    };
    put(buffer, area, 0, &line);
}

/// A page over the panes; answers where its lines are.
fn over_page(buffer: &mut Buffer, area: Rect, page: &mut Page, theme: Theme) -> Rect {
    Clear.render(area, buffer);
    page.fit(usize::from(area.width.saturating_sub(2)));
    let total = page.lines.len();
    let titles = (
        Line::from(format!(" {} ", shown(page.title.as_bytes()))),
        format!(
            " {} of {} ",
            count(page.top as u64 + 1),
            count(total as u64)
        ),
    );
    let inner = framed(buffer, area, true, theme.frame(true), titles);
    let lines = page.lines.iter().skip(page.top);
    for (number, line) in (0..inner.height).zip(lines) {
        let text: String = line.chars().skip(page.left).collect();
        put(buffer, inner, number, &Line::raw(text));
    }
    inner
}

/// A list over the panes; answers where its lines are.
fn over_list(
    buffer: &mut Buffer,
    area: Rect,
    list: &mut List,
    lines: impl Fn(Id) -> String,
    theme: Theme,
) -> Rect {
    Clear.render(area, buffer);
    let total = list.rows.len();
    let titles = (
        Line::from(" The biggest directories of this view "),
        format!(" {} of {total} ", (list.cursor + 1).min(total)),
    );
    let inner = framed(buffer, area, true, theme.frame(true), titles);
    let height = usize::from(inner.height);
    list.top = rows::window(list.cursor, list.top, height, total);
    let rows = list.rows.iter().enumerate().skip(list.top);
    for (line, (index, id)) in (0..inner.height).zip(rows) {
        let mut text = Line::raw(lines(*id));
        if index == list.cursor {
            text = text.style(theme.selected(true));
            buffer.set_style(row(inner, line), theme.selected(true));
        }
        put(buffer, inner, line, &text);
    }
    inner
}

/// What a stranger wrote, as something a terminal does not obey.
pub(super) fn shown(bytes: &[u8]) -> String {
    printable(bytes)
}

/// An instruction of several lines as one.
fn one_line(text: &str) -> String {
    /// More fits on no screen.
    const MOST: usize = 400;
    let words = text.split_whitespace().filter(|word| *word != "\\");
    let mut line = String::new();
    for word in words {
        line.push_str(word);
        line.push(' ');
        if line.len() > MOST {
            break;
        }
    }
    shown(line.as_bytes())
}
