//! What keys mean.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Left,
    Right,
    Toggle,
    OtherPane,
    LowerLayer,
    UpperLayer,
    Whole,
    Added,
    Changed,
    Removed,
    Wasted,
    Sort,
    Biggest,
    Search,
    Next,
    Previous,
    OpenAll,
    CloseAll,
    View,
    Extract,
    Why,
    Help,
    Escape,
    Suspend,
    /// Closes what lies over the panes; without such a thing, ends.
    Quit,
    /// Ends.
    Leave,
}

/// A key, and what it does.
type Row = (KeyCode, Action);

/// What one key alone does.
const KEYS: &[Row] = &[
    (KeyCode::Up, Action::Up),
    (KeyCode::Char('k'), Action::Up),
    (KeyCode::Down, Action::Down),
    (KeyCode::Char('j'), Action::Down),
    (KeyCode::PageUp, Action::PageUp),
    (KeyCode::PageDown, Action::PageDown),
    (KeyCode::Home, Action::Home),
    (KeyCode::Char('g'), Action::Home),
    (KeyCode::End, Action::End),
    (KeyCode::Char('G'), Action::End),
    (KeyCode::Left, Action::Left),
    (KeyCode::Char('h'), Action::Left),
    (KeyCode::Right, Action::Right),
    (KeyCode::Char('l'), Action::Right),
    (KeyCode::Enter, Action::Toggle),
    (KeyCode::Char(' '), Action::Toggle),
    (KeyCode::Tab, Action::OtherPane),
    (KeyCode::BackTab, Action::OtherPane),
    (KeyCode::Char('['), Action::LowerLayer),
    (KeyCode::Char(']'), Action::UpperLayer),
    (KeyCode::Char('t'), Action::Whole),
    (KeyCode::Char('a'), Action::Added),
    (KeyCode::Char('c'), Action::Changed),
    (KeyCode::Char('m'), Action::Changed),
    (KeyCode::Char('r'), Action::Removed),
    (KeyCode::Char('w'), Action::Wasted),
    (KeyCode::Char('s'), Action::Sort),
    (KeyCode::Char('d'), Action::Biggest),
    (KeyCode::Char('/'), Action::Search),
    (KeyCode::Char('n'), Action::Next),
    (KeyCode::Char('N'), Action::Previous),
    (KeyCode::Char('*'), Action::OpenAll),
    (KeyCode::Char('-'), Action::CloseAll),
    (KeyCode::Char('v'), Action::View),
    (KeyCode::Char('e'), Action::Extract),
    (KeyCode::Char('y'), Action::Why),
    (KeyCode::Char('?'), Action::Help),
    (KeyCode::F(1), Action::Help),
    (KeyCode::Esc, Action::Escape),
    (KeyCode::Char('q'), Action::Quit),
];

/// The same with the control key.
const CONTROL: &[Row] = &[
    (KeyCode::Char('c'), Action::Leave),
    (KeyCode::Char('z'), Action::Suspend),
    (KeyCode::Char('b'), Action::PageUp),
    (KeyCode::Char('f'), Action::PageDown),
    (KeyCode::Char('u'), Action::PageUp),
    (KeyCode::Char('d'), Action::PageDown),
    (KeyCode::Char('p'), Action::Up),
    (KeyCode::Char('n'), Action::Down),
];

/// What a key means.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    let rows = match key.modifiers {
        modifiers if modifiers.contains(KeyModifiers::CONTROL) => CONTROL,
        modifiers if modifiers.contains(KeyModifiers::ALT) => return None,
        _ => KEYS,
    };
    let row = rows.iter().find(|(code, _)| *code == key.code);
    row.map(|(_, action)| *action)
}

/// What a key does to a line that is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    Type(char),
    Erase,
    Clear,
    Accept,
    Cancel,
    Quit,
}

/// The same while a pattern is typed.
pub(super) fn edit(key: KeyEvent) -> Option<Edit> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if control => Edit::Quit,
        KeyCode::Char('u' | 'w') if control => Edit::Clear,
        KeyCode::Char('h') if control => Edit::Erase,
        KeyCode::Char(typed) if !control && !key.modifiers.contains(KeyModifiers::ALT) => {
            Edit::Type(typed)
        }
        KeyCode::Backspace => Edit::Erase,
        KeyCode::Enter => Edit::Accept,
        KeyCode::Esc => Edit::Cancel,
        _ => return None,
    })
}

/// The help page.
pub(super) const HELP: &str = "\
Moving
  arrows, h j k l       up and down; close and open directories
  Enter, Space          open or close a directory; go where a symbolic link leads
  PgUp PgDn Home End    by pages, to the ends (also g and G)
  *  -                  open everything below; close everything
  Tab                   from the layers to the tree and back
  [  ]                  the layer below, the layer above
  mouse                 a click selects, another opens; the wheel moves

What is seen
  t                     the selected layer's own changes, or everything up to it
  a c r w               only what was added, changed, removed; what is wasted
                        (pressed again: no longer; several add up)
  s                     directories by size, or by name
  d                     the biggest directories of this view
  /                     search: part of a name, or * ? [ ] { }; with a slash, of the path
  n  N                  the next one, the one before
  Esc                   forget the search, then the filters

The selected file
  v                     look into it (also into one that a later layer removed)
  e                     write it into the current directory, never over another
  y                     why slim keeps it, or not (with --plan, or slimmed here)

Marks
  +  added              ~  changed        -  removed
  !  bytes that lie in the layers and that no container sees
  In a layer's own view they are set beside the layers below it; in the view of
  everything, beside the layers of the base.

q, Ctrl-C               quit
";
