//! Real sandboxes: small trees are run and asked, as root and as a plain user.
//!
//! The program in the trees is this test binary itself, copied in with its libraries: the functions
//! in [`inside`] are what it does there. Where no user namespace can be made, each test says so and
//! is skipped.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test panics where it fails, and says why it is skipped"
)]

mod confined;
mod ends;
mod inside;
mod limits;
mod probes;
mod removed;
mod startup;
mod tree;
mod watched;
mod whom;

use std::path::Path;
use std::process::Command;

use plimsoll_run::{Way, way};
use tree::{Tree, turn};

/// All of it once more, as a user without any privilege: with one id, which is that of user 0 in a
/// user namespace of its own, too; and with subordinate ones.
#[test]
fn everything_holds_for_a_plain_user_too() {
    let _turn = turn();
    for ways in ["plain", "mapped", "subordinate"] {
        again_as(ways);
    }
}

/// The file beside the binary that says which way the run that [`again_as`] starts is to find.
const WANTED: &str = "way";
/// The user of such a run, by number and by name; there is one on every machine.
const NOBODY: (u32, &str) = (65_534, "nobody");

#[test]
fn the_way_is_the_one_that_was_arranged() {
    let found = way();
    let binary = std::env::current_exe().unwrap();
    let wanted = std::fs::read_to_string(binary.with_file_name(WANTED));
    match wanted.as_deref() {
        Ok("plain" | "mapped") => assert_eq!(found, Ok(Way::Plain)),
        Ok("subordinate") => assert_eq!(found, Ok(Way::Subordinate)),
        _ => {}
    }
}

/// Runs this binary as a user who may, or may not, use subordinate ids, whatever this machine says.
fn again_as(ways: &str) {
    let binary = std::env::current_exe().unwrap();
    if !rustix::process::geteuid().is_root() || binary.with_file_name(WANTED).exists() {
        eprintln!("skipped: this is the plain user already");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    // Where cargo builds may be closed to others.
    let copy = directory.path().join("it");
    std::fs::copy(binary, &copy).unwrap();
    let scratch = directory.path().join("tmp");
    std::fs::create_dir(&scratch).unwrap();
    tree::open_to_all(directory.path());
    tree::open_to_all(&scratch);
    // Where mounts are our own, the files say what is to be tried.
    let (id, name) = NOBODY;
    let range = match ways {
        "subordinate" => format!("{name}:300000:65536\n"),
        _ => String::new(),
    };
    let ranges = directory.path().join("ranges");
    std::fs::write(&ranges, range).unwrap();
    let script = "mount --bind \"$1\" /etc/subuid && mount --bind \"$1\" /etc/subgid && shift && exec \"$@\"";
    let mounted = |command: &[&str]| {
        let mut all = Command::new("unshare");
        all.args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
            "sh",
        ])
        .arg(&ranges)
        .args(command);
        all
    };
    let can_be_arranged = mounted(&["true"])
        .output()
        .is_ok_and(|done| done.status.success());
    let helpers = ["newuidmap", "newgidmap"].map(|helper| Path::new("/usr/bin").join(helper));
    let has_helpers = helpers.iter().all(|helper| helper.exists());
    if ways == "subordinate" && !(can_be_arranged && has_helpers) {
        eprintln!(
            "skipped: a plain user with subordinate ids (needs uidmap, util-linux, /etc/subuid and /etc/subgid)"
        );
        return;
    }
    let id = id.to_string();
    let mut as_nobody = vec!["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups"];
    if ways == "mapped" {
        as_nobody.extend(["unshare", "--map-root-user"]);
    }
    // User 0 of a namespace has no subordinate ids, whatever the files say.
    if can_be_arranged || ways == "mapped" {
        std::fs::write(copy.with_file_name(WANTED), ways).unwrap();
    }
    let mut command = match can_be_arranged {
        true => mounted(&as_nobody),
        false => {
            let mut command = Command::new("setpriv");
            command.args(&as_nobody[1..]);
            command
        }
    };
    // What differs from the plain way is only how it is chosen.
    let tests: &[&str] = match ways {
        "mapped" => &["whom", "confined", "the_way"],
        _ => &[],
    };
    let output = command
        .arg(&copy)
        .args(tests)
        .args(["--test-threads", "2"])
        .env("TMPDIR", &scratch)
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{ways}: {text}\n{errors}");
    assert!(text.contains("test result: ok"), "{text}");
}

#[test]
fn an_image_finds_itself_as_its_runtime_would_leave_it() {
    let Some(tree) = Tree::new() else { return };
    let outcome = tree.script(
        "echo $HOME $HOSTNAME $PATH $A; pwd; cat /etc/hostname; echo $$; \
         echo < /dev/null > /dev/stdout; : > /dev/full && echo full; \
         test -c /dev/urandom && test -d /dev/shm && test -e /proc/self/exe && echo there; \
         test -e /tmp || echo no /tmp; test -d /data && echo volume",
    );
    let text = String::from_utf8(outcome.output).unwrap();
    let wanted = format!(
        "/home/me plimsoll {} b\n/srv/here\nplimsoll\n1\n\nfull\nthere\nno /tmp\nvolume\n",
        plimsoll_model::config::DEFAULT_PATH
    );
    assert_eq!(text, wanted);
}

#[test]
fn two_images_run_at_the_same_time() {
    let (Some(one), Some(two)) = (Tree::new(), Tree::without_turn()) else {
        return;
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| two.script("echo two; exit 2"));
        assert_eq!(one.script("echo one; exit 1").output, b"one\n");
        assert_eq!(other.join().unwrap().output, b"two\n");
    });
}
