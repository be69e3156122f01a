//! A result is written while it is being proved: what becomes of that where it was missing something,
//! where the disk is full, and where it is interrupted.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::images::{command, must_be_gone, plimsoll, signalled, text};
use crate::slim::{skipped, web_image_with};

/// A probe that is asked three times of the original (two runs, and the second start of one); from the
/// fourth time on it does something else.
fn probe(first: &str, later: &str) -> String {
    format!(
        "cmd:n=$(cat n 2>/dev/null || echo 0); \
         if test $n -lt 3; then {first} && echo $((n + 1)) > n; else {later}; fi"
    )
}

/// A server whose directory nothing names before it runs.
fn image(directory: &Path) -> String {
    let script = "cd /srv/w*; exec /app/serve 8080 .";
    let more = json!({ "WorkingDir": "/" });
    web_image_with(directory, &["/app/start.sh"], script, more)
}

/// A command that asks the server for a page; `None` where there is nothing to ask with.
fn get(name: &str) -> Option<String> {
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("skipped: no bash to ask with");
        return None;
    }
    Some(format!(
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf \"GET /{name} HTTP/1.0\\r\\n\\r\\n\" >&3; \
         read -r _ status _ <&3; test \"$status\" = 200' 2> /dev/null"
    ))
}

/// What lies there is what was proved, and nothing of what was given up.
fn must_be_whole(scratch: &Path, report: &Value) {
    let layers = report["slim"]["layers"].as_array().unwrap().len();
    let blobs = fs::read_dir(scratch.join("out/blobs/sha256")).unwrap();
    assert_eq!(blobs.count(), layers + 2, "{report}");
    let cat = plimsoll(scratch, &["cat", "oci:out", "/srv/www/later.html"]);
    assert_eq!(cat.stdout, b"asked for by nobody yet\n", "{}", text(&cat));
    assert_eq!(fs::read_dir(scratch.join("tmp")).unwrap().count(), 0);
}

/// What only the second run asks for, and nobody ever again: whoever went by the first run alone would
/// leave it ashore, and nothing would tell.
#[test]
fn what_the_first_run_promised_is_given_up_where_the_second_shows_more() {
    let scratch = tempfile::tempdir().unwrap();
    let temporary = scratch.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let (Some(usual), Some(later)) = (get("index.html"), get("later.html")) else {
        return;
    };
    let image = image(&scratch.path().join("image"));
    // Asked in the first run, at its second start, and then in the second run: there, not before all
    // that the first run promised is written.
    let probe = format!(
        "cmd:n=$(cat n 2>/dev/null || echo 0); {usual} || exit 1; echo $((n + 1)) > n; \
         test $n = 2 || exit 0; {later} || exit 1; i=0; \
         until ls \"$TMPDIR\"/plimsoll-*/guess/index.json > written 2>&1; do \
         i=$((i + 1)); test $i -lt 1000 || exit 1; sleep 0.01; done"
    );
    let mut command = command(scratch.path());
    command.env("TMPDIR", &temporary).args([
        "slim", &image, "-o", "oci:out", "--level", "file", "--json", "--probe", &probe,
    ]);
    let output = command.output().unwrap();
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let written = fs::read_to_string(scratch.path().join("written")).unwrap();
    assert!(written.contains("guess/index.json"), "{written}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["slim"]["repaired"], json!([]), "{report}");
    let why = plimsoll(scratch.path(), &["why", "/srv/www/later.html", "oci:out"]);
    assert!(text(&why).contains("second run"), "{}", text(&why));
    must_be_whole(scratch.path(), &report);
}

#[test]
fn what_was_written_before_a_repair_is_given_up() {
    let scratch = tempfile::tempdir().unwrap();
    let temporary = scratch.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let (Some(usual), Some(later)) = (get("index.html"), get("later.html")) else {
        return;
    };
    let image = image(&scratch.path().join("image"));
    let probe = probe(&usual, &later);
    let mut command = command(scratch.path());
    command.env("TMPDIR", &temporary).args([
        "slim", &image, "-o", "oci:out", "--level", "file", "--json", "--probe", &probe,
    ]);
    let output = command.output().unwrap();
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let repaired = report["slim"]["repaired"].to_string();
    assert!(repaired.contains("/srv/www/later.html"), "{repaired}");
    // What lies there is what was proved at last, and nothing of what was written first.
    must_be_whole(scratch.path(), &report);
}

#[test]
fn an_interrupt_while_the_result_runs_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image(&scratch.path().join("image"));
    let temporary = scratch.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let probe = probe(
        "true",
        "echo $$ > pid.new && mv pid.new pid && exec sleep 60",
    );
    let mut command = command(scratch.path());
    command
        .args(["slim", &image, "-o", "oci:out/deep:slim", "--probe", &probe])
        .args([
            "--html",
            "page.html",
            "--sbom",
            "bills",
            "--plan",
            "plan.json",
        ])
        .env("TMPDIR", &temporary);
    // Until it is being asked, and being written: as what the first run showed, or as what both did.
    let written = || -> Option<PathBuf> {
        let works = fs::read_dir(&temporary).ok()?.flatten();
        let blobs = |work: fs::DirEntry| {
            ["guess", "ahead-0"].map(|name| work.path().join(name).join("blobs/sha256"))
        };
        works.flat_map(blobs).find(|blobs| blobs.exists())
    };
    let pid = scratch.path().join("pid");
    let (was_written, output) =
        signalled(&mut command, "-INT", || pid.exists() && written().is_some());
    if skipped(&output) {
        return;
    }
    assert!(was_written, "{}", text(&output));
    assert_eq!(output.status.signal(), Some(2), "{}", text(&output));
    let left = Command::new("find").arg(&temporary).output().unwrap();
    assert_eq!(
        fs::read_dir(&temporary).unwrap().count(),
        0,
        "{}",
        text(&left)
    );
    for name in ["out", "page.html", "bills", "plan.json"] {
        assert!(!scratch.path().join(name).exists(), "{name}");
    }
    must_be_gone(&pid);
}

#[test]
fn a_disk_that_fills_up_while_the_result_is_written_is_no_success() {
    let scratch = tempfile::tempdir().unwrap();
    let name = image(&scratch.path().join("image"));
    // It must be found where nothing of the directory for temporary files is seen any more.
    fs::copy(
        env!("CARGO_BIN_EXE_plimsoll"),
        scratch.path().join("plimsoll"),
    )
    .unwrap();
    let slim = "./plimsoll slim oci:image:test -o oci:out --probe 'cmd:true' --compression none";
    let output = Command::new("sh")
        .args(["-c", &format!("{slim} --json")])
        .current_dir(scratch.path())
        .env("PLIMSOLL_CACHE", "cache")
        .output()
        .unwrap();
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = report["comparison"]["after"]["footprint"]["bytes"].as_u64();
    let half = bytes.unwrap() / 2 / 1024;
    fs::remove_dir_all(scratch.path().join("out")).unwrap();
    // Where temporary files lie there is room for half of the result; trees to run lie elsewhere.
    let script = format!(
        "mount --bind . /mnt && cd /mnt && mount -t tmpfs -o size={half}k none /tmp || exit 77\n\
         {slim}; code=$?\n\
         echo \"left: $(ls -A /tmp | wc -l)\"\n\
         exit $code"
    );
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script])
        .current_dir(scratch.path())
        .env("PLIMSOLL_CACHE", "cache")
        .env_remove("TMPDIR")
        .output()
        .unwrap();
    let said = text(&output);
    if output.status.code() == Some(77) || said.contains("unshare failed") || skipped(&output) {
        eprintln!("skipped: no file system of our own here: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{said}");
    for words in ["No space left on device", "left: 0"] {
        assert!(said.contains(words), "`{words}` is not in\n{said}");
    }
    if !said.contains("cannot write oci:/tmp/") {
        eprintln!("skipped: the trees lie on the same disk here, which was full before: {said}");
    }
    assert!(!scratch.path().join("out").exists(), "{said}");
}
