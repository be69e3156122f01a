//! What an image may try, and what becomes of it.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::Duration;

use plimsoll_run::{Probe, Watch};

use crate::tree::{Tree, said};

#[test]
fn there_is_no_way_out() {
    let Some(mut tree) = Tree::new() else { return };
    // A service of this machine that trusts whoever can reach it.
    let name = format!("plimsoll-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name);
    let _service = UnixListener::bind_addr(&address.unwrap()).unwrap();
    tree.write("/socket-name", &name);
    for watch in [Watch::Usual, Watch::Off] {
        tree.watch = watch;
        let outcome = tree.inside("escape");
        let wanted = [
            "mount 1",
            "umount 1",
            "unshare 1",
            "setns 1",
            "clone 1",
            "clone3 38",
            "bpf 1",
            "io_uring 38",
            "keyctl 1",
            "vsock 1",
            "handle 1",
            "userfaultfd 1",
            "fanotify 1",
            "descriptor of another 1",
            "counters 1",
            "module 1",
            "clock 1",
            "unheard of 38",
            "mknod 1",
            // Its own: above the root is the root.
            "/proc/1/root/../../etc/hostname Ok(())",
            "/proc/sys/kernel/hostname false",
            "/proc/sysrq-trigger false",
            "/sys/kernel/uevent_helper false",
            "/proc stays true",
            "/dev stays true",
            "/dev/null stays true",
            "/proc/self/status stays true",
            "abstract Err(ConnectionRefused)",
            "read-only [true, true, false]",
            "keys false",
            "CapInh: 0000000000000000",
            "CapPrm: 00000000a80425fb",
            "CapEff: 00000000a80425fb",
            "CapBnd: 00000000a80425fb",
            "CapAmb: 0000000000000000",
            "NoNewPrivs: 1",
            "Seccomp: 2",
            "processes 1",
            "interfaces 1",
            "connect Err(NetworkUnreachable)",
            "mounts false",
            "descriptors []",
        ];
        assert_eq!(
            said(&outcome),
            wanted,
            "{}",
            String::from_utf8_lossy(&outcome.output)
        );
    }
    assert_eq!(
        fs::read_to_string(tree.path("/etc/hosts")).unwrap(),
        "nothing"
    );
}

#[test]
fn every_run_begins_with_the_pristine_tree() {
    let Some(tree) = Tree::new() else { return };
    tree.write("/kept", "kept");
    let script =
        "cat /kept; ls /; echo changed > /kept; echo new > /new; cat /etc/hosts > /bin/cat";
    let first = tree.script(script);
    assert!(
        first.output.starts_with(b"kept"),
        "{}",
        String::from_utf8_lossy(&first.output)
    );
    assert_eq!(tree.script(script).output, first.output);
    assert_eq!(fs::read_to_string(tree.path("/kept")).unwrap(), "kept");
    for path in [
        "/new",
        "/proc",
        "/dev",
        "/srv",
        "/data",
        "/etc/hostname",
        "/etc/mtab",
    ] {
        assert!(!tree.path(path).exists(), "{path} was written to the tree");
    }
    assert!(tree.path("/etc/resolv.conf").is_symlink());
}

#[test]
fn a_link_in_the_place_of_a_file_of_ours_is_replaced_and_not_followed() {
    let Some(tree) = Tree::new() else { return };
    tree.write("/target", "untouched");
    fs::remove_file(tree.path("/etc/hosts")).unwrap();
    std::os::unix::fs::symlink("/target", tree.path("/etc/hosts")).unwrap();
    let outcome = tree.script("cat /target; cat /etc/hosts");
    let text = String::from_utf8_lossy(&outcome.output);
    assert!(text.starts_with("untouched127.0.0.1\tlocalhost"), "{text}");
}

#[test]
fn what_a_runtime_mounts_upon_must_be_a_directory() {
    for name in ["proc", "sys", "dev", "etc"] {
        let Some(mut tree) = Tree::new() else { return };
        let path = tree.path(name);
        let _ = fs::remove_dir_all(&path);
        std::os::unix::fs::symlink("/", &path).unwrap();
        tree.command = vec![String::from("true")];
        let error = tree.run().unwrap_err().to_string();
        assert!(
            error.contains(&format!("/{name} is a symbolic link")),
            "{error}"
        );
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        let error = tree.run().unwrap_err().to_string();
        assert!(error.contains(&format!("/{name} is a file")), "{error}");
    }
}

#[test]
fn the_devices_of_this_machine_are_used_and_not_changed() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(tree) = Tree::new() else { return };
    let mode = || fs::metadata("/dev/null").unwrap().permissions().mode();
    let before = mode();
    let outcome = tree.script(
        "echo x > /dev/null && echo written; \
         chmod 700 /dev/null || echo kept; chown 5 /dev/null; rm -f /dev/null || echo there",
    );
    let text = String::from_utf8_lossy(&outcome.output);
    let said: Vec<&str> = text.lines().filter(|line| !line.contains(':')).collect();
    assert_eq!(said, ["written", "kept", "there"], "{text}");
    assert_eq!(mode(), before);
}

#[test]
fn our_own_program_is_out_of_reach() {
    let Some(mut tree) = Tree::new() else { return };
    std::os::unix::fs::symlink("/proc/self/exe", tree.path("/bin/us")).unwrap();
    tree.write("/bin/script", "#! /bin/us --help\n");
    tree.write("/bin/outer", "#!/bin/script\n");
    for path in ["/bin/script", "/bin/outer"] {
        tree.executable(path);
    }
    for program in [
        "/proc/self/exe",
        "/proc/1/exe",
        "us",
        "/bin/us",
        "/bin/script",
        "outer",
    ] {
        tree.command = vec![program.to_owned()];
        let error = tree.run().unwrap_err().to_string();
        assert!(
            error.contains("it is reached through /proc"),
            "{program}: {error}"
        );
    }
}

/// It may not be read, not be traced, and sees to its own calls: it is seen all the same.
#[test]
fn who_hides_is_watched() {
    let Some(mut tree) = Tree::new() else { return };
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o111);
    fs::set_permissions(tree.path("/bin/it"), mode).unwrap();
    let outcome = tree.inside("hide");
    // There is a listener already, and there can be but one.
    assert_eq!(said(&outcome), ["filter 16", "filter 0"]);
    for path in ["/opened-in-hiding", "/opened-by-a-thread"] {
        let seen = outcome.observations.seen.contains_key(path.as_bytes());
        assert!(seen, "{path}: {:?}", outcome.observations.blind);
    }
    assert!(outcome.observations.blind.is_empty());
}

/// However we end, the image ends with us, even if it has changed its user meanwhile.
#[test]
fn the_image_dies_with_us() {
    let Some(tree) = Tree::new() else { return };
    let mut us = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "inside::run_for_ever",
            "--ignored",
            "--nocapture",
        ])
        .env("TMPDIR", tree.scratch())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // It has become somebody else when its marker shows up.
    let all = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        lines
            .filter(|line| line.starts_with(b"sleep\x007531.5"))
            .count()
    };
    let wait_for = |count: usize| {
        let begun = std::time::Instant::now();
        while all() != count && begun.elapsed() < std::time::Duration::from_secs(20) {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        all()
    };
    let before = wait_for(1);
    us.kill().unwrap();
    us.wait().unwrap();
    assert_eq!((before, wait_for(0)), (1, 0));
    // What it could not clean up.
    for left in fs::read_dir(tree.scratch()).unwrap().flatten() {
        fs::remove_dir_all(left.path()).unwrap();
    }
}

#[test]
fn a_program_for_a_probe_is_not_exchanged_for_ours() {
    let Some(mut tree) = Tree::new() else { return };
    tree.limits.start = Duration::from_millis(500);
    tree.limits.probe = Duration::from_millis(500);
    // The shell refuses this, and our own program would print its help: so each is tried again and
    // again until its time is over.
    tree.probes = vec![Probe::parse("exec:/bin/swapped --help").unwrap(); 8];
    tree.write("/bin/swapped", "");
    let outcome = tree.inside("swap");
    assert_eq!(outcome.answers.len(), 8);
    for answer in &outcome.answers {
        assert!(!answer.is_good(), "{answer:?}");
        let text = format!("{:?}", answer.outcome);
        let is_known = ["Exit { code: 2", "Too many levels", "did not end in time"];
        assert!(is_known.iter().any(|known| text.contains(known)), "{text}");
    }
}
