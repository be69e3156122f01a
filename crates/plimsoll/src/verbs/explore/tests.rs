//! The explorer without a terminal: keys in, screens out.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_model::tree::Builder;
use plimsoll_model::{
    Digest, Entry, EntryKind, Extent, FileTree, ImagePath, Kind, Metadata, Plan, Reason,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};

use super::draw::draw;
use super::forest::{Forest, order};
use super::search::Pattern;
use super::sheet::{Filter, Sheet};
use super::state::{Answer, Known, LayerRow, Over, Pane, State, Subject, Whole, Wish, first_scope};
use super::theme::Theme;
use crate::failure::Failure;
use crate::plan_file::PlanFile;

/// The layers of an image, as lines: `/dir/`, `/file SIZE`, `/link -> target`, `/name = target`
/// (hard link), `- /gone`; `---` begins the next layer.
fn merge(text: &str) -> (FileTree, Forest) {
    let mut builder = Builder::remembering();
    let mut layer = builder.begin_layer();
    let mut offset = 0;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let node = EntryKind::Node;
        let (path, kind) = match words[..] {
            ["---"] => {
                layer = builder.begin_layer();
                continue;
            }
            ["-", path] => (path, EntryKind::Whiteout),
            [path, "->", target] => (path, node(Kind::Symlink(target.as_bytes().into()))),
            [path, "=", target] => (path, EntryKind::Hardlink(ImagePath::new(target))),
            [path, size] => {
                offset += 1;
                let (size, at) = (size.parse().unwrap(), Extent { layer, offset });
                (path, node(Kind::File { size, at }))
            }
            [path] => (path, node(Kind::Dir)),
            _ => panic!("{line}"),
        };
        let entry = Entry {
            path: ImagePath::new(path),
            kind,
            meta: Metadata::with_mode(0o755),
        };
        builder.apply(entry).unwrap();
    }
    let changes = builder.take_changes();
    let tree = builder.finish();
    let forest = Forest::new(changes, &tree.dead);
    (tree, forest)
}

/// An explorer of it; the lowest layer is the base's.
fn explorer(text: &str) -> State {
    let (tree, forest) = merge(text);
    let rows = tree
        .layers
        .iter()
        .enumerate()
        .map(|(number, facts)| LayerRow {
            instruction: format!("RUN step {number}"),
            digest: "sha256:00".to_owned(),
            stored: facts.bytes / 2,
            bytes: facts.bytes,
            files: facts.files,
            dead: 0,
        });
    let subject = Subject {
        name: "web.tar".to_owned(),
        platform: "linux/amd64".to_owned(),
        layers: rows.collect(),
        live: tree.live_bytes(),
        files: tree.file_count(),
        dead: tree.dead_bytes(),
        base: Some(1),
        problems: Vec::new(),
        plan: None,
    };
    State::new(subject, Arc::new(forest), None)
}

const IMAGE: &str = "/etc/
    /etc/motd 100
    /etc/passwd 200
    /usr/bin/sh 4000
    /usr/bin/dash = /usr/bin/sh
    /usr/share/big/one 70000
    /bin -> usr/bin
    ---
    - /etc/motd
    /etc/passwd 300
    /app/run 5000
    /tmp/cache 60000
    ---
    - /tmp/cache
    /app/extra 10";

/// Presses keys: letters, and names in angle brackets.
fn press(state: &mut State, keys: &str) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let mut rest = keys;
    while let Some(letter) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (code, modifiers) = match named {
            Some((name, behind)) => {
                rest = behind;
                let plain = KeyModifiers::NONE;
                match name {
                    "up" => (KeyCode::Up, plain),
                    "down" => (KeyCode::Down, plain),
                    "left" => (KeyCode::Left, plain),
                    "right" => (KeyCode::Right, plain),
                    "enter" => (KeyCode::Enter, plain),
                    "esc" => (KeyCode::Esc, plain),
                    "tab" => (KeyCode::Tab, plain),
                    "end" => (KeyCode::End, plain),
                    "home" => (KeyCode::Home, plain),
                    "pgdn" => (KeyCode::PageDown, plain),
                    "pgup" => (KeyCode::PageUp, plain),
                    "back" => (KeyCode::Backspace, plain),
                    "^c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
                    _ => panic!("{name}"),
                }
            }
            None => {
                rest = &rest[letter.len_utf8()..];
                (KeyCode::Char(letter), KeyModifiers::NONE)
            }
        };
        wishes.extend(state.key(KeyEvent::new(code, modifiers)));
    }
    wishes
}

fn selected(state: &State) -> String {
    state.forest.path(state.rows.selected()).to_string()
}

fn screen_of(state: &mut State, width: u16, height: u16, theme: Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state, theme)).unwrap();
    terminal.backend().buffer().clone()
}

/// The lines of the screen.
fn screen(state: &mut State, width: u16, height: u16) -> Vec<String> {
    let buffer = screen_of(state, width, height, Theme { colours: true });
    let cells: Vec<&str> = buffer.content().iter().map(|cell| cell.symbol()).collect();
    let lines = cells.chunks(usize::from(width).max(1));
    lines
        .map(|line| line.concat().trim_end().to_owned())
        .collect()
}

/// The names in the tree with their marks, as on the screen.
fn shown(state: &mut State) -> Vec<String> {
    let rows = 0..state.rows.len();
    let ids: Vec<_> = rows.filter_map(|line| state.rows.get(line)).collect();
    let line = |id: &u32| {
        let mark = super::draw::sign(state.sheet.mark(*id)).trim();
        let wasted = if state.sheet.dead(*id) > 0 { "!" } else { "" };
        format!("{mark}{wasted}{}", state.forest.path(*id))
    };
    ids.iter().map(line).collect()
}

#[test]
fn the_first_screen_shows_layers_and_the_merged_tree() {
    let mut state = explorer(IMAGE);
    let screen = screen(&mut state, 110, 30);
    let text = screen.join("\n");
    for part in [
        " web.tar  linux/amd64  79.3 kB in 5 files, 60.3 kB dead, packages ...",
        "Layers (3)",
        "Layers 0 to 2: +2 ~1 -1 !3 since layer 0",
        "▌ 0 base",
        "▌ 2 app",
        "RUN step 1",
        "▾ /",
        "▸ usr/",
        "bin -> usr/bin",
        "drwxr-xr-x",
        "? help",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    // One path of the tree on each line, and no line wider than the screen.
    let etc = screen.iter().find(|line| line.contains("etc/")).unwrap();
    assert!(etc.contains("500 B") || etc.contains("300 B"), "{etc}");
}

/// What the documents of [`IMAGE`] say.
fn outline() -> Subject {
    let layer = |number: usize| LayerRow {
        instruction: format!("RUN step {number}"),
        stored: 1000,
        ..LayerRow::default()
    };
    Subject {
        platform: "linux/amd64".to_owned(),
        layers: (0..3).map(layer).collect(),
        ..Subject::named("web.tar")
    }
}

/// [`IMAGE`] as it comes when it was read.
fn whole() -> Box<Whole> {
    let state = explorer(IMAGE);
    let scope = first_scope(&state.subject, None);
    let sheet = Sheet::new(&state.forest, scope, Filter::default());
    Box::new(Whole {
        subject: state.subject,
        forest: state.forest,
        scope,
        sheet,
    })
}

#[test]
fn layers_are_shown_while_they_are_read_and_what_was_chosen_stays() {
    let mut state = State::opening("web.tar", None);
    let text = screen(&mut state, 110, 30).join("\n");
    assert!(
        text.contains(" web.tar") && text.contains("reading ..."),
        "{text}"
    );
    state.answer(Answer::Outline(outline()));
    assert!(state.read_on((250, 1000)));
    assert!(!state.read_on((250, 1000)), "nothing new to be seen");
    let text = screen(&mut state, 110, 30).join("\n");
    for part in [
        " web.tar  linux/amd64  reading: 250 B of 1.00 kB",
        "Layers (3)",
        "RUN step 1",
        "1.00 kB",
        "██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    // Every key is harmless meanwhile.
    assert_eq!(press(&mut state, "*-<down><right><enter>gGvey"), []);
    assert!(
        state
            .message
            .as_deref()
            .is_some_and(|said| said.contains("wait"))
    );
    press(&mut state, "/motd<enter>ds<esc><esc>d");
    press(&mut state, "<esc>[ws");
    assert_eq!(state.scope.layer, 1);
    assert!(state.read_on((1000, 1000)));
    let text = screen(&mut state, 110, 30).join("\n");
    assert!(text.contains("merging the layers"), "{text}");
    state.answer(Answer::Image(whole()));
    let mut expected = explorer(IMAGE);
    press(&mut expected, "[ws");
    assert_eq!(state.scope, expected.scope);
    assert_eq!(shown(&mut state), shown(&mut expected));
    assert_eq!(screen(&mut state, 110, 30), screen(&mut expected, 110, 30));
    // Nothing was chosen: as if it had been there from the beginning.
    let mut state = State::opening("web.tar", None);
    state.answer(Answer::Image(whole()));
    let mut expected = explorer(IMAGE);
    assert_eq!(screen(&mut state, 110, 30), screen(&mut expected, 110, 30));
    assert_eq!(state.waiting, 1, "the packages are not known yet");
}

#[test]
fn a_pattern_that_is_typed_meanwhile_finds_what_comes() {
    let mut state = State::opening("web.tar", Some(2));
    state.answer(Answer::Outline(outline()));
    press(&mut state, "/extra");
    assert!(state.hits.is_empty());
    state.answer(Answer::Image(whole()));
    press(&mut state, "<enter>n");
    assert_eq!(selected(&state), "/app/extra");
}

#[test]
fn why_it_cannot_be_read_is_shown_beside_the_layers() {
    let mut state = State::opening("web.tar", None);
    state.answer(Answer::Outline(outline()));
    let failure = Failure::new("cannot read web.tar: layer 1 ends early").hint("fetch it again");
    state.answer(Answer::Failed(failure));
    let text = screen(&mut state, 110, 30).join("\n");
    for part in [
        "layer 1 ends early",
        "hint: fetch it again",
        "cannot be read",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert_eq!(press(&mut state, "q<tab>[*"), []);
    let text = screen(&mut state, 110, 30).join("\n");
    assert!(
        text.contains("RUN step 1") && text.contains("says why again"),
        "{text}"
    );
    assert_eq!(press(&mut state, "q"), [Wish::Quit]);
    assert_eq!(state.failed.unwrap().code() as u8, 2);
}

/// A large image of some depth, with hard links, and files that a second layer changes and takes away.
fn large(files: u32) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for number in 0..files {
        let (a, b) = (number % 7, number / 7 % 300);
        writeln!(text, "/data/Dir{a}/sub.{b}/File-{number}.txt {number}").unwrap();
    }
    writeln!(text, "/data/Dir0/sub.0/again = /data/Dir0/sub.0/File-0.txt").unwrap();
    writeln!(text, "/zz/last = /data/Dir1/sub.0/File-1.txt\n---").unwrap();
    for number in (0..files).step_by(10) {
        let (a, b) = (number % 7, number / 7 % 300);
        let path = format!("/data/Dir{a}/sub.{b}/File-{number}.txt");
        match number % 20 {
            0 => writeln!(text, "- {path}").unwrap(),
            _ => writeln!(text, "{path} 7").unwrap(),
        }
    }
    text
}

#[test]
fn several_threads_see_what_one_sees() {
    // More than the threads share, and a number that no part of them divides.
    let state = explorer(&large(60_001));
    assert!(state.forest.len() > 60_000);
    assert_eq!(state.sheet.bytes(0), state.subject.live);
    assert_eq!(u64::from(state.sheet.files(0)), state.subject.files);
    assert_eq!(state.sheet.dead(0), state.subject.dead);
    let totals = state.sheet.totals;
    assert_eq!((totals.removed, totals.changed), (3001, 3000));
}

#[test]
fn what_is_found_at_once_is_what_is_found_path_by_path() {
    for files in [500, 50_500] {
        let mut state = explorer(&large(files));
        // What is not shown is not found.
        press(&mut state, "c");
        let patterns = [
            "file-1",
            "File-1",
            "FILE",
            "9",
            ".txt",
            "xt",
            "txtf",
            "tF",
            "sub.1",
            "/sub.1",
            "1/f",
            "/",
            "dir3/",
            "Dir3/sub.2",
            "a/Dir1/sub.29/File-8",
            "//",
            "data",
            "/data",
            "zz/last",
            "*9.txt",
            "sub.?",
            "dir1/*/file-1?.txt",
            "{again,last}",
            "/data/*",
            "\u{e9}",
        ];
        // Path by path is slow; from so many paths on only what several threads do is another matter.
        let is_large = files > 1000;
        let glob = |pattern: &&str| pattern.contains(['*', '?']);
        for pattern in patterns
            .into_iter()
            .filter(|pattern| !is_large || glob(pattern))
        {
            let any_case = !pattern.chars().any(char::is_uppercase);
            let is_glob = pattern.contains(['*', '?', '[', '{']);
            let glob = match pattern.contains('/') && !pattern.starts_with('/') {
                true => format!("**/{pattern}"),
                false => pattern.to_owned(),
            };
            let is_hit = |id: &u32| {
                let path = state.forest.path(*id);
                let subject = match pattern.contains('/') {
                    true => path.as_bytes().to_vec(),
                    false => state.forest.name(*id).to_vec(),
                };
                let subject = match any_case {
                    true => subject.to_ascii_lowercase(),
                    false => subject,
                };
                let found = match is_glob {
                    true => fast_glob::glob_match(&glob, &subject),
                    false => memchr::memmem::find(&subject, pattern.as_bytes()).is_some(),
                };
                found && state.sheet.is_shown(*id)
            };
            let expected: Vec<u32> = (0..state.forest.len()).filter(is_hit).collect();
            let hits = Pattern::new(pattern).hits(&state.forest, &state.sheet);
            assert_eq!(hits, expected, "{pattern}");
        }
    }
}

#[test]
fn sums_agree_with_the_merged_tree() {
    let state = explorer(IMAGE);
    assert_eq!(state.sheet.bytes(0), state.subject.live);
    assert_eq!(u64::from(state.sheet.files(0)), state.subject.files);
    assert_eq!(state.sheet.dead(0), state.subject.dead);
}

#[test]
fn enter_follows_a_symbolic_link_as_a_process_would() {
    let mut state = explorer(
        "/usr/bin/sh 10
        /usr/bin/awk -> ../../etc/alternatives/awk
        /etc/alternatives/awk -> /bin/mawk
        /usr/bin/mawk 20
        /bin -> usr/bin
        /loop -> loop
        /up -> ../../usr
        /void -> /no/such
        ---
        /new -> usr/bin/sh",
    );
    let follow = |state: &mut State, path: &str| {
        press(state, &format!("/{path}<enter>"));
        assert_eq!(selected(state), path);
        press(state, "<enter>");
        (selected(state), state.message.clone())
    };
    for (from, to) in [
        ("/bin", "/usr/bin"),
        ("/up", "/usr"),
        ("/usr/bin/awk", "/usr/bin/mawk"),
    ] {
        assert_eq!(follow(&mut state, from), (to.to_owned(), None));
    }
    for from in ["/loop", "/void"] {
        let (at, message) = follow(&mut state, from);
        assert_eq!(at, from);
        assert!(message.unwrap().contains("leads nowhere"));
    }
    // What is not marked is not shown, and not gone to.
    press(&mut state, "<esc>a");
    let (at, message) = follow(&mut state, "/new");
    assert_eq!(at, "/new");
    assert!(
        message
            .unwrap()
            .contains("/usr/bin/sh, which is not in this view")
    );
}

#[test]
fn a_click_selects_and_opens_and_the_wheel_moves() {
    use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    let mut state = explorer(IMAGE);
    let before = screen(&mut state, 110, 30);
    let left = MouseEventKind::Down(MouseButton::Left);
    let mouse = |state: &mut State, kind, (column, row): (u16, u16)| {
        state.mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    };
    let place = |screen: &[String], text: &str| {
        let row = screen.iter().position(|line| line.contains(text)).unwrap();
        let bytes = screen[row].find(text).unwrap();
        (screen[row][..bytes].chars().count() as u16, row as u16)
    };
    let usr = place(&before, "▸ usr/");
    mouse(&mut state, left, usr);
    assert_eq!(selected(&state), "/usr");
    assert!(!state.rows.is_open(state.rows.selected()));
    mouse(&mut state, left, usr);
    assert!(state.rows.is_open(state.rows.selected()));
    mouse(&mut state, left, usr);
    assert!(!state.rows.is_open(state.rows.selected()));
    mouse(&mut state, MouseEventKind::ScrollUp, usr);
    assert_eq!(selected(&state), "/bin");
    // A layer, and the wheel over the layers.
    mouse(&mut state, left, place(&before, "RUN step 1"));
    assert_eq!((state.scope.layer, state.pane), (1, Pane::Layers));
    mouse(
        &mut state,
        MouseEventKind::ScrollDown,
        place(&before, "RUN step 1"),
    );
    assert_eq!(state.scope.layer, 2);
    // What lies over the panes is clicked, not what is below it; beside it, it goes.
    press(&mut state, "d");
    let list = screen(&mut state, 110, 40);
    let big = place(&list, "/usr/share/big");
    mouse(&mut state, left, big);
    assert!(matches!(&state.over, Over::List(_)) || selected(&state) == "/usr/share/big");
    if matches!(&state.over, Over::List(_)) {
        mouse(&mut state, left, big);
    }
    assert_eq!(selected(&state), "/usr/share/big");
    press(&mut state, "?");
    screen(&mut state, 110, 40);
    mouse(&mut state, left, (0, 0));
    assert!(matches!(&state.over, Over::Nothing));
    // Where nothing is, nothing happens.
    screen(&mut state, 10, 3);
    mouse(&mut state, left, (9, 2));
    mouse(&mut state, MouseEventKind::ScrollDown, (500, 500));
}

#[test]
fn directories_open_and_close_and_left_leads_up() {
    let mut state = explorer(IMAGE);
    let closed = ["!/", "+/app", "/bin", "!/etc", "+!/tmp", "/usr"];
    assert_eq!(shown(&mut state), closed);
    press(&mut state, "<end><right>");
    assert_eq!(shown(&mut state)[6..], ["/usr/bin", "/usr/share"]);
    press(&mut state, "<right><right><down>");
    assert_eq!(selected(&state), "/usr/bin/dash");
    press(&mut state, "<left>");
    assert_eq!(selected(&state), "/usr/bin");
    // What was open below is open again.
    press(&mut state, "<up>h");
    assert_eq!(shown(&mut state), closed);
    press(&mut state, " ");
    let names = shown(&mut state);
    assert!(names.contains(&"/usr/bin/dash".to_owned()), "{names:?}");
    press(&mut state, "hh");
    assert_eq!(selected(&state), "/");
    press(&mut state, "<home>*");
    assert_eq!(
        state.rows.len(),
        state.forest.len() as usize - 1,
        "all but what came and went"
    );
    press(&mut state, "<end>-");
    assert_eq!(shown(&mut state), closed);
    assert_eq!(selected(&state), "/usr");
}

#[test]
fn a_layer_is_shown_by_what_it_did() {
    let mut state = explorer(IMAGE);
    press(&mut state, "t[*");
    assert_eq!(
        shown(&mut state),
        [
            "!/",
            "+/app",
            "+/app/run",
            "/etc",
            "-/etc/motd",
            "~/etc/passwd",
            "+!/tmp",
            "+!/tmp/cache",
        ]
    );
    assert_eq!(state.sheet.bytes(0), 65_300);
    press(&mut state, "]<home>*");
    assert_eq!(
        shown(&mut state),
        ["/", "/app", "+/app/extra", "/tmp", "-/tmp/cache"]
    );
    press(&mut state, "<tab><up><up>");
    assert_eq!((state.pane, state.scope.layer), (Pane::Layers, 0));
    // Everything is new in the lowest one.
    assert!(
        shown(&mut state)[1..]
            .iter()
            .all(|row| row.starts_with('+'))
    );
}

#[test]
fn filters_add_up_and_sums_follow_them() {
    let mut state = explorer(IMAGE);
    press(&mut state, "*w");
    assert_eq!(
        shown(&mut state),
        [
            "!/",
            "!/etc",
            "-!/etc/motd",
            "~!/etc/passwd",
            "+!/tmp",
            "·!/tmp/cache",
        ]
    );
    assert_eq!(state.sheet.bytes(0), 60_300);
    press(&mut state, "wr");
    assert_eq!(shown(&mut state), ["!/", "!/etc", "-!/etc/motd"]);
    assert_eq!(state.sheet.bytes(0), 100);
    press(&mut state, "c");
    assert_eq!(shown(&mut state).last().unwrap(), "~!/etc/passwd");
    assert!(
        screen(&mut state, 120, 20)
            .concat()
            .contains("Layers 0 to 2, only changed, removed: +2")
    );
    press(&mut state, "<esc>");
    assert!(!state.filter.is_on());
}

#[test]
fn a_search_goes_along_with_every_letter_and_leaves_no_mess() {
    let mut state = explorer(IMAGE);
    press(&mut state, "/da");
    assert_eq!(selected(&state), "/usr/bin/dash");
    assert!(screen(&mut state, 80, 12).concat().contains("/da▏  1 of 1"));
    press(&mut state, "<back><back>one<enter>");
    assert_eq!(selected(&state), "/usr/share/big/one");
    assert!(!shown(&mut state).contains(&"/usr/bin/dash".to_owned()));
    press(&mut state, "/*s*<enter>");
    assert_eq!(state.hits.len(), 5, "dash passwd sh share usr");
    let mut met = Vec::new();
    for _ in 0..6 {
        met.push(selected(&state));
        press(&mut state, "n");
    }
    assert_eq!(met[0], met[5]);
    press(&mut state, "N");
    assert_eq!(selected(&state), met[5]);
    press(&mut state, "/BIG<enter>");
    assert!(state.hits.is_empty());
    assert!(
        state
            .message
            .take()
            .unwrap()
            .contains("nothing matches BIG")
    );
    press(&mut state, "/etc/p<enter>");
    assert_eq!(selected(&state), "/etc/passwd");
    press(&mut state, "/xyz<esc>");
    assert_eq!(selected(&state), "/etc/passwd");
    assert_eq!(press(&mut state, "/q<^c>"), [Wish::Quit]);
}

#[test]
fn directories_are_sorted_by_size_and_the_biggest_are_listed() {
    let mut state = explorer(IMAGE);
    press(&mut state, "s");
    assert_eq!(shown(&mut state)[1..3], ["/usr", "+/app"]);
    press(&mut state, "d");
    let text = screen(&mut state, 90, 20).join("\n");
    // /usr and /usr/share have next to nothing of their own.
    assert!(
        text.contains("/usr/share/big") && !text.contains("/usr/share\n"),
        "{text}"
    );
    press(&mut state, "<enter>");
    assert_eq!(selected(&state), "/usr/share/big");
}

#[test]
fn what_needs_files_is_wished_for() {
    let mut state = explorer(IMAGE);
    assert_eq!(press(&mut state, "ve"), []);
    assert!(state.message.is_some());
    // A file that is gone can be looked into: what it was is still in its layer.
    let wishes = press(&mut state, "*r/motd<enter>ve");
    let [Wish::Read(id, node), Wish::Extract(..)] = &wishes[..] else {
        panic!("{wishes:?}");
    };
    assert_eq!(state.forest.path(*id).to_string(), "/etc/motd");
    assert_eq!((node.size(), node.layer), (100, 0));
    assert_eq!(state.waiting, 3, "and the packages");
    let page = super::page::Page::file("/etc/motd", b"\x1b]0;x\x07hi\n".to_vec(), 8);
    state.answer(Answer::Page(page));
    let text = screen(&mut state, 60, 16).join("\n");
    assert!(text.contains("\\x1b]0;x\\x07hi"), "{text}");
    assert_eq!(press(&mut state, "q"), []);
    assert!(matches!(state.over, Over::Nothing));
    assert_eq!(press(&mut state, "?<^c>"), [Wish::Quit]);
    press(&mut state, "q");
    assert_eq!(press(&mut state, "q"), [Wish::Quit]);
}

#[test]
fn owners_come_later_and_reasons_from_a_plan() {
    let mut state = explorer(IMAGE);
    press(&mut state, "//bin/sh<enter>");
    assert_eq!(press(&mut state, "y"), []);
    let forest = Arc::clone(&state.forest);
    let mut owned = vec![(ImagePath::new("/usr/bin/sh"), 1), ("/nowhere".into(), 1)];
    owned.sort_by(|a, b| order(a.0.as_bytes(), b.0.as_bytes()));
    let mut owners = vec![0; forest.len() as usize];
    forest.meet(owned, |id, owner| owners[id as usize] = owner);
    state.answer(Answer::Known(Known {
        packages: vec!["dash 0.5.12-2".to_owned()],
        owners,
        ..Known::default()
    }));
    let mut keep = BTreeMap::new();
    keep.insert(
        ImagePath::new("/usr/bin/sh"),
        vec![Reason::by("shebang", &"/app/run".into(), "#!/bin/sh")],
    );
    let named = ("web".to_owned(), Digest::from_bytes([1; 32]));
    state.subject.plan = Some(Arc::new(PlanFile {
        source: named.clone(),
        result: named,
        level: "app".to_owned(),
        ashore: BTreeMap::new(),
        plan: Plan {
            keep,
            unresolved: Vec::new(),
        },
    }));
    let text = screen(&mut state, 120, 36).join("\n");
    for part in [
        ", 1 package",
        "package dash 0.5.12-2",
        "layer 0 brought it: RUN step 0",
        "slim keeps it: shebang #!/bin/sh <- /app/run",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let sh = state.rows.selected();
    assert_eq!(press(&mut state, "y"), [Wish::Why(sh)]);
}

#[test]
fn a_hundred_thousand_files_cost_no_more_than_the_screen() {
    use std::fmt::Write as _;
    use std::sync::atomic::Ordering;
    let mut text = String::new();
    for number in 0..100_000 {
        let (a, b) = (number % 100, number / 100 % 50);
        writeln!(text, "/data/{a}/{b}/file-{number} {number}").unwrap();
    }
    let mut state = explorer(&text);
    let paths = state.forest.len() as usize;
    assert!(paths > 100_000);
    let looked = |state: &State| state.forest.looked.swap(0, Ordering::Relaxed);
    // The view itself looks at each path a few times, once.
    let opening = looked(&state);
    assert!(opening < 30 * paths, "{opening}");
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
    let theme = Theme { colours: true };
    let mut frame = |state: &mut State| {
        terminal.draw(|frame| draw(frame, state, theme)).unwrap();
        looked(state)
    };
    assert!(frame(&mut state) < 1000);
    press(&mut state, "*");
    assert_eq!(state.rows.len(), paths);
    looked(&state);
    let (mut keys, mut most) = (0, 0);
    for _ in 0..50 {
        for key in [
            "<down>", "<pgdn>", "<down>", "<up>", "<pgdn>", "<left>", "<right>", "j", "<end>",
            "<pgup>", "k", "<enter>", "<enter>", "<left>", "<left>", "h", "l", "<home>", "<down>",
            "j",
        ] {
            press(&mut state, key);
            let moved = looked(&state);
            let drawn = frame(&mut state);
            most = most.max(moved + drawn);
            keys += 1;
        }
    }
    assert_eq!(keys, 1000);
    // 40 lines, a few looks each. Closing /data and opening it again lists what is in it, and
    // that is what the user asked for: not among these keys.
    assert!(most < 2000, "{most}");
}

#[test]
fn names_of_a_stranger_can_do_nothing() {
    let wide = "漢字".repeat(60);
    let text = format!(
        "/a\x1b[2J\x07b 1
         /gpj.\u{202e}exe 2
         /{wide} 3
         /e\u{301}\u{200b}\u{fe0f}x 4
         /{} -> ../../\x1b]0;title\x07",
        "l".repeat(250)
    );
    let mut state = explorer(&text);
    for width in [1, 2, 5, 20, 33, 76, 81, 140] {
        for keys in ["<home>", "<down>", "<down>", "<down>", "<down>", "<down>"] {
            press(&mut state, keys);
            let lines = screen(&mut state, width, 31);
            let text = lines.concat();
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(!text.contains('\u{202e}'), "{text:?}");
        }
    }
    let text = screen(&mut state, 140, 31).join("\n");
    assert!(text.contains("a\\x1b[2J\\x07b"), "{text}");
    assert!(text.contains("gpj.\\xe2\\x80\\xaeexe"), "{text}");
    // The end of a long name is seen below, its beginning in the tree.
    press(&mut state, "<home>/漢<enter>");
    assert_eq!(state.hits.len(), 1);
}

#[test]
fn every_size_of_screen_is_drawn_on() {
    let mut state = explorer(IMAGE);
    for keys in ["", "?", "qd", "q/us", "<enter><tab>", "<tab>t", "wv"] {
        press(&mut state, keys);
        for (width, height) in [
            (0, 0),
            (1, 1),
            (3, 2),
            (4, 3),
            (20, 5),
            (10, 14),
            (39, 9),
            (75, 24),
            (80, 24),
            (300, 100),
            (u16::MAX / 200, 3),
        ] {
            screen_of(&mut state, width, height, Theme { colours: true });
        }
    }
    press(&mut state, "w<home>");
    let small = screen(&mut state, 20, 5);
    assert!(small.concat().contains("▾ /"), "{small:?}");
}

#[test]
fn without_colours_there_are_none() {
    let mut state = explorer(IMAGE);
    press(&mut state, "*");
    for keys in ["", "d", "q?", "q/sh", "<enter>w"] {
        press(&mut state, keys);
        let buffer = screen_of(&mut state, 120, 30, Theme { colours: false });
        let colours = [Color::Reset];
        for cell in buffer.content() {
            assert!(colours.contains(&cell.fg) && colours.contains(&cell.bg));
        }
        // The selected line is still seen.
        let mut cells = buffer.content().iter();
        assert!(cells.any(|cell| !cell.modifier.is_empty()));
    }
    let mut state = explorer(IMAGE);
    let buffer = screen_of(&mut state, 120, 30, Theme { colours: false });
    let mut cells = buffer.content().iter();
    assert!(cells.any(|cell| cell.modifier.contains(Modifier::REVERSED)));
}

#[test]
fn paths_are_in_the_order_of_a_walk() {
    let (tree, forest) = merge("/a/x 1\n/a-b 2\n/a/y/z 3\n/a.d/q 4\n/b 5");
    let paths: Vec<_> = (0..forest.len()).map(|id| forest.path(id)).collect();
    let names: Vec<_> = paths.iter().map(ToString::to_string).collect();
    let walk = [
        "/", "/a", "/a/x", "/a/y", "/a/y/z", "/a-b", "/a.d", "/a.d/q", "/b",
    ];
    assert_eq!(names, walk);
    let mut path = Vec::new();
    for (id, expected) in (0..forest.len()).zip(&paths) {
        forest.follow(&mut path, id);
        assert_eq!(path, expected.as_bytes());
        let children: Vec<_> = forest.children(id).map(|id| forest.path(id)).collect();
        let mut expected: Vec<_> = tree
            .children(&paths[id as usize])
            .map(|row| row.0.clone())
            .collect();
        expected.sort_by(|a, b| order(a.as_bytes(), b.as_bytes()));
        assert_eq!(children, expected);
    }
}
