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

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use tree::{Tree, turn};

/// All of it once more, as a user without any privilege.
#[test]
fn everything_holds_for_a_plain_user_too() {
    let _turn = turn();
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: this is the plain user already");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    // Where cargo builds may be closed to others.
    let copy = directory.path().join("it");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let scratch = directory.path().join("tmp");
    std::fs::create_dir(&scratch).unwrap();
    tree::open_to_all(directory.path());
    tree::open_to_all(&scratch);
    let output = Command::new(&copy)
        .args(["--test-threads", "2"])
        .env("TMPDIR", &scratch)
        .current_dir("/")
        .uid(65_534)
        .gid(65_534)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
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
