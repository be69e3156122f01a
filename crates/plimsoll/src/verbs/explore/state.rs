//! What the explorer knows and shows; keys and answers in, wishes out. No terminal, no file.

use std::collections::BTreeSet;
use std::sync::Arc;

use plimsoll_model::text::{bytes, printable};
use plimsoll_model::{Extent, Kind, Node, Problem};
use ratatui::crossterm::event::{KeyEvent, KeyEventKind};

use super::forest::{Forest, Id, ROOT};
use super::keys::{self, Action, Edit};
use super::list::List;
use super::mouse::Places;
use super::page::Page;
use super::rows::{Rows, Sort};
use super::search::Pattern;
use super::sheet::{Filter, Scope, Sheet};
use crate::failure::Failure;
use crate::plan_file::PlanFile;

/// The longest pattern that can be typed.
const LONGEST: usize = 200;

/// What is known of an image before anybody looks at its packages.
pub(super) struct Subject {
    /// The name as the user wrote it, and its platform.
    pub(super) name: String,
    pub(super) platform: String,
    pub(super) layers: Vec<LayerRow>,
    /// Bytes and files a container sees; bytes none does.
    pub(super) live: u64,
    pub(super) files: u64,
    pub(super) dead: u64,
    /// How many layers are the base's, where that is known.
    pub(super) base: Option<u32>,
    /// What could not be read.
    pub(super) problems: Vec<Problem>,
    /// What slim keeps, and why.
    pub(super) plan: Option<Arc<PlanFile>>,
}

impl Subject {
    /// Nothing but a name.
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            platform: String::new(),
            layers: Vec::new(),
            live: 0,
            files: 0,
            dead: 0,
            base: None,
            problems: Vec::new(),
            plan: None,
        }
    }
}

/// An image that was read, and its first view.
pub(super) struct Whole {
    pub(super) subject: Subject,
    pub(super) forest: Arc<Forest>,
    pub(super) scope: Scope,
    pub(super) sheet: Sheet,
}

/// How far the reading of the image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reading {
    /// Bytes of its layers that are done, and how many there are; 0 while that is not known.
    pub(super) done: u64,
    pub(super) total: u64,
}

/// A layer, in the words of the list.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerRow {
    pub(super) instruction: String,
    pub(super) digest: String,
    /// Bytes as stored.
    pub(super) stored: u64,
    /// Bytes and number of its files; 0 until it was read.
    pub(super) bytes: u64,
    pub(super) files: u64,
    pub(super) dead: u64,
}

/// What is known of the packages, once somebody has looked.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Names and versions.
    pub(super) packages: Vec<String>,
    /// For each path one more than the number of the package that owns it; 0 for none.
    pub(super) owners: Vec<u32>,
    /// Files that are programs or libraries.
    pub(super) programs: BTreeSet<Extent>,
    /// What could not be read besides.
    pub(super) problems: Vec<Problem>,
}

/// Where keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pane {
    Layers,
    Tree,
}

/// What lies over the panes.
pub(super) enum Over {
    Nothing,
    Page(Page),
    List(List),
    /// A pattern being typed, and what was selected before.
    Prompt {
        typed: String,
        origin: Id,
    },
}

/// What somebody with a terminal and files must do.
#[derive(Debug, PartialEq)]
pub(super) enum Wish {
    Quit,
    Suspend,
    /// Show the head of the file.
    Read(Id, Node),
    /// Write it into the current directory.
    Extract(Id, Node),
    /// Say why it stays.
    Why(Id),
}

/// What came of a wish.
pub(super) enum Answer {
    /// What the documents of the image say; its layers are still being read.
    Outline(Subject),
    /// All of it.
    Image(Box<Whole>),
    /// Why it cannot be read.
    Failed(Failure),
    Page(Page),
    Message(String),
    Known(Known),
}

/// Everything on the screen.
pub(super) struct State {
    pub(super) subject: Subject,
    /// While the layers are being read, there is no path but the root.
    pub(super) reading: Option<Reading>,
    /// Why they cannot be.
    pub(super) failed: Option<Failure>,
    /// The layer the user asked for when it began.
    asked: Option<u32>,
    pub(super) forest: Arc<Forest>,
    pub(super) known: Option<Known>,
    pub(super) pane: Pane,
    pub(super) scope: Scope,
    pub(super) filter: Filter,
    pub(super) sheet: Sheet,
    pub(super) rows: Rows,
    /// The first layer on the screen.
    pub(super) layer_top: usize,
    pub(super) over: Over,
    /// What was searched last, and the paths that match, in the order of the forest.
    pub(super) pattern: String,
    pub(super) hits: Vec<Id>,
    /// What is said until the next key.
    pub(super) message: Option<String>,
    /// Wishes that are not answered.
    pub(super) waiting: usize,
    /// Lines of the tree, and of what lies over it, on the screen.
    pub(super) height: usize,
    /// Where lines are on the screen.
    pub(super) places: Places,
}

/// The view an image is shown in first: all of it, or the layer that was asked for.
pub(super) fn first_scope(subject: &Subject, layer: Option<u32>) -> Scope {
    let top = (subject.layers.len() as u32).saturating_sub(1);
    Scope {
        layer: layer.unwrap_or(top).min(top),
        whole: layer.is_none(),
        base: subject.base.unwrap_or(1).max(1),
    }
}

impl Reading {
    /// What the screen says of it: it is drawn again when that is something else.
    pub(super) fn shown(self) -> String {
        match self {
            Self { done: 0, total: 0 } => "reading".to_owned(),
            Self { done, total: 0 } => format!("reading: {}", bytes(done)),
            Self { done, total } if done >= total => "merging the layers".to_owned(),
            Self { done, total } => format!("reading: {} of {}", bytes(done), bytes(total)),
        }
    }
}

impl State {
    /// An image of which nothing is known but its name.
    pub(super) fn opening(name: &str, layer: Option<u32>) -> Self {
        let forest = Arc::new(Forest::new(Vec::new(), &[]));
        Self {
            reading: Some(Reading::default()),
            ..Self::new(Subject::named(name), forest, layer)
        }
    }

    /// The whole image, from its root.
    pub(super) fn new(subject: Subject, forest: Arc<Forest>, layer: Option<u32>) -> Self {
        let scope = first_scope(&subject, layer);
        let filter = Filter::default();
        let sheet = Sheet::new(&forest, scope, filter);
        let rows = Rows::new(&forest, &sheet);
        Self {
            subject,
            reading: None,
            failed: None,
            asked: layer,
            forest,
            known: None,
            pane: Pane::Tree,
            scope,
            filter,
            sheet,
            rows,
            layer_top: 0,
            over: Over::Nothing,
            pattern: String::new(),
            hits: Vec::new(),
            message: None,
            // Who owns what is asked for by nobody.
            waiting: 1,
            height: 1,
            places: Places::default(),
        }
    }

    /// A key was pressed.
    pub(super) fn key(&mut self, key: KeyEvent) -> Option<Wish> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        self.message = None;
        if matches!(self.over, Over::Prompt { .. }) {
            return self.edit(keys::edit(key)?);
        }
        let action = keys::action(key)?;
        match action {
            Action::Suspend => return Some(Wish::Suspend),
            Action::Leave => return Some(Wish::Quit),
            Action::Quit if matches!(self.over, Over::Nothing) => return Some(Wish::Quit),
            _ => {}
        }
        match &mut self.over {
            Over::Page(page) => {
                if page.act(action, self.height) {
                    self.over = Over::Nothing;
                }
                None
            }
            Over::List(list) => {
                if let Some(chosen) = list.act(action, self.height) {
                    self.over = Over::Nothing;
                    if let Some(id) = chosen {
                        self.select(id);
                    }
                }
                None
            }
            Over::Nothing | Over::Prompt { .. } => self.act(action),
        }
    }

    /// Whether there is more to see than layers.
    pub(super) fn is_read(&self) -> bool {
        self.reading.is_none() && self.failed.is_none()
    }

    /// The reading went on; whether that is to be seen.
    pub(super) fn read_on(&mut self, (done, total): (u64, u64)) -> bool {
        let now = Reading { done, total };
        let is_news = self
            .reading
            .is_some_and(|before| before.shown() != now.shown());
        if is_news {
            self.reading = Some(now);
        }
        is_news
    }

    /// A wish was answered, or nobody's wish: what the image is.
    pub(super) fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Outline(subject) => {
                self.scope = first_scope(&subject, self.asked);
                self.subject = subject;
                return;
            }
            Answer::Image(whole) => return self.open(*whole),
            Answer::Failed(failure) => {
                let text = failure.to_string();
                self.over = Over::Page(Page::text("The image cannot be read", &text));
                self.failed = Some(failure);
                self.reading = None;
                self.waiting = 0;
                return;
            }
            _ => self.waiting = self.waiting.saturating_sub(1),
        }
        match answer {
            Answer::Outline(_) | Answer::Image(_) | Answer::Failed(_) => {}
            Answer::Page(page) => self.over = Over::Page(page),
            Answer::Message(message) => self.message = Some(message),
            Answer::Known(mut known) => {
                self.subject.problems.append(&mut known.problems);
                self.known = Some(known);
            }
        }
    }

    /// The image is there; what the user chose meanwhile stays chosen.
    fn open(&mut self, whole: Whole) {
        let Whole {
            subject,
            forest,
            scope,
            sheet,
        } = whole;
        self.reading = None;
        let chosen = match self.subject.layers.len() == subject.layers.len() {
            true => Scope {
                base: scope.base,
                ..self.scope
            },
            // Its documents did not say which layers it has.
            false => scope,
        };
        self.subject = subject;
        self.forest = forest;
        self.scope = scope;
        self.sheet = sheet;
        let sort = self.rows.sort;
        self.rows = Rows::new(&self.forest, &self.sheet);
        self.rows.sort = sort;
        let is_other = (chosen, self.filter) != (scope, Filter::default());
        if is_other || sort != Sort::Name || !self.pattern.is_empty() {
            self.scope = chosen;
            self.look_again();
        }
        if let Over::List(list) = &mut self.over {
            *list = List::biggest(&self.forest, &self.sheet);
        }
    }

    pub(super) fn act(&mut self, action: Action) -> Option<Wish> {
        match action {
            Action::OtherPane => {
                self.pane = match self.pane {
                    Pane::Layers => Pane::Tree,
                    Pane::Tree => Pane::Layers,
                }
            }
            Action::LowerLayer => self.go_layers(-1),
            Action::UpperLayer => self.go_layers(1),
            Action::Whole => {
                self.scope.whole = !self.scope.whole;
                self.look_again();
            }
            Action::Added => self.filter(|filter| &mut filter.added),
            Action::Changed => self.filter(|filter| &mut filter.changed),
            Action::Removed => self.filter(|filter| &mut filter.removed),
            Action::Wasted => self.filter(|filter| &mut filter.wasted),
            Action::Sort => {
                self.rows.sort = match self.rows.sort {
                    Sort::Name => Sort::Size,
                    Sort::Size => Sort::Name,
                };
                self.rows.renew(&self.forest, &self.sheet);
            }
            Action::Biggest => self.over = Over::List(List::biggest(&self.forest, &self.sheet)),
            Action::Search => {
                self.pane = Pane::Tree;
                self.rows.keep();
                self.over = Over::Prompt {
                    typed: String::new(),
                    origin: self.rows.selected(),
                };
            }
            Action::Next => self.next(true),
            Action::Previous => self.next(false),
            Action::View | Action::Extract | Action::Why => return self.wish(action),
            Action::Help => self.over = Over::Page(Page::text("Keys", keys::HELP)),
            Action::Escape => self.escape(),
            _ => match self.pane {
                Pane::Layers => self.act_on_layers(action),
                Pane::Tree => self.act_on_tree(action),
            },
        }
        None
    }

    fn act_on_layers(&mut self, action: Action) {
        let page = self.height.max(1) as isize;
        match action {
            Action::Up => self.go_layers(-1),
            Action::Down => self.go_layers(1),
            Action::PageUp => self.go_layers(-page),
            Action::PageDown => self.go_layers(page),
            Action::Home => self.go_layers(-(self.subject.layers.len() as isize)),
            Action::End => self.go_layers(self.subject.layers.len() as isize),
            Action::Right | Action::Toggle => self.pane = Pane::Tree,
            _ => {}
        }
    }

    fn act_on_tree(&mut self, action: Action) {
        let page = self.height.max(1) as isize;
        let (forest, sheet) = (&self.forest, &self.sheet);
        match action {
            Action::Up => self.rows.go(-1),
            Action::Down => self.rows.go(1),
            Action::PageUp => self.rows.go(-page),
            Action::PageDown => self.rows.go(page),
            Action::Home => self.rows.go(isize::MIN),
            Action::End => self.rows.go(isize::MAX),
            Action::Left => self.rows.leave(forest),
            Action::Right => self.rows.enter(forest, sheet),
            Action::Toggle if self.rows.toggle(forest, sheet) => {}
            // What neither opens nor closes may be a link.
            Action::Toggle => self.follow(self.rows.selected()),
            Action::OpenAll => self.rows.open_all(forest, sheet),
            Action::CloseAll => self.rows.close_all(forest, sheet),
            _ => {}
        }
    }

    /// Selects another layer; `by` lines in the list, not over its ends.
    pub(super) fn go_layers(&mut self, by: isize) {
        let top = (self.subject.layers.len()).saturating_sub(1);
        let layer = (self.scope.layer as usize)
            .saturating_add_signed(by)
            .min(top);
        if layer as u32 != self.scope.layer {
            self.scope.layer = layer as u32;
            self.look_again();
        }
    }

    fn filter(&mut self, which: impl Fn(&mut Filter) -> &mut bool) {
        let on = which(&mut self.filter);
        *on = !*on;
        self.look_again();
    }

    /// The view is another one now.
    fn look_again(&mut self) {
        self.sheet = Sheet::new(&self.forest, self.scope, self.filter);
        self.rows.renew(&self.forest, &self.sheet);
        self.hits = Pattern::new(&self.pattern).hits(&self.forest, &self.sheet);
    }

    fn escape(&mut self) {
        if !self.pattern.is_empty() {
            self.pattern.clear();
            self.hits.clear();
        } else if self.filter.is_on() {
            self.filter = Filter::default();
            self.look_again();
        }
    }

    /// A key while a pattern is typed: what it finds is selected with every letter.
    fn edit(&mut self, edit: Edit) -> Option<Wish> {
        let Over::Prompt { typed, origin } = &mut self.over else {
            return None;
        };
        let origin = *origin;
        match edit {
            Edit::Quit => return Some(Wish::Quit),
            Edit::Accept => {
                self.rows.keep();
                self.over = Over::Nothing;
                if self.hits.is_empty() && !self.pattern.is_empty() {
                    self.message = Some(format!("nothing matches {}", self.pattern));
                }
                return None;
            }
            Edit::Cancel => {
                self.over = Over::Nothing;
                self.pattern.clear();
                self.hits.clear();
                self.rows.give_back();
                self.select(origin);
                return None;
            }
            Edit::Type(letter) if typed.len() < LONGEST => typed.push(letter),
            Edit::Type(_) => {}
            Edit::Erase => {
                typed.pop();
            }
            Edit::Clear => typed.clear(),
        }
        self.pattern = typed.clone();
        self.hits = Pattern::new(&self.pattern).hits(&self.forest, &self.sheet);
        let next = self.hits.partition_point(|&hit| hit < origin);
        let found = self.hits.get(next).or(self.hits.first()).copied();
        self.rows.give_back();
        self.select(found.unwrap_or(origin));
        None
    }

    /// The hit behind the selected path, or before it; round the ends.
    fn next(&mut self, forwards: bool) {
        let at = self.rows.selected();
        let found = match forwards {
            true => {
                let next = self.hits.partition_point(|&hit| hit <= at);
                self.hits.get(next).or(self.hits.first())
            }
            false => {
                let behind = self.hits.partition_point(|&hit| hit < at);
                let before = behind.checked_sub(1).and_then(|index| self.hits.get(index));
                before.or(self.hits.last())
            }
        };
        match found.copied() {
            Some(id) => self.select(id),
            None if self.pattern.is_empty() => {
                self.message = Some("nothing is searched: press /".to_owned());
            }
            None => self.message = Some(format!("nothing matches {}", self.pattern)),
        }
    }

    pub(super) fn select(&mut self, id: Id) {
        self.pane = Pane::Tree;
        self.rows.reveal(&self.forest, &self.sheet, id);
    }

    /// Selects what a symbolic link leads to.
    fn follow(&mut self, link: Id) {
        let Some(Kind::Symlink(to)) = self.node(link).map(|node| &node.kind) else {
            return;
        };
        let to = printable(to);
        match self.target(link) {
            Some(id) if self.sheet.is_shown(id) => self.select(id),
            Some(id) => {
                let path = self.forest.path(id);
                self.message = Some(format!("it leads to {path}, which is not in this view"));
            }
            None => self.message = Some(format!("{to} leads nowhere in this image")),
        }
    }

    /// What a symbolic link leads to, through further links, as a process in the image would find it.
    fn target(&self, link: Id) -> Option<Id> {
        /// As many as the kernel follows (`path_resolution(7)`).
        const MOST: usize = 40;
        let mut left = MOST;
        let mut at = link;
        // Names still to be looked up, the next one last.
        let mut names: Vec<&[u8]> = Vec::new();
        loop {
            match self.node(at).map(|node| &node.kind) {
                Some(Kind::Symlink(to)) => {
                    left = left.checked_sub(1)?;
                    at = match to.first() {
                        Some(b'/') => ROOT,
                        _ => self.forest.parent(at),
                    };
                    names.extend(to.split(|&byte| byte == b'/').rev());
                }
                _ if names.is_empty() => return Some(at),
                _ => {}
            }
            match names.pop() {
                None | Some(b"" | b".") => {}
                Some(b"..") => at = self.forest.parent(at),
                Some(name) => {
                    let mut children = self.forest.children(at);
                    at = children.find(|&child| self.forest.name(child) == name)?;
                }
            }
        }
    }

    fn wish(&mut self, action: Action) -> Option<Wish> {
        let id = self.rows.selected();
        if self.reading.is_some() {
            self.message = Some("wait: the layers are still being read".to_owned());
            return None;
        }
        if action == Action::Why {
            if self.subject.plan.is_none() {
                let message = "no plan is known for this image: slim it here, or start with --plan";
                self.message = Some(message.to_owned());
                return None;
            }
            self.waiting += 1;
            return Some(Wish::Why(id));
        }
        let node = self.node(id);
        match node.filter(|node| node.is_file()).cloned() {
            Some(node) => {
                self.waiting += 1;
                Some(match action {
                    Action::Extract => Wish::Extract(id, node),
                    _ => Wish::Read(id, node),
                })
            }
            None => {
                let message = match (action, node) {
                    (Action::Extract, Some(node)) if node.is_dir() => {
                        "a directory: `plimsoll extract` takes whole ones"
                    }
                    _ => "not a file",
                };
                self.message = Some(message.to_owned());
                None
            }
        }
    }

    /// What a line is about: what is there, or what was before it went.
    pub(super) fn node(&self, id: Id) -> Option<&Node> {
        let until = self.scope.until();
        let history = self.forest.history(id);
        let seen = history.take_while(|(layer, _)| *layer < until);
        seen.filter_map(|(_, node)| node).last()
    }

    /// The package that owns a path.
    pub(super) fn owner(&self, id: Id) -> Option<&str> {
        let known = self.known.as_ref()?;
        let number = known.owners.get(id as usize)?.checked_sub(1)?;
        known.packages.get(number as usize).map(String::as_str)
    }

    /// How many of the hits come up to the selected one; for the line below.
    pub(super) fn hit(&self) -> usize {
        let at = self.rows.selected();
        self.hits.partition_point(|&hit| hit <= at)
    }

    /// Whether a path is one of the hits.
    pub(super) fn is_hit(&self, id: Id) -> bool {
        id != ROOT && self.hits.binary_search(&id).is_ok()
    }
}
