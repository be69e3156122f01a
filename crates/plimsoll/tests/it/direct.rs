//! `slim --direct-entry`: an entry script's work is baked, or refused with the evidence.

use std::process::Output;

use serde_json::{Value, json};

use crate::images::{plimsoll, text};
use crate::slim::{skipped, web_image_with};

const START: &[&str] = &["/app/start.sh"];

/// The image with this end of its start script, slimmed so that it starts the server itself.
fn slim(scratch: &std::path::Path, script: &str, more: Value, options: &[&str]) -> Output {
    let image = web_image_with(&scratch.join("image"), START, script, more);
    let mut arguments = vec![
        "slim",
        &*image,
        "-o",
        "oci:out:slim",
        "--direct-entry",
        "--json",
        "--probe",
        "http:/made.html",
        "--probe",
        "http:/later.html",
    ];
    arguments.extend(options);
    plimsoll(scratch, &arguments)
}

#[test]
fn what_a_script_prepares_is_baked_and_the_shell_goes() {
    let scratch = tempfile::tempdir().unwrap();
    let script = "umask 022\nname=made\necho ready > /srv/www/$name.html\nexport SAID=so\nexec /app/serve 8080 \"$PWD\"";
    let idle = ["--freeze", "TYPO_*", "--freeze", "HOSTNAME"];
    let run = || slim(scratch.path(), script, json!({}), &idle);
    let output = run();
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let direct = &report["slim"]["direct"];
    assert_eq!(
        direct["entrypoint"],
        json!(["/app/serve", "8080", "/srv/www"])
    );
    assert_eq!(direct["env"], json!(["SAID=so"]), "{direct}");
    let baked =
        json!([{ "path": "/srv/www/made.html", "why": "written by /app/start.sh at start" }]);
    assert_eq!(direct["baked"], baked);
    assert_eq!(direct["ashore"], json!(["/app/start.sh"]));
    assert_eq!(
        report["comparison"]["after"]["footprint"]["shells"],
        json!([])
    );
    let notes = direct["notes"].to_string();
    for words in [
        "--freeze TYPO_*: the image sets no variable of this name, and its entry reads none",
        "--freeze HOSTNAME: what a runtime decides",
    ] {
        assert!(notes.contains(words), "{notes}");
    }
    let verified = json!(["http:/made.html", "http:/later.html"]);
    assert_eq!(report["slim"]["verified_by"], verified);

    let why = plimsoll(
        scratch.path(),
        &["why", "/srv/www/made.html", "oci:out:slim"],
    );
    let why = String::from_utf8_lossy(&why.stdout).into_owned();
    assert!(
        why.contains("baked: written by /app/start.sh at start"),
        "{why}"
    );
    let inspected = plimsoll(scratch.path(), &["inspect", "oci:out:slim", "--json"]);
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!(
        inspected["image"]["command"],
        json!(["/app/serve", "8080", "/srv/www"])
    );

    // The same input gives the same digest: no time of the run is in it.
    let again: Value = serde_json::from_slice(&run().stdout).unwrap();
    assert_eq!(again["slim"]["digest"], report["slim"]["digest"]);
}

#[test]
fn what_depends_on_the_start_is_refused_by_name() {
    let serve = "exec /app/serve 8080 /srv/www";
    let made = "echo x > /srv/www/made.html";
    for (script, more, evidence) in [
        (
            format!("echo \"$SECRET\" > /srv/www/made.html\n{serve}"),
            json!({}),
            "/app/start.sh, line 3, reads the variable SECRET",
        ),
        (
            format!(
                "echo x > /srv/www/made.html; read -r host < /etc/hostname; echo $host\n{serve}"
            ),
            json!({}),
            "reads /etc/hostname, which the runtime writes",
        ),
        (
            format!(
                "echo $$ \"$(: < /proc/self/stat)\" > /srv/www/made.html; echo \"$HOSTNAME\" > /srv/h\n{serve}"
            ),
            json!({}),
            "reads HOSTNAME: the host name",
        ),
        (
            format!("{made}\n{serve}"),
            json!({ "Volumes": { "/srv/www": {} } }),
            "writes into the volume /srv/www: /srv/www/made.html",
        ),
        (
            format!("{made}\numask 077\n{serve}"),
            json!({}),
            "another file mode mask",
        ),
        (
            format!("{made}\n/app/serve 8080 /srv/www\necho over"),
            json!({}),
            "process 1 stays the shell",
        ),
        (
            format!("{made}\n. /usr/share/second.sh; echo $second ${{third:-none}}\n{serve}"),
            json!({ "Env": ["third=3"] }),
            "reads the variable third: the image sets it to \"3\"",
        ),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let output = slim(scratch.path(), &script, more, &[]);
        if skipped(&output) {
            return;
        }
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{script}: {said}");
        assert!(said.contains(evidence), "{script}: {said}");
        assert!(!scratch.path().join("out").exists(), "{script}");
    }
}

#[test]
fn a_value_that_is_final_is_baked() {
    let scratch = tempfile::tempdir().unwrap();
    let script = "echo \"$SAID\" > /srv/www/made.html\nexec /app/serve 8080 /srv/www";
    let env = json!({ "Env": ["SAID=so"] });
    let output = slim(scratch.path(), script, env, &["--freeze", "SA*"]);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let notes = report["slim"]["direct"]["notes"].to_string();
    assert!(notes.contains("SAID=so is final"), "{notes}");
}

#[test]
fn a_server_that_is_started_itself_needs_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let image = web_image_with(
        &scratch.path().join("image"),
        &["/app/serve", "8080", "/srv/www"],
        "",
        json!({}),
    );
    let arguments = [
        "slim",
        &image,
        "-o",
        "oci:out:slim",
        "--direct-entry",
        "--json",
        "--probe",
        "http:/",
    ];
    let output = plimsoll(scratch.path(), &arguments);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["slim"]["direct"], Value::Null);
    assert!(
        report["notes"]
            .to_string()
            .contains("starts its server itself already")
    );
}
