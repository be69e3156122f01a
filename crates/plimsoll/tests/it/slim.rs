//! Slim from end to end: an image of this machine's own libraries is slimmed, and seen working.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Output;

use crate::images::{
    Tar, architecture, command, layout_for, libraries, must_be_gone, plimsoll, server, signalled,
    text,
};

/// Parents first, each directory once.
pub(crate) fn with_parents(mut tar: Tar, paths: &[&str]) -> Tar {
    let mut made = std::collections::BTreeSet::new();
    for path in paths {
        for (slash, _) in path.match_indices('/').skip(1) {
            if made.insert(path[1..slash].to_owned()) {
                tar = tar.dir(&path[1..slash], 0o755);
            }
        }
    }
    tar
}

/// A web server on a "distribution" of this machine's libraries and shell: base layer and
/// application layer. `start` is the entry point.
fn web_image(directory: &Path, start: &[&str]) -> String {
    web_image_with(directory, start, SCRIPT, serde_json::json!({}))
}

/// The end of the start script.
const SCRIPT: &str = "exec /app/serve 8080 /srv/www";

/// The same, with another end of its start script, and more in its configuration.
pub(crate) fn web_image_with(
    directory: &Path,
    start: &[&str],
    script: &str,
    more: serde_json::Value,
) -> String {
    web_image_for(architecture(), directory, start, script, more)
}

/// The same, said to be for an architecture.
fn web_image_for(
    architecture: &str,
    directory: &Path,
    start: &[&str],
    script: &str,
    more: serde_json::Value,
) -> String {
    let shell = fs::canonicalize("/bin/sh").unwrap();
    let server = server();
    let mut files = libraries(&server);
    files.extend(libraries(&shell));
    files.sort();
    files.dedup();
    let mut names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    names.extend(["/bin/x", "/etc/x", "/usr/bin/x", "/tmp/x"]);
    names.sort_unstable();
    let mut base = with_parents(Tar::default(), &names)
        .file(
            "etc/passwd",
            0o644,
            b"root:x:0:0:root:/root:/bin/sh\nweb:x:7:7::/:/none\n",
        )
        .file("etc/group", 0o644, b"root:x:0:\nweb:x:7:\n")
        .dir("usr/share", 0o755)
        .file("usr/share/second.sh", 0o644, b"second=yes\n")
        .file("usr/share/third.sh", 0o644, b"third=yes\n")
        .file("usr/bin/curl", 0o755, b"\x7fELF not really")
        .file("usr/bin/apt-get", 0o755, b"\x7fELF not really")
        .file("bin/sh", 0o755, &fs::read(&shell).unwrap());
    for (name, body) in &files {
        base = base.file(&name[1..], 0o755, body);
    }
    let application = Tar::default()
        .dir("app", 0o755)
        .file("app/serve", 0o755, &fs::read(&server).unwrap())
        .file(
            "app/start.sh",
            0o755,
            format!("#!/bin/sh\nset -e\n{script}\n").as_bytes(),
        )
        .dir("srv", 0o755)
        .dir("srv/www", 0o755)
        .file("srv/www/index.html", 0o644, b"hello from the hold\n")
        .file("srv/www/later.html", 0o644, b"asked for by nobody yet\n");
    let mut config = serde_json::json!({
        "Entrypoint": start, "ExposedPorts": { "8080/tcp": {} }, "WorkingDir": "/srv/www",
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    let layers = [base.finish(), application.finish()];
    layout_for(directory, architecture, &config, &layers)
}

/// Whether the sandbox can be made here; if not, the reason was printed and the test is over.
pub(crate) fn skipped(output: &Output) -> bool {
    let error = String::from_utf8_lossy(&output.stderr);
    let skip = error.contains("cannot start images on this machine");
    if skip {
        eprintln!("skipped: {error}");
    }
    skip
}

fn files(scratch: &Path, image: &str) -> String {
    let output = plimsoll(scratch, &["inspect", image, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    report["image"]["footprint"].to_string()
}

#[test]
fn a_server_is_slimmed_twice_alike_and_answers_what_nobody_asked_before() {
    let scratch = tempfile::tempdir().unwrap();
    let image = web_image(
        &scratch.path().join("image"),
        &["/app/serve", "8080", "/srv/www"],
    );
    let slim = |target: &str| {
        let arguments = [
            "slim", &image, "-o", target, "--probe", "http:/", "--json", "--sbom", "bills",
        ];
        plimsoll(scratch.path(), &arguments)
    };
    let output = slim("oci:one:slim");
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        report["slim"]["verified_by"],
        serde_json::json!(["http:/"]),
        "{report}"
    );
    let after = &report["comparison"]["after"]["footprint"];
    for gone in ["shells", "package_managers", "network_tools"] {
        assert_eq!(
            after[gone].as_array().map(Vec::len),
            Some(0),
            "{gone}: {after}"
        );
        assert_ne!(
            report["comparison"]["before"]["footprint"][gone]
                .as_array()
                .map(Vec::len),
            Some(0)
        );
    }
    assert!(report["slim"]["own_seconds"].as_f64().unwrap() > 0.0);

    // What both consist of is written down, in the forms scanners read.
    for name in ["before", "after"] {
        for (ending, key, value) in [
            ("cdx", "bomFormat", "CycloneDX"),
            ("spdx", "spdxVersion", "SPDX-2.3"),
        ] {
            let path = scratch.path().join(format!("bills/{name}.{ending}.json"));
            let bill: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            assert_eq!(bill[key], value);
        }
    }

    // The same input gives the same digest.
    let again = slim("oci:two:slim");
    let again: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(report["slim"]["digest"], again["slim"]["digest"]);

    // A directory is summed up by reason, and a glob names several; both images answer alike.
    for image in [image.as_str(), "oci:one:slim"] {
        let below = plimsoll(scratch.path(), &["why", "/usr", image]);
        let below = String::from_utf8_lossy(&below.stdout).into_owned();
        assert!(
            below.contains("\n  ashore, of no package: 2 files"),
            "{below}"
        );
        let glob = plimsoll(scratch.path(), &["why-not", "/usr/bin/*", image]);
        let glob = String::from_utf8_lossy(&glob.stdout).into_owned();
        let lines: Vec<&str> = glob.lines().collect();
        assert_eq!(lines.len(), 2, "{glob}");
        assert!(
            lines.iter().all(|line| line.contains("left ashore")),
            "{glob}"
        );
    }

    // What no probe asked for is the application's own, and still answers: slim the slimmed one.
    let target = [
        "slim",
        "oci:one:slim",
        "-o",
        "oci:three",
        "--probe",
        "http:/later.html",
    ];
    let held_out = plimsoll(scratch.path(), &target);
    assert_eq!(held_out.status.code(), Some(0), "{}", text(&held_out));

    // Every kept path has its reason, and what is ashore says so.
    let why = plimsoll(scratch.path(), &["why", "/app/serve", "oci:one:slim"]);
    assert!(
        String::from_utf8_lossy(&why.stdout).contains("entrypoint"),
        "{}",
        text(&why)
    );
    let why_not = plimsoll(scratch.path(), &["why", "/usr/bin/curl", &image]);
    assert_eq!(why_not.status.code(), Some(0), "{}", text(&why_not));
    assert!(
        !String::from_utf8_lossy(&why_not.stdout).contains("entrypoint"),
        "{}",
        text(&why_not)
    );
    let nothing = plimsoll(scratch.path(), &["why", "/none/*", &image]);
    assert_eq!(nothing.status.code(), Some(2), "{}", text(&nothing));

    assert!(!files(scratch.path(), "oci:one:slim").contains("/bin/sh"));
}

#[test]
fn a_shell_that_must_stay_is_named_with_the_script_that_forces_it() {
    let scratch = tempfile::tempdir().unwrap();
    let image = web_image(&scratch.path().join("image"), &["/app/start.sh"]);
    let arguments = [
        "slim", &image, "-o", "oci:out", "--probe", "http:/", "--json",
    ];
    let output = plimsoll(scratch.path(), &arguments);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let forced = report["slim"]["forced"].to_string();
    assert!(
        forced.contains("/bin/sh") && forced.contains("/app/start.sh"),
        "{forced}"
    );
    let after = &report["comparison"]["after"]["footprint"];
    assert_eq!(after["shells"].as_array().map(Vec::len), Some(1), "{after}");
    assert_eq!(
        after["network_tools"].as_array().map(Vec::len),
        Some(0),
        "{after}"
    );
}

#[test]
fn an_original_that_does_not_answer_proves_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let image = web_image(
        &scratch.path().join("image"),
        &["/app/serve", "8080", "/srv/www"],
    );
    let probe = [
        "slim",
        &image,
        "-o",
        "oci:out",
        "--probe",
        "cmd:exit 7",
        "--start-timeout",
        "2",
    ];
    let output = plimsoll(scratch.path(), &probe);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("exit 7"),
        "{}",
        text(&output)
    );
    assert!(!scratch.path().join("out").exists());
}

#[test]
fn what_does_not_pass_is_not_written_unless_it_is_asked_for() {
    let scratch = tempfile::tempdir().unwrap();
    let image = web_image(
        &scratch.path().join("image"),
        &["/app/serve", "8080", "/srv/www"],
    );
    // A probe that passes three times, for the two runs of the original and its second start in one
    // of them, and never again.
    let probe = "cmd:n=$(cat n 2>/dev/null || echo 0); test $n -lt 3 && echo $((n + 1)) > n";
    let arguments = [
        "slim",
        &image,
        "-o",
        "oci:out",
        "--probe",
        probe,
        "--start-timeout",
        "2",
    ];
    let output = plimsoll(scratch.path(), &arguments);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(!scratch.path().join("out").exists());
    fs::remove_file(scratch.path().join("n")).unwrap();
    let kept = [&arguments[..], &["--keep-failed"]].concat();
    let output = plimsoll(scratch.path(), &kept);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(scratch.path().join("out/index.json").exists());
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let image = web_image(
        &scratch.path().join("image"),
        &["/app/serve", "8080", "/srv/www"],
    );
    let temporary = scratch.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let probe = "cmd:echo $$ > pid.new && mv pid.new pid && exec sleep 60";
    let mut command = command(scratch.path());
    command
        .args(["slim", &image, "-o", "oci:out", "--probe", probe])
        .env("TMPDIR", &temporary);
    let pid = scratch.path().join("pid");
    let (probe_ran, output) = signalled(&mut command, "-INT", || pid.exists());
    if skipped(&output) {
        return;
    }
    assert!(probe_ran, "{}", text(&output));
    assert_eq!(output.status.signal(), Some(2), "{}", text(&output));
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!scratch.path().join("out").exists());
    must_be_gone(&pid);
}

#[test]
fn an_image_of_another_architecture_is_slimmed_by_reading_alone_if_that_is_asked_for() {
    let scratch = tempfile::tempdir().unwrap();
    let other = match architecture() {
        "amd64" => "arm64",
        _ => "amd64",
    };
    let directory = scratch.path().join("image");
    let none = serde_json::json!({});
    let image = web_image_for(other, &directory, &["/app/start.sh"], SCRIPT, none);
    let arguments = ["slim", &image, "-o", "oci:out", "--json"];
    let output = plimsoll(scratch.path(), &arguments);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("--no-run"), "{error}");
    assert!(!scratch.path().join("out").exists());

    let output = plimsoll(scratch.path(), &[&arguments[..], &["--no-run"]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["slim"]["verified"], false, "{report}");
    assert!(
        report["notes"].to_string().contains("not verified"),
        "{report}"
    );
    // The script's interpreter and what it starts were found by reading.
    let forced = report["slim"]["forced"].to_string();
    assert!(forced.contains("/bin/sh"), "{forced}");
    for path in ["/app/serve", "/srv/www/later.html"] {
        let why = plimsoll(scratch.path(), &["why", path, "oci:out"]);
        assert_eq!(why.status.code(), Some(0), "{}", text(&why));
    }
    let after = &report["comparison"]["after"]["footprint"];
    assert_eq!(after["package_managers"].as_array().map(Vec::len), Some(0));
}

#[test]
fn what_only_a_second_start_needs_stays_and_the_health_check_is_asked() {
    let scratch = tempfile::tempdir().unwrap();
    let script = "test ! -e /srv/started || . /usr/share/second.sh; : > /srv/started; \
                  exec /app/serve 8080 /srv/www";
    let check = serde_json::json!({
        "Healthcheck": { "Test": ["CMD-SHELL", "test -s /srv/www/index.html"] },
    });
    let directory = scratch.path().join("image");
    let image = web_image_with(&directory, &["/app/start.sh"], script, check);
    // No probe is given: the port is found out about.
    let output = plimsoll(scratch.path(), &["slim", &image, "-o", "oci:out", "--json"]);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let probes = [
        "http://:8080/",
        "exec:/bin/sh -c \"test -s /srv/www/index.html\"",
    ];
    assert_eq!(report["slim"]["verified_by"], serde_json::json!(probes));
    let why = |path: &str| {
        let output = plimsoll(scratch.path(), &["why", path, "oci:out"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let second = why("/usr/share/second.sh");
    assert!(second.contains("during restart"), "{second}");
    let third = why("/usr/share/third.sh");
    assert!(!third.contains("restart"), "{third}");
    let shell = why("/bin/sh");
    assert!(shell.contains("healthcheck"), "{shell}");
}

#[test]
fn an_image_that_ends_by_itself_is_run_to_its_end_and_not_asked_by_chance() {
    let scratch = tempfile::tempdir().unwrap();
    let counts = |most: u32| {
        format!(
            "i=0; while [ $i -lt {most} ]; do i=$((i+1)); done; . /usr/share/second.sh; echo $second"
        )
    };
    for most in [0, 20_000, 100_000] {
        let directory = scratch.path().join(format!("image-{most}"));
        let check = serde_json::json!({ "Healthcheck": { "Test": ["CMD-SHELL", "exit 0"] } });
        let image = web_image_with(&directory, &["/app/start.sh"], &counts(most), check);
        let slim = |more: &[&str]| {
            let arguments = [&["slim", &image, "-o", "oci:out", "--json"][..], more].concat();
            plimsoll(scratch.path(), &arguments)
        };
        let output = slim(&["--probe", "exec:/bin/sh -c 'exit 0'"]);
        if skipped(&output) {
            return;
        }
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{most}: {said}");
        for words in ["the image had ended (exit code 0)", "--args"] {
            assert!(said.contains(words), "{most}: {said}");
        }
        assert!(!scratch.path().join("out").exists());
        // Nobody has named its port and its health check.
        let output = slim(&[]);
        assert_eq!(output.status.code(), Some(0), "{most}: {}", text(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["slim"]["verified_by"], serde_json::json!(["run"]));
        let notes = report["notes"].to_string();
        assert!(notes.contains("run to its end"), "{notes}");
        fs::remove_dir_all(scratch.path().join("out")).unwrap();
    }
}

#[test]
fn what_fails_as_it_comes_is_compared_in_the_given_ways() {
    let scratch = tempfile::tempdir().unwrap();
    let script = "test $# -gt 0 || exit 1; . \"$1\"; echo $second";
    // It exposes a port, as a tool does that is made from the image of a server.
    let directory = scratch.path().join("image");
    let image = web_image_with(
        &directory,
        &["/app/start.sh"],
        script,
        serde_json::json!({}),
    );
    let slim = |more: &[&str]| {
        let arguments = [&["slim", &image, "-o", "oci:out", "--json"][..], more].concat();
        plimsoll(scratch.path(), &arguments)
    };
    let output = slim(&["--args", "/usr/share/second.sh"]);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let runs = serde_json::json!(["run with /usr/share/second.sh"]);
    assert_eq!(report["slim"]["verified_by"], runs);
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("compared in the given ways alone: port 8080"),
        "{notes}"
    );
    // What somebody asks must be answered.
    let output = slim(&["--args", "/usr/share/second.sh", "--probe", "http:/"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}

#[test]
fn every_list_of_arguments_is_seen_and_compared() {
    let scratch = tempfile::tempdir().unwrap();
    let script = "test $# -gt 0 || exit 0; . \"$1\"; echo $second $third";
    let more = serde_json::json!({ "ExposedPorts": {} });
    let directory = scratch.path().join("image");
    let image = web_image_with(&directory, &["/app/start.sh"], script, more);
    fs::write(
        scratch.path().join("plimsoll.toml"),
        "[[run]]\nargs = [\"/usr/share/second.sh\"]\n",
    )
    .unwrap();
    let slim = |more: &[&str]| {
        let arguments = [&["slim", &image, "-o", "oci:out", "--json"][..], more].concat();
        plimsoll(scratch.path(), &arguments)
    };
    let output = slim(&["--args", "/usr/share/third.sh 'x y'"]);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let runs = [
        "run with /usr/share/second.sh",
        "run with /usr/share/third.sh \"x y\"",
    ];
    assert_eq!(report["slim"]["verified_by"], serde_json::json!(runs));
    // Both stay, and without one of them its run is different.
    let output = slim(&["--exclude", "/usr/share/second.sh"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    let output = slim(&["--args", "/usr/share/none.sh"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let hint = "must end with exit code 0";
    assert!(text(&output).contains(hint), "{}", text(&output));
    let output = slim(&["--args", "'"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    fs::write(scratch.path().join("plimsoll.toml"), "\n[[prob]]\n").unwrap();
    let output = slim(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("line 2"), "{}", text(&output));
}
