//! A slim written down, reviewed, and done again without a run.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::images::{plimsoll, text};
use crate::slim::{skipped, web_image_with};

/// Reads a file that nobody would find by reading, and serves.
const SCRIPT: &str = ". /usr/share/\"$(printf second).sh\"; exec /app/serve 8080 /srv/www";

fn image(directory: &Path, start: &[&str], labels: Value) -> String {
    web_image_with(directory, start, SCRIPT, json!({ "Labels": labels }))
}

fn slim(scratch: &Path, image: &str, target: &str, more: &[&str]) -> Output {
    let arguments = [&["slim", image, "-o", target, "--json"][..], more].concat();
    plimsoll(scratch, &arguments)
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(output)))
}

#[test]
fn a_profile_makes_the_same_image_without_a_run_and_tells_what_has_drifted() {
    let scratch = tempfile::tempdir().unwrap();
    let scratch = scratch.path();
    let start = ["/app/start.sh"];
    let first = image(&scratch.join("first"), &start, json!({}));
    // The probes lie in the file a project has anyway: a replay must not mind it.
    fs::write(scratch.join("plimsoll.toml"), "[[probe]]\nhttp = \"/\"\n").unwrap();
    let output = slim(scratch, &first, "oci:one", &["--write-profile", "web.toml"]);
    if skipped(&output) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let one = report(&output);
    let toml = fs::read_to_string(scratch.join("web.toml")).unwrap();
    assert!(toml.contains("\"/usr/share/second.sh\""), "{toml}");
    assert!(toml.lines().count() < 60, "{toml}");
    // What each part of the run brought is told.
    let rounds = one["slim"]["rounds"].as_array().unwrap();
    assert_eq!(rounds[0]["name"], "start", "{rounds:?}");
    assert!(
        rounds.iter().any(|round| round["name"] == "http:/"),
        "{rounds:?}"
    );
    let watch = one["slim"]["watch"].as_str().unwrap();
    assert!(
        watch.contains("were seen") || watch.contains("not cross-checked"),
        "{watch}"
    );

    // The very same image: the very same result, which was verified then.
    let output = slim(scratch, &first, "oci:two", &["--profile", "web.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let two = report(&output);
    assert_eq!(one["slim"]["digest"], two["slim"]["digest"]);
    assert_eq!(two["slim"]["verified_by"], json!(["http:/"]));
    assert_eq!(two["findings"], json!([]));

    // What other runs taught, of other probes or on another day, is added to what these teach.
    let other = toml.replace("/usr/share/second.sh", "/usr/share/third.sh");
    let other = other.replace("during = \"start\"", "during = \"http:/third\"");
    fs::write(scratch.join("other.toml"), other).unwrap();
    let more = [
        "--merge-profile",
        "other.toml",
        "--write-profile",
        "both.toml",
    ];
    let output = slim(scratch, &first, "oci:both", &more);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let rounds = report(&output)["slim"]["rounds"].clone();
    let third = rounds
        .as_array()
        .unwrap()
        .iter()
        .find(|round| round["name"] == "http:/third");
    assert_eq!(third.unwrap()["alone"], 1, "{rounds}");
    let both = fs::read_to_string(scratch.join("both.toml")).unwrap();
    assert!(
        both.contains("/second.sh") && both.contains("/third.sh"),
        "{both}"
    );

    // Written anew by reading alone, it is the same again but for what was not asked.
    let more = ["--profile", "web.toml", "--write-profile", "again.toml"];
    slim(scratch, &first, "oci:two", &more);
    let again = fs::read_to_string(scratch.join("again.toml")).unwrap();
    let observed = |toml: &str| -> String {
        let from = toml.find("[[observed]]").unwrap();
        toml[from..toml.find("[packages]").unwrap()].to_owned()
    };
    assert_eq!(observed(&toml), observed(&again));

    // A rebuilt one: nothing has drifted, and nothing is verified unless that is asked for.
    let rebuilt = image(&scratch.join("rebuilt"), &start, json!({ "build": "2" }));
    let output = slim(scratch, &rebuilt, "oci:three", &["--profile", "web.toml"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let three = report(&output);
    assert_eq!(
        (&three["findings"], &three["slim"]["verified"]),
        (&json!([]), &json!(false))
    );
    assert!(
        three["notes"].to_string().contains("not verified"),
        "{three}"
    );
    let more = ["--profile", "web.toml", "--verify"];
    let output = slim(scratch, &rebuilt, "oci:four", &more);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let four = report(&output);
    assert_eq!(four["slim"]["digest"], three["slim"]["digest"]);
    assert_eq!(four["slim"]["verified_by"], json!(["http:/"]));
    assert_eq!(four["slim"]["repaired"], json!([]));

    // Another program is drift, and may be over the line.
    let other = ["/app/serve", "8080", "/srv/www"];
    let other = image(&scratch.join("other"), &other, json!({}));
    let output = slim(scratch, &other, "oci:five", &["--profile", "web.toml"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let finding = &report(&output)["findings"][0];
    assert_eq!(
        (&finding["check"], &finding["severity"]),
        (&json!("profile-drift"), &json!("medium"))
    );
    assert_eq!(finding["evidence"][0]["key"], "ENTRYPOINT");
    let more = ["--profile", "web.toml", "--fail-on", "medium"];
    let output = slim(scratch, &other, "oci:six", &more);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));

    // What the profile says is not said twice, and what it cannot mean is refused.
    for (more, why) in [
        (&["--profile", "web.toml", "--level", "file"][..], "--level"),
        (
            &["--profile", "web.toml", "--probe", "http:/"],
            "no --probe can be asked",
        ),
        (&["--profile", "plimsoll.toml"], "cannot read the profile"),
        (&["--verify"], "--profile"),
    ] {
        let output = slim(scratch, &first, "oci:none", more);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(why), "{}", text(&output));
    }
    let page = plimsoll(scratch, &["explain", "profile-drift"]);
    assert!(text(&page).contains("[[observed]]"), "{}", text(&page));
}

#[test]
fn what_the_watch_could_not_see_is_told_and_stays() {
    let scratch = tempfile::tempdir().unwrap();
    // The path a call names leads through /proc, which is no part of the image.
    let script = "read x < /proc/self/root/usr/share/third.sh; exec /app/serve 8080 /srv/www";
    let directory = scratch.path().join("image");
    let image = web_image_with(&directory, &["/app/start.sh"], script, json!({}));
    let output = slim(scratch.path(), &image, "oci:out", &["--probe", "http:/"]);
    if skipped(&output) {
        return;
    }
    let report = report(&output);
    let watch = report["slim"]["watch"].as_str().unwrap();
    if watch.contains("not cross-checked") {
        eprintln!("skipped: {watch}");
        return;
    }
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let problem = report["problems"][0]["message"].as_str().unwrap();
    assert!(problem.contains("the watch missed 1 file"), "{problem}");
    assert!(problem.contains("/usr/share/third.sh"), "{problem}");
    let why = plimsoll(scratch.path(), &["why", "/usr/share/third.sh", "oci:out"]);
    assert!(text(&why).contains("access time"), "{}", text(&why));
}
