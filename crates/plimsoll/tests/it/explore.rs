//! `explore` in a real pseudo-terminal: it shows, obeys, and leaves the terminal as it was.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::images::{Tar, command, layout_with_history, plimsoll, text};

const HEIGHT: u16 = 30;
const WIDTH: u16 = 100;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Two layers: the second takes away what the first had; one name is an order to the terminal.
fn image(scratch: &Path) -> String {
    let below = Tar::default()
        .dir("etc", 0o755)
        .file("etc/motd", 0o644, b"hello\n")
        .file("etc/token", 0o600, b"secret words\n")
        .finish();
    let above = Tar::default()
        .file("etc/.wh.token", 0o644, b"")
        .file("bad\x1b]0;owned\x07", 0o644, b"y")
        .finish();
    layout_with_history(
        &scratch.join("image"),
        "amd64",
        &serde_json::json!({}),
        &[below, above],
        &["COPY etc /etc", "RUN rm /etc/token"],
    )
}

/// A new terminal: our end, and the program's.
fn pair() -> (File, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let terminal = ioctl_tiocgptpeer(&ours, flags).unwrap();
    let size = Winsize {
        ws_row: HEIGHT,
        ws_col: WIDTH,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&ours, size).unwrap();
    (File::from(ours), terminal)
}

fn spawn(scratch: &Path, arguments: &[&str], terminal: &OwnedFd) -> Child {
    command(scratch)
        .args(arguments)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal.try_clone().unwrap())
        .spawn()
        .unwrap()
}

/// The program in a terminal of its own.
struct Session {
    child: Child,
    keys: File,
    /// Kept open, so that its modes can be asked for when the program is gone.
    terminal: OwnedFd,
    before: Termios,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Session {
    fn start(scratch: &Path, arguments: &[&str]) -> Self {
        let (keys, terminal) = pair();
        let before = tcgetattr(&terminal).unwrap();
        let child = spawn(scratch, arguments, &terminal);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, sink) = (keys.try_clone().unwrap(), Arc::clone(&shown));
        // Ends with the test at the latest: an error is what a terminal nobody has open answers.
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 {
                    break;
                }
                sink.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self {
            child,
            keys,
            terminal,
            before,
            shown,
        }
    }

    /// Every byte the program wrote.
    fn written(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until this is on the screen.
    fn see(&self, what: &str) {
        self.wait(what, || screen(&self.written()).contains(what));
    }

    fn wait(&self, what: &str, is_there: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_there() {
            assert!(
                start.elapsed() < PATIENCE,
                "no {what:?} in\n{}",
                screen(&self.written())
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys, and waits until this is on the screen.
    fn press(&mut self, keys: &str, then: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.see(then);
    }

    /// Waits for the end; the terminal must be what it was.
    fn end(mut self) -> ExitStatus {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("it does not end: {}", screen(&self.written()));
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        self.wait("normal screen", || self.written().contains("\x1b[?1049l"));
        assert!(self.written().contains("\x1b[?25h"), "the cursor is back");
        let after = tcgetattr(&self.terminal).unwrap();
        assert_eq!(after.local_modes, self.before.local_modes);
        assert_eq!(after.input_modes, self.before.input_modes);
        assert_eq!(after.output_modes, self.before.output_modes);
        assert_eq!(after.control_modes, self.before.control_modes);
        status
    }
}

/// What a terminal shows of what was written to it: letters, and orders to move the cursor.
fn screen(written: &str) -> String {
    let mut cells = vec![vec![' '; usize::from(WIDTH)]; usize::from(HEIGHT)];
    let (mut row, mut column) = (0_usize, 0_usize);
    // The program's own screen begins empty.
    let own = written.rsplit("\x1b[?1049h").next();
    let mut rest = own.unwrap_or(written).chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\x1b' => {
                if rest.next() != Some('[') {
                    continue;
                }
                let mut order = String::new();
                let letter = rest.by_ref().find(|letter| {
                    order.push(*letter);
                    letter.is_ascii_alphabetic()
                });
                order.pop();
                let place = order.split_once(';').filter(|_| letter == Some('H'));
                if let Some((r, c)) = place {
                    (row, column) = (r.parse().unwrap_or(1) - 1, c.parse().unwrap_or(1) - 1);
                }
            }
            '\r' => column = 0,
            '\n' => row += 1,
            letter => {
                if let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column)) {
                    *cell = letter;
                }
                column += 1;
            }
        }
    }
    let lines = cells.iter().map(|row| row.iter().collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn it_shows_obeys_and_leaves_the_terminal_as_it_was() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let mut session = Session::start(scratch.path(), &["explore", &image]);
    session.see("Layers (2)");
    session.see("COPY etc");
    session.see("etc/");
    session.see("bad\\x1b]0;owned\\x07");
    let raw = tcgetattr(&session.terminal).unwrap();
    assert_ne!(raw.local_modes, session.before.local_modes);
    // Opens /etc; the file that is gone can be read, and its layer is said.
    session.press("*", "token");
    session.press("/token\r", "layer 0 brought it, layer 1 removed it");
    session.press("v", "secret words");
    session.press("q", "n next");
    session.press("/motd\re", "/etc/motd is in ./motd, 6 B");
    let written = std::fs::read(scratch.path().join("motd")).unwrap();
    assert_eq!(written, b"hello\n");
    session.press("?", "Moving");
    session.press("qt", "What layer 1 did");
    session.press("\x1b[A\x1b[A\x1b[A", " 1 of ");
    let written = session.written();
    assert!(written.contains("\x1b[?1049h"));
    assert!(!written.contains("\x1b]0;"));
    session.keys.write_all(b"q").unwrap();
    assert_eq!(session.end().code(), Some(0));
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_as_it_was() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let session = Session::start(scratch.path(), &["explore", &image, "--layer", "1"]);
    session.see("What layer 1 did");
    let id = Pid::from_child(&session.child);
    kill_process(id, Signal::TERM).unwrap();
    let status = session.end();
    assert_eq!(status.code(), None, "by the signal itself");
}

#[test]
fn ctrl_c_ends_it() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let mut session = Session::start(scratch.path(), &["explore", &image]);
    session.see("packages");
    session.keys.write_all(b"?\x03").unwrap();
    assert_eq!(session.end().code(), Some(0));
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let output = plimsoll(scratch.path(), &["explore", &image]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("plimsoll tree IMAGE"), "{said}");
    assert_eq!(output.stdout, b"", "{said}");
}

#[test]
fn a_layer_that_is_not_there_is_no_screen() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let mut session = Session::start(scratch.path(), &["explore", &image, "--layer", "7"]);
    session.see("has no layer 7");
    assert_eq!(session.child.wait().unwrap().code(), Some(2));
    assert!(!session.written().contains("\x1b[?1049h"));
}

/// A layout with one layer that takes a while: a tar whose one file is so many bytes of nothing, which take
/// no room on the disk. Its digests are made up.
fn slow_image(directory: &Path, bytes: u64) -> String {
    let blobs = directory.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let mut head = Tar::default().file("zeros", 0o644, b"").finish();
    head.truncate(512);
    head[124..136].copy_from_slice(format!("{bytes:011o}\0").as_bytes());
    head[148..156].fill(b' ');
    let sum: u32 = head.iter().map(|&byte| u32::from(byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let made_up = "5".repeat(64);
    let mut layer = File::create(blobs.join(&made_up)).unwrap();
    layer.write_all(&head).unwrap();
    let size = 512 + bytes.next_multiple_of(512) + 1024;
    layer.set_len(size).unwrap();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{made_up}")] },
        "history": [{ "created_by": "COPY zeros /" }],
    });
    let put = |document: &serde_json::Value, kind: &str| {
        let bytes = document.to_string();
        let digest = crate::images::hex(bytes.as_bytes());
        std::fs::write(blobs.join(&digest), &bytes).unwrap();
        serde_json::json!({
            "mediaType": format!("application/vnd.oci.image.{kind}.v1+json"),
            "digest": format!("sha256:{digest}"), "size": bytes.len(),
        })
    };
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put(&config, "config"),
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": format!("sha256:{made_up}"), "size": size,
        }],
    });
    let index =
        serde_json::json!({ "schemaVersion": 2, "manifests": [put(&manifest, "manifest")] });
    std::fs::write(directory.join("index.json"), index.to_string()).unwrap();
    std::fs::write(
        directory.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
    format!("oci:{}", directory.display())
}

#[test]
fn it_is_there_and_obeys_before_the_layers_are_read() {
    let scratch = tempfile::tempdir().unwrap();
    // As much as a tar can say: no machine hashes that while the keys below are pressed.
    let image = slow_image(&scratch.path().join("image"), (8 << 30) - 512);
    let mut session = Session::start(scratch.path(), &["explore", &image]);
    session.see("Layers (1)");
    session.see("COPY zeros");
    session.see("reading: ");
    session.press("v", "wait: the layers are still being read");
    session.press("?", "Moving");
    session.press("q\t", "its files are not read yet");
    let start = Instant::now();
    session.keys.write_all(b"q").unwrap();
    let written = Arc::clone(&session.shown);
    assert_eq!(session.end().code(), Some(0));
    assert!(start.elapsed() < PATIENCE / 2, "it does not wait for them");
    let written = String::from_utf8_lossy(&written.lock().unwrap()).into_owned();
    assert!(!written.contains("cannot be read"), "{written}");
}

#[test]
fn what_cannot_be_read_is_said_on_the_screen_and_by_the_exit_code() {
    let scratch = tempfile::tempdir().unwrap();
    // The digests are not those of the layer.
    let image = slow_image(&scratch.path().join("image"), 1 << 20);
    let mut session = Session::start(scratch.path(), &["explore", &image]);
    session.see("The image cannot be read");
    session.press("q", "says why again");
    // The layers are known all the same.
    session.press("\t", "COPY zeros");
    session.keys.write_all(b"q").unwrap();
    let written = Arc::clone(&session.shown);
    assert_eq!(session.end().code(), Some(2));
    let written = String::from_utf8_lossy(&written.lock().unwrap()).into_owned();
    let after = written.rsplit("\x1b[?1049l").next().unwrap();
    assert!(after.contains("error: cannot read oci:"), "{after}");
}

#[test]
fn a_name_that_means_nothing_is_no_screen() {
    let scratch = tempfile::tempdir().unwrap();
    let mut session = Session::start(scratch.path(), &["explore", "./no-such.tar"]);
    session.see("there is no such file");
    assert_eq!(session.child.wait().unwrap().code(), Some(2));
    assert!(!session.written().contains("\x1b[?1049h"));
}

#[test]
fn it_ends_when_its_terminal_goes_away() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(scratch.path());
    let (mut ours, terminal) = pair();
    let mut child = spawn(scratch.path(), &["explore", &image], &terminal);
    drop(terminal);
    let flags = rustix::fs::OFlags::NONBLOCK;
    rustix::fs::fcntl_setfl(&ours, flags).unwrap();
    let start = Instant::now();
    let mut written = Vec::new();
    let mut buffer = [0; 4096];
    // At rest: all is known, and it waits for keys.
    while !screen(&String::from_utf8_lossy(&written)).contains("0 packages") {
        assert!(start.elapsed() < PATIENCE, "no screen");
        match ours.read(&mut buffer) {
            Ok(count) => written.extend_from_slice(&buffer[..count]),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    drop(ours);
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it goes on without a terminal");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(2), "an error, and no panic");
}
